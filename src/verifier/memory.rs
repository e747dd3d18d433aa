//! What was concluded of peers that proved themselves: it is not concluded again, nor told again,
//! while no input of it can have changed.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use lru::LruCache;

use super::conclude::Conclusion;
use super::peer::{OwnedPeer, Peer, folded};
use super::pins::Ruling;
use crate::outlook::Position;
use crate::pin::{PinSetStanding, PinState};
use crate::policy::{Band, ThresholdPolicy};
use crate::time::Timestamp;

/// Peers lie in at most so many parts, each behind a lock of its own that readers share.
const MAX_SHARDS: usize = 16;
/// So many chains of one peer are remembered: servers behind one name, say.
const MAX_CHAINS: usize = 4;
/// So many bytes for each peer that there is room for, and no more for any one chain.
pub(super) const BYTES_EACH: usize = 16 * 1024;
/// For so many seconds there is nothing to tell of a peer of which there was nothing to tell.
const QUIET: i64 = 60;

/// The peers that proved that they have their key: servers by their name, clients by their leaf.
/// Bounded in peers and in bytes; the peer remembered longest ago is forgotten first.
#[derive(Debug)]
pub(super) struct Memory {
    hasher: RandomState,
    shards: Vec<RwLock<Shard>>,
    peers_each: usize,
}

#[derive(Debug)]
struct Shard {
    /// By a keyed hash of who it is: what is remembered is compared in full.
    peers: LruCache<u64, Vec<Known>>,
    bytes: usize,
}

#[derive(Debug)]
struct Known {
    peer: Arc<OwnedPeer>,
    since: Timestamp,
    conclusion: Arc<Conclusion>,
    is_quiet: bool,
    bytes: usize,
}

/// What was concluded of a peer, now or before.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) conclusion: Arc<Conclusion>,
    /// Whether it was concluded before and there is nothing to tell of it.
    pub(super) is_quiet: bool,
}

impl Seen {
    pub(super) fn anew(conclusion: Conclusion) -> Self {
        Self {
            conclusion: Arc::new(conclusion),
            is_quiet: false,
        }
    }
}

impl Memory {
    /// Room for so many peers.
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        let shards = capacity.get().min(MAX_SHARDS);
        let shard = || Shard {
            // Bounded by `remember`: room that nobody fills is not asked for.
            peers: LruCache::unbounded(),
            bytes: 0,
        };
        Self {
            hasher: RandomState::new(),
            shards: (0..shards).map(|_| RwLock::new(shard())).collect(),
            peers_each: capacity.get() / shards,
        }
    }

    /// What was concluded of exactly what this peer presents, in this epoch of the pins, if it
    /// still holds.
    pub(super) fn recall(&self, peer: &Peer<'_>, epoch: u64) -> Option<Seen> {
        let (key, now) = (self.key(peer), peer.at());
        let shard = self.read(key)?;
        let known = shard.peers.peek(&key)?;
        let known = known.iter().find(|known| known.peer.is(peer))?;
        known.holds(epoch, now).then(|| Seen {
            conclusion: Arc::clone(&known.conclusion),
            is_quiet: known.is_quiet && now < known.since.saturating_add(QUIET),
        })
    }

    /// Whether this leaf proved itself before, as this peer's.
    pub(super) fn knows_leaf(&self, peer: &Peer<'_>) -> bool {
        let key = self.key(peer);
        let shard = self.read(key);
        let known = shard.as_ref().and_then(|shard| shard.peers.peek(&key));
        let has_leaf = |known: &Known| {
            let host = known.peer.host.as_deref().map(folded);
            known.peer.leaf == *peer.leaf && host == peer.folded_host()
        };
        known.is_some_and(|known| known.iter().any(has_leaf))
    }

    /// Remembers what was concluded of a peer that proved itself.
    pub(super) fn remember(
        &self,
        peer: &Arc<OwnedPeer>,
        conclusion: &Arc<Conclusion>,
        policy: &ThresholdPolicy,
    ) {
        let met = peer.as_met();
        let bytes = peer.size() + conclusion.size();
        let key = self.key(&met);
        let Some(mut shard) = self.write(key) else {
            return;
        };
        shard.forget(key, &met);
        if bytes > BYTES_EACH {
            return;
        }
        let known = Known {
            peer: Arc::clone(peer),
            since: met.at(),
            conclusion: Arc::clone(conclusion),
            is_quiet: is_quiet(conclusion, policy, met.at()),
            bytes,
        };
        shard.add(key, known);
        shard.keep_within(self.peers_each);
    }

    fn key(&self, peer: &Peer<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        match peer.folded_host() {
            Some(host) => hasher.write(host.as_bytes()),
            None => hasher.write(peer.leaf),
        }
        hasher.finish()
    }

    fn shard(&self, key: u64) -> Option<&RwLock<Shard>> {
        let [first, ..] = key.to_le_bytes();
        self.shards
            .get(usize::from(first) % self.shards.len().max(1))
    }

    fn read(&self, key: u64) -> Option<RwLockReadGuard<'_, Shard>> {
        // No code of ours panics under the lock, and a shard is whole between any two calls.
        Some(
            self.shard(key)?
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn write(&self, key: u64) -> Option<RwLockWriteGuard<'_, Shard>> {
        Some(
            self.shard(key)?
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl Known {
    fn holds(&self, epoch: u64, now: Timestamp) -> bool {
        self.conclusion.epoch == epoch
            // Before it was made (the clock was set back) it says nothing.
            && self.since <= now
            && now < self.conclusion.until
    }
}

impl Shard {
    fn forget(&mut self, key: u64, peer: &Peer<'_>) {
        let Some(known) = self.peers.peek_mut(&key) else {
            return;
        };
        if let Some(index) = known.iter().position(|known| known.peer.is(peer)) {
            self.bytes -= known.remove(index).bytes;
        }
    }

    fn add(&mut self, key: u64, known: Known) {
        self.bytes += known.bytes;
        let chains = self.peers.get_or_insert_mut(key, Vec::new);
        if chains.len() >= MAX_CHAINS {
            self.bytes -= chains.remove(0).bytes;
        }
        chains.push(known);
    }

    fn keep_within(&mut self, peers: usize) {
        while self.peers.len() > peers || self.bytes > peers.saturating_mul(BYTES_EACH) {
            let Some((_, forgotten)) = self.peers.pop_lru() else {
                break;
            };
            let freed: usize = forgotten.iter().map(|known| known.bytes).sum();
            self.bytes -= freed;
        }
    }
}

/// Whether there is nothing to tell of it now, nor for as long as it counts as quiet.
fn is_quiet(conclusion: &Conclusion, policy: &ThresholdPolicy, now: Timestamp) -> bool {
    let Some(known) = &conclusion.known else {
        return false;
    };
    let end = now.saturating_add(QUIET);
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
