//! The chain that each server showed last: while it shows the same bytes again, nothing is
//! concluded, hashed or told anew.

use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLock};

use lru::LruCache;
use pki_types::CertificateDer;

use super::conclude::Conclusion;
use super::peer::Peer;
use super::pins::Ruling;
use crate::cert::Timestamp;
use crate::outlook::Position;
use crate::pin::{PinSetStanding, PinState};
use crate::policy::{Band, ThresholdPolicy};

/// Names lie in at most so many parts, each behind a lock of its own that readers share.
const MAX_SHARDS: usize = 16;
/// After so many seconds everything is looked at again.
const FRESH: i64 = 60;
/// Longer chains are not remembered: real ones have less than 10,000 bytes.
const MAX_BYTES: usize = 16 * 1024;

/// For each server name the last chain that was accepted, and what was concluded of it. Bounded:
/// the name looked at longest ago is forgotten first.
#[derive(Debug)]
pub(super) struct Recent {
    hasher: RandomState,
    shards: Vec<RwLock<LruCache<String, Last>>>,
}

#[derive(Debug)]
struct Last {
    leaf: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    staple: Vec<u8>,
    since: Timestamp,
    conclusion: Arc<Conclusion>,
}

impl Last {
    fn is_of(&self, peer: &Peer<'_>) -> bool {
        self.leaf == *peer.leaf
            && self.staple == peer.staple
            && self.intermediates == peer.intermediates
    }

    fn holds(&self, epoch: u64, now: Timestamp) -> bool {
        self.conclusion.epoch == epoch
            // Before it was made (the clock was set back) it says nothing.
            && self.since <= now
            && now < self.conclusion.until.min(self.since.saturating_add(FRESH))
    }
}

impl Recent {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        let shards = capacity.get().min(MAX_SHARDS);
        let each = NonZeroUsize::new(capacity.get() / shards).unwrap_or(NonZeroUsize::MIN);
        Self {
            hasher: RandomState::new(),
            shards: (0..shards)
                .map(|_| RwLock::new(LruCache::new(each)))
                .collect(),
        }
    }

    /// What was concluded of this peer in this epoch of the pins, if it showed the same bytes last
    /// time, and that was a moment ago.
    pub(super) fn recall(&self, peer: &Peer<'_>, epoch: u64) -> Option<Arc<Conclusion>> {
        let host = peer.host?;
        let shard = self.shard(host)?;
        let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
        let last = shard.peek(host)?;
        let same = last.holds(epoch, peer.at()) && last.is_of(peer);
        same.then(|| Arc::clone(&last.conclusion))
    }

    /// Remembers a peer of which there is nothing to tell; forgets what it showed before in any
    /// case.
    pub(super) fn remember(
        &self,
        peer: &Peer<'_>,
        conclusion: &Arc<Conclusion>,
        policy: &ThresholdPolicy,
    ) {
        let Some((host, shard)) = peer.host.and_then(|host| Some((host, self.shard(host)?))) else {
            return;
        };
        let rest = peer.intermediates.iter().map(|der| der.len());
        let bytes = peer.leaf.len() + peer.staple.len() + rest.sum::<usize>();
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if bytes > MAX_BYTES || !is_quiet(conclusion, policy, peer.at()) {
            shard.pop(host);
            return;
        }
        let last = Last {
            leaf: peer.leaf.clone().into_owned(),
            intermediates: peer
                .intermediates
                .iter()
                .map(|der| der.clone().into_owned())
                .collect(),
            staple: peer.staple.to_vec(),
            since: peer.at(),
            conclusion: Arc::clone(conclusion),
        };
        shard.put(host.to_owned(), last);
    }

    /// The name showed something else, which was refused.
    pub(super) fn forget(&self, peer: &Peer<'_>) {
        if let Some((host, shard)) = peer.host.and_then(|host| Some((host, self.shard(host)?))) {
            shard
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .pop(host);
        }
    }

    fn shard(&self, host: &str) -> Option<&RwLock<LruCache<String, Last>>> {
        let hash = self.hasher.hash_one(host).to_le_bytes();
        let count = self.shards.len().max(1);
        self.shards
            .get(hash.first().map_or(0, |byte| usize::from(*byte)) % count)
    }
}

/// Whether there is nothing to tell of it now, nor while it is fresh.
fn is_quiet(conclusion: &Conclusion, policy: &ThresholdPolicy, now: Timestamp) -> bool {
    let Some(known) = &conclusion.known else {
        return false;
    };
    let end = now.saturating_add(FRESH);
    let leaf_is_ok = [now, end]
        .iter()
        .all(|at| policy.band(known.leaf.validity(), Position::Leaf, *at) == Band::Ok);
    #[cfg(feature = "ocsp")]
    if known
        .staple
        .as_ref()
        .is_some_and(|staple| !staple.is_good())
    {
        return false;
    }
    let ruling = conclusion.ruling.as_ref();
    conclusion.refusal.is_none()
        && known.assessment.band == Band::Ok
        && leaf_is_ok
        && ruling.is_none_or(|ruling| says_nothing(ruling, end))
}

/// Whether pins have nothing to say but that the current key was shown.
fn says_nothing(ruling: &Ruling, end: Timestamp) -> bool {
    const PIN_SETS_ARE_TOLD_ABOUT: i64 = 30 * 86_400;
    let current = |state| state == PinState::Current;
    ruling.refusal.is_none()
        && ruling.standing == PinSetStanding::InForce
        && ruling
            .matched
            .as_ref()
            .is_some_and(|pin| current(pin.state))
        && !matches!(ruling.keys, (1, 2..))
        && ruling
            .ends
            .is_none_or(|ends| ends.seconds_since(end) > PIN_SETS_ARE_TOLD_ABOUT)
}
