//! Skew as a monitor watches it.

use super::served::ServedKey;
use crate::alert::{Condition, Matter};
use crate::cert::Certificate;
use crate::event::{Event, EventCode, Role, Severity, Subject};
use crate::monitor::{Evaluation, Gauge};
use crate::outlook::Position;
use crate::policy::{Band, ThresholdPolicy};
use crate::renewal::{Skew, SkewKind};
use crate::source::path_name;
use crate::time::Timestamp;

/// What skew is judged by.
pub(super) struct SkewJudge<'k> {
    pub(super) policy: &'k ThresholdPolicy,
    pub(super) role: Role,
    /// Whether somebody hears why the disk cannot be served: then it is not told twice.
    pub(super) failures_are_told: bool,
}

impl SkewJudge<'_> {
    pub(super) fn evaluate(&self, served: &[ServedKey], now: Timestamp) -> Evaluation {
        let conditions = served.iter().filter_map(|pair| self.condition(pair, now));
        let next = served.iter().filter_map(|pair| self.next_change(pair, now));
        let evaluation = Evaluation::new(conditions.collect(), next.min());
        match served.iter().filter_map(|pair| pair.stale_since).min() {
            Some(since) => evaluation.with_gauge(Gauge::from_timestamp(
                "notafter_reload_stale_since_timestamp_seconds",
                since,
            )),
            None => evaluation,
        }
    }

    fn condition(&self, pair: &ServedKey, now: Timestamp) -> Option<Condition> {
        let leaf = pair.leaf()?;
        let due = due(leaf, self.policy);
        // While a pair may be half-written, its certificate is no news.
        let on_disk = match settles_at(pair) {
            Some(settled) if now < settled => Some(leaf),
            _ => pair.on_disk.as_ref(),
        };
        let place = pair.whence.there();
        let skew = Skew::between_at(place, leaf, on_disk, due, now);
        let file = path_name(&pair.certificate_file);
        let refused = pair
            .error
            .as_ref()
            .filter(|_| self.failures_are_told || on_disk.is_none());
        // Of its end the served certificate tells itself, where it is watched too.
        let says_due = |skew: &Skew| skew.kind == SkewKind::DueButNotRenewed;
        let is_due = skew
            .as_ref()
            .is_some_and(|skew| refused.is_some() || says_due(skew));
        let (band, code, message) = match (skew, refused) {
            // That the disk cannot be served, and what to do about it, is said by the failure.
            (Some(_), Some(_)) if now < due && on_disk != Some(leaf) => return None,
            (Some(skew), Some(error)) if !says_due(&skew) || on_disk.is_none() => (
                self.band(SkewKind::DueButNotRenewed, leaf, now),
                EventCode::Skew,
                format!(
                    "{file}: '{}' has been due since {due}, and what lies {place} cannot be served: \
                     {error}",
                    leaf.short_name()
                ),
            ),
            (Some(skew), _) => (
                self.band(skew.kind, leaf, now),
                EventCode::Skew,
                format!("{file}: {skew}"),
            ),
            (None, _) => (
                Band::Ok,
                EventCode::SkewRecovered,
                format!("{file}: what is served, what lies {place} and what is due agree again"),
            ),
        };
        let matter = Matter::new(EventCode::Skew, self.role).with_name(file.clone());
        let event = Event::new(now, code, Severity::of_band(band), self.role, message)
            .with_source(file)
            .with_subject(Subject::of(leaf, Position::Leaf));
        let condition = Condition::new(matter, band, event);
        Some(match is_due {
            true => condition.with_follows_from(EventCode::Expiring),
            false => condition,
        })
    }

    /// Never milder than the served certificate's own band.
    fn band(&self, kind: SkewKind, leaf: &Certificate, now: Timestamp) -> Band {
        let own = self.policy.band(leaf.validity(), Position::Leaf, now);
        let least = match kind {
            SkewKind::DueButNotRenewed => Band::Due,
            SkewKind::ServedOlderThanDisk | SkewKind::DiskOlderThanServed => Band::Warning,
            SkewKind::RenewedButNotServed => Band::Warning,
            SkewKind::DiskExpiredServingValid => Band::Critical,
        };
        own.max(least)
    }

    fn next_change(&self, pair: &ServedKey, now: Timestamp) -> Option<Timestamp> {
        let validity = pair.leaf()?.validity();
        let own = self.policy.next_change(validity, Position::Leaf, now);
        let disk = pair.on_disk.as_ref().map(Certificate::not_after);
        let disk = disk.map(|end| end.saturating_add(1));
        let changes = own.into_iter().chain(disk).chain(settles_at(pair));
        changes.filter(|t| *t > now).min()
    }
}

/// When files that differ from what is served can no longer be half-written.
fn settles_at(pair: &ServedKey) -> Option<Timestamp> {
    Some(pair.stale_since?.saturating_add(pair.settle_seconds))
}

/// From when on a leaf is due, by the thresholds.
pub(super) fn due(leaf: &Certificate, policy: &ThresholdPolicy) -> Timestamp {
    let validity = leaf.validity();
    let seconds = policy.threshold_seconds(Band::Due, validity, Position::Leaf);
    validity.not_after.saturating_add(-seconds.unwrap_or(0))
}
