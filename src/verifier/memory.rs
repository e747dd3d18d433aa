//! What was made of peers that proved themselves: they are not judged again, nor told of again, while
//! no input of the judgement can have changed.

use std::hash::RandomState;
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use lru::LruCache;

use super::epoch::Epoch;
use super::judgement::{Assessment, PinAssessment};
use super::peer::{OwnedPeer, Peer};
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
const QUIET_SECONDS: i64 = 60;
/// So many seconds before a pin set ends there may be something to tell of it.
const SET_ENDS_SOON_SECONDS: i64 = 30 * 86_400;

/// The peers that proved that they have their key: servers by their name, clients by their leaf, and
/// both by their identity too, where they are known by one.
/// Bounded in peers and in bytes; the peer remembered longest ago is forgotten first.
#[derive(Debug)]
pub(super) struct Memory {
    hasher: RandomState,
    shards: Vec<RwLock<MemoryShard>>,
    peers_each: usize,
}

#[derive(Debug)]
struct MemoryShard {
    /// By a keyed hash of who it is: what is remembered is compared in full.
    peers: LruCache<u64, Vec<RememberedPeer>>,
    bytes: usize,
}

#[derive(Debug)]
struct RememberedPeer {
    peer: Arc<OwnedPeer>,
    since: Timestamp,
    assessment: Arc<Assessment>,
    is_quiet: bool,
    bytes: usize,
}

/// What is made of a peer, now or before.
#[derive(Debug)]
pub(super) struct Recalled {
    pub(super) assessment: Arc<Assessment>,
    /// Whether it was made before and there is nothing to tell of it.
    pub(super) is_quiet: bool,
}

impl Recalled {
    pub(super) fn anew(assessment: Assessment) -> Self {
        Self {
            assessment: Arc::new(assessment),
            is_quiet: false,
        }
    }
}

impl Memory {
    /// Room for so many peers.
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        let shards = capacity.get().min(MAX_SHARDS);
        let shard = || MemoryShard {
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

    /// What was made of exactly what this peer presents, in this epoch, if it still holds.
    pub(super) fn recall(&self, peer: &Peer<'_>, epoch: Epoch) -> Option<Recalled> {
        let (key, now) = (peer.memory_key(&self.hasher), peer.at());
        let shard = self.read(key)?;
        let known = shard.peers.peek(&key)?;
        let known = known.iter().find(|known| known.peer.is(peer))?;
        known.holds(epoch, now).then(|| Recalled {
            assessment: Arc::clone(&known.assessment),
            is_quiet: known.is_quiet && now < known.since.saturating_add(QUIET_SECONDS),
        })
    }

    /// Whether this leaf proved itself before, as this peer's.
    pub(super) fn knows_leaf(&self, peer: &Peer<'_>) -> bool {
        let key = peer.memory_key(&self.hasher);
        let shard = self.read(key);
        let known = shard.as_ref().and_then(|shard| shard.peers.peek(&key));
        known.is_some_and(|known| known.iter().any(|known| known.peer.has_leaf_of(peer)))
    }

    /// Remembers what was made of a peer that proved itself.
    pub(super) fn remember(
        &self,
        peer: &Arc<OwnedPeer>,
        assessment: &Arc<Assessment>,
        policy: &ThresholdPolicy,
    ) {
        let met = peer.as_met();
        let bytes = peer.size() + assessment.size();
        let key = met.memory_key(&self.hasher);
        let Some(mut shard) = self.write(key) else {
            return;
        };
        shard.forget(key, &met);
        if bytes > BYTES_EACH {
            return;
        }
        let known = RememberedPeer {
            peer: Arc::clone(peer),
            since: met.at(),
            assessment: Arc::clone(assessment),
            is_quiet: is_quiet(assessment, policy, met.at()),
            bytes,
        };
        shard.add(key, known);
        shard.keep_within(self.peers_each);
    }

    fn shard(&self, key: u64) -> Option<&RwLock<MemoryShard>> {
        let [first, ..] = key.to_le_bytes();
        self.shards
            .get(usize::from(first) % self.shards.len().max(1))
    }

    fn read(&self, key: u64) -> Option<RwLockReadGuard<'_, MemoryShard>> {
        // No code of ours panics under the lock, and a shard is whole between any two calls.
        Some(
            self.shard(key)?
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn write(&self, key: u64) -> Option<RwLockWriteGuard<'_, MemoryShard>> {
        Some(
            self.shard(key)?
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl RememberedPeer {
    fn holds(&self, epoch: Epoch, now: Timestamp) -> bool {
        self.assessment.epoch == epoch
            // Before it was made (the clock was set back) it says nothing.
            && self.since <= now
            && now < self.assessment.until
    }
}

impl MemoryShard {
    fn forget(&mut self, key: u64, peer: &Peer<'_>) {
        let Some(known) = self.peers.peek_mut(&key) else {
            return;
        };
        if let Some(index) = known.iter().position(|known| known.peer.is(peer)) {
            self.bytes -= known.remove(index).bytes;
        }
    }

    fn add(&mut self, key: u64, known: RememberedPeer) {
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
fn is_quiet(assessment: &Assessment, policy: &ThresholdPolicy, now: Timestamp) -> bool {
    let (Some(leaf), Some(dates)) = (assessment.certificate(), &assessment.dates) else {
        return false;
    };
    let end = now.saturating_add(QUIET_SECONDS);
    let leaf_is_ok = [now, end]
        .iter()
        .all(|at| policy.band(leaf.validity(), Position::Leaf, *at) == Band::Ok);
    #[cfg(feature = "ocsp")]
    let staple_is_good = {
        let outlook = assessment.staple.outlook.as_ref();
        outlook.is_none_or(crate::revocation::StapleOutlook::is_good)
    };
    #[cfg(not(feature = "ocsp"))]
    let staple_is_good = true;
    let pins = assessment.pins.as_ref();
    assessment.refusal().is_none()
        && dates.band == Band::Ok
        && leaf_is_ok
        && staple_is_good
        && pins.is_none_or(|pins| say_nothing(pins, end))
}

/// Whether pins have nothing to say but that the current key was shown.
fn say_nothing(pins: &PinAssessment, end: Timestamp) -> bool {
    let matched = pins.verdict.matched();
    let ends_soon = |ends: Timestamp| ends.seconds_since(end) <= SET_ENDS_SOON_SECONDS;
    pins.standing == PinSetStanding::InForce
        && matched.is_some_and(|pin| pin.state == PinState::Current)
        && !matches!((pins.usable_keys, pins.named_keys), (1, 2..))
        && !pins.ends.is_some_and(ends_soon)
}
