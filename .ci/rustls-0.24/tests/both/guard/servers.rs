//! The guard of today around what a server of tomorrow keeps.
//!
//! The guard looks for the client of a session as rustls 0.23 lays it out. So whoever a session of 0.24 is of is put
//! before it in that layout, and taken away again: the reader is what changes with the line, the guard is not.

use std::sync::Arc;
use std::time::Duration;

use notafter::testing::TestClock;
use notafter::{SessionGuard, WatchingClientVerifier};
use notafter_rustls_0_24::StoredClient;
use rustls::crypto::TicketProducer;
use rustls::server::{ServerSessionKey, StoresServerSessions};
use rustls_0_23::server::{
    ProducesTickets, ServerSessionMemoryCache, StoresServerSessions as StoresServerSessions023,
};

/// A store that the guard is around.
#[derive(Debug)]
pub struct GuardedStore(Arc<dyn StoresServerSessions023>);

impl GuardedStore {
    pub fn new(verifier: &Arc<WatchingClientVerifier>, clock: &Arc<TestClock>) -> Self {
        let guard = SessionGuard::new(clock.clone());
        Self(guard.server(verifier, ServerSessionMemoryCache::new(32)))
    }
}

impl StoresServerSessions for GuardedStore {
    fn put(&self, key: ServerSessionKey<'_>, value: Vec<u8>) -> bool {
        let session = of_its_client(&value);
        session.is_some_and(|session| self.0.put(key.as_ref().to_vec(), session))
    }

    fn get(&self, key: ServerSessionKey<'_>) -> Option<Vec<u8>> {
        Some(alone(self.0.get(key.as_ref())?))
    }

    fn take(&self, key: ServerSessionKey<'_>) -> Option<Vec<u8>> {
        Some(alone(self.0.take(key.as_ref())?))
    }

    fn can_cache(&self) -> bool {
        self.0.can_cache()
    }
}

/// Tickets that the guard is around.
#[derive(Debug)]
pub struct GuardedTickets(Arc<dyn ProducesTickets>);

impl GuardedTickets {
    pub fn new(
        verifier: &Arc<WatchingClientVerifier>,
        tickets: Arc<dyn TicketProducer>,
        clock: &Arc<TestClock>,
    ) -> Self {
        let guard = SessionGuard::new(clock.clone());
        Self(guard.tickets(verifier, Arc::new(Tickets(tickets))))
    }
}

impl TicketProducer for GuardedTickets {
    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt(&of_its_client(plain)?)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(cipher).map(alone)
    }

    fn lifetime(&self) -> Duration {
        Duration::from_secs(self.0.lifetime().into())
    }
}

/// What makes tickets in rustls 0.24, as the guard asks it.
#[derive(Debug)]
struct Tickets(Arc<dyn TicketProducer>);

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.0.lifetime().as_secs().try_into().unwrap()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(cipher)
    }
}

/// The session with its client before it, as rustls 0.23 has them, and the length of that behind it. `None` where
/// nobody knows whose it is.
fn of_its_client(session: &[u8]) -> Option<Vec<u8>> {
    let list = match StoredClient::of(session)? {
        StoredClient::Anonymous => Vec::new(),
        StoredClient::X509(chain) => {
            let certificates = chain.into_iter().flat_map(with_length);
            with_length(&certificates.collect::<Vec<_>>())
        }
        StoredClient::RawPublicKey(key) => with_length(&with_length(key)),
    };
    let length = u32::try_from(list.len()).unwrap().to_be_bytes();
    Some([&list, session, &length].concat())
}

/// The session alone.
fn alone(mut session: Vec<u8>) -> Vec<u8> {
    let length = session.split_off(session.len() - 4);
    let length = u32::from_be_bytes(length.try_into().unwrap());
    session.split_off(usize::try_from(length).unwrap())
}

/// Bytes, and their length in three bytes before them.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[1..], bytes].concat()
}
