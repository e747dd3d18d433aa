//! What both wrappers do with a peer: the inner verifier decides first, then pins and staples may
//! refuse; and what is told and remembered waits until the peer proved that it has its key.

use std::sync::Arc;
use std::time::Duration;

use pki_types::{CertificateDer, UnixTime};
use rustls::Error;

use super::accepted::Acceptance;
use super::conclude::{Conclusion, Grounds};
use super::grace::{self, Candidate, PinnedGrace};
use super::matters::Matters;
use super::memory::{Memory, Seen};
use super::peer::{OwnedPeer, Peer};
use super::pins::Vouching;
use super::presented::{self, PresentedBounds, PresentedError};
use super::proof::{Awaited, AwaitingProof};
use super::unproven::UnprovenCounts;
use crate::event::{EventCode, Role};
use crate::observer::Outbox;
use crate::pin::{PinGeneration, PinsInForce};

/// The inner verifier's answer about one peer's leaf, with these intermediates, at this instant.
pub(super) type AskInner<'a> = dyn Fn(&[CertificateDer<'_>], UnixTime) -> Result<(), Error> + 'a;

/// The part of a wrapper that is the same for servers and clients.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) role: Role,
    pub(super) grounds: Grounds,
    pub(super) pins: Option<Arc<dyn PinsInForce>>,
    pub(super) grace: Option<PinnedGrace>,
    pub(super) bounds: PresentedBounds,
    pub(super) delivery: Outbox,
    pub(super) matters: Matters,
    pub(super) memory: Memory,
    pub(super) awaiting: AwaitingProof<Verdict>,
    pub(super) unproven: UnprovenCounts,
}

/// Why a peer is accepted, provided that it has its key.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The inner verifier, the pins and the staple agree.
    Accepted(Arc<Conclusion>),
    /// Only the grace for a pinned leaf lets it in.
    WithinGrace(Box<Candidate>),
}

impl Verdict {
    /// About how many bytes it takes.
    fn size(&self) -> usize {
        match self {
            Self::Accepted(conclusion) => conclusion.size(),
            Self::WithinGrace(candidate) => size_of::<Candidate>() + candidate.leaf.der().len(),
        }
    }
}

/// A peer that was accepted and proved that it has its key.
pub(super) struct Proven {
    pub(super) peer: Arc<OwnedPeer>,
    pub(super) acceptance: Acceptance,
}

/// What the inner verifier and the wrapper make of a peer, before anybody is told.
enum Weighed {
    TooMuch(PresentedError),
    /// The inner verifier refuses it, and no grace applies.
    RefusedInside(Error),
    /// The inner verifier accepts it; pins or its staple refuse it.
    RefusedHere(Arc<Conclusion>, Error),
    Accepted(Seen),
    WithinGrace(Candidate),
}

impl Watch {
    /// Verifies a peer in a handshake. What there is to tell of one that is accepted, and to
    /// remember, waits for its proof; `knows` says whether sessions, too, know this chain.
    ///
    /// # Errors
    /// The refusal as rustls carries it.
    pub(super) fn verify(
        &self,
        peer: &Peer<'_>,
        ask: &AskInner<'_>,
        knows: impl FnOnce() -> bool,
    ) -> Result<(), Error> {
        let verdict = match self.weigh(peer, ask) {
            Weighed::TooMuch(error) => {
                self.tell_too_much(peer, &error);
                return Err(presented::carried(error));
            }
            Weighed::RefusedInside(error) => {
                self.tell_dates(peer, &error);
                return Err(error);
            }
            Weighed::RefusedHere(conclusion, refusal) => {
                self.tell_refused(peer, &conclusion);
                return Err(refusal);
            }
            // Nothing is to be told of it, nor to be remembered.
            Weighed::Accepted(seen) if seen.is_quiet && knows() => {
                if let Some(given_up) = self.awaiting.expect_nothing() {
                    self.tell_unproven(&given_up);
                }
                return Ok(());
            }
            Weighed::Accepted(seen) => Verdict::Accepted(seen.conclusion),
            Weighed::WithinGrace(candidate) => Verdict::WithinGrace(Box::new(candidate)),
        };
        let size = verdict.size();
        for given_up in self.awaiting.expect(OwnedPeer::of(peer), verdict, size) {
            self.tell_unproven(&given_up);
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
        ask: &AskInner<'_>,
    ) -> Result<Acceptance, Error> {
        match self.weigh(peer, ask) {
            Weighed::TooMuch(error) => Err(presented::carried(error)),
            Weighed::RefusedInside(error) | Weighed::RefusedHere(_, error) => Err(error),
            Weighed::Accepted(seen) => Ok(Acceptance::of(&seen.conclusion, peer.at())),
            Weighed::WithinGrace(candidate) => {
                Ok(Acceptance::within_grace(candidate.epoch, peer.at()))
            }
        }
    }

    /// The inner verifier decides first; what it accepts, pins and the staple may refuse.
    fn weigh(&self, peer: &Peer<'_>, ask: &AskInner<'_>) -> Weighed {
        if let Err(error) = self.bounds.check(peer.leaf, peer.intermediates) {
            return Weighed::TooMuch(error);
        }
        let generation = self.generation();
        if let Err(error) = ask(peer.intermediates, peer.now) {
            return match self.look_for_grace(peer, generation.as_deref(), &error, ask) {
                Some(candidate) => Weighed::WithinGrace(candidate),
                None => Weighed::RefusedInside(error),
            };
        }
        let epoch = generation.as_ref().map_or(0, |generation| generation.epoch);
        let seen = self.memory.recall(peer, epoch).unwrap_or_else(|| {
            let ask_now = |intermediates: &[CertificateDer<'_>]| ask(intermediates, peer.now);
            let vouching = Vouching::by(&ask_now);
            let fresh = self
                .grounds
                .conclude(peer, generation.as_deref(), &vouching);
            Seen::anew(fresh)
        });
        match seen.conclusion.refusal.clone() {
            Some(refusal) => Weighed::RefusedHere(seen.conclusion, refusal),
            None => Weighed::Accepted(seen),
        }
    }

    /// The inner verifier checked the handshake's signature by this leaf's key. A peer that proved
    /// itself is told of and remembered from now on.
    pub(super) fn signature_checked<T>(
        &self,
        leaf: &CertificateDer<'_>,
        checked: &Result<T, Error>,
    ) -> Option<Proven> {
        let awaited = self.awaiting.take(leaf)?;
        if checked.is_ok() {
            return Some(self.proven(awaited));
        }
        self.tell_unproven(&awaited);
        None
    }

    fn proven(&self, awaited: Awaited<Verdict>) -> Proven {
        let peer = Arc::new(awaited.peer);
        let met = peer.as_met();
        let acceptance = match awaited.verdict {
            Verdict::Accepted(conclusion) => {
                self.tell(&met, &conclusion);
                self.memory
                    .remember(&peer, &conclusion, &self.grounds.policy);
                Acceptance::of(&conclusion, met.at())
            }
            Verdict::WithinGrace(candidate) => {
                self.tell_grace(&met, &candidate);
                Acceptance::within_grace(candidate.epoch, met.at())
            }
        };
        Proven { peer, acceptance }
    }

    /// The inner verifier refused: whether a grace lets the peer in all the same.
    fn look_for_grace(
        &self,
        peer: &Peer<'_>,
        generation: Option<&PinGeneration>,
        error: &Error,
        ask: &AskInner<'_>,
    ) -> Option<Candidate> {
        let candidate =
            grace::candidate(self.grace?, &self.grounds, generation?, peer, error, ask)?;
        // Staples are judged now, not then.
        #[cfg(feature = "ocsp")]
        if self.grounds.refuses_staple(peer, &candidate.leaf) {
            return None;
        }
        Some(candidate)
    }

    /// The generation of the pins in force.
    pub(super) fn generation(&self) -> Option<Arc<PinGeneration>> {
        self.pins.as_ref().map(|pins| pins.generation())
    }

    /// The epoch of the pins in force; 0 without pins.
    pub(super) fn epoch(&self) -> u64 {
        self.generation().map_or(0, |generation| generation.epoch)
    }

    /// Tells what was only counted so far, then waits for the observers.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let code = EventCode::PeerUnproven;
        let waiting = self.awaiting.count(|peer| {
            let met = peer.as_met();
            self.unproven
                .count(code, met.at(), || self.unproven_event(&met))
        });
        let counted = self.unproven.take_waiting();
        for event in waiting.into_iter().flatten().chain(counted) {
            self.delivery.deliver(&event);
        }
        self.delivery.flush(patience)
    }
}
