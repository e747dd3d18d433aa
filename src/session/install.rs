//! Guards put into configurations that are otherwise ready.

use std::sync::Arc;

use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::{ClientConfig, ServerConfig};

use super::SessionGuard;
use crate::renewal::IdentityInForce;
use crate::verifier::{WatchingClientVerifier, WatchingServerVerifier};

/// How many sessions a client remembers unless told otherwise; rustls's own default.
pub(super) const DEFAULT_SESSIONS: usize = 256;

/// Gives a client configuration an empty session store behind a guard, of 256 sessions, by the
/// configuration's own clock. The verifier must be the one of this configuration.
///
/// rustls shows no store that a configuration has already, so it is replaced, and one that resumes nothing
/// resumes again: who has a store of their own puts [`SessionGuard::client`] around it. Whatever is set
/// afterwards (`resumption`, another clock) is without the guard.
///
/// # How do I keep resumed sessions within my pins, in a configuration that I have?
/// ```
/// use std::sync::Arc;
/// use notafter::{WatchingServerVerifier, session};
/// fn guarded(mut config: rustls::ClientConfig, verifier: &Arc<WatchingServerVerifier>) -> rustls::ClientConfig {
///     session::guard_client_config(&mut config, verifier);
///     config
/// }
/// ```
pub fn guard_client_config(config: &mut ClientConfig, verifier: &Arc<WatchingServerVerifier>) {
    guard_client_config_of(config, verifier, None, DEFAULT_SESSIONS);
}

/// Gives the configuration of a client whose own certificate changes while it runs an empty session
/// store behind a guard, as [`guard_client_config`] does, and offers no session of an identity of before
/// ([`SessionGuard::client_with_identity`]).
pub fn guard_client_config_with_identity(
    config: &mut ClientConfig,
    verifier: &Arc<WatchingServerVerifier>,
    identity: Arc<dyn IdentityInForce>,
) {
    guard_client_config_of(config, verifier, Some(identity), DEFAULT_SESSIONS);
}

pub(super) fn guard_client_config_of(
    config: &mut ClientConfig,
    verifier: &Arc<WatchingServerVerifier>,
    identity: Option<Arc<dyn IdentityInForce>>,
    sessions: usize,
) {
    let guard = SessionGuard::new(Arc::clone(&config.time_provider));
    let store = Arc::new(ClientSessionMemoryCache::new(sessions));
    config.resumption = Resumption::store(guard.guarded_client(verifier, identity, store));
}

/// Puts guards around the session store and the ticketer that a server configuration has, by its own
/// clock. The verifier must be the one of this configuration. Call it last: a ticketer, a store or a clock
/// that is set afterwards is without the guard.
///
/// # How does my server keep clients out whose certificates have ended?
/// ```
/// use std::sync::Arc;
/// use notafter::{WatchingClientVerifier, session};
/// fn guarded(mut config: rustls::ServerConfig, verifier: &Arc<WatchingClientVerifier>) -> rustls::ServerConfig {
///     session::guard_server_config(&mut config, verifier);
///     config
/// }
/// ```
pub fn guard_server_config(config: &mut ServerConfig, verifier: &Arc<WatchingClientVerifier>) {
    let guard = SessionGuard::new(Arc::clone(&config.time_provider));
    config.session_storage = guard.server(verifier, Arc::clone(&config.session_storage));
    config.ticketer = guard.tickets(verifier, Arc::clone(&config.ticketer));
}
