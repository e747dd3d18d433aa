//! Keys that rustls resolves, kept as the files have them.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;

use super::error::{ReloadBuildError, ReloadError};
use super::key_files::KeyFiles;
use super::pairs::Pairs;
use super::poller::ReloadThread;
#[cfg(feature = "metrics")]
use super::published::{PublishedReloads, ReloadNumbers};
use super::rules::UnknownName;
use super::served::ServedKey;
use super::slot::{Looking, SlotSettings};
use super::table::KeyTable;
use super::telling::Teller;
use super::watched::{SkewJudge, due};
use crate::alert::RepeatPolicy;
use crate::cert::Certificate;
use crate::event::{Event, Role};
use crate::monitor::{Evaluation, Watched};
use crate::observer::Outbox;
use crate::policy::ThresholdPolicy;
use crate::renewal::Skew;
use crate::time::Timestamp;
use crate::time::clock;

/// Certificates and keys that are loaded again when their files change, for
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
/// # Ok::<(), notafter::reload::ReloadBuildError>(())
/// ```
pub struct ReloadingKey {
    table: ArcSwap<KeyTable>,
    settings: SlotSettings,
    serving: ServingSettings,
    pairs: Mutex<Pairs>,
    /// Apart from the pairs, which are held while files are read.
    status: Mutex<Status>,
    reloads: AtomicU64,
    failures: AtomicU64,
}

/// How slots are shown and told of.
pub(super) struct ServingSettings {
    pub(super) unknown_name: UnknownName,
    pub(super) clock: Option<Arc<dyn TimeProvider>>,
    pub(super) outbox: Outbox,
    pub(super) policy: ThresholdPolicy,
    pub(super) repeat: RepeatPolicy,
    #[cfg(feature = "metrics")]
    pub(super) published: Option<PublishedReloads>,
    pub(super) role: Role,
}

#[derive(Debug, Clone)]
struct Status {
    served: Vec<ServedKey>,
    polled: Timestamp,
}

/// What came of one look at the files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReloadSummary {
    /// The instant of the look.
    pub at: Timestamp,
    /// How many pairs were replaced.
    pub swapped: usize,
    /// Why others cannot be, though they differ from what is served; files that may be
    /// half-written are among them.
    pub refused: Vec<ReloadError>,
}

impl ReloadingKey {
    /// Loads everything once.
    pub(super) fn start(
        files: Vec<KeyFiles>,
        settings: SlotSettings,
        serving: ServingSettings,
    ) -> Result<Self, ReloadError> {
        let now = clock::now(serving.clock.as_ref());
        let teller = Teller::new(serving.policy, serving.repeat, serving.role);
        let mut pairs = Pairs::new(teller);
        let looked = pairs.start(files, &settings, now)?;
        deliver(&serving.outbox, &looked.events);
        let key = Self {
            table: ArcSwap::from_pointee(pairs.table(serving.unknown_name)),
            status: Mutex::new(Status {
                served: pairs.shown(),
                polled: now,
            }),
            settings,
            serving,
            pairs: Mutex::new(pairs),
            reloads: AtomicU64::new(0),
            failures: AtomicU64::new(looked.failures),
        };
        #[cfg(feature = "metrics")]
        key.publish_numbers(0, looked.failures);
        Ok(key)
    }

    /// Looks at the files once, and serves what is new and fit from the next handshake on.
    ///
    /// It reads files, so call it where blocking is allowed. A look at files that hold still
    /// reads their metadata only.
    pub fn poll(&self, now: Timestamp) -> ReloadSummary {
        self.look(Looking::AsUsual, now)
    }

    /// Reads all files now, by this key's clock, however still they seem, and takes them for whole: for
    /// `SIGHUP`, or whoever says that they have been written. What cannot be served is told at once.
    ///
    /// It reads files, so call it where blocking is allowed.
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
        self.look(Looking::Now, clock::now(self.serving.clock.as_ref()))
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
        let now = clock::now(self.serving.clock.as_ref());
        let looked = {
            let mut pairs = lock(&self.pairs);
            let looked = pairs.add(files, &self.settings, now)?;
            self.publish(&pairs);
            looked
        };
        deliver(&self.serving.outbox, &looked.events);
        Ok(())
    }

    /// Serves the pair with this certificates' file no longer, from the next handshake on. Where it
    /// was the default, the first of the others is.
    ///
    /// # Errors
    /// [`ReloadError::NoSuchPair`]; [`ReloadError::LastPair`] where nothing would be served without it.
    pub fn remove(&self, certificates: impl AsRef<Path>) -> Result<(), ReloadError> {
        let mut pairs = lock(&self.pairs);
        pairs.remove(certificates.as_ref())?;
        self.publish(&pairs);
        Ok(())
    }

    fn look(&self, looking: Looking, now: Timestamp) -> ReloadSummary {
        let looked = {
            let mut pairs = lock(&self.pairs);
            let looked = pairs.look(&self.settings, looking, now);
            if looked.is_changed {
                let table = pairs.table(self.serving.unknown_name);
                self.table.store(Arc::new(table));
            }
            let mut status = lock(&self.status);
            status.polled = now;
            if looked.is_looked || looked.is_changed {
                status.served = pairs.shown();
            }
            looked
        };
        // After the swap: who sees the count finds the new pair served.
        let swapped = u64::try_from(looked.swapped).unwrap_or(u64::MAX);
        self.reloads.fetch_add(swapped, Ordering::Release);
        self.failures.fetch_add(looked.failures, Ordering::Release);
        #[cfg(feature = "metrics")]
        self.publish_numbers(swapped, looked.failures);
        deliver(&self.serving.outbox, &looked.events);
        ReloadSummary {
            at: now,
            swapped: looked.swapped,
            refused: looked.refused,
        }
    }

    #[cfg(feature = "metrics")]
    fn publish_numbers(&self, swapped: u64, failures: u64) {
        if let Some(published) = &self.serving.published {
            published.publish(ReloadNumbers {
                swapped,
                failures,
                stale_since: self.stale_since(),
                polled: self.last_polled(),
            });
        }
    }

    fn publish(&self, pairs: &Pairs) {
        let table = pairs.table(self.serving.unknown_name);
        self.table.store(Arc::new(table));
        lock(&self.status).served = pairs.shown();
    }

    /// Polls on a thread of its own, at this interval (at least a millisecond), until the
    /// returned handle or the last `Arc` of this key is dropped.
    ///
    /// # Errors
    /// [`ReloadBuildError::Thread`] where the operating system has no thread to give.
    pub fn spawn(self: &Arc<Self>, interval: Duration) -> Result<ReloadThread, ReloadBuildError> {
        let key = Arc::downgrade(self);
        let look = move || match key.upgrade() {
            Some(key) => {
                key.poll(clock::now(key.serving.clock.as_ref()));
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        };
        ReloadThread::spawn(interval, look).map_err(|error| ReloadBuildError::Thread { error })
    }

    /// Each pair as it is served, in the order in which they were given.
    pub fn served(&self) -> Vec<ServedKey> {
        lock(&self.status).served.clone()
    }

    /// How many times a changed pair was served instead of the one before.
    pub fn reloads_total(&self) -> u64 {
        self.reloads.load(Ordering::Acquire)
    }

    /// How many times something on disk was refused, each content counted once.
    pub fn reload_failures_total(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }

    /// Since when a pair on disk cannot be served, the longest; `None` where everything on disk is
    /// served.
    pub fn stale_since(&self) -> Option<Timestamp> {
        let status = lock(&self.status);
        status.served.iter().filter_map(|s| s.stale_since).min()
    }

    /// When the files were last looked at: a heartbeat.
    pub fn last_polled(&self) -> Timestamp {
        lock(&self.status).polled
    }

    /// How many times an observer panicked instead of observing.
    pub fn observer_panics(&self) -> u64 {
        self.serving.outbox.panics()
    }

    /// How many events found no room in an observer's queue.
    pub fn events_lost(&self) -> u64 {
        self.serving.outbox.lost()
    }

    /// Waits until observers have what was told so far, at most so long for each; says whether
    /// they have.
    pub fn flush_events(&self, patience: Duration) -> bool {
        self.serving.outbox.flush(patience)
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
            Skew::between(leaf, served.on_disk.as_ref(), due(leaf), now)
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
            policy: &self.serving.policy,
            role: self.serving.role,
            settle_seconds: self.settings.settle_seconds,
            failures_are_told: !self.serving.outbox.is_empty(),
        };
        judge.evaluate(&self.served(), now)
    }
}

impl ResolvesServerCert for ReloadingKey {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = client_hello.signature_schemes();
        let table = self.table.load();
        table.for_client(client_hello.server_name(), schemes)
    }
}

impl ResolvesClientCert for ReloadingKey {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.table.load().for_server(root_hint_subjects, sigschemes)
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Observers run without it, so nobody's panic leaves it half-done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// After the locks are gone: an observer may ask the key.
fn deliver(outbox: &Outbox, events: &[Event]) {
    events.iter().for_each(|event| outbox.deliver(event));
}
