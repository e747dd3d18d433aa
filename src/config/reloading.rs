//! Configurations of servers whose certificate is reloaded and watched.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::server::WantsServerCert;
use rustls::{ConfigBuilder, ServerConfig};
use thiserror::Error;

use super::server::GuardedServerConfigBuilder;
use crate::monitor::{Evaluation, Monitor, Target, Watched};
use crate::observer::{self, SpawnError};
use crate::outlook::TrustAnchors;
use crate::reload::{ReloadBuildError, ReloadThread, ReloadingKey};
use crate::self_check::SelfCheckError;
use crate::time::Timestamp;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(10);

/// Adds a certificate that is reloaded and watched to rustls's builder of server configurations.
///
/// # How does my server tell on itself in one line?
/// ```no_run
/// use notafter::config::ReloadingCertExt as _;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = rustls::ServerConfig::builder()
///     .with_no_client_auth()
///     .with_reloading_cert("/etc/service/tls.crt", "/etc/service/tls.key")?;
/// # Ok(())
/// # }
/// ```
pub trait ReloadingCertExt: Sized {
    /// Serves the pair from these files for as long as the configuration lives: what is renewed and fit
    /// is served from the next handshake on. The process's logger (feature `tracing`, or else `log`) is
    /// told when it nears its end, when it was due and not renewed, and when what lies there cannot be
    /// served. The files are looked at every ten seconds, on a thread of its own.
    ///
    /// By the default rules, and by dates alone: who gives a [`ReloadingKey`] and a [`Monitor`] themselves
    /// says which anchors clients have, who is told, and when.
    ///
    /// # Errors
    /// [`ReloadingCertError`] where the pair cannot be served now.
    fn with_reloading_cert(
        self,
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<ServerConfig, ReloadingCertError>;
}

/// Why no server configuration was made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReloadingCertError {
    /// The pair cannot be served.
    #[error(transparent)]
    Key(#[from] ReloadBuildError),
    /// It cannot be watched.
    #[error(transparent)]
    Monitor(#[from] SelfCheckError),
    /// There is no thread to look at the files with.
    #[error(transparent)]
    Thread(#[from] SpawnError),
}

impl ReloadingCertExt for ConfigBuilder<ServerConfig, WantsServerCert> {
    fn with_reloading_cert(
        self,
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<ServerConfig, ReloadingCertError> {
        let key = watched_key(chain.as_ref(), key.as_ref(), self.crypto_provider())?;
        Ok(self.with_cert_resolver(key))
    }
}

impl ReloadingCertExt for GuardedServerConfigBuilder {
    fn with_reloading_cert(
        self,
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<ServerConfig, ReloadingCertError> {
        let key = watched_key(chain.as_ref(), key.as_ref(), self.crypto_provider())?;
        Ok(self.with_cert_resolver(key))
    }
}

/// A key that looks at its files and is watched for as long as somebody holds it.
fn watched_key(
    chain: &Path,
    key: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<ReloadingKey>, ReloadingCertError> {
    let mut pair = ReloadingKey::builder()
        .with_pair(chain, key)
        .with_provider(Arc::clone(provider));
    let mut monitor = Monitor::builder()
        .with_provider(Arc::clone(provider))
        // Which anchors clients have, nobody said: it is judged by its dates.
        .with_trust_anchors(TrustAnchors::builder().build());
    if let Some(logger) = observer::process_logger() {
        pair = pair.with_observer(Arc::clone(&logger));
        monitor = monitor.with_observer(logger);
    }
    let (pair, monitor) = (pair.build()?, monitor.build()?);
    let served = chain.display().to_string();
    monitor.watch(served.as_str(), Target::from_path(chain).dates_only());
    let renewal = Renewal(Arc::downgrade(&pair));
    monitor.watch(
        format!("{served}: renewal"),
        Target::from_watched(Arc::new(renewal)),
    );
    let thread = ReloadThread::follow(&pair, INTERVAL, move |pair| {
        let now = pair.now();
        pair.poll(now);
        monitor.tick(now);
    })?;
    thread.detach();
    Ok(pair)
}

/// Whether a key that others hold is renewed and served in time.
struct Renewal(Weak<ReloadingKey>);

impl Watched for Renewal {
    fn evaluate(&self, now: Timestamp) -> Evaluation {
        let key = self.0.upgrade();
        key.map_or_else(Evaluation::default, |key| key.evaluate(now))
    }
}
