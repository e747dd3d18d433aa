//! What either verifier of X.509-SVIDs is built from.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;

use super::super::anonymous::AnonymousClients;
use super::accepted::{AcceptedPeers, SpiffePeer};
use super::bundles::SpiffeBundles;
use super::by_domain::{ByTrustDomain, MakeOfBundle};
use super::error::SpiffeVerifierError;
use crate::identity::{SpiffeId, TrustDomain};
use crate::provider;

/// Builds a [`SpiffeServerVerifier`](super::SpiffeServerVerifier) or a
/// [`SpiffeClientVerifier`](super::SpiffeClientVerifier), whichever `V` is.
///
/// Whom to accept must be said: of several reasons one is enough.
#[must_use]
pub struct SpiffeVerifierBuilder<V> {
    bundles: Arc<SpiffeBundles>,
    provider: Option<Arc<CryptoProvider>>,
    accepted: AcceptedPeers,
    pub(super) anonymous: AnonymousClients,
    builds: PhantomData<fn() -> V>,
}

/// What both verifiers have in common.
#[derive(Debug)]
pub(super) struct SpiffeParts<T> {
    pub(super) by_domain: ByTrustDomain<T>,
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) accepted: AcceptedPeers,
}

impl<V> SpiffeVerifierBuilder<V> {
    pub(super) fn new(bundles: Arc<SpiffeBundles>) -> Self {
        Self {
            bundles,
            provider: None,
            accepted: AcceptedPeers::default(),
            anonymous: AnonymousClients::Refuse,
            builds: PhantomData,
        }
    }

    /// Accepts the peer with exactly this SPIFFE ID; repeatable.
    pub fn with_accepted_id(mut self, id: SpiffeId) -> Self {
        self.accepted.ids.insert(id);
        self
    }

    /// Accepts every peer of this trust domain; repeatable.
    pub fn with_accepted_domain(mut self, trust_domain: TrustDomain) -> Self {
        self.accepted.domains.insert(trust_domain);
        self
    }

    /// Accepts the peers of which this function says so; repeatable. It is asked in every full handshake,
    /// once the X.509-SVID verified (a [`VerdictCache`](crate::verifier::VerdictCache) around it remembers a yes), and
    /// must not block.
    ///
    /// # How does each server name have its own SPIFFE ID?
    /// ```
    /// use notafter::identity::SpiffeId;
    /// use notafter::verifier::{SpiffePeer, SpiffeServerVerifier, SpiffeVerifierBuilder};
    /// fn accept(builder: SpiffeVerifierBuilder<SpiffeServerVerifier>, db: SpiffeId) {
    ///     let builder = builder.with_accepted_by(move |peer: &SpiffePeer<'_>| {
    ///         let name = peer.server_name.map(|name| name.to_str());
    ///         name.as_deref() == Some("db.internal") && *peer.id == db
    ///     });
    /// }
    /// ```
    pub fn with_accepted_by(
        mut self,
        accepts: impl Fn(&SpiffePeer<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.accepted.functions.push(Arc::new(accepts));
        self
    }

    /// Verifies by this crypto provider instead of the process's default one.
    pub fn with_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    pub(super) fn into_parts<T: Clone>(
        self,
        make: MakeOfBundle<T>,
    ) -> Result<SpiffeParts<T>, SpiffeVerifierError> {
        let provider = provider::given_or_default(self.provider);
        let provider = provider.ok_or(SpiffeVerifierError::NoProvider)?;
        if self.bundles.trust_domains().is_empty() {
            return Err(SpiffeVerifierError::NoBundle);
        }
        if self.accepted.is_empty() {
            return Err(SpiffeVerifierError::NobodyAccepted);
        }
        Ok(SpiffeParts {
            by_domain: ByTrustDomain::new(self.bundles, make, &provider),
            provider,
            accepted: self.accepted,
        })
    }
}

impl<V> fmt::Debug for SpiffeVerifierBuilder<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpiffeVerifierBuilder")
            .field("bundles", &self.bundles)
            .field("accepted", &self.accepted)
            .finish_non_exhaustive()
    }
}
