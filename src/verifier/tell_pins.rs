//! What the wrappers say about pins.

use std::borrow::Cow;

use super::conclude::Known;
use super::grace::Candidate;
use super::peer::Peer;
use super::pins::Ruling;
use super::tell::subject_of;
use super::watch::Watch;
use crate::cert::Sha256Digest;
use crate::event::{EventCode, Severity, Subject};
use crate::outlook::Position;
use crate::pin::{Pin, PinError, PinSetStanding, PinState};
use crate::policy::Band;
use crate::time::span::readable;

impl Watch {
    pub(super) fn tell_ruling(&self, peer: &Peer<'_>, ruling: &Ruling, known: Option<&Known>) {
        if let Some(refusal) = &ruling.refusal {
            self.tell_refusal(peer, refusal, ruling.enforced, known);
        }
        self.tell_standing(peer, ruling);
        if let Some(pin) = &ruling.matched {
            self.tell_match(peer, pin);
            self.tell_ends(peer, pin, ruling, known);
        }
        if let (1, named @ 2..) = ruling.keys {
            let message = format!(
                "only one of the {named} keys pinned for {} is usable: announce a backup before it is lost",
                peer.name()
            );
            let matter = (EventCode::PinOnlyOneUsable, set_digest(peer), Band::Warning);
            self.say(peer, matter, message, None);
        }
    }

    fn tell_refusal(
        &self,
        peer: &Peer<'_>,
        refusal: &PinError,
        enforced: bool,
        known: Option<&Known>,
    ) {
        let code = match enforced {
            true => pin_code(refusal),
            false => EventCode::PinReportOnly,
        };
        // A matter of pins stands like the worst band: told at once, then hourly.
        let (band, message) = match enforced {
            true => (Band::Broken, refusal.to_string()),
            false => (Band::Warning, format!("not enforced: {refusal}")),
        };
        let sha256 = Sha256Digest::of(peer.leaf);
        self.say(peer, (code, sha256, band), message, subject_of(peer, known));
    }

    fn tell_standing(&self, peer: &Peer<'_>, ruling: &Ruling) {
        let name = peer.name();
        let end = ruling.ends.map(|end| end.to_string()).unwrap_or_default();
        let message = match ruling.standing {
            PinSetStanding::InForce | PinSetStanding::Closed => return,
            PinSetStanding::InGrace { until } => format!(
                "the pins of {name} ended at {end}; they go on deciding until {until}, then every peer is refused: deploy a new pin set"
            ),
            PinSetStanding::Open => format!(
                "the pins of {name} ended at {end} and decide no more: it is NOT pinned until a new pin set is deployed"
            ),
        };
        let matter = (EventCode::PinSetExpired, set_digest(peer), Band::Critical);
        self.say(peer, matter, message, None);
    }

    fn tell_match(&self, peer: &Peer<'_>, pin: &Pin) {
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
            _ => return,
        };
        let subject = Subject::of_pin(&pin.pin, Position::Leaf, None);
        let matter = (code, *pin.pin.digest(), band);
        self.say(peer, matter, message, Some(subject));
    }

    /// The set that ends before the certificate, and the certificate that ends without a
    /// successor.
    fn tell_ends(&self, peer: &Peer<'_>, pin: &Pin, ruling: &Ruling, known: Option<&Known>) {
        let (Some(known), name, now) = (known, peer.name(), peer.at()) else {
            return;
        };
        let leaf = &known.leaf;
        if let Some(end) = ruling.ends.filter(|end| *end < leaf.not_after()) {
            let left = end.seconds_since(now);
            let band = ruling.band;
            let message = format!(
                "the pins of {name} end at {end}, in {}, before its certificate does: release a new pin set before that",
                readable(left)
            );
            let matter = (EventCode::PinSetEndsFirst, set_digest(peer), band);
            self.say(peer, matter, message, None);
        }
        let nears_end = self
            .grounds
            .policy
            .band(leaf.validity(), Position::Leaf, now);
        let lonely =
            pin.position.includes_leaf() && pin.state == PinState::Current && !ruling.has_successor;
        if lonely {
            let left = leaf.not_after().seconds_since(now);
            let message = format!(
                "the pinned certificate of {name} ends in {} and no successor key is announced: announce one, unless it will be renewed with the same key",
                readable(left)
            );
            let band = nears_end.min(Band::Critical);
            let subject = Subject::of(leaf, Position::Leaf);
            let matter = (EventCode::PinNoSuccessor, *pin.pin.digest(), band);
            self.say(peer, matter, message, Some(subject));
        }
    }

    /// Told of every time, for it is a relaxation.
    pub(super) fn tell_grace(&self, peer: &Peer<'_>, candidate: &Candidate) {
        let Candidate {
            leaf, pin, until, ..
        } = candidate;
        let message = format!(
            "{} was accepted only within its grace: its pinned leaf '{}' ({pin}) expired at {}, {} ago; refused after {until}: renew it now",
            peer.name(),
            leaf.short_name(),
            leaf.not_after(),
            readable(peer.at().seconds_since(leaf.not_after()))
        );
        let code = EventCode::PinGraceUsed;
        let event = self.event(peer, code, Severity::Critical, message);
        let subject = Subject::of(leaf, Position::Leaf);
        self.delivery
            .deliver(&event.with_subject(subject).with_bands(None, Band::Expired));
    }

    /// Says it if it is news, or due again.
    fn say(
        &self,
        peer: &Peer<'_>,
        (code, sha256, band): (EventCode, Sha256Digest, Band),
        message: String,
        subject: Option<Subject>,
    ) {
        let Some(telling) = self.telling(peer, code, sha256, band) else {
            return;
        };
        if band == Band::Ok {
            return;
        }
        let event = self.event(peer, code, Severity::of_band(band), message);
        let event = event.with_subject(subject);
        self.delivery
            .deliver(&event.with_bands(telling.before, band));
    }
}

/// A matter of a host's whole set.
fn set_digest(peer: &Peer<'_>) -> Sha256Digest {
    let name = peer.folded_host().unwrap_or(Cow::Borrowed(peer.name()));
    Sha256Digest::of(name.as_bytes())
}

/// The code that tells of an enforced refusal.
pub(super) fn pin_code(refusal: &PinError) -> EventCode {
    match refusal {
        PinError::SetExpired { .. } => EventCode::PinSetExpired,
        PinError::Rejected { .. } => EventCode::PinRejected,
        _ if refusal.accepted_from().is_some() => EventCode::PinAnnouncedEarly,
        _ => EventCode::PinMismatch,
    }
}
