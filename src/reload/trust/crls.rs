//! Revocation lists that follow their files.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::crl_generation::CrlGeneration;
use super::crl_rules::CrlRules;
use super::error::TrustReloadError;
use super::reloader::{Reloader, TrustReloadSummary};
use crate::monitor::{Evaluation, Watched};
use crate::observer::SpawnError;
use crate::reload::poller::ReloadThread;
use crate::reload::slot::Looking;
use crate::time::Timestamp;

/// Revocation lists that are loaded again when their files change: files (PEM blocks `X509 CRL`, or
/// the DER of one list), folders, and bytes that the application pushes.
///
/// What lies there replaces what is in force only where it is fit: every list can be used, none is of a
/// time to come, of each issuer that has a list in force there is one (settable), and the latest of it
/// was not made before that (RFC 5280, 5.1.2.4), nor that of any distribution point of it (RFC 5280,
/// 5.2.5). Otherwise what is in force stays, and events of the code `reload_failed` say so.
///
/// Of several lists for the same certificates the latest counts, wherever it lies. A list near its
/// nextUpdate is told of by `expiring`, one past it by `expired`, both of the role `crl`; what it is worth
/// then says [`CrlExpiration`](crate::revocation::CrlExpiration).
///
/// The signatures of lists are checked where certificates are looked up in them, by the verifier; and
/// before, where it is said who signs them (`with_issuers_in_force`, `with_issuer`).
///
/// # How does my server follow the revocation list of its clients' CA?
/// ```no_run
/// use std::time::Duration;
/// use notafter::reload::{ReloadingAnchors, ReloadingCrls};
/// use notafter::verifier::ReloadingClientVerifier;
/// # let anchors = ReloadingAnchors::builder().with_path("client-ca.pem").build()?;
/// let lists = ReloadingCrls::builder().with_path("/etc/service/clients.crl").build()?;
/// let reloading = lists.spawn(Duration::from_secs(10))?; // keep it: dropping it stops the thread
/// let inner = ReloadingClientVerifier::builder(anchors).with_crls(lists).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ReloadingCrls {
    reloader: Reloader<CrlRules>,
}

impl ReloadingCrls {
    pub(super) const fn new(reloader: Reloader<CrlRules>) -> Self {
        Self { reloader }
    }

    /// Looks at the files once; what is new and fit is in force from the next handshake on. Lists
    /// near their end are told of.
    ///
    /// It reads files, so call it where blocking is allowed. A look at files that hold still reads
    /// their metadata only.
    pub fn poll(&self, now: Timestamp) -> TrustReloadSummary {
        self.reloader.look(Looking::AsUsual, now)
    }

    /// Reads everything now, by these lists' clock, however still it seems, and takes it for whole: for
    /// `SIGHUP`, or whoever says that it has been written. What cannot be in force is told at once.
    ///
    /// It reads files, so call it where blocking is allowed. How to do so on `SIGHUP` says
    /// [`ReloadingKey::reload_now`](crate::ReloadingKey::reload_now).
    pub fn reload_now(&self) -> TrustReloadSummary {
        self.reloader.look(Looking::Now, self.reloader.now())
    }

    /// Takes the lists in these bytes instead of those pushed before under this name, beside the
    /// lists of all other places. What is pushed counts as whole;
    /// the files are looked at too, and where one may be half-written, push again once it held still.
    ///
    /// # Errors
    /// [`TrustReloadError`] where they may not replace what is in force, which then stays.
    pub fn set_bytes(
        &self,
        name: &str,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<TrustReloadSummary, TrustReloadError> {
        self.reloader.set_bytes(name, bytes, now)
    }

    /// Polls on a thread of its own, at this interval (at least a millisecond), until the returned
    /// handle or the last `Arc` of these lists is dropped.
    ///
    /// # Errors
    /// [`SpawnError`] where the operating system has no thread to give.
    pub fn spawn(self: &Arc<Self>, interval: Duration) -> Result<ReloadThread, SpawnError> {
        ReloadThread::follow(self, interval, |lists| {
            lists.poll(lists.reloader.now());
        })
    }

    /// The lists in force.
    pub fn generation(&self) -> Arc<CrlGeneration> {
        self.reloader.in_force()
    }

    /// How many times other lists came into force.
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

/// Tells of lists near their nextUpdate and of what lies there and cannot be in force, unless these lists
/// have an observer of their own, who hears it already. What is in force is looked at once a minute; call
/// [`Monitor::refresh`](crate::Monitor::refresh) upon the lists' events, so that it is noticed at once.
impl Watched for ReloadingCrls {
    fn evaluate(&self, now: Timestamp) -> Evaluation {
        self.reloader.evaluate(now)
    }
}

impl fmt::Debug for ReloadingCrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_force = self.reloader.in_force();
        f.debug_struct("ReloadingCrls")
            .field("lists", &in_force.lists.len())
            .field("epoch", &in_force.epoch)
            .field("stale_since", &self.stale_since())
            .finish_non_exhaustive()
    }
}
