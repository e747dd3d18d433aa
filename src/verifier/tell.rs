//! What the wrappers say of a peer, each matter once and again at its interval.

#[cfg(feature = "ocsp")]
use rustls::CertificateError;
use rustls::Error;

use super::assess::{self, Assessment};
use super::conclude::{Conclusion, Known};
use super::peer::{Peer, date_refusal};
use super::watch::Watch;
use crate::cert::{CertificateParseError, Sha256Digest};
#[cfg(feature = "ocsp")]
use crate::event::Subject;
use crate::event::{Event, EventCode, Role, Severity};
#[cfg(feature = "ocsp")]
use crate::outlook::Position;
use crate::policy::Band;
#[cfg(feature = "ocsp")]
use crate::revocation::StapleStatus;
use crate::transition::{Matter, Telling};

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

    /// The inner verifier refused: where it was for dates, say which certificate.
    pub(super) fn refused(&self, peer: &Peer<'_>, error: &Error) {
        let Some(refusal) = date_refusal(error).filter(|_| !peer.raw) else {
            return;
        };
        let now = peer.at();
        let Some(fault) = assess::date_fault(peer.leaf, peer.intermediates, refusal, now) else {
            return;
        };
        let subject = fault.subject;
        let Some(telling) = self.telling(peer, fault.code, subject.sha256, fault.band) else {
            return;
        };
        let who = match self.role {
            Role::PeerClient => "the client's operator",
            _ => "its operator",
        };
        let end = subject.not_after.map(|t| t.to_string()).unwrap_or_default();
        let message = match fault.band {
            Band::Expired => format!(
                "{} was refused: its {} '{}' expired at {end}; {who} must renew it",
                peer.name(),
                subject.position,
                subject.name
            ),
            _ => format!(
                "{} was refused: its {} '{}' is not valid yet; check this machine's clock first",
                peer.name(),
                subject.position,
                subject.name
            ),
        };
        let event = self.event(peer, fault.code, Severity::Critical, message);
        self.delivery.deliver(
            &event
                .with_subject(subject)
                .with_bands(telling.before, fault.band),
        );
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
                crate::duration::readable(left)
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
                (None, _) => "nobody who could have signed its staple is known: \
                              give the verifier trust anchors with their certificates"
                    .to_owned(),
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
        let matter = Matter::new(code, self.role)
            .with_name(peer.host.map(str::to_owned))
            .with_sha256(sha256);
        self.memory.observe(matter, band, peer.at())
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
