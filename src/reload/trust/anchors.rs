//! Trust anchors that follow their files.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::anchor_rules::AnchorRules;
use super::error::TrustReloadError;
use super::reloader::{Reloader, TrustReloadSummary};
use crate::monitor::{Evaluation, Watched};
use crate::observer::SpawnError;
use crate::outlook::{TrustAnchors, TrustGeneration, TrustInForce};
use crate::reload::poller::ReloadThread;
use crate::reload::slot::Looking;
use crate::time::Timestamp;

/// Trust anchors that are loaded again when their files change: files, folders, the operating
/// system's store, and bytes that the application pushes.
///
/// What lies there replaces what is in force only where it is fit: it holds an anchor, no more of it
/// is damaged than before, it holds half of the anchors in force at least (settable), the own chains
/// that verify go on to verify, not all known peers would fail (`with_known_peers`), and a bundle that
/// shrank in a file written in place holds still. Otherwise what is in force stays, and events of the code `reload_failed` say so.
///
/// Verifiers that go by them are
/// [`ReloadingServerVerifier`](crate::verifier::ReloadingServerVerifier) and
/// [`ReloadingClientVerifier`](crate::verifier::ReloadingClientVerifier).
///
/// # How does my server follow the file of its clients' roots?
/// ```no_run
/// use std::sync::Arc;
/// use std::time::Duration;
/// use notafter::reload::ReloadingAnchors;
/// use notafter::verifier::ReloadingClientVerifier;
/// use notafter::{Event, WatchingClientVerifier};
/// let anchors = ReloadingAnchors::builder()
///     .with_path("/etc/service/client-ca.pem")
///     .with_observer(Arc::new(|event: &Event| eprintln!("{event}")))
///     .build()?;
/// let reloading = anchors.spawn(Duration::from_secs(10))?; // keep it: dropping it stops the thread
/// let inner = ReloadingClientVerifier::builder(anchors).build()?;
/// let verifier = WatchingClientVerifier::builder(inner.clone())
///     .with_trust_in_force(inner) // and a SessionGuard: resumed sessions follow too
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ReloadingAnchors {
    reloader: Reloader<AnchorRules>,
}

impl ReloadingAnchors {
    pub(super) const fn new(reloader: Reloader<AnchorRules>) -> Self {
        Self { reloader }
    }

    /// Looks at the files once; what is new and fit is in force from the next handshake on.
    ///
    /// It reads files, so call it where blocking is allowed. A look at files that hold still reads
    /// their metadata only.
    pub fn poll(&self, now: Timestamp) -> TrustReloadSummary {
        self.reloader.look(Looking::AsUsual, now)
    }

    /// Reads everything now, by these anchors' clock, however still it seems, and takes it for whole: for
    /// `SIGHUP`, or whoever says that it has been written. What cannot be in force is told at once.
    ///
    /// It reads files, so call it where blocking is allowed. How to do so on `SIGHUP` says
    /// [`ReloadingKey::reload_now`](crate::ReloadingKey::reload_now).
    pub fn reload_now(&self) -> TrustReloadSummary {
        self.reloader.look(Looking::Now, self.reloader.now())
    }

    /// Takes these bytes (PEM, or the DER of one certificate) instead of those pushed before under
    /// this name, beside the anchors of all other places. What is pushed counts as whole;
    /// the files are looked at too, and where one may be half-written, push again once it held still.
    ///
    /// # Errors
    /// [`TrustReloadError`] where they may not replace what is in force, which then stays.
    ///
    /// # How do I hand over a bundle that my secret store sent?
    /// ```
    /// use notafter::reload::ReloadingAnchors;
    /// # let (first, next) = (include_bytes!("../../../tests/data/incidents/dst-root-x3-2021/certs/isrg-x1-root.pem"), b"");
    /// # let now = notafter::Timestamp::from_unix_seconds(1_767_225_600);
    /// let anchors = ReloadingAnchors::builder().with_bytes("vault", first).build()?;
    /// let refused = anchors.set_bytes("vault", next, now).unwrap_err();
    /// assert_eq!(refused.code(), "no_anchors");
    /// assert_eq!(anchors.anchors().len(), 1);
    /// # Ok::<(), notafter::reload::TrustBuildError>(())
    /// ```
    pub fn set_bytes(
        &self,
        name: &str,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<TrustReloadSummary, TrustReloadError> {
        self.reloader.set_bytes(name, bytes, now)
    }

    /// Polls on a thread of its own, at this interval (at least a millisecond), until the returned
    /// handle or the last `Arc` of these anchors is dropped.
    ///
    /// # Errors
    /// [`SpawnError`] where the operating system has no thread to give.
    pub fn spawn(self: &Arc<Self>, interval: Duration) -> Result<ReloadThread, SpawnError> {
        ReloadThread::follow(self, interval, |anchors| {
            anchors.poll(anchors.reloader.now());
        })
    }

    /// The anchors in force.
    pub fn anchors(&self) -> Arc<TrustAnchors> {
        Arc::clone(&self.reloader.in_force().anchors)
    }

    /// How many times other anchors came into force.
    pub fn reloads_total(&self) -> u64 {
        self.reloader.swaps()
    }

    /// How many times something was refused, each content counted once.
    pub fn reload_failures_total(&self) -> u64 {
        self.reloader.failures()
    }

    /// Since when what lies there cannot be in force; `None` where it is.
    pub fn stale_since(&self) -> Option<Timestamp> {
        self.reloader.status().agreement.stale_since
    }

    /// Why what lies there cannot be in force; `None` where it is.
    pub fn failure(&self) -> Option<TrustReloadError> {
        self.reloader.status().agreement.failure
    }

    /// When the files were last looked at: a heartbeat.
    pub fn last_polled(&self) -> Timestamp {
        self.reloader.status().polled
    }

    /// How many times an observer panicked instead of observing.
    pub fn observer_panics(&self) -> u64 {
        self.reloader.outbox().panics()
    }

    /// How many events found no room in an observer's queue.
    pub fn events_lost(&self) -> u64 {
        self.reloader.outbox().lost()
    }

    /// Waits until observers have what was told so far, at most so long for each; says whether
    /// they have.
    pub fn flush_events(&self, patience: Duration) -> bool {
        self.reloader.outbox().flush(patience)
    }
}

/// The anchors alone, without revocation lists.
impl TrustInForce for ReloadingAnchors {
    fn generation(&self) -> Arc<TrustGeneration> {
        self.reloader.in_force()
    }
}

/// Tells of anchors near their end, and, where these anchors have no observer of their own, of what lies
/// there and cannot be in force. What is in force is looked at once a minute; call
/// [`Monitor::refresh`](crate::Monitor::refresh) upon the anchors' events, so that it is noticed at once.
///
/// # How do I hear that a root which my clients end at is about to end?
/// ```
/// use std::sync::Arc;
/// use notafter::reload::ReloadingAnchors;
/// use notafter::{Monitor, Target};
/// fn watch(monitor: &Monitor, anchors: &Arc<ReloadingAnchors>) {
///     monitor.watch("client roots", Target::from_watched(anchors.clone()));
/// }
/// ```
impl Watched for ReloadingAnchors {
    fn evaluate(&self, now: Timestamp) -> Evaluation {
        self.reloader.evaluate(now)
    }
}

impl fmt::Debug for ReloadingAnchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_force = self.reloader.in_force();
        f.debug_struct("ReloadingAnchors")
            .field("anchors", &in_force.anchors.len())
            .field("epoch", &in_force.epoch)
            .field("stale_since", &self.stale_since())
            .finish_non_exhaustive()
    }
}
