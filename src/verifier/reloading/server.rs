//! What a client verifies servers by, where its anchors and lists change.

use std::fmt;
use std::sync::Arc;

use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{DistinguishedName, Error, RootCertStore};

use super::by_generation::{by_generation, with_lists};
use super::current::{CurrentVerifier, MakesVerifier};
use super::error::ReloadingVerifierError;
use crate::outlook::{TrustGeneration, TrustInForce};
use crate::provider;
use crate::reload::{CrlGeneration, ReloadingAnchors, ReloadingCrls};

/// Verifies servers as rustls's own
/// [`WebPkiServerVerifier`] does, by the anchors and lists in force at each
/// handshake: for each generation of them one is made, by rustls's own builder.
///
/// rustls resumes sessions without asking any verifier. Wrap it, give the wrapper
/// [`with_trust_in_force`](crate::verifier::WatchingVerifierBuilder::with_trust_in_force), and take
/// configurations from [`PinnedClientConfigs`](crate::PinnedClientConfigs) or guard the session store:
/// then resumed sessions follow too.
///
/// # How does my client follow the roots that it trusts, resumed sessions too?
/// ```
/// use std::sync::Arc;
/// use notafter::reload::ReloadingAnchors;
/// use notafter::verifier::ReloadingServerVerifier;
/// use notafter::{PinnedClientConfigs, WatchingServerVerifier};
/// # fn configs(anchors: Arc<ReloadingAnchors>) -> Result<(), Box<dyn std::error::Error>> {
/// let provider = Arc::new(rustls::crypto::ring::default_provider());
/// let inner = ReloadingServerVerifier::builder(anchors)
///     .with_provider(provider.clone())
///     .build()?;
/// let verifier = WatchingServerVerifier::builder(inner.clone())
///     .with_provider(provider.clone())
///     .with_trust_in_force(inner)
///     .build()?;
/// let configs = PinnedClientConfigs::new(verifier, move |verifier| {
///     Ok::<_, rustls::Error>(rustls::ClientConfig::builder_with_provider(provider.clone())
///         .with_safe_default_protocol_versions()?
///         .dangerous()
///         .with_custom_certificate_verifier(verifier)
///         .with_no_client_auth())
/// });
/// // For each connection: the configuration of the anchors as they are now.
/// let config: Arc<rustls::ClientConfig> = configs.current()?;
/// # Ok(())
/// # }
/// ```
pub struct ReloadingServerVerifier {
    current: CurrentVerifier<ServerVerifierMaker>,
}

#[derive(Debug)]
struct ServerVerifierMaker {
    provider: Arc<CryptoProvider>,
}

impl MakesVerifier for ServerVerifierMaker {
    type Verifier = WebPkiServerVerifier;

    fn make(
        &self,
        roots: Arc<RootCertStore>,
        lists: Option<&CrlGeneration>,
    ) -> Result<Arc<WebPkiServerVerifier>, VerifierBuilderError> {
        let provider = Arc::clone(&self.provider);
        let builder = with_lists!(
            WebPkiServerVerifier::builder_with_provider(roots, provider),
            lists
        );
        builder.build()
    }
}

impl ReloadingServerVerifier {
    /// Starts to verify by these anchors, without revocation lists.
    pub const fn builder(anchors: Arc<ReloadingAnchors>) -> ReloadingServerVerifierBuilder {
        ReloadingServerVerifierBuilder {
            anchors,
            lists: None,
            provider: None,
        }
    }
}

/// Builds a [`ReloadingServerVerifier`].
#[derive(Debug)]
#[must_use]
pub struct ReloadingServerVerifierBuilder {
    anchors: Arc<ReloadingAnchors>,
    lists: Option<Arc<ReloadingCrls>>,
    provider: Option<Arc<CryptoProvider>>,
}

impl ReloadingServerVerifierBuilder {
    /// Looks certificates up in these revocation lists, by their rules.
    pub fn with_crls(mut self, lists: Arc<ReloadingCrls>) -> Self {
        self.lists = Some(lists);
        self
    }

    /// Verifies by this crypto provider instead of the process's default one.
    pub fn with_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Builds the verifier.
    ///
    /// # Errors
    /// [`ReloadingVerifierError`] where there is no provider, or rustls takes what is in force for
    /// unusable.
    pub fn build(self) -> Result<Arc<ReloadingServerVerifier>, ReloadingVerifierError> {
        let provider = provider::given_or_default(self.provider);
        let provider = provider.ok_or(ReloadingVerifierError::NoProvider)?;
        let maker = ServerVerifierMaker { provider };
        let current = CurrentVerifier::new(maker, self.anchors, self.lists);
        let current = current.map_err(|error| ReloadingVerifierError::Unusable { error })?;
        Ok(Arc::new(ReloadingServerVerifier { current }))
    }
}

impl ServerCertVerifier for ReloadingServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let current = self.current.current();
        current.verifier()?.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    by_generation!();

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        // Nor does it name its roots to servers.
        None
    }
}

/// The anchors and lists that servers are verified by.
impl TrustInForce for ReloadingServerVerifier {
    fn generation(&self) -> Arc<TrustGeneration> {
        Arc::clone(&self.current.current().trust)
    }
}

impl fmt::Debug for ReloadingServerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadingServerVerifier")
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}
