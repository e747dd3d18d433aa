//! A client's session store behind the guard.

use std::sync::Arc;

use pki_types::ServerName;
use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::time_provider::TimeProvider;

use super::identity::FollowedIdentity;
use crate::verifier::WatchingServerVerifier;

/// Hands out what the inner store holds only where everything accepted under the name passes now, and
/// was met with the identity of now.
#[derive(Debug)]
pub(super) struct GuardedClientSessions {
    pub(super) inner: Arc<dyn ClientSessionStore>,
    pub(super) verifier: Arc<WatchingServerVerifier>,
    pub(super) clock: Arc<dyn TimeProvider>,
    pub(super) identity: Option<FollowedIdentity>,
}

impl GuardedClientSessions {
    fn passes(&self, name: &ServerName<'_>) -> bool {
        let now = self.clock.current_time();
        self.is_of_this_identity(name)
            && now.is_some_and(|now| self.verifier.sessions_pass(name, now.into()))
    }

    fn is_of_this_identity(&self, name: &ServerName<'_>) -> bool {
        let identity = self.identity.as_ref();
        identity.is_none_or(|identity| identity.begins(&name.to_str()))
    }
}

impl ClientSessionStore for GuardedClientSessions {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        self.inner.set_kx_hint(server_name, group);
    }

    fn kx_hint(&self, server_name: &ServerName<'_>) -> Option<NamedGroup> {
        self.inner.kx_hint(server_name)
    }

    fn set_tls12_session(&self, server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.inner.set_tls12_session(server_name, value);
    }

    fn tls12_session(&self, server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        // Asked first: what does not pass is not even read. Asked again: what another thread stored
        // meanwhile may not pass.
        let session = match self.passes(server_name) {
            true => Some(self.inner.tls12_session(server_name)?),
            false => None,
        };
        let session = session.filter(|_| self.passes(server_name));
        if session.is_none() {
            self.inner.remove_tls12_session(&server_name.to_owned());
        }
        session
    }

    fn remove_tls12_session(&self, server_name: &ServerName<'static>) {
        self.inner.remove_tls12_session(server_name);
    }

    fn insert_tls13_ticket(
        &self,
        server_name: ServerName<'static>,
        value: Tls13ClientSessionValue,
    ) {
        self.inner.insert_tls13_ticket(server_name, value);
    }

    fn take_tls13_ticket(
        &self,
        server_name: &ServerName<'static>,
    ) -> Option<Tls13ClientSessionValue> {
        // Asked first, whatever there is: rustls asks here when a connection begins.
        let is_of_this_identity = self.is_of_this_identity(server_name);
        // Taken in any case: what does not pass now must not stay for later.
        let ticket = self.inner.take_tls13_ticket(server_name)?;
        // Asked again: another thread may have stored it meanwhile.
        (is_of_this_identity && self.passes(server_name)).then_some(ticket)
    }
}
