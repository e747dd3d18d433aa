//! What a server verifies clients by that show X.509-SVIDs.

use std::fmt;
use std::sync::Arc;

use pki_types::{CertificateDer, UnixTime};
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DistinguishedName, Error};

use super::super::anonymous::AnonymousClients;
use super::super::error::carried;
use super::super::forward::signatures_by_provider;
use super::accepted::{AcceptedPeers, SpiffePeer};
use super::builder::{SpiffeParts, SpiffeVerifierBuilder};
use super::bundles::SpiffeBundles;
use super::by_domain::ByTrustDomain;
use super::error::SpiffeVerifierError;
use super::server::id_of;

/// Verifies clients by their X.509-SVID (SPIFFE, X509-SVID, 5): the leaf must be one, verify under the
/// bundle of its own trust domain, and have a SPIFFE ID that the caller accepts.
///
/// Paths are verified by rustls's own [`WebPkiClientVerifier`], one for each bundle as it is in force. It
/// asks clients for no particular CA, for the names of those are the same in many a domain; clients send
/// the X.509-SVID that they have.
///
/// # How does my server take clients of two trust domains, each by its own bundle?
/// ```
/// use std::sync::Arc;
/// use notafter::WatchingClientVerifier;
/// use notafter::identity::SpiffeIdentities;
/// use notafter::verifier::{SpiffeBundles, SpiffeClientVerifier};
/// # fn verifier(
/// #     bundles: Arc<SpiffeBundles>,
/// #     provider: Arc<rustls::crypto::CryptoProvider>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let inner = SpiffeClientVerifier::builder(bundles.clone())
///     .with_accepted_domain("prod.example".parse()?)
///     .with_accepted_id("spiffe://partner.example/billing".parse()?)
///     .with_provider(provider.clone())
///     .build()?;
/// let verifier = WatchingClientVerifier::builder(inner)
///     .with_peer_identity(Arc::new(SpiffeIdentities))
///     .with_trust_in_force(bundles)
///     .with_provider(provider)
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub struct SpiffeClientVerifier {
    by_domain: ByTrustDomain<Arc<dyn ClientCertVerifier>>,
    provider: Arc<CryptoProvider>,
    accepted: AcceptedPeers,
    anonymous: AnonymousClients,
}

impl SpiffeClientVerifier {
    /// Starts to verify by these bundles.
    pub fn builder(bundles: Arc<SpiffeBundles>) -> SpiffeVerifierBuilder<Self> {
        SpiffeVerifierBuilder::new(bundles)
    }
}

impl SpiffeVerifierBuilder<SpiffeClientVerifier> {
    /// Lets clients without a certificate in too.
    pub fn with_anonymous_clients(mut self) -> Self {
        self.anonymous = AnonymousClients::Accept;
        self
    }

    /// Builds the verifier.
    ///
    /// # Errors
    /// [`SpiffeVerifierError`] where there is no provider, no bundle, or nobody to accept.
    pub fn build(self) -> Result<Arc<SpiffeClientVerifier>, SpiffeVerifierError> {
        let anonymous = self.anonymous;
        let SpiffeParts {
            by_domain,
            provider,
            accepted,
        } = self.into_parts(|roots, provider| {
            let provider = Arc::clone(provider);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            verifier.ok()
        })?;
        Ok(Arc::new(SpiffeClientVerifier {
            by_domain,
            provider,
            accepted,
            anonymous,
        }))
    }
}

impl ClientCertVerifier for SpiffeClientVerifier {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        self.anonymous == AnonymousClients::Refuse
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let id = id_of(end_entity).map_err(carried)?;
        let verifier = self.by_domain.of(&id, &self.provider).map_err(carried)?;
        let verified = verifier.verify_client_cert(end_entity, intermediates, now)?;
        let peer = SpiffePeer {
            id: &id,
            server_name: None,
        };
        self.accepted.check(&peer).map_err(carried)?;
        Ok(verified)
    }

    signatures_by_provider!();
}

impl fmt::Debug for SpiffeClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpiffeClientVerifier")
            .field("by_domain", &self.by_domain)
            .field("accepted", &self.accepted)
            .finish_non_exhaustive()
    }
}
