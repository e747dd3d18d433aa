//! What the wrappers say of a peer, each matter once and again at its interval.

use std::borrow::Cow;

#[cfg(feature = "ocsp")]
use rustls::CertificateError;
use rustls::Error;

use super::assess::{self, Assessment, DateFault};
use super::conclude::{Conclusion, Known};
use super::peer::{Peer, date_refusal};
use super::pins::Ruling;
use super::presented::PresentedError;
use super::proof::Awaited;
use super::tell_pins::pin_code;
use super::watch::{Verdict, Watch};
use crate::alert::{Matter, Telling};
use crate::cert::{Certificate, CertificateParseError, Sha256Digest};
use crate::event::{Event, EventCode, Role, Severity, Subject};
use crate::outlook::Position;
use crate::policy::Band;
#[cfg(feature = "ocsp")]
use crate::revocation::StapleStatus;

impl Watch {
    /// Everything that is worth saying of a peer that the inner verifier accepted.
    pub(super) fn tell(&self, peer: &Peer<'_>, conclusion: &Conclusion) {
        if let Some(ruling) = &conclusion.ruling {
            let known = conclusion.known.as_ref();
            self.tell_ruling(peer, ruling, known);
            if ruling.enforced_refusal().is_some() {
                return;
            }
        }
        if let Some(error) = &conclusion.unreadable {
            self.tell_unreadable(peer, error);
        }
        if let Some(known) = &conclusion.known {
            #[cfg(feature = "ocsp")]
            self.tell_staple(peer, known);
            if conclusion.refusal.is_none() {
                self.tell_assessment(peer, known);
            }
        }
    }

    /// An accepted peer failed to prove that it has the key, or was given up.
    pub(super) fn tell_unproven(&self, awaited: &Awaited<Verdict>) {
        let met = awaited.peer.as_met();
        self.tell_by_number(&met, EventCode::PeerUnproven, || self.unproven_event(&met));
    }

    pub(super) fn unproven_event(&self, peer: &Peer<'_>) -> Event {
        let leaf = Certificate::from_der(peer.leaf);
        let shown = match &leaf {
            Ok(leaf) => format!("the certificate '{}'", leaf.short_name()),
            Err(_) => "a key".to_owned(),
        };
        let message = format!(
            "{} presented {shown} and did not prove (so far) that it has the key: a broken connection, or somebody else",
            peer.name()
        );
        let subject = leaf.ok().map(|leaf| Subject::of(&leaf, Position::Leaf));
        let (code, severity) = (EventCode::PeerUnproven, Severity::Unproven);
        self.event(peer, code, severity, message)
            .with_subject(subject)
    }

    /// A peer presented more than the bounds allow.
    pub(super) fn tell_too_much(&self, peer: &Peer<'_>, error: &PresentedError) {
        let code = EventCode::PeerPresentedTooMuch;
        self.tell_by_number(peer, code, || {
            let message = format!("{} was refused: {error}", peer.name());
            self.event(peer, code, Severity::Unproven, message)
        });
    }

    /// Pins or the staple refused a peer that the inner verifier accepted. A leaf that proved itself
    /// before is told of in full; a stranger's by number.
    pub(super) fn tell_refused(&self, peer: &Peer<'_>, conclusion: &Conclusion) {
        if self.proved_itself_before(peer) {
            self.tell(peer, conclusion);
            return;
        }
        let ruling = conclusion.ruling.as_ref();
        let by_pins = ruling.and_then(Ruling::enforced_refusal);
        let code = match by_pins {
            Some(refusal) => pin_code(refusal),
            None => EventCode::StapleNotGood,
        };
        self.tell_by_number(peer, code, || {
            let known = conclusion.known.as_ref();
            let message = match by_pins {
                Some(refusal) => refusal.to_string(),
                None => staple_refusal(peer, known),
            };
            let event = self.event(peer, code, Severity::Unproven, message);
            event
                .with_subject(subject_of(peer, known))
                .with_bands(None, Band::Broken)
        });
    }

    /// The inner verifier refused: where it was for dates, say which certificate.
    pub(super) fn tell_dates(&self, peer: &Peer<'_>, error: &Error) {
        let Some(refusal) = date_refusal(error).filter(|_| !peer.raw) else {
            return;
        };
        let now = peer.at();
        let Some(fault) = assess::date_fault(peer.leaf, peer.intermediates, refusal, now) else {
            return;
        };
        let (code, band) = (fault.code, fault.band);
        if !self.proved_itself_before(peer) {
            self.tell_by_number(peer, code, || {
                self.date_event(peer, fault, Severity::Unproven)
                    .with_bands(None, band)
            });
            return;
        }
        if let Some(telling) = self.telling(peer, code, fault.subject.sha256, band) {
            let event = self.date_event(peer, fault, Severity::Critical);
            self.delivery
                .deliver(&event.with_bands(telling.before, band));
        }
    }

    fn date_event(&self, peer: &Peer<'_>, fault: DateFault, severity: Severity) -> Event {
        let DateFault {
            code,
            band,
            subject,
        } = fault;
        let who = match self.role {
            Role::PeerClient => "the client's operator",
            _ => "its operator",
        };
        let end = subject.not_after.map(|t| t.to_string()).unwrap_or_default();
        let (name, position, certificate) = (peer.name(), subject.position, brief(&subject.name));
        let message = match band {
            Band::Expired => format!(
                "{name} was refused: its {position} '{certificate}' expired at {end}; {who} must renew it"
            ),
            _ => format!(
                "{name} was refused: its {position} '{certificate}' is not valid yet; check this machine's clock first"
            ),
        };
        self.event(peer, code, severity, message)
            .with_subject(subject)
    }

    /// Counts a peer that proved nothing, and tells how many of its kind there were.
    fn tell_by_number(&self, peer: &Peer<'_>, code: EventCode, make: impl FnOnce() -> Event) {
        if let Some(event) = self.unproven.count(code, peer.at(), make) {
            self.delivery.deliver(&event);
        }
    }

    /// Whether this leaf proved itself as this peer's before, so that what is told of it is told of
    /// somebody who is known.
    fn proved_itself_before(&self, peer: &Peer<'_>) -> bool {
        let leaf = Sha256Digest::of(peer.leaf);
        self.memory.knows_leaf(peer)
            || self
                .matters
                .knows(&self.matter(peer, EventCode::PeerExpiring, leaf))
    }

    fn tell_assessment(&self, peer: &Peer<'_>, known: &Known) {
        let Assessment {
            subject,
            band,
            threshold,
            reach,
            ..
        } = &known.assessment;
        // One standing for each leaf: what ends its chain may change without being news.
        let (leaf, band) = (known.leaf.fingerprint(), *band);
        let Some(telling) = self.telling(peer, EventCode::PeerExpiring, leaf, band) else {
            return;
        };
        let code = match band {
            Band::Ok => EventCode::PeerRecovered,
            _ => EventCode::PeerExpiring,
        };
        let left = subject
            .not_after
            .map_or(0, |end| end.seconds_since(peer.at()));
        let message = match band {
            Band::Ok => format!("{} is ok again; its chain {reach}", peer.name()),
            _ => format!(
                "{}: {} '{}' ends in {} ({band}); its chain {reach}: have it renewed before that",
                peer.name(),
                subject.position,
                subject.name,
                crate::time::span::readable(left)
            ),
        };
        let event = self.event(peer, code, Severity::of_band(band), message);
        self.delivery.deliver(
            &event
                .with_subject(subject.clone())
                .with_bands(telling.before, band)
                .with_threshold(*threshold)
                .with_reach(*reach),
        );
    }

    /// Tells of a staple that is not good.
    #[cfg(feature = "ocsp")]
    fn tell_staple(&self, peer: &Peer<'_>, known: &Known) {
        let outlook = known.staple.as_ref();
        let refusal: Option<&CertificateError> = known.staple_refusal.as_ref();
        let band = match outlook {
            _ if refusal.is_some() => Band::Broken,
            Some(outlook) if matches!(outlook.status, StapleStatus::Revoked { .. }) => Band::Broken,
            Some(outlook) if !outlook.is_good() => Band::Warning,
            _ => Band::Ok,
        };
        let code = EventCode::StapleNotGood;
        let telling = self.telling(peer, code, known.leaf.fingerprint(), band);
        if let Some(telling) = telling {
            let what = match (outlook, band) {
                (_, Band::Ok) => "its staple is good (again)".to_owned(),
                (Some(outlook), _) => outlook.to_string(),
                (None, _) => UNKNOWN_STAPLE.to_owned(),
            };
            let (code, verdict) = match (band, refusal) {
                (Band::Ok, _) => (EventCode::StapleRecovered, ""),
                (_, Some(_)) => (code, " was refused"),
                (_, None) => (code, ""),
            };
            let message = format!("{}{verdict}: {what}", peer.name());
            let event = self.event(peer, code, Severity::of_band(band), message);
            let subject = Subject::of(&known.leaf, Position::Leaf);
            self.delivery.deliver(
                &event
                    .with_subject(subject)
                    .with_bands(telling.before, band)
                    .with_time_left(
                        outlook
                            .and_then(|o| o.good_until().map(|end| end.seconds_since(peer.at()))),
                    ),
            );
        }
    }

    fn tell_unreadable(&self, peer: &Peer<'_>, error: &CertificateParseError) {
        let code = EventCode::PeerUnreadable;
        let sha256 = Sha256Digest::of(peer.leaf);
        if self.telling(peer, code, sha256, Band::Warning).is_some() {
            let name = peer.name();
            let message = format!("{name} was accepted, but its leaf's dates are unknown: {error}");
            let event = self.event(peer, code, Severity::Warning, message);
            self.delivery.deliver(&event);
        }
    }

    pub(super) fn telling(
        &self,
        peer: &Peer<'_>,
        code: EventCode,
        sha256: Sha256Digest,
        band: Band,
    ) -> Option<Telling> {
        let matter = self.matter(peer, code, sha256);
        self.matters.observe(matter, band, peer.at())
    }

    fn matter(&self, peer: &Peer<'_>, code: EventCode, sha256: Sha256Digest) -> Matter {
        Matter::new(code, self.role)
            .with_name(peer.folded_host().map(Cow::into_owned))
            .with_sha256(sha256)
    }

    pub(super) fn event(
        &self,
        peer: &Peer<'_>,
        code: EventCode,
        severity: Severity,
        message: String,
    ) -> Event {
        let host = peer.host.map(str::to_owned);
        Event::new(peer.at(), code, severity, self.role, message).with_host(host)
    }
}

/// The certificate or the key that a refused peer showed.
pub(super) fn subject_of(peer: &Peer<'_>, known: Option<&Known>) -> Option<Subject> {
    match known {
        Some(known) => Some(Subject::of(&known.leaf, Position::Leaf)),
        None if peer.raw => Some(Subject::of_public_key(Sha256Digest::of(peer.leaf))),
        None => None,
    }
}

/// Why a staple, or that there is none, refused a peer.
#[cfg(feature = "ocsp")]
fn staple_refusal(peer: &Peer<'_>, known: Option<&Known>) -> String {
    let outlook = known.and_then(|known| known.staple.as_ref());
    let what = outlook.map_or_else(|| UNKNOWN_STAPLE.to_owned(), ToString::to_string);
    format!("{} was refused: {what}", peer.name())
}

/// Without OCSP nothing but pins refuses what the inner verifier accepted.
#[cfg(not(feature = "ocsp"))]
fn staple_refusal(peer: &Peer<'_>, _: Option<&Known>) -> String {
    format!("{} was refused", peer.name())
}

#[cfg(feature = "ocsp")]
const UNKNOWN_STAPLE: &str = "nobody who could have signed its staple is known: \
                              give the verifier trust anchors with their certificates";

/// At most 128 characters of a name.
fn brief(name: &str) -> &str {
    let end = name.char_indices().nth(128).map(|(end, _)| end);
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}
