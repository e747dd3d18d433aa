//! The guard: what it is put around, and by which clock.

use std::sync::Arc;

use rustls::client::ClientSessionStore;
use rustls::server::{ProducesTickets, StoresServerSessions};
use rustls::time_provider::TimeProvider;

use super::client::GuardedClientSessions;
use super::identity::FollowedIdentity;
use super::server::{GuardedServerSessions, GuardedTickets, Seal};
use crate::renewal::IdentityInForce;
use crate::time::clock;
use crate::verifier::{WatchingClientVerifier, WatchingServerVerifier};

/// Puts guards around rustls's session stores, so that no session is resumed that rests on a
/// decision which would be another one now: because the pins changed, or the chain came to its end.
/// What a guard cannot know, it refuses; the handshake is then a full one.
///
/// - *Clients.* A store knows a server by its name alone, and a server may send a ticket late. So
///   a session is handed out only while every chain that was accepted under its name, and proven,
///   passes: the inner verifier was asked about each a minute ago at the most, and pins, dates and
///   staples are judged as of now. Once one does not pass, nothing is resumed under that name any
///   more; the same where pins or trust have another epoch than when the name was first met, where more
///   than 8 chains were accepted under it, or one of over 32 KiB. Use [`PinnedClientConfigs`](super::PinnedClientConfigs),
///   which then begins afresh.
/// - *Servers.* A stored session or ticket is handed out only where pins and trust have the epoch in
///   which its client was verified, this process made it, and the client's chain, which the
///   session holds, passes now; again the inner verifier was asked a minute ago at the most.
///
/// A session that began within a [`PinnedGrace`](crate::verifier::PinnedGrace) is never resumed.
///
/// # How do I keep sessions from outliving my pins on a server?
/// ```
/// use std::sync::Arc;
/// use notafter::{SessionGuard, WatchingClientVerifier};
/// use rustls::server::ServerSessionMemoryCache;
/// # fn guard(verifier: Arc<WatchingClientVerifier>, config: &mut rustls::ServerConfig) {
/// let guard = SessionGuard::default();
/// config.session_storage = guard.server(&verifier, ServerSessionMemoryCache::new(1024));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SessionGuard {
    clock: Arc<dyn TimeProvider>,
}

impl Default for SessionGuard {
    /// Guards by the system's clock.
    fn default() -> Self {
        Self::new(clock::system())
    }
}

impl SessionGuard {
    /// Guards by this clock, which should be that of the configuration. Without a time nothing is
    /// resumed.
    pub fn new(clock: Arc<dyn TimeProvider>) -> Self {
        Self { clock }
    }

    /// Puts a guard around a client's store, an empty one. The verifier must be the one of the same
    /// configuration.
    pub fn client(
        &self,
        verifier: &Arc<WatchingServerVerifier>,
        inner: Arc<dyn ClientSessionStore>,
    ) -> Arc<dyn ClientSessionStore> {
        self.guarded_client(verifier, None, inner)
    }

    /// Puts a guard around the store of a client that shows a certificate which changes while it
    /// runs: besides what [`Self::client`] asks, no session is handed out under a name that a
    /// connection began under while another identity was shown.
    ///
    /// rustls resumes sessions of the certificate before, and the server goes on to see that one. A
    /// server may send a session long after its handshake, and a store cannot tell with which identity it
    /// began. So nothing is resumed any more under the names that were met before a change, until there is
    /// another configuration: [`PinnedClientConfigs::with_identity`](super::PinnedClientConfigs::with_identity)
    /// makes one, with which sessions are resumed again.
    ///
    /// # How does my client, with a store of its own, show its renewed certificate?
    /// ```no_run
    /// use std::sync::Arc;
    /// use notafter::renewal::IdentityInForce;
    /// use notafter::{SessionGuard, WatchingServerVerifier};
    /// use rustls::ClientConfig;
    /// use rustls::client::{ClientSessionMemoryCache, Resumption};
    /// # fn guard(
    /// #     verifier: Arc<WatchingServerVerifier>,
    /// #     key: Arc<dyn IdentityInForce>, // a `ReloadingKey`, which the configuration resolves by
    /// #     config: &mut ClientConfig,
    /// # ) {
    /// let sessions = Arc::new(ClientSessionMemoryCache::new(256));
    /// let guarded = SessionGuard::default().client_with_identity(&verifier, key, sessions);
    /// config.resumption = Resumption::store(guarded);
    /// # }
    /// ```
    pub fn client_with_identity(
        &self,
        verifier: &Arc<WatchingServerVerifier>,
        identity: Arc<dyn IdentityInForce>,
        inner: Arc<dyn ClientSessionStore>,
    ) -> Arc<dyn ClientSessionStore> {
        self.guarded_client(verifier, Some(identity), inner)
    }

    pub(super) fn guarded_client(
        &self,
        verifier: &Arc<WatchingServerVerifier>,
        identity: Option<Arc<dyn IdentityInForce>>,
        inner: Arc<dyn ClientSessionStore>,
    ) -> Arc<dyn ClientSessionStore> {
        verifier.remember_accepted();
        Arc::new(GuardedClientSessions {
            inner,
            verifier: Arc::clone(verifier),
            clock: Arc::clone(&self.clock),
            identity: identity.map(FollowedIdentity::new),
        })
    }

    /// Puts a guard around a server's store of sessions. The verifier must be the one of the same
    /// configuration.
    pub fn server(
        &self,
        verifier: &Arc<WatchingClientVerifier>,
        inner: Arc<dyn StoresServerSessions>,
    ) -> Arc<dyn StoresServerSessions> {
        let seal = Seal::new(verifier, &self.clock);
        Arc::new(GuardedServerSessions { inner, seal })
    }

    /// Puts a guard around what makes stateless tickets. The verifier must be the one of the same
    /// configuration.
    pub fn tickets(
        &self,
        verifier: &Arc<WatchingClientVerifier>,
        inner: Arc<dyn ProducesTickets>,
    ) -> Arc<dyn ProducesTickets> {
        let seal = Seal::new(verifier, &self.clock);
        Arc::new(GuardedTickets { inner, seal })
    }
}
