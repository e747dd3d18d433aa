//! What both wrappers do with a peer: after the inner verifier accepted, check pins and tell;
//! after it refused for dates, tell which certificate it was.

use pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, Error};

use super::decide::{self, Assessment, DateRefusal};
use super::memory::{Memory, chain_key};
use super::refuse;
#[cfg(feature = "ocsp")]
use super::staple::StapleWatch;
use crate::cert::{Certificate, CertificateParseError, Sha256Digest, Timestamp};
use crate::delivery::Outbox;
use crate::event::{Event, EventCode, Role, Severity, Subject};
use crate::outlook::{ChainJudge, Position};
use crate::pin::{PinError, SpkiPin};
use crate::policy::{Band, ThresholdPolicy};
#[cfg(feature = "ocsp")]
use crate::revocation::StapleStatus;
use crate::transition::{Matter, Telling};

/// The part of a wrapper that is the same for servers and clients.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) role: Role,
    pub(super) judge: Option<ChainJudge>,
    pub(super) policy: ThresholdPolicy,
    pub(super) pins: Vec<SpkiPin>,
    pub(super) delivery: Outbox,
    pub(super) memory: Memory,
    #[cfg(feature = "ocsp")]
    pub(super) staples: StapleWatch,
}

/// One peer as the verifier was handed it.
#[derive(Clone, Copy)]
pub(super) struct Peer<'p> {
    pub(super) host: Option<&'p str>,
    pub(super) leaf: &'p CertificateDer<'p>,
    pub(super) intermediates: &'p [CertificateDer<'p>],
    /// The stapled OCSP response; empty where there is none.
    pub(super) staple: &'p [u8],
    /// Whether `leaf` is a raw public key (RFC 7250).
    pub(super) raw: bool,
    pub(super) now: UnixTime,
}

impl Peer<'_> {
    fn at(&self) -> Timestamp {
        self.now.into()
    }

    fn name(&self) -> &str {
        self.host.unwrap_or("the client")
    }
}

impl Watch {
    /// The inner verifier accepted: pins may still refuse; everything else is only told.
    ///
    /// # Errors
    /// The pin refusal as rustls carries it.
    pub(super) fn accepted(&self, peer: Peer<'_>) -> Result<(), Error> {
        let pin = decide::leaf_pin(peer.leaf, peer.raw);
        if let Err(refusal) = decide::check_pins(&self.pins, pin, peer.host) {
            self.tell_pin_refusal(peer, &refusal);
            return Err(refuse(refusal));
        }
        if peer.raw {
            // A raw public key has no dates.
            return Ok(());
        }
        let key = chain_key(peer.host, peer.leaf, peer.intermediates, peer.staple);
        let assessment = match self.memory.recall(&key, peer.at()) {
            Some(known) => known,
            None => match Certificate::from_der(peer.leaf) {
                Ok(leaf) => {
                    let fresh = self.assess(peer, &leaf);
                    self.memory.remember(key, fresh.clone(), peer.at());
                    fresh
                }
                Err(error) => {
                    self.tell_unreadable(peer, &error);
                    #[cfg(feature = "ocsp")]
                    if self.staples.refuses_the_unreadable() {
                        let error = CertificateError::InvalidOcspResponse;
                        return Err(Error::InvalidCertificate(error));
                    }
                    return Ok(());
                }
            },
        };
        #[cfg(feature = "ocsp")]
        self.require_staple(peer, &assessment)?;
        self.tell_assessment(peer, assessment);
        Ok(())
    }

    fn assess(&self, peer: Peer<'_>, leaf: &Certificate) -> Assessment {
        let (judge, now) = (self.judge.as_ref(), peer.at());
        let fresh = decide::assess(leaf, peer.intermediates, judge, &self.policy, now);
        #[cfg(feature = "ocsp")]
        let fresh = {
            let issuers = decide::issuers(leaf, peer.intermediates, judge);
            let staple = self.staples.look(peer.staple, leaf, &issuers, now);
            // What is not good is looked at again in the next second.
            let end = staple
                .as_ref()
                .map(|s| s.good_until().unwrap_or(now).saturating_add(1));
            Assessment {
                until: end.map_or(fresh.until, |end| end.min(fresh.until)),
                staple,
                ..fresh
            }
        };
        fresh
    }

    /// Tells of a staple that is not good, and refuses where the rule says so.
    #[cfg(feature = "ocsp")]
    fn require_staple(&self, peer: Peer<'_>, assessment: &Assessment) -> Result<(), Error> {
        let Ok(leaf) = Certificate::from_der(peer.leaf) else {
            return Ok(());
        };
        let outlook = assessment.staple.as_ref();
        let refusal = self.staples.refusal(&leaf, outlook);
        let band = match outlook {
            _ if refusal.is_some() => Band::Broken,
            Some(outlook) if matches!(outlook.status, StapleStatus::Revoked { .. }) => Band::Broken,
            Some(outlook) if !outlook.is_good() => Band::Warning,
            _ => Band::Ok,
        };
        let code = EventCode::StapleNotGood;
        let telling = self.telling(peer, code, leaf.fingerprint(), band);
        if let Some(telling) = telling {
            let what = match (outlook, band) {
                (_, Band::Ok) => "its staple is good (again)".to_owned(),
                (Some(outlook), _) => outlook.to_string(),
                (None, _) => "nobody who could have signed its staple is known: \
                              give the verifier trust anchors with their certificates"
                    .to_owned(),
            };
            let (code, verdict) = match (band, &refusal) {
                (Band::Ok, _) => (EventCode::StapleRecovered, ""),
                (_, Some(_)) => (code, " was refused"),
                (_, None) => (code, ""),
            };
            let message = format!("{}{verdict}: {what}", peer.name());
            let event = self.event(peer, code, Severity::of_band(band), message);
            let subject = Subject::of(&leaf, Position::Leaf);
            self.delivery.deliver(
                &event
                    .with_subject(subject)
                    .with_bands(telling.before, band)
                    .with_time_left(outlook.and_then(|o| seconds_left(o.good_until(), peer.at()))),
            );
        }
        refusal.map_or(Ok(()), |error| Err(Error::InvalidCertificate(error)))
    }

    /// The inner verifier refused: where it was for dates, say which certificate.
    pub(super) fn refused(&self, peer: Peer<'_>, error: &Error) {
        let Some(refusal) = date_refusal(error).filter(|_| !peer.raw) else {
            return;
        };
        let now = peer.at();
        let Some(fault) = decide::date_fault(peer.leaf, peer.intermediates, refusal, now) else {
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

    fn tell_assessment(&self, peer: Peer<'_>, assessment: Assessment) {
        let Assessment {
            subject,
            band,
            threshold,
            reach,
            ..
        } = assessment;
        // One standing for each leaf: what ends its chain may change without being news.
        let leaf = Sha256Digest::of(peer.leaf);
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
                .with_subject(subject)
                .with_bands(telling.before, band)
                .with_threshold(threshold)
                .with_reach(reach),
        );
    }

    fn tell_pin_refusal(&self, peer: Peer<'_>, refusal: &PinError) {
        let sha256 = Sha256Digest::of(peer.leaf);
        // A matter of pins stands like the worst band: told at once, then hourly.
        let code = EventCode::PinMismatch;
        if self.telling(peer, code, sha256, Band::Broken).is_none() {
            return;
        }
        let certificate = (!peer.raw).then(|| Certificate::from_der(peer.leaf).ok());
        let subject = match certificate.flatten() {
            Some(certificate) => Subject::of(&certificate, Position::Leaf),
            None => Subject::of_public_key(sha256),
        };
        let event = self.event(peer, code, Severity::Critical, refusal.to_string());
        self.delivery.deliver(&event.with_subject(subject));
    }

    fn tell_unreadable(&self, peer: Peer<'_>, error: &CertificateParseError) {
        let code = EventCode::PeerUnreadable;
        let sha256 = Sha256Digest::of(peer.leaf);
        if self.telling(peer, code, sha256, Band::Warning).is_some() {
            let name = peer.name();
            let message = format!("{name} was accepted, but its leaf's dates are unknown: {error}");
            let event = self.event(peer, code, Severity::Warning, message);
            self.delivery.deliver(&event);
        }
    }

    fn telling(
        &self,
        peer: Peer<'_>,
        code: EventCode,
        sha256: Sha256Digest,
        band: Band,
    ) -> Option<Telling> {
        let matter = Matter::new(code, self.role)
            .with_name(peer.host.map(str::to_owned))
            .with_sha256(sha256);
        self.memory.observe(matter, band, peer.at())
    }

    fn event(&self, peer: Peer<'_>, code: EventCode, severity: Severity, message: String) -> Event {
        let host = peer.host.map(str::to_owned);
        Event::new(peer.at(), code, severity, self.role, message).with_host(host)
    }
}

#[cfg(feature = "ocsp")]
fn seconds_left(end: Option<Timestamp>, now: Timestamp) -> Option<i64> {
    end.map(|end| end.seconds_since(now))
}

/// What a rustls error says about dates.
fn date_refusal(error: &Error) -> Option<DateRefusal> {
    let Error::InvalidCertificate(error) = error else {
        return None;
    };
    match error {
        CertificateError::Expired => Some(DateRefusal::Expired(None)),
        CertificateError::ExpiredContext { not_after, .. } => {
            Some(DateRefusal::Expired(Some((*not_after).into())))
        }
        CertificateError::NotValidYet => Some(DateRefusal::NotYetValid(None)),
        CertificateError::NotValidYetContext { not_before, .. } => {
            Some(DateRefusal::NotYetValid(Some((*not_before).into())))
        }
        _ => None,
    }
}
