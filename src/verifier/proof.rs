//! Peers between their certificate and the signature by which they prove that they have its key.
//! Until then nothing of them is told as theirs or remembered.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use pki_types::CertificateDer;

use super::peer::OwnedPeer;
use crate::event::Role;
use crate::time::Timestamp;

/// So many peers may owe their proof at one time: those that came first give way.
const MAX_PEERS: usize = 1024;
/// And so many bytes may they take.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// After so many seconds a peer has not proven itself.
const PATIENCE_SECONDS: i64 = 600;

/// Those that owe their proof, each with what was made of it.
#[derive(Debug)]
pub(super) struct AwaitingProof<V> {
    /// Servers are verified and prove themselves within one call, so on one thread; a client's
    /// signature may arrive in a later message, and that on another thread.
    role: Role,
    /// Whether anybody may be waiting: mostly nobody is, and no lock is taken.
    any: AtomicBool,
    waiting: Mutex<WaitingPeers<V>>,
}

#[derive(Debug)]
struct WaitingPeers<V> {
    peers: VecDeque<AwaitedPeer<V>>,
    bytes: usize,
}

/// A peer that was accepted, and owes its proof.
#[derive(Debug)]
pub(super) struct AwaitedPeer<V> {
    pub(super) peer: OwnedPeer,
    pub(super) outcome: V,
    bytes: usize,
    thread: ThreadId,
    is_counted: bool,
}

impl<V> AwaitingProof<V> {
    pub(super) fn new(role: Role) -> Self {
        Self {
            role,
            any: AtomicBool::new(false),
            waiting: Mutex::new(WaitingPeers {
                peers: VecDeque::new(),
                bytes: 0,
            }),
        }
    }

    /// Waits for this peer's proof; hands back those that are waited for no longer.
    pub(super) fn expect(
        &self,
        peer: OwnedPeer,
        outcome: V,
        outcome_size: usize,
    ) -> Vec<AwaitedPeer<V>> {
        let (thread, now) = (thread::current().id(), peer.at());
        let mut waiting = self.waiting();
        let mut given_up = waiting.give_up_before(now.saturating_add(-PATIENCE_SECONDS));
        if self.role == Role::PeerServer {
            given_up.extend(waiting.take(|other| other.thread == thread));
        }
        let bytes = peer.size() + outcome_size;
        waiting.bytes += bytes;
        waiting.peers.push_back(AwaitedPeer {
            peer,
            outcome,
            bytes,
            thread,
            is_counted: false,
        });
        while waiting.peers.len() > MAX_PEERS || waiting.bytes > MAX_BYTES {
            given_up.extend(waiting.take(|_| true));
        }
        self.any.store(!waiting.peers.is_empty(), Ordering::Release);
        given_up.retain(|peer| !peer.is_counted);
        given_up
    }

    /// A server was accepted of which nothing waits. One that was verified on this thread before
    /// proves itself no more: the signature that comes next is not its own.
    pub(super) fn expect_nothing(&self) -> Option<AwaitedPeer<V>> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let thread = thread::current().id();
        let mut waiting = self.waiting();
        let given_up = waiting.take(|other| other.thread == thread)?;
        self.any.store(!waiting.peers.is_empty(), Ordering::Release);
        (!given_up.is_counted).then_some(given_up)
    }

    /// The peer whose signature was looked at: the one of this thread, or for a client the latest
    /// with this leaf.
    pub(super) fn take(&self, leaf: &CertificateDer<'_>) -> Option<AwaitedPeer<V>> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let thread = thread::current().id();
        let mut waiting = self.waiting();
        let own = waiting.take_last(|other| other.thread == thread && other.peer.leaf() == leaf);
        let awaited = match self.role {
            Role::PeerServer => own,
            _ => own.or_else(|| waiting.take_last(|other| other.peer.leaf() == leaf)),
        };
        self.any.store(!waiting.peers.is_empty(), Ordering::Release);
        awaited
    }

    /// What `of` says of each peer that was not counted so far; it is counted from then on,
    /// though it may still prove itself.
    pub(super) fn count<T>(&self, of: impl Fn(&OwnedPeer) -> T) -> Vec<T> {
        let mut waiting = self.waiting();
        let uncounted = waiting.peers.iter_mut().filter(|peer| !peer.is_counted);
        uncounted
            .map(|waiting| {
                waiting.is_counted = true;
                of(&waiting.peer)
            })
            .collect()
    }

    fn waiting(&self) -> MutexGuard<'_, WaitingPeers<V>> {
        // No code of ours panics under the lock, and it is whole between any two calls.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> WaitingPeers<V> {
    fn give_up_before(&mut self, then: Timestamp) -> Vec<AwaitedPeer<V>> {
        let mut given_up = Vec::new();
        while let Some(first) = self.peers.front() {
            if first.peer.at() >= then {
                break;
            }
            given_up.extend(self.remove(0));
        }
        given_up
    }

    /// The first that fits.
    fn take(&mut self, fits: impl FnMut(&AwaitedPeer<V>) -> bool) -> Option<AwaitedPeer<V>> {
        let index = self.peers.iter().position(fits)?;
        self.remove(index)
    }

    /// The last that fits.
    fn take_last(&mut self, fits: impl FnMut(&AwaitedPeer<V>) -> bool) -> Option<AwaitedPeer<V>> {
        let index = self.peers.iter().rposition(fits)?;
        self.remove(index)
    }

    fn remove(&mut self, index: usize) -> Option<AwaitedPeer<V>> {
        let peer = self.peers.remove(index)?;
        self.bytes -= peer.bytes;
        Some(peer)
    }
}
