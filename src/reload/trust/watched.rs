//! Anchors and lists in force as a monitor watches them.

use super::error::TrustReloadError;
use crate::alert::{Condition, Matter};
use crate::event::{Event, EventCode, Role, Severity};
use crate::monitor::{Evaluation, Gauge};
use crate::policy::Band;
use crate::self_check::{Finding, FindingCode};
use crate::time::Timestamp;

/// So soon a monitor notices by itself that something else is in force, or refused.
const LOOKED_AT_AGAIN_SECONDS: i64 = 60;

/// Whether what lies there and what is in force agree.
#[derive(Debug, Clone)]
pub(super) struct TrustAgreement {
    /// Where it all lies, for people.
    pub(super) place: String,
    pub(super) stale_since: Option<Timestamp>,
    pub(super) failure: Option<TrustReloadError>,
}

/// How an evaluation says so.
pub(super) struct AgreementView<'a> {
    pub(super) agreement: &'a TrustAgreement,
    pub(super) role: Role,
    pub(super) settle_seconds: i64,
    /// Whether somebody hears of it from who reloads: then it is not told twice.
    pub(super) is_told: bool,
}

impl AgreementView<'_> {
    /// Adds it to what is to be said of what is in force.
    pub(super) fn add_to(&self, mut evaluation: Evaluation, now: Timestamp) -> Evaluation {
        let agreement = self.agreement;
        let again = now.saturating_add(LOOKED_AT_AGAIN_SECONDS);
        let next = evaluation.next_change;
        evaluation.next_change = Some(next.map_or(again, |next| next.min(again)));
        if let Some(since) = agreement.stale_since {
            evaluation.gauges.push(Gauge::from_timestamp(
                "notafter_reload_stale_since_timestamp_seconds",
                since,
            ));
        }
        let failure = agreement.failure.as_ref().zip(agreement.stale_since);
        let settled = failure.filter(|(error, since)| {
            !error.may_be_torn() || now.seconds_since(*since) >= self.settle_seconds
        });
        if let (None, Some((_, since))) = (settled, failure) {
            let settles = since.saturating_add(self.settle_seconds);
            evaluation.next_change = evaluation.next_change.map(|next| next.min(settles));
        }
        let place = &agreement.place;
        let (band, code, message) = match settled {
            Some((error, since)) => (
                Band::Warning,
                EventCode::ReloadFailed,
                format!("{error}; what was loaded before stays in force, since {since}"),
            ),
            None => (
                Band::Ok,
                EventCode::ReloadRecovered,
                format!("{place}: it holds what is in force"),
            ),
        };
        let severity = Severity::of_band(band);
        if band != Band::Ok {
            let finding = Finding::new(severity, FindingCode::ReloadFailed, message.clone());
            evaluation.findings.push(finding.with_source(place));
        }
        if !self.is_told {
            let matter =
                Matter::new(EventCode::ReloadFailed, self.role).with_name(place.to_owned());
            let event =
                Event::new(now, code, severity, self.role, message).with_source(place.to_owned());
            evaluation
                .conditions
                .push(Condition::new(matter, band, event));
        }
        evaluation
    }
}
