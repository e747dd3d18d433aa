//! What was accepted and proven, remembered for the sake of sessions: rustls resumes them without
//! asking the verifier, so that somebody else must know what they rest on.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use pki_types::CertificateDer;

use super::conclude::{Conclusion, FRESH};
use super::memory::BYTES_EACH;
use super::peer::{OwnedPeer, folded};
use crate::time::Timestamp;

/// More chains than this for one name, and its sessions are not resumed.
const MAX_CHAINS: usize = 8;
/// A chain of more bytes, and its name's sessions are not resumed: real ones have less than 10,000.
const MAX_BYTES: usize = 32 * 1024;
/// More forgotten names than this, and no session is resumed: what a table of 65,536 places, of
/// about 600 kB, holds.
const MAX_FORGOTTEN: usize = 57_344;

/// For how long it holds that a peer was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acceptance {
    since: Timestamp,
    /// The first second at which it holds no more.
    until: Timestamp,
    pub(super) epoch: u64,
    /// Accepted only within a grace: its sessions are never resumed.
    pub(super) is_within_grace: bool,
}

impl Acceptance {
    pub(super) fn of(conclusion: &Conclusion, now: Timestamp) -> Self {
        Self {
            since: now,
            until: conclusion.until.min(now.saturating_add(FRESH)),
            epoch: conclusion.epoch,
            is_within_grace: false,
        }
    }

    pub(super) const fn within_grace(epoch: u64, now: Timestamp) -> Self {
        Self {
            since: now,
            until: now,
            epoch,
            is_within_grace: true,
        }
    }

    pub(super) fn holds(&self, epoch: u64, now: Timestamp) -> bool {
        !self.is_within_grace && self.epoch == epoch && self.since <= now && now < self.until
    }
}

/// A chain that was accepted.
#[derive(Debug, Clone)]
pub(super) struct AcceptedChain {
    pub(super) peer: Arc<OwnedPeer>,
    pub(super) acceptance: Acceptance,
}

/// For each server name, every chain that was accepted under it. Bounded in names and in bytes;
/// empty until somebody guards sessions by it.
#[derive(Debug)]
pub(super) struct AcceptedServers {
    kept: AtomicBool,
    /// How many times sessions were found to be for nothing any more.
    ended: AtomicU64,
    capacity: NonZeroUsize,
    names: Mutex<Names>,
}

#[derive(Debug)]
struct Names {
    known: LruCache<String, Name>,
    bytes: usize,
    /// Names of which chains were forgotten, by a keyed hash.
    forgotten: HashSet<u64>,
    /// Whether there was no room for a name among them: then any may be forgotten.
    forgot_some: bool,
    hasher: RandomState,
}

#[derive(Debug)]
struct Name {
    /// The epoch of the pins in which its first session can have begun.
    epoch: u64,
    chains: Vec<AcceptedChain>,
    /// No session under this name is resumed any more.
    is_barred: bool,
    bytes: usize,
}

/// What is known of the sessions under one name.
pub(super) struct Accepted {
    /// The epoch in which the first of them can have begun.
    pub(super) epoch: u64,
    /// Each may be the one that a session rests on.
    pub(super) chains: Vec<AcceptedChain>,
}

impl AcceptedServers {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            kept: AtomicBool::new(false),
            ended: AtomicU64::new(0),
            capacity,
            names: Mutex::new(Names {
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

    /// How many times sessions ended of which a fresh verifier would know nothing.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether it need not be told of this chain, for it knows it or nobody guards sessions.
    pub(super) fn needs_nothing_of(
        &self,
        host: &str,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> bool {
        if !self.kept.load(Ordering::Acquire) {
            return true;
        }
        let names = self.names();
        let name = names.known.peek(folded(host).as_ref());
        name.is_some_and(|name| {
            let mut chains = name.chains.iter();
            name.is_barred || chains.any(|known| known.peer.presented(leaf, intermediates))
        })
    }

    /// That a server was accepted, and proved itself.
    pub(super) fn record(&self, peer: &Arc<OwnedPeer>, acceptance: Acceptance) {
        if !self.kept.load(Ordering::Acquire) {
            return;
        }
        let host = folded(peer.host.as_deref().unwrap_or_default()).into_owned();
        let names = &mut *self.names();
        let name = names.known.get_or_insert_mut(host, || Name {
            epoch: acceptance.epoch,
            chains: Vec::new(),
            is_barred: false,
            bytes: 0,
        });
        let before = name.bytes;
        let was_barred = name.is_barred;
        name.record(peer, acceptance);
        names.bytes = (names.bytes + name.bytes).saturating_sub(before);
        let mut has_ended = name.is_barred && !was_barred;
        has_ended |= names.keep_within(self.capacity.get());
        if has_ended {
            self.ended.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Every chain accepted under this name; `None` where that cannot be known, or where one was
    /// found not to pass any more.
    pub(super) fn of(&self, host: &str) -> Option<Accepted> {
        let mut names = self.names();
        let host = folded(host);
        let hash = names.hasher.hash_one(host.as_ref());
        if names.forgot_some || names.forgotten.contains(&hash) {
            return None;
        }
        let name = names.known.get(host.as_ref())?;
        (!name.is_barred && !name.chains.is_empty()).then(|| Accepted {
            epoch: name.epoch,
            chains: name.chains.clone(),
        })
    }

    /// That this chain was accepted again.
    pub(super) fn renew(&self, peer: &Arc<OwnedPeer>, acceptance: Acceptance) {
        let host = folded(peer.host.as_deref().unwrap_or_default());
        let mut names = self.names();
        let Some(name) = names.known.peek_mut(host.as_ref()) else {
            return;
        };
        let mut chains = name.chains.iter_mut();
        if let Some(chain) = chains.find(|chain| Arc::ptr_eq(&chain.peer, peer)) {
            chain.acceptance = acceptance;
        }
    }

    /// That one of the name's chains passes no more. Its sessions are not resumed from now on, for
    /// a late ticket may be one of that chain's.
    pub(super) fn bar(&self, host: &str) {
        let mut names = self.names();
        if let Some(name) = names.known.get_mut(folded(host).as_ref()) {
            if !std::mem::replace(&mut name.is_barred, true) {
                self.ended.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        // No code of ours panics under the lock, and it is whole between any two calls.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Name {
    fn record(&mut self, peer: &Arc<OwnedPeer>, acceptance: Acceptance) {
        let met = peer.as_met();
        let mut chains = self.chains.iter_mut();
        let known = chains.find(|chain| chain.peer.presented(met.leaf, met.intermediates));
        if let Some(chain) = known {
            // A session of the time within the grace may still come.
            let is_within_grace = chain.acceptance.is_within_grace || acceptance.is_within_grace;
            self.bytes = (self.bytes + peer.size()).saturating_sub(chain.peer.size());
            *chain = AcceptedChain {
                peer: Arc::clone(peer),
                acceptance: Acceptance {
                    is_within_grace,
                    ..acceptance
                },
            };
        } else if self.chains.len() >= MAX_CHAINS || met.bytes() > MAX_BYTES {
            self.is_barred = true;
        } else {
            self.bytes += peer.size();
            self.chains.push(AcceptedChain {
                peer: Arc::clone(peer),
                acceptance,
            });
        }
        if self.is_barred {
            // Nothing is asked of it any more.
            self.chains = Vec::new();
            self.bytes = 0;
        }
    }
}

impl Names {
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

/// The clients that were accepted and proved themselves, by their leaf. Bounded in clients and in
/// bytes; empty until somebody guards sessions by it.
#[derive(Debug)]
pub(super) struct AcceptedClients {
    kept: AtomicBool,
    capacity: NonZeroUsize,
    hasher: RandomState,
    clients: Mutex<Clients>,
}

#[derive(Debug)]
struct Clients {
    /// By a keyed hash of the leaf: the leaf itself is compared in full.
    known: LruCache<u64, Client>,
    bytes: usize,
}

#[derive(Debug)]
struct Client {
    peer: Arc<OwnedPeer>,
    /// The epoch in which it last proved itself.
    epoch: u64,
    acceptance: Acceptance,
}

impl AcceptedClients {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            kept: AtomicBool::new(false),
            capacity,
            hasher: RandomState::new(),
            clients: Mutex::new(Clients {
                // Bounded by `record`.
                known: LruCache::unbounded(),
                bytes: 0,
            }),
        }
    }

    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Release);
    }

    /// Whether nobody guards sessions.
    pub(super) fn needs_nothing(&self) -> bool {
        !self.kept.load(Ordering::Acquire)
    }

    /// That a client was accepted, and proved itself.
    pub(super) fn record(&self, peer: &Arc<OwnedPeer>, acceptance: Acceptance) {
        if self.needs_nothing() {
            return;
        }
        let client = Client {
            peer: Arc::clone(peer),
            epoch: acceptance.epoch,
            acceptance,
        };
        let clients = &mut *self.clients();
        clients.bytes += client.peer.size();
        let before = clients.known.put(self.hasher.hash_one(&*peer.leaf), client);
        clients.bytes -= before.map_or(0, |before| before.peer.size());
        let most = self.capacity.get();
        while clients.known.len() > most || clients.bytes > most.saturating_mul(BYTES_EACH) {
            let Some((_, forgotten)) = clients.known.pop_lru() else {
                break;
            };
            clients.bytes -= forgotten.peer.size();
        }
    }

    /// The epoch of the pins in which the client with this leaf last proved itself; `None` where
    /// that is not known.
    pub(super) fn epoch_of(&self, leaf: &CertificateDer<'_>) -> Option<u64> {
        let mut clients = self.clients();
        let client = clients.known.get(&self.hasher.hash_one(&**leaf))?;
        (client.peer.leaf == *leaf).then_some(client.epoch)
    }

    /// Whether it holds that this chain was accepted.
    pub(super) fn holds(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        epoch: u64,
        now: Timestamp,
    ) -> bool {
        let mut clients = self.clients();
        let client = clients.known.get(&self.hasher.hash_one(&**leaf));
        client.is_some_and(|client| {
            client.peer.presented(leaf, intermediates) && client.acceptance.holds(epoch, now)
        })
    }

    /// That this chain was accepted again.
    pub(super) fn renew(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        acceptance: Acceptance,
    ) {
        let mut clients = self.clients();
        let client = clients.known.peek_mut(&self.hasher.hash_one(&**leaf));
        if let Some(client) = client.filter(|c| c.peer.presented(leaf, intermediates)) {
            client.acceptance = acceptance;
        }
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        // No code of ours panics under the lock, and it is whole between any two calls.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
