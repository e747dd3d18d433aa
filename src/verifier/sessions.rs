//! What was accepted, remembered for the sake of sessions: rustls resumes them without asking the
//! verifier, so that somebody else must know what they rest on.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use pki_types::CertificateDer;

use super::peer::Peer;
use crate::cert::Timestamp;

/// More chains than this for one name, and its sessions are not resumed.
const MAX_CHAINS: usize = 8;
/// A chain of more bytes, and its name's sessions are not resumed: real ones have less than 10,000.
const MAX_BYTES: usize = 32 * 1024;
/// More forgotten names than this, and no session is resumed.
const MAX_FORGOTTEN: usize = 65_536;
/// More ends of client chains than this, and no session is resumed.
const MAX_ENDS: usize = 65_536;
/// Between the moment at which a client is accepted and the one at which its session is stored
/// lies less than this.
const LONGEST_HANDSHAKE: i64 = 3_600;
/// rustls resumes no session older than a week (RFC 8446, 4.6.1).
const LONGEST_SESSION: i64 = 7 * 86_400;

/// A chain that was accepted, and for how long that holds without asking again.
#[derive(Debug, Clone)]
pub(super) struct AcceptedChain {
    pub(super) leaf: CertificateDer<'static>,
    pub(super) intermediates: Vec<CertificateDer<'static>>,
    pub(super) staple: Vec<u8>,
    pub(super) standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) since: Timestamp,
    /// The last second for which it needs not be asked again.
    pub(super) until: Timestamp,
    pub(super) epoch: u64,
    /// Accepted only within a grace: its sessions are never resumed.
    pub(super) grace: bool,
}

impl Standing {
    pub(super) fn holds(&self, epoch: u64, now: Timestamp) -> bool {
        !self.grace && self.epoch == epoch && self.since <= now && now <= self.until
    }
}

/// For each server name, every chain that was accepted under it. Bounded; empty until somebody
/// guards sessions by it.
#[derive(Debug)]
pub(super) struct AcceptedServers {
    kept: AtomicBool,
    /// How many names were found not to pass any more.
    barred: AtomicU64,
    names: Mutex<Names>,
}

#[derive(Debug)]
struct Names {
    known: LruCache<String, Entry>,
    /// Names of which chains were forgotten, by hash.
    forgotten: HashSet<u64>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Entry {
    chains: Vec<AcceptedChain>,
    /// No session under this name is resumed any more.
    barred: bool,
}

impl AcceptedServers {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            kept: AtomicBool::new(false),
            barred: AtomicU64::new(0),
            names: Mutex::new(Names {
                known: LruCache::new(capacity),
                forgotten: HashSet::new(),
                hasher: RandomState::new(),
            }),
        }
    }

    /// A new memory of the same size.
    pub(super) fn emptied(&self) -> Self {
        Self::new(self.names().known.cap())
    }

    /// From now on, what is accepted is remembered.
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Release);
    }

    pub(super) fn barred(&self) -> u64 {
        self.barred.load(Ordering::Acquire)
    }

    pub(super) fn record(&self, peer: &Peer<'_>, standing: Standing) {
        if !self.kept.load(Ordering::Acquire) {
            return;
        }
        let name = peer.host.unwrap_or_default();
        let names = &mut *self.names();
        if !names.known.contains(name) {
            let forgotten = names.known.push(name.to_owned(), Entry::default());
            if let Some((forgotten, _)) = forgotten.filter(|(known, _)| known != name) {
                let hash = names.hasher.hash_one(forgotten);
                if names.forgotten.len() <= MAX_FORGOTTEN {
                    names.forgotten.insert(hash);
                }
            }
        }
        let Some(entry) = names.known.get_mut(name) else {
            return;
        };
        let same = |chain: &&mut AcceptedChain| {
            chain.leaf == *peer.leaf && chain.intermediates == peer.intermediates
        };
        let rest: usize = peer.intermediates.iter().map(|der| der.len()).sum();
        let bytes = peer.leaf.len() + rest + peer.staple.len();
        if let Some(chain) = entry
            .chains
            .iter_mut()
            .find(same)
            .filter(|_| bytes <= MAX_BYTES)
        {
            // A session of the time within the grace may still come.
            let grace = chain.standing.grace || standing.grace;
            chain.standing = Standing { grace, ..standing };
            chain.staple = peer.staple.to_vec();
        } else if entry.chains.len() >= MAX_CHAINS || bytes > MAX_BYTES {
            entry.barred = true;
        } else {
            let intermediates = peer.intermediates.iter();
            entry.chains.push(AcceptedChain {
                leaf: peer.leaf.clone().into_owned(),
                intermediates: intermediates.map(|c| c.clone().into_owned()).collect(),
                staple: peer.staple.to_vec(),
                standing,
            });
        }
    }

    /// Every chain accepted under this name; `None` where that cannot be known, or where one was
    /// found not to pass any more.
    pub(super) fn of(&self, name: &str) -> Option<Vec<AcceptedChain>> {
        let mut names = self.names();
        let hash = names.hasher.hash_one(name);
        if names.forgotten.len() > MAX_FORGOTTEN || names.forgotten.contains(&hash) {
            return None;
        }
        let entry = names.known.get(name)?;
        (!entry.barred && !entry.chains.is_empty()).then(|| entry.chains.clone())
    }

    /// That one of the name's chains passes no more. Its sessions are not resumed from now on, for
    /// a late ticket may be one of that chain's.
    pub(super) fn bar(&self, name: &str) {
        let mut names = self.names();
        if let Some(entry) = names.known.get_mut(name) {
            if !std::mem::replace(&mut entry.barred, true) {
                self.barred.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the chains of accepted clients end, to the minute.
#[derive(Debug, Default)]
pub(super) struct AcceptedClients {
    ends: Mutex<BTreeSet<i64>>,
    kept: AtomicBool,
}

impl AcceptedClients {
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Release);
    }

    /// That a client was accepted whose chain is good until `end`.
    pub(super) fn record(&self, end: Timestamp, now: Timestamp) {
        if !self.kept.load(Ordering::Acquire) {
            return;
        }
        let mut ends = self.ends();
        let passed = now.saturating_add(-LONGEST_SESSION - 2 * LONGEST_HANDSHAKE);
        *ends = ends.split_off(&minute(passed));
        if ends.len() <= MAX_ENDS {
            ends.insert(minute(end));
        }
    }

    /// Whether a session stored at `stored` may rest on a chain that has ended by `now`.
    pub(super) fn may_have_ended(&self, stored: Timestamp, now: Timestamp) -> bool {
        let ends = self.ends();
        let from = minute(stored.saturating_add(-LONGEST_HANDSHAKE));
        let ended = ends.range(from..).next();
        // Rounded down, so it may count as ended up to a minute early, never late.
        ends.len() > MAX_ENDS || ended.is_some_and(|end| *end < now.as_unix_seconds())
    }

    fn ends(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn minute(instant: Timestamp) -> i64 {
    instant.as_unix_seconds().div_euclid(60) * 60
}
