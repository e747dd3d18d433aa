//! Configurations of servers.

use std::sync::Arc;

use pki_types::{CertificateDer, PrivateKeyDer};
#[cfg(feature = "reload")]
use rustls::crypto::CryptoProvider;
use rustls::server::{ProducesTickets, ResolvesServerCert, WantsServerCert};
use rustls::{ConfigBuilder, Error, ServerConfig, WantsVerifier};

use crate::session;
use crate::verifier::WatchingClientVerifier;

/// Adds verifiers of this crate to rustls's builder of server configurations.
///
/// # How does my server keep clients out whose certificates have ended, resumed or not?
/// ```
/// use std::sync::Arc;
/// use notafter::config::ServerConfigBuilderExt as _;
/// use notafter::WatchingClientVerifier;
/// # use rustls::server::ResolvesServerCert;
/// # fn config(
/// #     clients: Arc<WatchingClientVerifier>,
/// #     key: Arc<dyn ResolvesServerCert>,
/// # ) -> Result<rustls::ServerConfig, rustls::Error> {
/// # let provider = Arc::new(rustls::crypto::ring::default_provider());
/// Ok(rustls::ServerConfig::builder_with_provider(provider)
///     .with_safe_default_protocol_versions()?
///     .with_watching_client_verifier(&clients)
///     .with_cert_resolver(key))
/// # }
/// ```
pub trait ServerConfigBuilderExt: Sized {
    /// Verifies clients by this verifier, and resumes only sessions of clients that it would accept
    /// now.
    fn with_watching_client_verifier(
        self,
        verifier: &Arc<WatchingClientVerifier>,
    ) -> GuardedServerConfigBuilder;
}

impl ServerConfigBuilderExt for ConfigBuilder<ServerConfig, WantsVerifier> {
    fn with_watching_client_verifier(
        self,
        verifier: &Arc<WatchingClientVerifier>,
    ) -> GuardedServerConfigBuilder {
        GuardedServerConfigBuilder {
            builder: self.with_client_cert_verifier(Arc::clone(verifier) as _),
            verifier: Arc::clone(verifier),
            ticketer: None,
        }
    }
}

/// A server configuration that lacks only what the server presents, as rustls's builder after its verifier.
#[derive(Debug)]
#[must_use]
pub struct GuardedServerConfigBuilder {
    builder: ConfigBuilder<ServerConfig, WantsServerCert>,
    verifier: Arc<WatchingClientVerifier>,
    ticketer: Option<Arc<dyn ProducesTickets>>,
}

impl GuardedServerConfigBuilder {
    /// The provider that the configuration is made with.
    #[cfg(feature = "reload")]
    pub(super) fn crypto_provider(&self) -> &Arc<CryptoProvider> {
        self.builder.crypto_provider()
    }

    /// Gives out stateless tickets by this ticketer, behind the guard. One that is set in the finished
    /// configuration is without it.
    pub fn with_ticketer(mut self, ticketer: Arc<dyn ProducesTickets>) -> Self {
        self.ticketer = Some(ticketer);
        self
    }

    /// Presents this chain, leaf first.
    ///
    /// # Errors
    /// rustls's, where the key cannot be used or is not the leaf's.
    pub fn with_single_cert(
        self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<ServerConfig, Error> {
        let config = self.builder.with_single_cert(chain, key)?;
        Ok(guarded(config, self.ticketer, &self.verifier))
    }

    /// Presents this chain, leaf first, with this stapled OCSP response.
    ///
    /// # Errors
    /// rustls's, where the key cannot be used or is not the leaf's.
    pub fn with_single_cert_with_ocsp(
        self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        ocsp: Vec<u8>,
    ) -> Result<ServerConfig, Error> {
        let config = self.builder.with_single_cert_with_ocsp(chain, key, ocsp)?;
        Ok(guarded(config, self.ticketer, &self.verifier))
    }

    /// Presents what this resolver has at each full handshake: a `ReloadingKey`, for example.
    pub fn with_cert_resolver(self, resolver: Arc<dyn ResolvesServerCert>) -> ServerConfig {
        let config = self.builder.with_cert_resolver(resolver);
        guarded(config, self.ticketer, &self.verifier)
    }
}

fn guarded(
    mut config: ServerConfig,
    ticketer: Option<Arc<dyn ProducesTickets>>,
    verifier: &Arc<WatchingClientVerifier>,
) -> ServerConfig {
    if let Some(ticketer) = ticketer {
        config.ticketer = ticketer;
    }
    session::guard_server_config(&mut config, verifier);
    config
}
