//! What there is to say about the pins of a peer: a function of what was made of it.

use super::judgement::{Assessment, PinAssessment, PresentedLeaf};
use super::peer::Peer;
use super::refusal_reason::RefusalReason;
use crate::cert::{Certificate, Sha256Digest};
use crate::event::{EventCode, Subject};
use crate::outlook::Position;
use crate::pin::{Pin, PinError, PinSetStanding, PinState};
use crate::policy::{Band, ThresholdPolicy};
use crate::time::span::readable;

/// A matter of pins, how it stands, and what an event says of it.
#[derive(Debug)]
pub(super) struct PinStatement {
    pub(super) code: EventCode,
    pub(super) sha256: Sha256Digest,
    pub(super) band: Band,
    pub(super) subject: Option<Subject>,
    pub(super) message: String,
}

/// Every matter of pins that this peer has a part in, those that are ok included.
pub(super) fn pin_statements(
    peer: &Peer<'_>,
    assessment: &Assessment,
    pins: &PinAssessment,
    policy: &ThresholdPolicy,
) -> Vec<PinStatement> {
    let mut statements = Vec::new();
    if let Some(refusal) = pins.verdict.refusal() {
        statements.push(refused(peer, assessment, refusal, pins.enforced));
    }
    statements.extend(set_is_over(peer, pins));
    if let Some(pin) = pins.verdict.matched() {
        statements.extend(matched(peer, pin));
        if let Some(leaf) = assessment.certificate() {
            statements.extend(set_ends_first(peer, pins, leaf));
            statements.extend(no_successor(peer, pins, pin, leaf, policy));
        }
    }
    // Who is refused may be somebody who shows the peer's certificate: of that nothing else is told.
    if pins.enforced_refusal().is_none() {
        statements.extend(only_one_usable(peer, pins));
    }
    statements
}

/// The certificate or the key that a refused peer showed.
pub(super) fn shown_subject(peer: &Peer<'_>, assessment: &Assessment) -> Option<Subject> {
    match &assessment.leaf {
        PresentedLeaf::Certificate(leaf) => Some(Subject::of(leaf, Position::Leaf)),
        PresentedLeaf::RawPublicKey => Some(Subject::of_public_key(Sha256Digest::of(peer.leaf))),
        PresentedLeaf::Unreadable(_) => None,
    }
}

/// The code that tells of an enforced refusal.
pub(super) fn pin_code(refusal: &PinError) -> EventCode {
    match RefusalReason::of_pins(refusal) {
        RefusalReason::PinSetExpired => EventCode::PinSetExpired,
        RefusalReason::PinRejected => EventCode::PinRejected,
        RefusalReason::PinAnnouncedEarly => EventCode::PinAnnouncedEarly,
        _ => EventCode::PinMismatch,
    }
}

fn refused(
    peer: &Peer<'_>,
    assessment: &Assessment,
    refusal: &PinError,
    enforced: bool,
) -> PinStatement {
    // A matter of pins stands like the worst band: told at once, then hourly.
    let (code, band, message) = match enforced {
        true => (pin_code(refusal), Band::Broken, refusal.to_string()),
        false => (
            EventCode::PinReportOnly,
            // A key in wrong hands is let in: that cannot wait until somebody looks.
            match refusal {
                PinError::Rejected { .. } => Band::Critical,
                _ => Band::Warning,
            },
            format!("not enforced: {refusal}"),
        ),
    };
    PinStatement {
        code,
        sha256: Sha256Digest::of(peer.leaf),
        band,
        subject: shown_subject(peer, assessment),
        message,
    }
}

fn set_is_over(peer: &Peer<'_>, pins: &PinAssessment) -> Option<PinStatement> {
    let name = peer.name();
    let end = pins.ends.map(|end| end.to_string()).unwrap_or_default();
    let message = match pins.standing {
        PinSetStanding::InForce | PinSetStanding::Closed => return None,
        PinSetStanding::InGrace { until } => format!(
            "the pins of {name} ended at {end}; they go on deciding until {until}, then every peer is refused: deploy a new pin set"
        ),
        PinSetStanding::Open => format!(
            "the pins of {name} ended at {end} and decide no more: it is NOT pinned until a new pin set is deployed"
        ),
    };
    Some(PinStatement {
        code: EventCode::PinSetExpired,
        sha256: set_digest(peer),
        band: Band::Critical,
        subject: None,
        message,
    })
}

fn matched(peer: &Peer<'_>, pin: &Pin) -> Option<PinStatement> {
    let name = peer.name();
    let (code, band, message) = match pin.state {
        PinState::Backup => (
            EventCode::PinBackupMatched,
            Band::Warning,
            format!(
                "{name} showed a backup key, {pin}: if that was meant, announce it as current and a new backup with it"
            ),
        ),
        PinState::Announced => (
            EventCode::PinSuccessorSeen,
            Band::Due,
            format!(
                "{name} showed its successor key, {pin}: announce it as current, and retire the key before it"
            ),
        ),
        PinState::Current | PinState::Retired | PinState::Rejected => return None,
    };
    Some(PinStatement {
        code,
        sha256: *pin.key.digest(),
        band,
        subject: Some(Subject::of_pin(&pin.key, Position::Leaf, None)),
        message,
    })
}

/// The set ends before the certificate does.
fn set_ends_first(
    peer: &Peer<'_>,
    pins: &PinAssessment,
    leaf: &Certificate,
) -> Option<PinStatement> {
    let end = pins.ends.filter(|end| *end < leaf.not_after())?;
    Some(PinStatement {
        code: EventCode::PinSetEndsFirst,
        sha256: set_digest(peer),
        band: pins.band,
        subject: None,
        message: format!(
            "the pins of {} end at {end}, in {}, before its certificate does: release a new pin set before that",
            peer.name(),
            readable(end.seconds_since(peer.at()))
        ),
    })
}

/// The certificate ends, and nobody knows which key comes after it.
fn no_successor(
    peer: &Peer<'_>,
    pins: &PinAssessment,
    pin: &Pin,
    leaf: &Certificate,
    policy: &ThresholdPolicy,
) -> Option<PinStatement> {
    let is_alone =
        pin.position.includes_leaf() && pin.state == PinState::Current && !pins.has_successor;
    if !is_alone {
        return None;
    }
    let band = policy.band(leaf.validity(), Position::Leaf, peer.at());
    Some(PinStatement {
        code: EventCode::PinNoSuccessor,
        sha256: *pin.key.digest(),
        band: band.min(Band::Critical),
        subject: Some(Subject::of(leaf, Position::Leaf)),
        message: format!(
            "the pinned certificate of {} ends in {} and no successor key is announced: announce one, unless it will be renewed with the same key",
            peer.name(),
            readable(leaf.not_after().seconds_since(peer.at()))
        ),
    })
}

fn only_one_usable(peer: &Peer<'_>, pins: &PinAssessment) -> Option<PinStatement> {
    let (1, named @ 2..) = (pins.usable_keys, pins.named_keys) else {
        return None;
    };
    Some(PinStatement {
        code: EventCode::PinOnlyOneUsable,
        sha256: set_digest(peer),
        band: Band::Warning,
        subject: None,
        message: format!(
            "only one of the {named} keys pinned for {} is usable: announce a backup before it is lost",
            peer.name()
        ),
    })
}

/// A matter of a whole set, as far as it is this peer's.
fn set_digest(peer: &Peer<'_>) -> Sha256Digest {
    let name = peer.known_as().unwrap_or_else(|| peer.name());
    Sha256Digest::of(name.as_bytes())
}
