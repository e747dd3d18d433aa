//! What both wrappers do with a peer: after the inner verifier accepted, conclude, tell, and refuse
//! where pins or staples say so; after it refused for dates, tell which certificate it was.

use std::sync::Arc;

use pki_types::UnixTime;
use rustls::Error;

use super::conclude::{Conclusion, Grounds};
use super::grace::{self, Candidate, PinnedGrace};
use super::memory::{Memory, chain_key};
use super::peer::Peer;
use super::pins;
use super::presented::PresentedBounds;
use super::recent::Recent;
use super::sessions::Standing;
use crate::cert::Timestamp;
use crate::delivery::Outbox;
use crate::event::Role;
use crate::pin::{PinGeneration, PinsInForce};

/// The part of a wrapper that is the same for servers and clients.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) role: Role,
    pub(super) grounds: Grounds,
    pub(super) pins: Option<Arc<dyn PinsInForce>>,
    pub(super) grace: Option<PinnedGrace>,
    pub(super) bounds: PresentedBounds,
    pub(super) delivery: Outbox,
    pub(super) memory: Memory,
    pub(super) recent: Recent,
}

impl Watch {
    /// The inner verifier accepted: pins and staples may still refuse; everything else is only
    /// told.
    ///
    /// # Errors
    /// The refusal as rustls carries it.
    pub(super) fn accepted(&self, peer: &Peer<'_>) -> Result<Standing, Error> {
        let generation = self.generation();
        let epoch = generation.as_ref().map_or(0, |generation| generation.epoch);
        if let Some(conclusion) = self.recent.recall(peer, epoch) {
            return Ok(standing(peer, &conclusion));
        }
        let key = chain_key(peer);
        let conclusion = match self.memory.recall(&key, epoch, peer.at()) {
            Some(known) => known,
            None => {
                let fresh = self.grounds.conclude(peer, generation.as_deref());
                let fresh = Arc::new(fresh);
                self.memory.remember(key, Arc::clone(&fresh), peer.at());
                fresh
            }
        };
        self.tell(peer, &conclusion);
        match &conclusion.refusal {
            Some(refusal) => {
                self.recent.forget(peer);
                Err(refusal.clone())
            }
            None => {
                self.recent
                    .remember(peer, &conclusion, &self.grounds.policy);
                Ok(standing(peer, &conclusion))
            }
        }
    }

    /// The same, without a word to anybody and without remembering.
    ///
    /// # Errors
    /// The refusal as rustls carries it.
    pub(super) fn judge_silently(&self, peer: &Peer<'_>) -> Result<Standing, Error> {
        let generation = self.generation();
        let mut conclusion = self.grounds.conclude(peer, generation.as_deref());
        match conclusion.refusal.take() {
            Some(refusal) => Err(refusal),
            None => Ok(standing(peer, &conclusion)),
        }
    }

    /// The inner verifier refused: whether a grace lets the peer in all the same. `ask` puts the
    /// question to the inner verifier again, at another instant.
    pub(super) fn within_grace<T>(
        &self,
        peer: &Peer<'_>,
        error: &Error,
        ask: impl FnOnce(UnixTime) -> Result<T, Error>,
    ) -> Option<(T, Standing)> {
        let (verified, standing, candidate) = self.look_for_grace(peer, error, ask)?;
        self.tell_grace(peer, &candidate);
        Some((verified, standing))
    }

    /// The same, without a word to anybody.
    pub(super) fn grace_silently<T>(
        &self,
        peer: &Peer<'_>,
        error: &Error,
        ask: impl FnOnce(UnixTime) -> Result<T, Error>,
    ) -> Option<(T, Standing)> {
        let (verified, standing, _) = self.look_for_grace(peer, error, ask)?;
        Some((verified, standing))
    }

    fn look_for_grace<T>(
        &self,
        peer: &Peer<'_>,
        error: &Error,
        ask: impl FnOnce(UnixTime) -> Result<T, Error>,
    ) -> Option<(T, Standing, Candidate)> {
        let grace = self.grace?;
        let generation = self.generation()?;
        let set = pins::set_for(&generation.sets, peer)?;
        let candidate = grace::candidate(grace, &self.grounds, set, peer, error)?;
        let verified = ask(candidate.at).ok()?;
        // Staples are judged now, not then.
        #[cfg(feature = "ocsp")]
        if self.grounds.refuses_staple(peer, &candidate.leaf) {
            return None;
        }
        let standing = Standing {
            since: peer.at(),
            until: candidate.until,
            epoch: generation.epoch,
            grace: true,
        };
        Some((verified, standing, candidate))
    }

    /// The generation of the pins in force.
    pub(super) fn generation(&self) -> Option<Arc<PinGeneration>> {
        self.pins.as_ref().map(|pins| pins.generation())
    }

    /// The epoch of the pins in force; 0 without pins.
    pub(super) fn epoch(&self) -> u64 {
        self.generation().map_or(0, |generation| generation.epoch)
    }
}

/// For how long an acceptance holds without asking again.
fn standing(peer: &Peer<'_>, conclusion: &Conclusion) -> Standing {
    let good_until = |t: Timestamp| t.saturating_add(-1);
    let pins = conclusion.ruling.as_ref().and_then(|ruling| ruling.until);
    let dates = conclusion.known.as_ref();
    let dates = dates.map(|known| known.assessment.good_until);
    let until = match (pins.map(good_until), dates) {
        (Some(pins), Some(dates)) => pins.min(dates),
        (Some(until), None) | (None, Some(until)) => until,
        // A raw public key and no dates on its pins: it holds for the epoch.
        (None, None) if peer.raw => Timestamp::from_unix_seconds(i64::MAX),
        (None, None) => peer.at(),
    };
    #[cfg(feature = "ocsp")]
    let until = conclusion
        .staple_counts_until()
        .map_or(until, |end| end.min(until));
    Standing {
        since: peer.at(),
        until,
        epoch: conclusion.epoch,
        grace: false,
    }
}
