//! Servers that were accepted and proven, remembered for the sake of sessions: rustls resumes them
//! without asking the verifier, so that somebody else must know what they rest on.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::epoch::Epoch;
use super::judgement::Assessment;
use super::memory::BYTES_EACH;
use super::peer::{OwnedPeer, Peer, folded};
use crate::time::Timestamp;
use lru::LruCache;

/// More chains than this for one name, and its sessions are not resumed.
const MAX_CHAINS: usize = 8;
/// A chain of more bytes, and its name's sessions are not resumed: real ones have less than 10,000.
const MAX_BYTES: usize = 32 * 1024;
/// More forgotten names than this, and no session is resumed: what a table of 65,536 places, of
/// about 600 kB, holds.
const MAX_FORGOTTEN: usize = 57_344;

/// For how long it holds that a peer was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AcceptancePeriod {
    since: Timestamp,
    /// The first second at which it holds no more.
    until: Timestamp,
    pub(super) epoch: Epoch,
    /// Accepted only within a grace: its sessions are never resumed.
    pub(super) is_within_grace: bool,
}

impl AcceptancePeriod {
    /// For no more than so many seconds, after which the inner verifier is asked again.
    pub(super) fn from_assessment(
        assessment: &Assessment,
        trust_age_seconds: i64,
        now: Timestamp,
    ) -> Self {
        let asked_again = now.saturating_add(trust_age_seconds);
        Self {
            since: now,
            until: assessment.until.min(asked_again),
            epoch: assessment.epoch,
            is_within_grace: false,
        }
    }

    pub(super) const fn within_grace(epoch: Epoch, now: Timestamp) -> Self {
        Self {
            since: now,
            until: now,
            epoch,
            is_within_grace: true,
        }
    }

    pub(super) fn holds(&self, epoch: Epoch, now: Timestamp) -> bool {
        !self.is_within_grace && self.epoch == epoch && self.since <= now && now < self.until
    }
}

/// A chain that was accepted.
#[derive(Debug, Clone)]
pub(super) struct AcceptedChain {
    pub(super) peer: Arc<OwnedPeer>,
    pub(super) period: AcceptancePeriod,
}

/// For each server name, every chain that was accepted under it. Bounded in names and in bytes;
/// empty until somebody guards sessions by it.
#[derive(Debug)]
pub(super) struct AcceptedServers {
    kept: AtomicBool,
    /// How many times sessions were found to be for nothing any more.
    ended: AtomicU64,
    capacity: NonZeroUsize,
    names: Mutex<KnownNames>,
}

#[derive(Debug)]
struct KnownNames {
    known: LruCache<String, KnownName>,
    bytes: usize,
    /// Names of which chains were forgotten, by a keyed hash.
    forgotten: HashSet<u64>,
    /// Whether there was no room for a name among them: then any may be forgotten.
    forgot_some: bool,
    hasher: RandomState,
}

#[derive(Debug)]
struct KnownName {
    /// The epoch in which its first session can have begun.
    epoch: Epoch,
    chains: Vec<AcceptedChain>,
    standing: NameStanding,
    bytes: usize,
}

/// Whether sessions under a name may be resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NameStanding {
    /// They may, where all chains pass.
    Resumable,
    /// None is any more; a fresh verifier begins afresh.
    Barred,
    /// Peers of several identities answer under it, and of which of them a session is, nobody can tell. It
    /// would be no other for a fresh verifier.
    Shared,
}

/// What the sessions under one name rest on.
pub(super) struct AcceptedUnderName {
    /// The epoch in which the first of them can have begun.
    pub(super) epoch: Epoch,
    /// Each may be the one that a session rests on.
    pub(super) chains: Vec<AcceptedChain>,
}

impl AcceptedServers {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            kept: AtomicBool::new(false),
            ended: AtomicU64::new(0),
            capacity,
            names: Mutex::new(KnownNames {
                // Bounded by `record`: room that nobody fills is not asked for.
                known: LruCache::unbounded(),
                bytes: 0,
                forgotten: HashSet::new(),
                forgot_some: false,
                hasher: RandomState::new(),
            }),
        }
    }

    /// A new memory of the same size.
    pub(super) fn emptied(&self) -> Self {
        Self::new(self.capacity)
    }

    /// From now on, what is accepted is remembered.
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Release);
    }

    /// Whether somebody guards sessions.
    pub(super) fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Acquire)
    }

    /// How many times sessions ended of which a fresh verifier would know nothing.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether it need not be told of this chain, for it knows it or nobody guards sessions.
    pub(super) fn needs_nothing_of(&self, peer: &Peer<'_>) -> bool {
        if !self.is_kept() {
            return true;
        }
        let names = self.names();
        let host = peer.folded_host().unwrap_or_default();
        let name = names.known.peek(host.as_ref());
        name.is_some_and(|name| {
            let mut chains = name.chains.iter();
            name.standing != NameStanding::Resumable
                || chains.any(|chain| chain.peer.presented(peer.leaf, peer.intermediates))
        })
    }

    /// That a server was accepted, and proved itself.
    pub(super) fn record(&self, peer: &Arc<OwnedPeer>, period: AcceptancePeriod) {
        if !self.is_kept() {
            return;
        }
        let host = peer.folded_host().into_owned();
        let names = &mut *self.names();
        let name = names.known.get_or_insert_mut(host, || KnownName {
            epoch: period.epoch,
            chains: Vec::new(),
            standing: NameStanding::Resumable,
            bytes: 0,
        });
        let before = name.bytes;
        let was = name.standing;
        name.record(peer, period);
        names.bytes = (names.bytes + name.bytes).saturating_sub(before);
        let mut has_ended = name.standing == NameStanding::Barred && was != NameStanding::Barred;
        has_ended |= names.keep_within(self.capacity.get());
        if has_ended {
            self.ended.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Every chain accepted under this name; `None` where that cannot be known, or where one was
    /// found not to pass any more.
    pub(super) fn of(&self, host: &str) -> Option<AcceptedUnderName> {
        let mut names = self.names();
        let host = folded(host);
        let hash = names.hasher.hash_one(host.as_ref());
        if names.forgot_some || names.forgotten.contains(&hash) {
            return None;
        }
        let name = names.known.get(host.as_ref())?;
        let is_resumable = name.standing == NameStanding::Resumable && !name.chains.is_empty();
        is_resumable.then(|| AcceptedUnderName {
            epoch: name.epoch,
            chains: name.chains.clone(),
        })
    }

    /// That this chain was accepted again.
    pub(super) fn renew(&self, peer: &Arc<OwnedPeer>, period: AcceptancePeriod) {
        let host = peer.folded_host();
        let mut names = self.names();
        let Some(name) = names.known.peek_mut(host.as_ref()) else {
            return;
        };
        let mut chains = name.chains.iter_mut();
        if let Some(chain) = chains.find(|chain| Arc::ptr_eq(&chain.peer, peer)) {
            chain.period = period;
        }
    }

    /// That one of the name's chains passes no more. Its sessions are not resumed from now on, for
    /// a late ticket may be one of that chain's.
    pub(super) fn bar(&self, host: &str) {
        let mut names = self.names();
        if let Some(name) = names.known.get_mut(folded(host).as_ref()) {
            if name.standing == NameStanding::Resumable {
                name.standing = NameStanding::Barred;
                self.ended.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    fn names(&self) -> MutexGuard<'_, KnownNames> {
        // No code of ours panics under the lock, and it is whole between any two calls.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KnownName {
    fn record(&mut self, peer: &Arc<OwnedPeer>, period: AcceptancePeriod) {
        let met = peer.as_met();
        let mut chains = self.chains.iter();
        if chains.any(|chain| chain.peer.identity() != peer.identity()) {
            self.standing = NameStanding::Shared;
        }
        let mut chains = self.chains.iter_mut();
        let known = chains.find(|chain| chain.peer.presented(met.leaf, met.intermediates));
        if let Some(chain) = known {
            // A session of the time within the grace may still come.
            let is_within_grace = chain.period.is_within_grace || period.is_within_grace;
            self.bytes = (self.bytes + peer.size()).saturating_sub(chain.peer.size());
            *chain = AcceptedChain {
                peer: Arc::clone(peer),
                period: AcceptancePeriod {
                    is_within_grace,
                    ..period
                },
            };
        } else if self.chains.len() >= MAX_CHAINS || met.bytes() > MAX_BYTES {
            if self.standing == NameStanding::Resumable {
                self.standing = NameStanding::Barred;
            }
        } else {
            self.bytes += peer.size();
            self.chains.push(AcceptedChain {
                peer: Arc::clone(peer),
                period,
            });
        }
        if self.standing != NameStanding::Resumable {
            // Nothing is asked of it any more.
            self.chains = Vec::new();
            self.bytes = 0;
        }
    }
}

impl KnownNames {
    /// Forgets the names used longest ago; says whether that ended everybody's sessions.
    fn keep_within(&mut self, names: usize) -> bool {
        let knew_all = !self.forgot_some;
        while self.known.len() > names || self.bytes > names.saturating_mul(BYTES_EACH) {
            let Some((host, forgotten)) = self.known.pop_lru() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(forgotten.bytes);
            if self.forgotten.len() < MAX_FORGOTTEN {
                self.forgotten.insert(self.hasher.hash_one(host));
            } else {
                self.forgot_some = true;
            }
        }
        knew_all && self.forgot_some
    }
}
