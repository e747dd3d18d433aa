//! Whom a caller accepts of those that prove who they are.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use pki_types::ServerName;

use super::error::SpiffePeerError;
use crate::identity::{SpiffeId, TrustDomain};

/// A peer whose X.509-SVID verifies under the bundle of its trust domain: what is asked about is whether
/// to speak to it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SpiffePeer<'p> {
    /// Its SPIFFE ID.
    pub id: &'p SpiffeId,
    /// The name that the connection was made to; `None` for TLS clients.
    pub server_name: Option<&'p ServerName<'p>>,
}

/// Says whether to speak to a peer.
pub(super) type AcceptsPeer = dyn Fn(&SpiffePeer<'_>) -> bool + Send + Sync;

/// Everybody whom a caller accepts: one reason is enough.
#[derive(Clone, Default)]
pub(super) struct AcceptedPeers {
    pub(super) ids: BTreeSet<SpiffeId>,
    pub(super) domains: BTreeSet<TrustDomain>,
    pub(super) functions: Vec<Arc<AcceptsPeer>>,
}

impl AcceptedPeers {
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.domains.is_empty() && self.functions.is_empty()
    }

    /// # Errors
    /// [`SpiffePeerError::NotAccepted`].
    pub(super) fn check(&self, peer: &SpiffePeer<'_>) -> Result<(), SpiffePeerError> {
        let is_accepted = self.ids.contains(peer.id)
            || self.domains.contains(peer.id.trust_domain())
            || self.functions.iter().any(|accepts| accepts(peer));
        match is_accepted {
            true => Ok(()),
            false => Err(SpiffePeerError::NotAccepted {
                id: peer.id.clone(),
            }),
        }
    }
}

impl fmt::Debug for AcceptedPeers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptedPeers")
            .field("ids", &self.ids)
            .field("domains", &self.domains)
            .field("functions", &self.functions.len())
            .finish()
    }
}
