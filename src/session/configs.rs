//! A client configuration that begins afresh whenever sessions of before must not be resumed.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::{ResolvesClientCert, WantsClientCert};
use rustls::{ClientConfig, ConfigBuilder};

use super::install::{DEFAULT_SESSIONS, guard_client_config_of};
use crate::provider;
use crate::renewal::IdentityInForce;
use crate::verifier::{Epoch, VerifierBuildError, WatchingServerVerifier};

type BoxError = Box<dyn Error + Send + Sync>;
type Build<E> = dyn Fn(Arc<WatchingServerVerifier>) -> Result<ClientConfig, E> + Send + Sync;

/// Makes client configurations with a verifier in a fresh allocation and an empty, guarded session
/// store, once for every epoch of the pins, of the trust in force and of one's own identity: rustls's own check that a
/// session belongs to the verifier at hand then catches tickets that a server of before sends late.
///
/// # How does my client follow its pins?
/// ```
/// use std::sync::Arc;
/// use notafter::{PinnedClientConfigs, WatchingServerVerifier};
/// # fn configs(verifier: Arc<WatchingServerVerifier>) -> Result<(), rustls::Error> {
/// let configs = PinnedClientConfigs::new(verifier, |verifier| {
///     let provider = rustls::crypto::ring::default_provider().into();
///     Ok::<_, rustls::Error>(rustls::ClientConfig::builder_with_provider(provider)
///         .with_safe_default_protocol_versions()?
///         .dangerous()
///         .with_custom_certificate_verifier(verifier)
///         .with_no_client_auth())
/// });
/// // For each connection: the configuration of the pins as they are now.
/// let config: Arc<rustls::ClientConfig> = configs.current()?;
/// # Ok(())
/// # }
/// ```
pub struct PinnedClientConfigs<E> {
    verifier: Arc<WatchingServerVerifier>,
    identity: Option<Arc<dyn IdentityInForce>>,
    build: Box<Build<E>>,
    /// `None` where `build` says.
    alpn: Option<Vec<Vec<u8>>>,
    sessions: usize,
    latest: Mutex<Option<Latest>>,
}

struct Latest {
    verifier: Arc<WatchingServerVerifier>,
    epoch: (Epoch, u64),
    /// That of the identity; 0 where none is followed.
    identity: u64,
    config: Arc<ClientConfig>,
}

impl PinnedClientConfigs<BoxError> {
    /// Takes configurations of the process's crypto provider (or the only one that rustls was built with)
    /// that show a server no certificate.
    pub fn anonymous(verifier: Arc<WatchingServerVerifier>) -> Self {
        Self::new(verifier, |verifier| {
            Ok(verified_by(verifier)?.with_no_client_auth())
        })
    }

    /// Takes configurations of the process's crypto provider (or the only one that rustls was built with)
    /// that show this identity, and follows it as [`Self::with_identity`] does.
    ///
    /// # How does my client show its renewed certificate at once?
    /// ```no_run
    /// use std::sync::Arc;
    /// use notafter::{PinnedClientConfigs, WatchingServerVerifier};
    /// # #[cfg(feature = "reload")]
    /// # fn configs(
    /// #     verifier: Arc<WatchingServerVerifier>,
    /// #     key: Arc<notafter::ReloadingKey>, // built `.with_usage(Usage::ClientAuth)`
    /// # ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// let configs = PinnedClientConfigs::presenting(verifier, key).with_alpn(["h2", "http/1.1"]);
    /// let config = configs.current()?; // for each connection
    /// # Ok(())
    /// # }
    /// ```
    pub fn presenting(
        verifier: Arc<WatchingServerVerifier>,
        identity: Arc<impl ResolvesClientCert + IdentityInForce + 'static>,
    ) -> Self {
        let shown = Arc::clone(&identity);
        let configs = Self::new(verifier, move |verifier| {
            let resolver = Arc::clone(&shown);
            Ok(verified_by(verifier)?.with_client_cert_resolver(resolver))
        });
        configs.with_identity(identity)
    }
}

/// A builder by the process's provider, with this verifier.
fn verified_by(
    verifier: Arc<WatchingServerVerifier>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, BoxError> {
    let provider = provider::given_or_default(None).ok_or(VerifierBuildError::NoProvider)?;
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(verifier))
}

impl<E> PinnedClientConfigs<E> {
    /// Takes configurations as `build` makes them; it must put the verifier that it is given into them.
    /// Their session store is replaced by a guarded one, and the clock is the configuration's own.
    pub fn new(
        verifier: Arc<WatchingServerVerifier>,
        build: impl Fn(Arc<WatchingServerVerifier>) -> Result<ClientConfig, E> + Send + Sync + 'static,
    ) -> Self {
        Self {
            verifier,
            identity: None,
            build: Box::new(build),
            alpn: None,
            sessions: DEFAULT_SESSIONS,
            latest: Mutex::new(None),
        }
    }

    /// Lets a configuration remember so many sessions, 256 by default.
    #[must_use]
    pub fn with_sessions(mut self, sessions: usize) -> Self {
        self.sessions = sessions;
        self
    }

    /// Offers these protocols by ALPN, in this order; without, those that `build` says. HTTP/2 needs `h2` here
    /// in most clients.
    #[must_use]
    pub fn with_alpn<P: AsRef<[u8]>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        let protocols = protocols.into_iter();
        self.alpn = Some(protocols.map(|p| p.as_ref().to_vec()).collect());
        self
    }

    /// Follows the certificate that the client shows, where that changes while it runs: once it
    /// shows another one, sessions of before are not resumed, and so the very next connection
    /// shows it. `build` puts what resolves it, a [`ReloadingKey`](crate::reload::ReloadingKey) for example, into the
    /// configurations: [`Self::presenting`] does both.
    #[must_use]
    pub fn with_identity(mut self, identity: Arc<dyn IdentityInForce>) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Gives the configuration for a connection that begins now.
    ///
    /// # Errors
    /// What `build` says.
    pub fn current(&self) -> Result<Arc<ClientConfig>, E> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        // Read before the configuration is built: a change meanwhile makes the next one.
        let identity = self.identity_epoch();
        if let Some(latest) = &*latest {
            if latest.is_of(identity) {
                return Ok(Arc::clone(&latest.config));
            }
        }
        let verifier = self.verifier.renewed();
        let epoch = verifier.session_epoch();
        let mut config = (self.build)(Arc::clone(&verifier))?;
        if let Some(alpn) = &self.alpn {
            config.alpn_protocols.clone_from(alpn);
        }
        guard_client_config_of(&mut config, &verifier, self.identity.clone(), self.sessions);
        let config = Arc::new(config);
        *latest = Some(Latest {
            verifier,
            epoch,
            identity,
            config: Arc::clone(&config),
        });
        Ok(config)
    }

    /// Whether the configuration that [`Self::current`] gave last is not for connections that begin now:
    /// pins, trust or identity are others than it was made for. `false` before there is one.
    ///
    /// Connections that are open already, in the pool of an HTTP client for example, are those of before:
    /// [`PinnedClient`](super::PinnedClient) drops them.
    pub fn changed(&self) -> bool {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = self.identity_epoch();
        latest
            .as_ref()
            .is_some_and(|latest| !latest.is_of(identity))
    }

    /// The epoch of the identity that is followed; 0 where none is.
    fn identity_epoch(&self) -> u64 {
        let followed = self.identity.as_ref();
        followed.map_or(0, |followed| followed.epoch())
    }
}

impl Latest {
    /// Whether it is for connections that begin now, with the identity of this epoch.
    fn is_of(&self, identity: u64) -> bool {
        self.epoch == self.verifier.session_epoch() && self.identity == identity
    }
}

impl<E> fmt::Debug for PinnedClientConfigs<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedClientConfigs")
            .field("verifier", &self.verifier)
            .field("identity", &self.identity)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}
