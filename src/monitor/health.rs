//! Readiness.

use super::agenda::OVERDUE_SECONDS;
use super::item::WatchedItem;
use super::state::MonitorState;
use super::target::{Lane, TargetKind};
use crate::event::{Role, Severity};
use crate::policy::Band;
use crate::text::visible;
use crate::time::Timestamp;

/// Whether this process can do its work with its own certificates, and why not.
///
/// Made for readiness: a process whose certificate has expired should get no traffic, and one
/// behind the same load balancer that has the new certificate should. Never use it for liveness: a
/// restart brings no new certificate, so a liveness probe would restart every replica for ever,
/// and take down what still works.
///
/// Only what this process shows itself ([`Role::OwnServer`], [`Role::OwnClient`]) makes it not
/// ready; everything else is listed. To be near the end does not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The instant that was asked about.
    pub at: Timestamp,
    /// Whether no reason says otherwise.
    pub ready: bool,
    /// The instant of the monitor's latest tick.
    pub last_evaluated: Option<Timestamp>,
    /// How many things are watched.
    pub watched: usize,
    /// What is wrong, those first that make it not ready.
    pub reasons: Vec<HealthReason>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthReason {
    /// A stable code: a band (`expired`, `broken`, ...), `nothing_watched`, `not_evaluated`,
    /// `nothing_to_judge`, `source_failed`, `evaluation_overdue`, or that of a finding about what is
    /// watched besides certificates (`reload_failed`, `crl_expired`, ...).
    pub code: &'static str,
    /// Whether it makes the process not ready.
    pub not_ready: bool,
    /// The file, endpoint or name that it is about.
    pub source: Option<String>,
    /// A sentence.
    pub message: String,
}

pub(super) fn of(state: &MonitorState, now: Timestamp) -> Health {
    let mut reasons = Vec::new();
    if state.len() == 0 {
        let message = "nothing is watched, so nothing is known".to_owned();
        reasons.push(reason("nothing_watched", true, None, message));
    }
    let overdue = state
        .next_due(Lane::Local)
        .map_or(0, |due| now.seconds_since(due));
    if let Some(last) = state.last_tick().filter(|_| overdue > OVERDUE_SECONDS) {
        let message = format!("the monitor was last evaluated at {last}: see that it still runs");
        reasons.push(reason("evaluation_overdue", false, None, message));
    }
    for item in state.items.values() {
        reasons.extend(reasons_of(item, now));
    }
    reasons.sort_by_key(|reason| !reason.not_ready);
    for reason in &mut reasons {
        reason.message = visible(&reason.message);
    }
    Health {
        at: now,
        ready: !reasons.iter().any(|reason| reason.not_ready),
        last_evaluated: state.last_tick(),
        watched: state.len(),
        reasons,
    }
}

fn reasons_of(item: &WatchedItem, now: Timestamp) -> Vec<HealthReason> {
    let own = matches!(item.target.role, Role::OwnServer | Role::OwnClient);
    let name = || Some(item.name.to_string());
    let mut reasons = Vec::new();
    if item.is_overdue {
        let message = format!(
            "{} has been due for minutes and was not evaluated: what is known of it is old",
            item.name
        );
        reasons.push(reason("evaluation_overdue", false, name(), message));
    }
    if item.evaluated.is_none() {
        let message = format!("{} was not evaluated yet", item.name);
        reasons.push(reason("not_evaluated", own, name(), message));
        return reasons;
    }
    if own && item.chains().next().is_none() && !matches!(item.target.kind, TargetKind::Watched(_))
    {
        let message = format!(
            "nothing could be read from {}, so nothing is known",
            item.name
        );
        reasons.push(reason("nothing_to_judge", true, name(), message));
    }
    for failure in &item.last_read.failures {
        let source = Some(failure.place.source.to_string());
        reasons.push(reason("source_failed", false, source, failure.to_string()));
    }
    for chain in item.chains() {
        let ended = chain.ends().is_some_and(|end| end < now);
        let band = match chain.band {
            Band::NotYetValid | Band::Broken => chain.band,
            _ if ended => Band::Expired,
            band => band,
        };
        if matches!(band, Band::Ok | Band::Due) {
            continue;
        }
        let works = matches!(band, Band::Warning | Band::Critical);
        let message = match chain.ends() {
            Some(end) if end < now => format!("{} ended at {end}", chain.source),
            Some(end) => format!("{} is {band}, it ends at {end}", chain.source),
            None => {
                let refusal = chain.rustls.as_ref().and_then(|o| o.refusal.as_ref());
                let why = refusal.map(|refusal| format!(": {refusal}"));
                format!("{} is {band}{}", chain.source, why.unwrap_or_default())
            }
        };
        let source = Some(chain.source.clone());
        reasons.push(reason(band.as_str(), own && !works, source, message));
    }
    if !item.target.is_judged_by_trust() {
        // Chains speak for themselves.
        let findings = item.findings();
        for finding in findings.filter(|finding| finding.severity >= Severity::Warning) {
            let source = finding.source.clone().or_else(name);
            let (code, message) = (finding.code.as_str(), finding.message.clone());
            reasons.push(reason(code, false, source, message));
        }
    }
    reasons
}

const fn reason(
    code: &'static str,
    not_ready: bool,
    source: Option<String>,
    message: String,
) -> HealthReason {
    HealthReason {
        code,
        not_ready,
        source,
        message,
    }
}

#[cfg(feature = "json")]
mod json {
    use serde::Serialize;

    use super::Health;
    use crate::text::visible_json;

    #[derive(Serialize)]
    struct HealthDocument<'h> {
        at: String,
        ready: bool,
        last_evaluated: Option<String>,
        watched: usize,
        reasons: Vec<ReasonView<'h>>,
    }

    #[derive(Serialize)]
    struct ReasonView<'h> {
        code: &'static str,
        not_ready: bool,
        source: Option<&'h str>,
        message: &'h str,
    }

    impl Health {
        /// The body for a readiness endpoint: answer 200 where [`Health::ready`], else 503.
        pub fn to_json(&self) -> String {
            let reasons = self.reasons.iter().map(|reason| ReasonView {
                code: reason.code,
                not_ready: reason.not_ready,
                source: reason.source.as_deref(),
                message: &reason.message,
            });
            let document = HealthDocument {
                at: self.at.to_string(),
                ready: self.ready,
                last_evaluated: self.last_evaluated.map(|t| t.to_string()),
                watched: self.watched,
                reasons: reasons.collect(),
            };
            // Strings and numbers in a fixed shape: there is nothing here that could fail.
            visible_json(&serde_json::to_string_pretty(&document).unwrap_or_default())
        }
    }
}
