//! Clients that were accepted and proven, remembered for the sake of sessions, which rustls resumes
//! without asking the verifier.

use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use pki_types::CertificateDer;

use super::accepted::AcceptancePeriod;
use super::epoch::Epoch;
use super::memory::BYTES_EACH;
use super::peer::{OwnedPeer, Peer};

/// The clients that were accepted and proved themselves, by their leaf. Bounded in clients and in
/// bytes; empty until somebody guards sessions by it.
#[derive(Debug)]
pub(super) struct AcceptedClients {
    kept: AtomicBool,
    capacity: NonZeroUsize,
    hasher: RandomState,
    clients: Mutex<KnownClients>,
}

#[derive(Debug)]
struct KnownClients {
    /// By a keyed hash of the leaf: the leaf itself is compared in full.
    known: LruCache<u64, KnownClient>,
    bytes: usize,
}

#[derive(Debug)]
struct KnownClient {
    peer: Arc<OwnedPeer>,
    /// The epoch in which it last proved itself.
    epoch: Epoch,
    period: AcceptancePeriod,
}

impl AcceptedClients {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            kept: AtomicBool::new(false),
            capacity,
            hasher: RandomState::new(),
            clients: Mutex::new(KnownClients {
                // Bounded by `record`.
                known: LruCache::unbounded(),
                bytes: 0,
            }),
        }
    }

    /// From now on, who is accepted is remembered.
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Release);
    }

    /// Whether somebody guards sessions.
    pub(super) fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Acquire)
    }

    /// That a client was accepted, and proved itself.
    pub(super) fn record(&self, peer: &Arc<OwnedPeer>, period: AcceptancePeriod) {
        if !self.is_kept() {
            return;
        }
        let client = KnownClient {
            peer: Arc::clone(peer),
            epoch: period.epoch,
            period,
        };
        let clients = &mut *self.clients();
        clients.bytes += client.peer.size();
        let before = clients.known.put(self.key(peer.leaf()), client);
        clients.bytes -= before.map_or(0, |before| before.peer.size());
        let most = self.capacity.get();
        while clients.known.len() > most || clients.bytes > most.saturating_mul(BYTES_EACH) {
            let Some((_, forgotten)) = clients.known.pop_lru() else {
                break;
            };
            clients.bytes -= forgotten.peer.size();
        }
    }

    /// The epoch in which the client with this leaf last proved itself; `None` where
    /// that is not known.
    pub(super) fn epoch_of(&self, leaf: &CertificateDer<'_>) -> Option<Epoch> {
        let mut clients = self.clients();
        let client = clients.known.get(&self.key(leaf))?;
        (client.peer.leaf() == leaf).then_some(client.epoch)
    }

    /// Whether it holds at the peer's instant that its chain was accepted.
    pub(super) fn holds(&self, peer: &Peer<'_>, epoch: Epoch) -> bool {
        let mut clients = self.clients();
        let client = clients.known.get(&self.key(peer.leaf));
        client.is_some_and(|client| {
            client.peer.presented(peer.leaf, peer.intermediates)
                && client.period.holds(epoch, peer.at())
        })
    }

    /// That this chain was accepted again.
    pub(super) fn renew(&self, peer: &Peer<'_>, period: AcceptancePeriod) {
        let mut clients = self.clients();
        let Some(client) = clients.known.peek_mut(&self.key(peer.leaf)) else {
            return;
        };
        if client.peer.presented(peer.leaf, peer.intermediates) {
            client.period = period;
        }
    }

    fn key(&self, leaf: &CertificateDer<'_>) -> u64 {
        self.hasher.hash_one(&**leaf)
    }

    fn clients(&self) -> MutexGuard<'_, KnownClients> {
        // No code of ours panics under the lock, and it is whole between any two calls.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
