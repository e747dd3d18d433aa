//! What is wrong with the anchors that everything is judged by.

use super::finding::{Finding, FindingCode};
use super::gauge::{Gauge, ReportedGauge};
use crate::cert::{Certificate, NextRootKey};
use crate::event::Severity;
use crate::outlook::{Position, TrustAnchors};
use crate::policy::{Band, ThresholdPolicy};
use crate::time::Timestamp;
use crate::time::span::readable;

/// Each that cannot be used.
pub(super) fn unusable_anchors(anchors: &TrustAnchors) -> impl Iterator<Item = Finding> {
    anchors.errors().iter().map(|error| {
        let code = FindingCode::UnusableAnchor;
        let finding = Finding::new(Severity::Warning, code, error.to_string());
        finding.with_source(&error.source_name)
    })
}

/// What the anchors say of the keys that will follow theirs (RFC 8649).
pub(super) fn next_root_keys(anchors: &TrustAnchors) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut named: Vec<NamedNext<'_>> = Vec::new();
    for root in anchors.certificates().filter(|root| root.is_self_issued()) {
        let name = root.short_name();
        let next = match root.next_root_key() {
            Ok(Some(next)) => next,
            Ok(None) => continue,
            Err(reason) => {
                let message = format!("the trust anchor '{name}': {reason}");
                findings.push(of_root(
                    Severity::Info,
                    FindingCode::NextRootKey,
                    root,
                    message,
                ));
                continue;
            }
        };
        let spki = root.facts().spki_der();
        if let Some(other) = named.iter().find(|other| other.spki == spki) {
            if other.next != next {
                let message = format!(
                    "certificates of the trust anchor '{name}' name different next keys, {} and {next}: ask whoever runs that root which is right, and remove the other certificate",
                    other.next
                );
                let code = FindingCode::NextRootKeyConflict;
                findings.push(of_root(Severity::Warning, code, root, message));
            }
            continue;
        }
        let mut all = anchors.certificates();
        if !all.any(|anchor| next.matches(anchor.facts().spki_der())) {
            let message = format!(
                "the trust anchor '{name}' names its next key, {next}, which no trust anchor has yet: put the next root beside it once it is published, and pin it where this one is pinned"
            );
            findings.push(of_root(
                Severity::Info,
                FindingCode::NextRootKey,
                root,
                message,
            ));
        }
        named.push(NamedNext { spki, next });
    }
    findings
}

/// What the key of an anchor was first seen to name.
struct NamedNext<'a> {
    spki: &'a [u8],
    next: NextRootKey,
}

fn of_root(severity: Severity, code: FindingCode, root: &Certificate, message: String) -> Finding {
    Finding::new(severity, code, message).with_certificate(Position::Anchor, root)
}

/// That there are none.
pub(crate) fn no_anchors(anchors: &TrustAnchors) -> Option<Finding> {
    if !anchors.is_empty() {
        return None;
    }
    let first = anchors.errors().first();
    let message = match first {
        Some(error) => format!("there is no trust anchor to judge by: {error}"),
        None => "there is no trust anchor to judge by: install the system's CA certificates, or name a file of your own".to_owned(),
    };
    let finding = Finding::new(Severity::Critical, FindingCode::NoTrustAnchors, message);
    // Whoever named a file is told of that file first.
    Some(match first {
        Some(error) => finding.with_source(&error.source_name),
        None => finding,
    })
}

/// The list that anchors come from, as old as it is at an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnchorListAge {
    date: Timestamp,
    now: Timestamp,
    pub(crate) band: Band,
}

impl AnchorListAge {
    pub(crate) const fn new(date: Timestamp, policy: &ThresholdPolicy, now: Timestamp) -> Self {
        let band = policy.anchor_list_band(date, now);
        Self { date, now, band }
    }

    /// `None` where nobody said of when the list is.
    pub(super) fn of(
        anchors: &TrustAnchors,
        policy: &ThresholdPolicy,
        now: Timestamp,
    ) -> Option<Self> {
        anchors.list_date().map(|date| Self::new(date, policy, now))
    }

    pub(crate) fn message(&self) -> String {
        let (date, age) = (self.date, readable(self.now.seconds_since(self.date)));
        match self.band {
            Band::Ok => format!("the list of trust anchors is of {date}"),
            _ => format!(
                "the list of trust anchors is of {date}, {age} old: it lacks roots that were added since, and has some that \
                 were distrusted; take a newer release of what it comes from"
            ),
        }
    }

    pub(crate) fn finding(&self) -> Option<Finding> {
        let (severity, code) = (Severity::of_band(self.band), FindingCode::AnchorListOld);
        (self.band != Band::Ok).then(|| Finding::new(severity, code, self.message()))
    }

    pub(crate) fn reported(&self) -> ReportedGauge {
        ReportedGauge {
            source: "anchors".to_owned(),
            gauge: Gauge::from_timestamp("notafter_anchor_list_date", self.date),
        }
    }
}
