//! A server's sessions behind the guard: each is sealed with what it rests on, and judged by the
//! certificates that it holds.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

use rustls::server::danger::ClientCertVerifier as _;
use rustls::server::{ProducesTickets, StoresServerSessions};
use rustls::time_provider::TimeProvider;

use super::certificate_list::client_certificates;
use crate::time::Timestamp;
use crate::verifier::{Epoch, WatchingClientVerifier};

/// Process, epoch of the pins and of the trust, and instant, eight bytes each.
const SEAL_BYTES: usize = 16 + Epoch::BYTES;

/// Says what a session rests on, and whether that still stands.
#[derive(Debug)]
pub(super) struct Seal {
    verifier: Arc<WatchingClientVerifier>,
    clock: Arc<dyn TimeProvider>,
    /// Sessions of another process rest on what this one does not know. No secret: the store or
    /// the ticket's own seal keeps others from writing it.
    process: u64,
}

impl Seal {
    pub(super) fn new(
        verifier: &Arc<WatchingClientVerifier>,
        clock: &Arc<dyn TimeProvider>,
    ) -> Self {
        verifier.remember_accepted();
        Self {
            verifier: Arc::clone(verifier),
            clock: Arc::clone(clock),
            process: RandomState::new().build_hasher().finish(),
        }
    }

    /// The session with its seal before it; `None` where there is no time, or where nothing is
    /// known of its client. It is sealed with the epoch in which the client was verified, which may
    /// be over by now.
    fn seal(&self, session: &[u8]) -> Option<Vec<u8>> {
        let now = self.now()?;
        let epoch = match client_certificates(session) {
            Some(chain) => self.verifier.epoch_of_proof(chain.first()?)?,
            None if self.verifier.client_auth_mandatory() => return None,
            // An anonymous client's: no pin is for it, and no certificate ends it.
            None => self.verifier.epoch(),
        };
        let mut sealed = Vec::with_capacity(SEAL_BYTES + session.len());
        sealed.extend_from_slice(&self.process.to_be_bytes());
        sealed.extend_from_slice(&epoch.to_be_bytes());
        sealed.extend_from_slice(&now.as_unix_seconds().to_be_bytes());
        sealed.extend_from_slice(session);
        Some(sealed)
    }

    /// The session, if all that it rests on still stands.
    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let now = self.now()?;
        let (process, rest) = sealed.split_first_chunk()?;
        let (epoch, rest) = rest.split_first_chunk::<{ Epoch::BYTES }>()?;
        let (stored, session) = rest.split_first_chunk()?;
        let stored = Timestamp::from_unix_seconds(i64::from_be_bytes(*stored));
        let stands = u64::from_be_bytes(*process) == self.process
            && *epoch == self.verifier.epoch().to_be_bytes()
            // Stored in the future, it was stored under another clock.
            && stored <= now
            && self.client_passes(session, now);
        stands.then(|| session.to_vec())
    }

    fn now(&self) -> Option<Timestamp> {
        self.clock.current_time().map(Timestamp::from)
    }

    fn client_passes(&self, session: &[u8], now: Timestamp) -> bool {
        let Some(chain) = client_certificates(session) else {
            return !self.verifier.client_auth_mandatory();
        };
        let Some((leaf, intermediates)) = chain.split_first() else {
            return false;
        };
        self.verifier.session_passes(leaf, intermediates, now)
    }
}

/// A store of sessions, each of which lies in it with its seal.
#[derive(Debug)]
pub(super) struct GuardedServerSessions {
    pub(super) inner: Arc<dyn StoresServerSessions>,
    pub(super) seal: Seal,
}

impl StoresServerSessions for GuardedServerSessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let sealed = self.seal.seal(&value);
        sealed.is_some_and(|sealed| self.inner.put(key, sealed))
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let sealed = self.inner.get(key)?;
        let session = self.seal.open(&sealed);
        if session.is_none() {
            self.inner.take(key);
        }
        session
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        let sealed = self.inner.take(key)?;
        self.seal.open(&sealed)
    }

    fn can_cache(&self) -> bool {
        self.inner.can_cache()
    }
}

/// What makes tickets, with the seal inside of what is encrypted.
#[derive(Debug)]
pub(super) struct GuardedTickets {
    pub(super) inner: Arc<dyn ProducesTickets>,
    pub(super) seal: Seal,
}

impl ProducesTickets for GuardedTickets {
    fn enabled(&self) -> bool {
        self.inner.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.inner.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.inner.encrypt(&self.seal.seal(plain)?)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let sealed = self.inner.decrypt(cipher)?;
        self.seal.open(&sealed)
    }
}
