//! The caller's own client, made anew whenever connections of before must not be used.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;

use super::PinnedClientConfigs;

type BuildClient<C, E> = dyn Fn(Arc<ClientConfig>) -> Result<C, E> + Send + Sync;

/// Keeps a client that pools connections (reqwest's, hyper's, a channel of tonic's) within the pins: a
/// pooled connection is not asked again, so once pins, trust or identity change the client is made anew,
/// with an empty pool, and the one of before is dropped.
///
/// Requests that are under way with a clone of the client of before go on to their end.
///
/// # How does my HTTP client follow its pins, pooled connections included?
/// ```
/// use std::sync::Arc;
/// use notafter::session::{PinnedClient, PinnedClientConfigs};
/// use notafter::WatchingServerVerifier;
/// # fn client(
/// #     verifier: Arc<WatchingServerVerifier>,
/// # ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let configs = PinnedClientConfigs::anonymous(verifier).with_alpn(["h2", "http/1.1"]);
/// let client = PinnedClient::new(configs, |config| {
///     // reqwest::Client::builder().tls_backend_preconfigured((*config).clone()).build()
///     # let http_client = config;
///     Ok(http_client)
/// });
/// let http = client.current()?; // before each request: a clone, or a new one after a change
/// # Ok(())
/// # }
/// ```
pub struct PinnedClient<C, E> {
    configs: PinnedClientConfigs<E>,
    build: Box<BuildClient<C, E>>,
    latest: Mutex<Option<LatestClient<C>>>,
}

struct LatestClient<C> {
    config: Arc<ClientConfig>,
    client: C,
}

impl<C: Clone, E> PinnedClient<C, E> {
    /// Takes clients as `build` makes them of a configuration, one for each that `configs` gives.
    /// A clone of one must use the same connections, as those of the common clients do.
    pub fn new(
        configs: PinnedClientConfigs<E>,
        build: impl Fn(Arc<ClientConfig>) -> Result<C, E> + Send + Sync + 'static,
    ) -> Self {
        Self {
            configs,
            build: Box::new(build),
            latest: Mutex::new(None),
        }
    }

    /// Gives the client for a request that begins now.
    ///
    /// # Errors
    /// What either `build` says.
    pub fn current(&self) -> Result<C, E> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let config = self.configs.current()?;
        if let Some(latest) = &*latest {
            if Arc::ptr_eq(&latest.config, &config) {
                return Ok(latest.client.clone());
            }
        }
        let client = (self.build)(Arc::clone(&config))?;
        *latest = Some(LatestClient {
            config,
            client: client.clone(),
        });
        Ok(client)
    }
}

impl<C, E> fmt::Debug for PinnedClient<C, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedClient")
            .field("configs", &self.configs)
            .finish_non_exhaustive()
    }
}
