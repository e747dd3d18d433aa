//! Trust anchors and revocation lists that a monitor watches, each by its own dates.

use super::watched::Evaluation;
use crate::alert::{Condition, Matter};
use crate::event::{Event, EventCode, Role, Severity, Subject};
use crate::outlook::{Position, TrustAnchors};
use crate::policy::{Band, ThresholdPolicy};
use crate::revocation::Crls;
use crate::self_check::{ChainReport, Finding, FindingCode, ReportedCertificate, list_gauges};
use crate::time::Timestamp;
use crate::time::span;

/// Judges anchors that are watched as `source`.
pub(crate) fn judge_anchors(
    anchors: &TrustAnchors,
    source: &str,
    role: Role,
    policy: &ThresholdPolicy,
    now: Timestamp,
) -> Evaluation {
    let position = Position::Anchor;
    let mut evaluation = Evaluation::default();
    for anchor in anchors.certificates() {
        let band = policy.band(anchor.validity(), position, now);
        if let Some(change) = policy.next_change(anchor.validity(), position, now) {
            evaluation.changes_at(change);
        }
        let (name, end) = (anchor.short_name(), anchor.not_after());
        let span = span::readable(end.seconds_since(now));
        let (code, message) = match band {
            Band::Ok => (EventCode::Recovered, format!("trust anchor '{name}' is ok")),
            Band::Expired => (
                EventCode::Expired,
                format!(
                    "trust anchor '{name}' expired {span} ago, at {end}: remove it, or add its successor"
                ),
            ),
            Band::NotYetValid => (
                EventCode::NotYetValid,
                format!(
                    "trust anchor '{name}' is not valid before {}: check the clock",
                    anchor.not_before()
                ),
            ),
            _ => (
                EventCode::Expiring,
                format!(
                    "trust anchor '{name}' ends in {span}, at {end} ({band}): add its successor before that"
                ),
            ),
        };
        let event = Event::new(now, code, Severity::of_band(band), role, message)
            .with_source(source.to_owned())
            .with_subject(Subject::of(anchor, position))
            .with_threshold_seconds(policy.threshold_seconds(band, anchor.validity(), position));
        let matter = Matter::new(EventCode::Expiring, role)
            .with_name(source.to_owned())
            .with_sha256(anchor.fingerprint());
        evaluation
            .conditions
            .push(Condition::new(matter, band, event));
        evaluation.chains.push(ChainReport {
            source: source.to_owned(),
            also_in: Vec::new(),
            band,
            certificates: vec![ReportedCertificate {
                position,
                certificate: anchor.clone(),
            }],
            rustls: None,
            strict: None,
            timeline: None,
            staple: None,
            scts: None,
        });
    }
    evaluation
}

/// Judges lists that are watched as `source`.
pub(super) fn judge_crls(
    crls: &Crls,
    source: &str,
    role: Role,
    policy: &ThresholdPolicy,
    now: Timestamp,
) -> Evaluation {
    let mut evaluation = Evaluation {
        gauges: list_gauges(crls, policy, now),
        ..Evaluation::default()
    };
    for validity in crls.validities() {
        // Of the due list nothing is told, but it is shown.
        if let Some(change) = policy.next_change(validity, Position::Leaf, now) {
            evaluation.changes_at(change);
        }
    }
    for (number, next_update) in crls.next_updates().enumerate() {
        let left = next_update.seconds_since(now);
        let span = span::readable(left);
        let name = format!("{source}, list {number}");
        let (band, code, message) = if left > 0 {
            evaluation.changes_at(next_update);
            let message = format!("{name} is current again, until before {next_update}");
            (Band::Ok, EventCode::Recovered, message)
        } else {
            let message = format!(
                "{name} is out of date since {next_update}, {span} ago: fetch the next one"
            );
            (Band::Expired, EventCode::Expired, message)
        };
        let severity = match band {
            Band::Expired if !crls.enforces_expiration() => Severity::Warning,
            band => Severity::of_band(band),
        };
        let event = Event::new(now, code, severity, role, message.clone())
            .with_source(source.to_owned())
            .with_time_left_seconds(left);
        let matter = Matter::new(EventCode::Expiring, role).with_name(name);
        if band != Band::Ok {
            let code = FindingCode::CrlExpired;
            evaluation
                .findings
                .push(Finding::new(severity, code, message));
        }
        evaluation
            .conditions
            .push(Condition::new(matter, band, event));
    }
    evaluation
}
