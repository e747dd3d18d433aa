//! Events for machines. The shape is a contract: only add.

use serde::{Serialize, Serializer};

use super::{Event, EventCode, PeerReach, Runbook, Subject};
use crate::identity::PeerIdentity;
use crate::policy::Band;

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        EventView::of(self, &Runbook::default()).serialize(serializer)
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SubjectView::of(self).serialize(serializer)
    }
}

/// An event as it is serialized.
#[derive(Serialize)]
pub(crate) struct EventView<'e> {
    at: String,
    code: &'static str,
    severity: &'static str,
    role: &'static str,
    host: Option<&'e str>,
    identity: Option<&'e str>,
    source: Option<&'e str>,
    subject: Option<SubjectView<'e>>,
    band_before: Option<&'static str>,
    band: Option<&'static str>,
    reach: Option<&'static str>,
    effective_not_after: Option<String>,
    time_left: Option<i64>,
    threshold: Option<i64>,
    affected: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    follows_from: Option<&'static str>,
    message: &'e str,
    runbook_url: String,
}

impl<'e> EventView<'e> {
    pub(crate) fn of(event: &'e Event, runbook: &Runbook) -> Self {
        Self {
            at: event.at.to_string(),
            code: event.code.as_str(),
            severity: event.severity.as_str(),
            role: event.role.as_str(),
            host: event.host.as_deref(),
            identity: event.identity.as_ref().map(PeerIdentity::as_str),
            source: event.source.as_deref(),
            subject: event.subject.as_ref().map(SubjectView::of),
            band_before: event.band_before.map(Band::as_str),
            band: event.band.map(Band::as_str),
            reach: event.reach.map(|reach| match reach {
                PeerReach::Until(_) => "until",
                PeerReach::UnknownBeyondLeaf { .. } => "unknown_beyond_leaf",
            }),
            effective_not_after: event.effective_not_after.map(|end| end.to_string()),
            time_left: event.time_left_seconds,
            threshold: event.threshold_seconds,
            affected: event.affected,
            follows_from: event.follows_from.map(EventCode::as_str),
            message: &event.message,
            runbook_url: runbook.url(event.code),
        }
    }
}

#[derive(Serialize)]
struct SubjectView<'s> {
    kind: &'static str,
    name: &'s str,
    sha256: String,
    position: String,
    not_before: Option<String>,
    not_after: Option<String>,
    distinguished_name: Option<&'s str>,
    issuer: Option<&'s str>,
}

impl<'s> SubjectView<'s> {
    fn of(subject: &'s Subject) -> Self {
        Self {
            kind: subject.kind.as_str(),
            name: &subject.name,
            sha256: subject.sha256.to_string(),
            position: subject.position.to_string(),
            not_before: subject.not_before.map(|t| t.to_string()),
            not_after: subject.not_after.map(|t| t.to_string()),
            distinguished_name: subject.distinguished_name.as_deref(),
            issuer: subject.issuer.as_deref(),
        }
    }
}
