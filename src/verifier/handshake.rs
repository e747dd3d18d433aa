//! What both wrappers do with a peer: the inner verifier decides first, then pins and staples may
//! refuse; and what is told and remembered waits until the peer proved that it has its key.

use std::sync::Arc;
use std::time::Duration;

use pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, Error};

use super::accepted::AcceptancePeriod;
use super::bounds::{PresentedBounds, PresentedError};
use super::counts::HandshakeCounters;
use super::dates::DateRefusal;
use super::epoch::Epoch;
use super::error::carried;
use super::events::PeerEvents;
use super::grace::{GraceUse, PinnedGrace};
use super::identified::IdentityRule;
use super::judge_in_force::{DatedJudge, JudgeInForce};
use super::judgement::{Assessment, WrapperRefusal};
use super::memory::{Memory, Recalled};
use super::peer::{OwnedPeer, Peer};
use super::proof::{AwaitedPeer, AwaitingProof};
use super::refusal::reason_of;
use super::refusal_reason::RefusalReason;
#[cfg(feature = "ocsp")]
use super::staple::StapleRefusal;
use super::unguarded::UnguardedSessions;
use crate::identity::IdentityError;
use crate::outlook::KnownPeers;
use crate::pin::{PinGeneration, PinsInForce};

/// The inner verifier's answer about one peer's leaf, with these intermediates, at this instant.
pub(super) type AskInner<'a> = dyn Fn(&[CertificateDer<'_>], UnixTime) -> Result<(), Error> + 'a;

/// The part of a wrapper that is the same for servers and clients.
#[derive(Debug)]
pub(super) struct HandshakeVerifier {
    pub(super) judge: JudgeInForce,
    pub(super) identities: Option<IdentityRule>,
    pub(super) pins: Option<Arc<dyn PinsInForce>>,
    pub(super) grace: Option<PinnedGrace>,
    pub(super) bounds: PresentedBounds,
    pub(super) memory: Memory,
    pub(super) awaiting: AwaitingProof<AcceptedPeer>,
    pub(super) events: PeerEvents,
    /// Who is told of peers that proved themselves, for the sake of anchors that change.
    pub(super) known_peers: Option<Arc<KnownPeers>>,
    pub(super) counts: HandshakeCounters,
    pub(super) unguarded: UnguardedSessions,
}

/// Why a peer is accepted, provided that it has its key.
#[derive(Debug)]
pub(super) enum AcceptedPeer {
    /// The inner verifier, the pins and the staple agree.
    Assessed(Arc<Assessment>),
    /// Only the grace for a pinned leaf lets it in.
    WithinGrace(Box<GraceUse>),
}

/// A peer that was accepted and proved that it has its key.
pub(super) struct ProvenPeer {
    pub(super) peer: Arc<OwnedPeer>,
    pub(super) period: AcceptancePeriod,
}

/// What the inner verifier and the wrapper make of a peer, before anybody is told.
enum Decision {
    TooMuch(PresentedError),
    /// The inner verifier refuses it, and no grace applies.
    RefusedByInner(Error),
    /// The inner verifier accepts it, and nobody knows who it is.
    Unidentified(IdentityError),
    /// The inner verifier accepts it; pins or its staple refuse it.
    Refused(Arc<Assessment>, Error),
    Accepted(Recalled),
    WithinGrace(GraceUse),
}

impl HandshakeVerifier {
    /// Verifies a peer in a handshake, and counts it if it is refused. What there is to tell of one
    /// that is accepted, and to remember, waits for its proof; `sessions_know` says whether sessions,
    /// too, know this chain.
    ///
    /// # Errors
    /// The refusal as rustls carries it.
    pub(super) fn verify(
        &self,
        peer: &Peer<'_>,
        inner: &AskInner<'_>,
        sessions_know: impl FnOnce() -> bool,
    ) -> Result<(), Error> {
        let verified = self.verify_and_tell(peer, inner, sessions_know);
        if let Err(refusal) = &verified {
            self.counts.count_refused(reason_of(refusal));
        }
        verified
    }

    fn verify_and_tell(
        &self,
        peer: &Peer<'_>,
        inner: &AskInner<'_>,
        sessions_know: impl FnOnce() -> bool,
    ) -> Result<(), Error> {
        let accepted = match self.decide(peer, inner) {
            Decision::TooMuch(error) => {
                self.events.tell_too_much(peer, &error);
                return Err(carried(error));
            }
            Decision::RefusedByInner(error) => {
                if let Some(refusal) = date_refusal(&error).filter(|_| !peer.raw) {
                    let is_known = self.proved_itself_before(peer);
                    self.events.tell_refused_for_dates(peer, refusal, is_known);
                }
                return Err(error);
            }
            Decision::Unidentified(error) => {
                self.events.tell_unidentified(peer, &error);
                return Err(carried(error));
            }
            Decision::Refused(assessment, refusal) => {
                let is_known = self.proved_itself_before(peer);
                self.events.tell_refused(peer, &assessment, is_known);
                return Err(refusal);
            }
            // Nothing is to be told of it, nor to be remembered.
            Decision::Accepted(recalled) if recalled.is_quiet && sessions_know() => {
                if let Some(given_up) = self.awaiting.expect_nothing() {
                    self.events.tell_unproven(&given_up.peer);
                }
                return Ok(());
            }
            Decision::Accepted(recalled) => AcceptedPeer::Assessed(recalled.assessment),
            Decision::WithinGrace(grace) => AcceptedPeer::WithinGrace(Box::new(grace)),
        };
        let size = accepted.size();
        let given_up = self
            .awaiting
            .expect(OwnedPeer::from_peer(peer), accepted, size);
        for given_up in given_up {
            self.events.tell_unproven(&given_up.peer);
        }
        Ok(())
    }

    /// Verifies a peer again that proved itself before, without a word to anybody.
    ///
    /// # Errors
    /// The refusal as rustls carries it.
    pub(super) fn verify_again(
        &self,
        peer: &Peer<'_>,
        inner: &AskInner<'_>,
    ) -> Result<AcceptancePeriod, Error> {
        match self.decide(peer, inner) {
            Decision::TooMuch(error) => Err(carried(error)),
            Decision::Unidentified(error) => Err(carried(error)),
            Decision::RefusedByInner(error) | Decision::Refused(_, error) => Err(error),
            Decision::Accepted(recalled) => Ok(AcceptancePeriod::from_assessment(
                &recalled.assessment,
                self.judge.trust_age_seconds(),
                peer.at(),
            )),
            Decision::WithinGrace(grace) => {
                Ok(AcceptancePeriod::within_grace(grace.epoch, peer.at()))
            }
        }
    }

    /// The inner verifier decides first; what it accepts, pins and the staple may refuse.
    fn decide(&self, peer: &Peer<'_>, inner: &AskInner<'_>) -> Decision {
        if let Err(error) = self.bounds.check(peer) {
            return Decision::TooMuch(error);
        }
        // What is in force is read before the inner verifier is asked, which may know a later one.
        let generation = self.generation();
        let pins = generation.as_deref();
        let current = self.judge.current_for(peer.identity());
        if let Err(error) = inner(peer.intermediates, peer.now) {
            return match self.look_for_grace(peer, pins, &current, &error, inner) {
                Some(grace) => Decision::WithinGrace(grace),
                None => Decision::RefusedByInner(error),
            };
        }
        if let Err(error) = peer.claim() {
            return Decision::Unidentified(error.clone());
        }
        let epoch = epoch_of(pins, &current);
        let recalled = self.memory.recall(peer, epoch).unwrap_or_else(|| {
            let inner_accepts =
                |intermediates: &[CertificateDer<'_>], at| inner(intermediates, at).is_ok();
            let judge = &current.judge;
            Recalled::anew(judge.evaluate(peer, pins, epoch, &inner_accepts))
        });
        let refusal = recalled.assessment.refusal().map(as_rustls_error);
        match refusal {
            Some(refusal) => Decision::Refused(recalled.assessment, refusal),
            None => Decision::Accepted(recalled),
        }
    }

    /// The inner verifier refused: whether a grace lets the peer in all the same.
    fn look_for_grace(
        &self,
        peer: &Peer<'_>,
        pins: Option<&PinGeneration>,
        current: &DatedJudge,
        error: &Error,
        inner: &AskInner<'_>,
    ) -> Option<GraceUse> {
        let (grace, pins) = (self.grace?, pins?);
        peer.claim().ok()?;
        match date_refusal(error)? {
            DateRefusal::Expired(_) => {
                let inner_accepts =
                    |intermediates: &[CertificateDer<'_>], at| inner(intermediates, at).is_ok();
                let epoch = epoch_of(Some(pins), current);
                grace.admits(&current.judge, pins, epoch, peer, &inner_accepts)
            }
            DateRefusal::NotYetValid(_) => None,
        }
    }

    /// The inner verifier checked the handshake's signature by this leaf's key, which decides the
    /// handshake. A peer that proved itself is told of and remembered from now on.
    pub(super) fn signature_checked<T>(
        &self,
        leaf: &CertificateDer<'_>,
        checked: &Result<T, Error>,
    ) -> Option<ProvenPeer> {
        match checked {
            Ok(_) => self.counts.count_accepted(),
            Err(_) => self.counts.count_refused(RefusalReason::Unproven),
        }
        let awaited = self.awaiting.take(leaf)?;
        if checked.is_ok() {
            return Some(self.proven(awaited));
        }
        self.events.tell_unproven(&awaited.peer);
        None
    }

    fn proven(&self, awaited: AwaitedPeer<AcceptedPeer>) -> ProvenPeer {
        let peer = Arc::new(awaited.peer);
        let met = peer.as_met();
        let period = match awaited.outcome {
            AcceptedPeer::Assessed(assessment) => {
                self.events.tell_assessment(&met, &assessment);
                self.memory
                    .remember(&peer, &assessment, self.judge.policy());
                if let Some(known) = self.known_peers.as_ref().filter(|_| !met.raw) {
                    known.remember(std::iter::once(met.leaf).chain(met.intermediates));
                }
                let age = self.judge.trust_age_seconds();
                AcceptancePeriod::from_assessment(&assessment, age, met.at())
            }
            AcceptedPeer::WithinGrace(grace) => {
                self.events.tell_grace(&met, &grace);
                AcceptancePeriod::within_grace(grace.epoch, met.at())
            }
        };
        ProvenPeer { peer, period }
    }

    /// Tells that nobody guards the sessions of a wrapper with pins, unless that is meant.
    pub(super) fn sessions_are_unguarded(&self, proven: &ProvenPeer) {
        if self.pins.is_some() && self.unguarded == UnguardedSessions::Tell {
            self.events.tell_sessions_unguarded(&proven.peer.as_met());
        }
    }

    /// Whether this leaf proved itself as this peer's before, so that what is told of it is told of
    /// somebody who is known.
    fn proved_itself_before(&self, peer: &Peer<'_>) -> bool {
        self.memory.knows_leaf(peer) || self.events.has_told_of(peer)
    }

    /// The generation of the pins in force.
    pub(super) fn generation(&self) -> Option<Arc<PinGeneration>> {
        self.pins.as_ref().map(|pins| pins.generation())
    }

    /// The epoch of the pins and of the trust in force.
    pub(super) fn epoch(&self) -> Epoch {
        Epoch {
            pins: self.generation().map_or(0, |generation| generation.epoch),
            trust: self.judge.epoch(),
        }
    }

    /// Tells what was only counted so far, then waits for the observers.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let waiting = self.awaiting.count(|peer| self.events.count_unproven(peer));
        let due = waiting.into_iter().flatten().collect();
        self.events.flush(due, patience)
    }
}

impl AcceptedPeer {
    /// About how many bytes it takes.
    fn size(&self) -> usize {
        match self {
            Self::Assessed(assessment) => assessment.size(),
            Self::WithinGrace(grace) => grace.size(),
        }
    }
}

fn epoch_of(pins: Option<&PinGeneration>, current: &DatedJudge) -> Epoch {
    Epoch {
        pins: pins.map_or(0, |pins| pins.epoch),
        trust: current.epoch,
    }
}

/// The refusal as rustls carries it.
fn as_rustls_error(refusal: WrapperRefusal<'_>) -> Error {
    match refusal {
        WrapperRefusal::ByPins(error) => carried(error.clone()),
        #[cfg(feature = "ocsp")]
        WrapperRefusal::ByStaple(StapleRefusal::Revoked) => {
            Error::InvalidCertificate(CertificateError::Revoked)
        }
        #[cfg(feature = "ocsp")]
        WrapperRefusal::ByStaple(StapleRefusal::NotGood) => {
            Error::InvalidCertificate(CertificateError::InvalidOcspResponse)
        }
    }
}

/// What a rustls error says about dates, its twin variants made one.
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
