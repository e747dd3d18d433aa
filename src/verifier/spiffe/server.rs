//! What a client verifies servers by that show X.509-SVIDs.

use std::fmt;
use std::sync::Arc;

use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::CryptoProvider;
use rustls::server::ParsedCertificate;
use rustls::{Error, RootCertStore};

use super::super::error::carried;
use super::super::forward::signatures_by_provider;
use super::accepted::{AcceptedPeers, SpiffePeer};
use super::builder::{SpiffeParts, SpiffeVerifierBuilder};
use super::bundles::SpiffeBundles;
use super::by_domain::ByTrustDomain;
use super::error::{SpiffePeerError, SpiffeVerifierError};
use crate::cert::Certificate;
use crate::identity::{SpiffeId, SpiffeIdentities};

/// Verifies servers by their X.509-SVID (SPIFFE, X509-SVID, 5): the leaf must be one, verify under the
/// bundle of its own trust domain, and have a SPIFFE ID that the caller accepts.
///
/// The name that the connection was made to is not looked at, unless a function of
/// [`with_accepted_by`](SpiffeVerifierBuilder::with_accepted_by) does. Paths are verified by
/// rustls's own function, [`verify_server_cert_signed_by_trust_anchor`], with the bundle as it is in
/// force at each handshake; no revocation list is looked up.
///
/// Wrap it, so that pins, events and sessions are of SPIFFE IDs, and follow the bundles:
///
/// # How does my client connect to a server that is known by its SPIFFE ID?
/// ```
/// use std::sync::Arc;
/// use notafter::WatchingServerVerifier;
/// use notafter::identity::SpiffeIdentities;
/// use notafter::verifier::{SpiffeBundles, SpiffeServerVerifier};
/// # fn config(bundles: Arc<SpiffeBundles>) -> Result<(), Box<dyn std::error::Error>> {
/// let provider = Arc::new(rustls::crypto::ring::default_provider());
/// let inner = SpiffeServerVerifier::builder(bundles.clone())
///     .with_accepted_id("spiffe://prod.example/db".parse()?)
///     .with_provider(provider.clone())
///     .build()?;
/// let verifier = WatchingServerVerifier::builder(inner)
///     .with_peer_identity(Arc::new(SpiffeIdentities))
///     .with_trust_in_force(bundles)
///     .with_provider(provider)
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub struct SpiffeServerVerifier {
    by_domain: ByTrustDomain<Arc<RootCertStore>>,
    provider: Arc<CryptoProvider>,
    accepted: AcceptedPeers,
}

impl SpiffeServerVerifier {
    /// Starts to verify by these bundles.
    pub fn builder(bundles: Arc<SpiffeBundles>) -> SpiffeVerifierBuilder<Self> {
        SpiffeVerifierBuilder::new(bundles)
    }
}

impl SpiffeVerifierBuilder<SpiffeServerVerifier> {
    /// Builds the verifier.
    ///
    /// # Errors
    /// [`SpiffeVerifierError`] where there is no provider, no bundle, or nobody to accept.
    pub fn build(self) -> Result<Arc<SpiffeServerVerifier>, SpiffeVerifierError> {
        let SpiffeParts {
            by_domain,
            provider,
            accepted,
        } = self.into_parts(|roots, _| Some(roots))?;
        Ok(Arc::new(SpiffeServerVerifier {
            by_domain,
            provider,
            accepted,
        }))
    }
}

impl ServerCertVerifier for SpiffeServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let id = id_of(end_entity).map_err(carried)?;
        let roots = self.by_domain.of(&id, &self.provider).map_err(carried)?;
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        let peer = SpiffePeer {
            id: &id,
            server_name: Some(server_name),
        };
        self.accepted.check(&peer).map_err(carried)?;
        Ok(ServerCertVerified::assertion())
    }

    signatures_by_provider!();
}

/// The SPIFFE ID that a leaf says its peer has.
pub(super) fn id_of(leaf: &CertificateDer<'_>) -> Result<SpiffeId, SpiffePeerError> {
    let leaf = Certificate::from_der(leaf);
    let leaf = leaf.map_err(|error| SpiffePeerError::Svid(error.into()))?;
    Ok(SpiffeIdentities::id_of(&leaf)?)
}

impl fmt::Debug for SpiffeServerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpiffeServerVerifier")
            .field("by_domain", &self.by_domain)
            .field("accepted", &self.accepted)
            .finish_non_exhaustive()
    }
}
