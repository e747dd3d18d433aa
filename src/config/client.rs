//! Configurations of clients.

use std::fmt;
use std::sync::Arc;

use pki_types::{CertificateDer, PrivateKeyDer};
use rustls::client::{ResolvesClientCert, WantsClientCert};
use rustls::{ClientConfig, ConfigBuilder, Error, WantsVerifier};

use crate::renewal::IdentityInForce;
use crate::session;
use crate::verifier::WatchingServerVerifier;
#[cfg(any(feature = "os-anchors", feature = "mozilla-anchors"))]
use crate::{observer, outlook::TrustAnchors, verifier::VerifierBuildError};

/// Adds verifiers of this crate to rustls's builder of client configurations.
///
/// # How do I adopt this in one line?
/// ```no_run
/// # #[cfg(feature = "os-anchors")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use notafter::config::ClientConfigBuilderExt as _;
/// let config = rustls::ClientConfig::builder().with_watched_os_anchors()?.with_no_client_auth();
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "os-anchors"))]
/// # fn main() {}
/// ```
pub trait ClientConfigBuilderExt: Sized {
    /// Verifies servers by this verifier, and resumes only sessions that it would accept now.
    fn with_watching_verifier(
        self,
        verifier: &Arc<WatchingServerVerifier>,
    ) -> GuardedClientConfigBuilder;

    /// Verifies servers by the operating system's anchors, as rustls does, and writes to the process's
    /// logger (feature `tracing`, or else `log`) when one comes near its end.
    ///
    /// # Errors
    /// [`VerifierBuildError`] where the operating system has no anchors: on Linux, install
    /// `ca-certificates`.
    #[cfg(feature = "os-anchors")]
    fn with_watched_os_anchors(self) -> Result<GuardedClientConfigBuilder, VerifierBuildError>;

    /// Verifies servers by Mozilla's anchors as they were when this program was built, and writes to the
    /// process's logger as [`with_watched_os_anchors`](Self::with_watched_os_anchors) does.
    ///
    /// # Errors
    /// [`VerifierBuildError`], as for any verifier that is built.
    #[cfg(feature = "mozilla-anchors")]
    fn with_watched_mozilla_anchors(self)
    -> Result<GuardedClientConfigBuilder, VerifierBuildError>;
}

impl ClientConfigBuilderExt for ConfigBuilder<ClientConfig, WantsVerifier> {
    fn with_watching_verifier(
        self,
        verifier: &Arc<WatchingServerVerifier>,
    ) -> GuardedClientConfigBuilder {
        let builder = self.dangerous();
        GuardedClientConfigBuilder {
            builder: builder.with_custom_certificate_verifier(Arc::clone(verifier) as _),
            verifier: Arc::clone(verifier),
        }
    }

    #[cfg(feature = "os-anchors")]
    fn with_watched_os_anchors(self) -> Result<GuardedClientConfigBuilder, VerifierBuildError> {
        watched(self, TrustAnchors::from_os())
    }

    #[cfg(feature = "mozilla-anchors")]
    fn with_watched_mozilla_anchors(
        self,
    ) -> Result<GuardedClientConfigBuilder, VerifierBuildError> {
        watched(self, TrustAnchors::from_mozilla())
    }
}

/// Verifies servers by these anchors, and tells the process's logger.
#[cfg(any(feature = "os-anchors", feature = "mozilla-anchors"))]
fn watched(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    anchors: TrustAnchors,
) -> Result<GuardedClientConfigBuilder, VerifierBuildError> {
    let provider = Arc::clone(builder.crypto_provider());
    let mut verifier = WatchingServerVerifier::for_anchors_with_provider(anchors, provider)?;
    if let Some(logger) = observer::process_logger() {
        verifier = verifier.with_observer(logger);
    }
    Ok(builder.with_watching_verifier(&verifier.build()?))
}

/// A client configuration that lacks only what the client presents, as rustls's builder after its verifier.
#[must_use]
pub struct GuardedClientConfigBuilder {
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    verifier: Arc<WatchingServerVerifier>,
}

impl GuardedClientConfigBuilder {
    /// Presents no certificate.
    pub fn with_no_client_auth(self) -> ClientConfig {
        guarded(self.builder.with_no_client_auth(), &self.verifier)
    }

    /// Presents this chain, leaf first.
    ///
    /// # Errors
    /// rustls's, where the key cannot be used or is not the leaf's.
    pub fn with_client_auth_cert(
        self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<ClientConfig, Error> {
        let config = self.builder.with_client_auth_cert(chain, key)?;
        Ok(guarded(config, &self.verifier))
    }

    /// Presents the identity in force, a `ReloadingKey`'s for example; no session of one before is offered
    /// again.
    pub fn with_identity(
        self,
        identity: Arc<impl ResolvesClientCert + IdentityInForce + 'static>,
    ) -> ClientConfig {
        let resolver = Arc::clone(&identity);
        let mut config = self.builder.with_client_cert_resolver(resolver);
        session::guard_client_config_with_identity(&mut config, &self.verifier, identity);
        config
    }

    /// Presents what this resolver has at each full handshake; sessions go on with what it had.
    pub fn with_client_cert_resolver(self, resolver: Arc<dyn ResolvesClientCert>) -> ClientConfig {
        guarded(
            self.builder.with_client_cert_resolver(resolver),
            &self.verifier,
        )
    }
}

impl fmt::Debug for GuardedClientConfigBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedClientConfigBuilder")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

fn guarded(mut config: ClientConfig, verifier: &Arc<WatchingServerVerifier>) -> ClientConfig {
    session::guard_client_config(&mut config, verifier);
    config
}
