//! Keys that rustls resolves, kept as their files and sources have them.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SignatureScheme};

use super::error::ReloadError;
use super::key_files::KeyFiles;
use super::key_material::KeyMaterial;
use super::key_source::KeySource;
use super::live::{LivePairs, ReloadSummary};
use super::place::PairPlace;
use super::poller::ReloadThread;
use super::served::ServedKey;
use super::slot::Looking;
use super::watched::{SkewJudge, due};
use crate::cert::Certificate;
use crate::monitor::{Evaluation, Watched};
use crate::observer::SpawnError;
use crate::outlook::Usage;
use crate::policy::ThresholdPolicy;
use crate::renewal::{IdentityInForce, Skew};
use crate::time::{Timestamp, clock};

/// Certificates and keys that are loaded again when their files or sources change, for
/// [`ServerConfig::cert_resolver`](rustls::ServerConfig) or
/// [`ClientConfig::client_auth_cert_resolver`](rustls::ClientConfig).
///
/// A changed pair is served from the next handshake on, once it passes every check: it can be read
/// whole, the key is the leaf's and signs what the leaf verifies, the chain is in order, each
/// certificate signed by its issuer, no more than clients take, for this usage and within its
/// dates; it is neither older than the served one nor self-signed in its stead, covers its names,
/// and verifies where the served one does. Until then, and whatever happens to the files, the good
/// pair from before is served, and events of the code `reload_failed` say so. Handshakes never wait
/// for a lock or a file.
///
/// A pair may also be pushed ([`Self::set`]), or come from a [`KeySource`] of the caller's own: a secret
/// store, an agent, a token. All pass the same checks.
///
/// Renaming, rewriting in place, swapping Kubernetes' `..data` link, and writing certificate and
/// key seconds apart are all understood: files are compared by metadata, then by content.
///
/// A name is answered by the first pair whose leaf bears it, then by one that bears its wildcard,
/// then by the default, which is the first pair that is served.
///
/// # How does my service pick up its renewed certificate without a restart?
/// ```no_run
/// use std::time::Duration;
/// use notafter::{Event, ReloadingKey};
/// # use std::sync::Arc;
/// let key = ReloadingKey::builder()
///     .with_pair("/etc/service/tls.crt", "/etc/service/tls.key")
///     .with_observer(Arc::new(|event: &Event| eprintln!("{event}")))
///     .build()?; // an expired or broken pair stops the start
/// let reloading = key.spawn(Duration::from_secs(10))?; // keep it: dropping it stops the thread
/// let config = rustls::ServerConfig::builder()
///     .with_no_client_auth()
///     .with_cert_resolver(key);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ReloadingKey {
    live: LivePairs,
}

impl ReloadingKey {
    pub(super) const fn new(live: LivePairs) -> Self {
        Self { live }
    }

    /// Looks at the files once, asks the sources, and serves what is new and fit from the next handshake on.
    ///
    /// It reads files and asks sources, so call it where blocking is allowed. A look at files that hold
    /// still reads their metadata only.
    pub fn poll(&self, now: Timestamp) -> ReloadSummary {
        self.live.look(Looking::AsUsual, now)
    }

    /// Reads all files and asks all sources now, by this key's clock, however still they seem, and takes them
    /// for whole: for `SIGHUP`, or whoever says that they have been written. What cannot be served is told at
    /// once.
    ///
    /// It reads files and asks sources, so call it where blocking is allowed.
    ///
    /// # How do I reload on SIGHUP?
    /// ```no_run
    /// # async fn on_hangup(key: std::sync::Arc<notafter::ReloadingKey>) -> std::io::Result<()> {
    /// # #[cfg(unix)] {
    /// use tokio::signal::unix::{SignalKind, signal};
    /// let mut hangup = signal(SignalKind::hangup())?;
    /// while hangup.recv().await.is_some() {
    ///     let key = key.clone();
    ///     tokio::task::spawn_blocking(move || key.reload_now()).await?;
    /// }
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn reload_now(&self) -> ReloadSummary {
        self.live.look(Looking::Now, self.live.now())
    }

    /// Serves one more pair from the next handshake on, after those that are there; one that is there
    /// already stays as it is.
    ///
    /// It reads files, so call it where blocking is allowed.
    ///
    /// # How do I serve a new tenant without a restart?
    /// ```no_run
    /// use notafter::reload::{KeyFiles, ReloadError};
    /// # fn tenants(key: &notafter::ReloadingKey) -> Result<(), ReloadError> {
    /// key.add(KeyFiles::new("/etc/tenants/b.crt", "/etc/tenants/b.key"))?;
    /// key.remove("/etc/tenants/a.crt")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ReloadError`] where it cannot be served, by the rules of the start: then it is not added.
    pub fn add(&self, files: KeyFiles) -> Result<(), ReloadError> {
        self.live.add_files(files)
    }

    /// Serves one more pair that comes from this source, which is asked now, so call it where blocking is allowed.
    ///
    /// # Errors
    /// [`ReloadError`] where it cannot be served, by the rules of the start, or its name is taken: then
    /// it is not added.
    pub fn add_source(&self, source: Arc<dyn KeySource>) -> Result<(), ReloadError> {
        self.live.add(PairPlace::from_source(source))
    }

    /// Serves one more pair that is pushed, and replaced by [`Self::set`].
    ///
    /// # Errors
    /// [`ReloadError`] where it cannot be served, by the rules of the start, or its name is taken: then
    /// it is not added.
    pub fn add_pushed(
        &self,
        name: impl Into<String>,
        pair: KeyMaterial,
    ) -> Result<(), ReloadError> {
        self.live.add(PairPlace::pushed(name.into(), pair))
    }

    /// Serves this pair, once it passes the checks, instead of the one that was pushed before under
    /// this name ([`with_pushed`](super::ReloadingKeyBuilder::with_pushed), [`Self::add_pushed`]): from the next handshake on
    /// where this returns `Ok`.
    ///
    /// What is pushed counts as whole. What is refused is told, and stays what the source of this pair
    /// holds, as a file would: it is looked at again at each poll, so that one that is not valid yet is
    /// served once its time has come, until another one is set.
    ///
    /// # How do I serve the SVID that my SPIFFE agent pushed?
    /// ```no_run
    /// use notafter::ReloadingKey;
    /// use notafter::reload::{KeyMaterial, ReloadError};
    /// use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    /// # struct Svid { chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static> }
    /// # fn follow(first: Svid, updates: std::sync::mpsc::Receiver<Svid>) -> Result<(), Box<dyn std::error::Error>> {
    /// const NAME: &str = "spiffe://example.org/api";
    /// let pair = |svid: Svid| KeyMaterial::from_der(svid.chain, &svid.key);
    /// let key = ReloadingKey::builder().with_pushed(NAME, pair(first)).build()?;
    /// for svid in updates {
    ///     if let Err(refused) = key.set(NAME, pair(svid)) {
    ///         eprintln!("{refused}"); // observers are told, too; the good one is served on
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ReloadError`]: why it is not served, and the one before still is.
    pub fn set(&self, name: &str, pair: KeyMaterial) -> Result<(), ReloadError> {
        self.live.set(name, pair)
    }

    /// Serves the pair with this certificates' file, or of this name where it is pushed or comes from a source, no
    /// longer, from the next handshake on. Where it was the default, the first of the others is.
    ///
    /// # Errors
    /// [`ReloadError::NoSuchPair`]; [`ReloadError::LastPair`] where nothing would be served without it.
    pub fn remove(&self, certificates: impl AsRef<Path>) -> Result<(), ReloadError> {
        self.live.remove(certificates.as_ref())
    }

    /// Polls on a thread of its own, at this interval (at least a millisecond), until the
    /// returned handle or the last `Arc` of this key is dropped.
    ///
    /// # Errors
    /// [`SpawnError`] where the operating system has no thread to give.
    pub fn spawn(self: &Arc<Self>, interval: Duration) -> Result<ReloadThread, SpawnError> {
        ReloadThread::follow(self, interval, |key| {
            key.poll(key.live.now());
        })
    }

    /// Makes a server configuration that serves this key and asks clients for no certificate, by this
    /// key's crypto provider and clock.
    ///
    /// A server that verifies clients takes the key as the resolver that it is:
    /// [`ServerConfigBuilderExt`](crate::config::ServerConfigBuilderExt).
    ///
    /// # How does my server reload its key in four lines?
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let key = notafter::ReloadingKey::builder().with_pair("tls.crt", "tls.key").build()?;
    /// let reloading = key.spawn(std::time::Duration::from_secs(10))?; // keep it
    /// let config = key.into_server_config()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// rustls's, where the provider has no cipher suite for a version of TLS that rustls speaks.
    pub fn into_server_config(self: Arc<Self>) -> Result<ServerConfig, rustls::Error> {
        let provider = Arc::clone(&self.live.settings.provider);
        let clock = self.live.serving.clock.clone();
        Ok(
            ServerConfig::builder_with_details(provider, clock.unwrap_or_else(clock::system))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_cert_resolver(self),
        )
    }

    /// Each pair as it is served, in the order in which they were given.
    pub fn served(&self) -> Vec<ServedKey> {
        self.live.served()
    }

    /// The instant by this key's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.live.now()
    }

    /// What the certificates are for.
    pub(super) const fn usage(&self) -> Usage {
        self.live.settings.rules.usage
    }

    /// How many times a changed pair was served instead of the one before.
    pub fn reloads_total(&self) -> u64 {
        self.live.reloads.load(Ordering::Acquire)
    }

    /// How many times something was refused, each content counted once.
    pub fn reload_failures_total(&self) -> u64 {
        self.live.failures.load(Ordering::Acquire)
    }

    /// Since when a pair that is there cannot be served, the longest; `None` where everything is.
    pub fn stale_since(&self) -> Option<Timestamp> {
        self.live.stale_since()
    }

    /// When the files were last looked at: a heartbeat.
    pub fn last_polled(&self) -> Timestamp {
        self.live.last_polled()
    }

    /// How many times an observer panicked instead of observing.
    pub fn observer_panics(&self) -> u64 {
        self.live.serving.outbox.panics()
    }

    /// How many events found no room in an observer's queue.
    pub fn events_lost(&self) -> u64 {
        self.live.serving.outbox.lost()
    }

    /// Waits until observers have what was told so far, at most so long for each; says whether
    /// they have.
    pub fn flush_events(&self, patience: Duration) -> bool {
        self.live.serving.outbox.flush(patience)
    }

    /// Where serving, disk (at the last look) and due (by the thresholds) disagree.
    pub fn skew(&self, now: Timestamp, policy: &ThresholdPolicy) -> Vec<Skew> {
        self.skew_by(now, |leaf| due(leaf, policy))
    }

    /// Where serving, disk and due disagree, by a caller who says since when a leaf is due: `RenewalInfo::chosen` for what its
    /// CA wants, for example.
    pub fn skew_by(&self, now: Timestamp, due: impl Fn(&Certificate) -> Timestamp) -> Vec<Skew> {
        let served = self.served();
        let skews = served.iter().filter_map(|served| {
            let leaf = served.leaf()?;
            let place = served.whence.there();
            Skew::between_at(place, leaf, served.on_disk.as_ref(), due(leaf), now)
        });
        skews.collect()
    }
}

/// Tells of [`Skew`]: a certificate that is due and not renewed, renewed and not served, and so on.
///
/// Call [`Monitor::refresh`](crate::Monitor::refresh) upon the key's events, so that it is noticed
/// at once.
impl Watched for ReloadingKey {
    fn evaluate(&self, now: Timestamp) -> Evaluation {
        let judge = SkewJudge {
            policy: &self.live.serving.policy,
            role: self.live.serving.role,
            failures_are_told: !self.live.serving.outbox.is_empty(),
        };
        judge.evaluate(&self.served(), now)
    }
}

/// For [`PinnedClientConfigs::with_identity`](crate::PinnedClientConfigs::with_identity): another
/// epoch once another pair is served; a new staple makes none.
impl IdentityInForce for ReloadingKey {
    fn epoch(&self) -> u64 {
        self.live.table().epoch
    }
}

impl ResolvesServerCert for ReloadingKey {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = client_hello.signature_schemes();
        let table = self.live.table();
        table.for_client(client_hello.server_name(), schemes)
    }
}

impl ResolvesClientCert for ReloadingKey {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.live.table().for_server(root_hint_subjects, sigschemes)
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for ReloadingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.served();
        let files: Vec<_> = files.iter().map(|s| &s.certificate_file).collect();
        f.debug_struct("ReloadingKey")
            .field("files", &files)
            .field("reloads", &self.reloads_total())
            .field("failures", &self.reload_failures_total())
            .field("stale_since", &self.stale_since())
            .finish_non_exhaustive()
    }
}
