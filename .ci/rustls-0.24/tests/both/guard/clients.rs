//! The guard of today around what a client of tomorrow keeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notafter::testing::TestClock;
use notafter::{SessionGuard, WatchingServerVerifier};
use pki_types::ServerName;
use rustls::client::{
    ClientSessionKey, ClientSessionMemoryCache, ClientSessionStore, Tls12Session, Tls13Session,
};
use rustls::crypto::kx::NamedGroup;
use rustls_0_23::client::{
    ClientSessionStore as Store023, Tls12ClientSessionValue, Tls13ClientSessionValue,
};

/// Hands out what it holds only where the guard would hand out what rustls 0.23 holds.
#[derive(Debug)]
pub struct GuardedSessions {
    inner: ClientSessionMemoryCache,
    guard: Arc<dyn Store023>,
    asked: Arc<Asked>,
}

/// What lies behind the guard: nothing, but it notes that it was asked.
#[derive(Debug, Default)]
struct Asked(AtomicBool);

impl Store023 for Asked {
    fn set_kx_hint(&self, _: ServerName<'static>, _: rustls_0_23::NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<rustls_0_23::NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.store(true, Ordering::SeqCst);
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

impl GuardedSessions {
    pub fn new(verifier: &Arc<WatchingServerVerifier>, clock: &Arc<TestClock>) -> Self {
        let asked = Arc::<Asked>::default();
        Self {
            inner: ClientSessionMemoryCache::new(32),
            guard: SessionGuard::new(clock.clone()).client(verifier, asked.clone()),
            asked,
        }
    }

    fn passes(&self, name: &ServerName<'_>) -> bool {
        self.asked.0.store(false, Ordering::SeqCst);
        assert!(self.guard.tls12_session(name).is_none());
        self.asked.0.load(Ordering::SeqCst)
    }
}

impl ClientSessionStore for GuardedSessions {
    fn set_kx_hint(&self, key: ClientSessionKey<'static>, group: NamedGroup) {
        self.inner.set_kx_hint(key, group);
    }

    fn kx_hint(&self, key: &ClientSessionKey<'_>) -> Option<NamedGroup> {
        self.inner.kx_hint(key)
    }

    fn set_tls12_session(&self, key: ClientSessionKey<'static>, value: Tls12Session) {
        self.inner.set_tls12_session(key, value);
    }

    fn tls12_session(&self, key: &ClientSessionKey<'_>) -> Option<Tls12Session> {
        let passes = self.passes(&key.server_name);
        passes.then(|| self.inner.tls12_session(key))?
    }

    fn remove_tls12_session(&self, key: &ClientSessionKey<'static>) {
        self.inner.remove_tls12_session(key);
    }

    fn insert_tls13_ticket(&self, key: ClientSessionKey<'static>, value: Tls13Session) {
        self.inner.insert_tls13_ticket(key, value);
    }

    fn take_tls13_ticket(&self, key: &ClientSessionKey<'static>) -> Option<Tls13Session> {
        let ticket = self.inner.take_tls13_ticket(key)?;
        self.passes(&key.server_name).then_some(ticket)
    }
}
