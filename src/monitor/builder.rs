//! Building a monitor.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;

use super::attempts::Attempts;
use super::cores::Cores;
#[cfg(feature = "metrics")]
use super::metrics;
use super::monitor::Monitor;
use super::run::Wake;
use super::schedule::Intervals;
use super::state::MonitorState;
use super::target_judges::TargetJudges;
use super::watched::Connector;
use super::work::Evaluator;
use crate::alert::{RepeatPolicy, Transitions};
use crate::endpoint::EndpointConnector;
#[cfg(feature = "metrics")]
use crate::observer::Publishing;
use crate::observer::{Observer, Outbox};
use crate::outlook::{TrustAnchors, TrustInForce};
use crate::policy::ThresholdPolicy;
use crate::revocation::Crls;
use crate::self_check::{JudgeSettings, SelfCheckError};
use crate::source::Loader;
use crate::time::span::whole_seconds;
use crate::transparency::{LogList, SctPolicy};

/// The most matters that are remembered as not ok.
const MATTERS: NonZeroUsize = match NonZeroUsize::new(1 << 17) {
    Some(matters) => matters,
    None => NonZeroUsize::MIN,
};

impl Monitor {
    /// Starts with the default intervals and no observers.
    pub fn builder() -> MonitorBuilder {
        MonitorBuilder::default()
    }
}

/// Gathers what a [`Monitor`] judges by and how often.
#[must_use]
pub struct MonitorBuilder {
    settings: JudgeSettings,
    repeat: RepeatPolicy,
    loader: Loader,
    outbox: Outbox,
    connector: Option<Arc<dyn Connector>>,
    clock: Option<Arc<dyn TimeProvider>>,
    interval: Duration,
    poll_interval: Duration,
    endpoint_interval: Duration,
    endpoint_deadline: Duration,
    settle_time: Duration,
    jitter_seed: u64,
    saved: Option<String>,
    #[cfg(feature = "metrics")]
    publishing: Publishing,
}

impl Default for MonitorBuilder {
    fn default() -> Self {
        Self {
            settings: JudgeSettings::default(),
            repeat: RepeatPolicy::default(),
            loader: Loader::default(),
            outbox: Outbox::default(),
            connector: None,
            clock: None,
            interval: Duration::from_secs(12 * 3_600),
            poll_interval: Duration::from_secs(60),
            endpoint_interval: Duration::from_secs(3_600),
            endpoint_deadline: Duration::from_secs(10),
            settle_time: Duration::from_secs(10),
            jitter_seed: RandomState::new().hash_one(0),
            saved: None,
            #[cfg(feature = "metrics")]
            publishing: Publishing::default(),
        }
    }
}

impl MonitorBuilder {
    /// Judges by these anchors: required, unless [`with_trust_in_force`](Self::with_trust_in_force)
    /// says where to find them. [`TrustAnchors::from_os`] are those of the system.
    pub fn with_trust_anchors(mut self, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        self.settings.anchors = Some(anchors.into());
        self
    }

    /// Judges by the anchors and lists that are in force at the time, such as those of
    /// `ReloadingAnchors` or of a verifier made from them: chains, files and endpoints are judged anew
    /// at the first tick of another epoch, which comes within a minute where a thread runs, and at once
    /// upon [`Monitor::refresh`]. It stands in for [`with_trust_anchors`](Self::with_trust_anchors)
    /// and [`with_crls`](Self::with_crls).
    pub fn with_trust_in_force(mut self, trust: Arc<dyn TrustInForce>) -> Self {
        self.settings.trust = Some(trust);
        self
    }

    /// Uses this crypto provider instead of the process's default one.
    pub fn with_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.settings.provider = Some(provider);
        self
    }

    /// Looks certificates up in these revocation lists.
    pub fn with_crls(mut self, crls: Crls) -> Self {
        self.settings.crls = Some(crls);
        self
    }

    /// Judges by this list of logs whether browsers take the signed certificate timestamps of servers' leaves;
    /// without one nothing is said of them. By default that is asked of leaves that lead to a public anchor alone
    /// (see [`SctLeaves`](crate::transparency::SctLeaves)). They are findings of its report, not events: `scts_missing`, `scts_unreadable`,
    /// `scts_too_few`, `scts_too_few_operators`, `scts_ending` and `log_list_stale`. No signature is verified, and
    /// SCTs of the handshake are not seen; see the page [transparency](crate::guide::transparency).
    pub fn with_log_list(mut self, list: impl Into<Arc<LogList>>) -> Self {
        self.settings.scts.log_list = Some(list.into());
        self
    }

    /// Wants other signed certificate timestamps than browsers do.
    pub const fn with_sct_policy(mut self, policy: SctPolicy) -> Self {
        self.settings.scts.policy = policy;
        self
    }

    /// Uses other thresholds than the default ones.
    pub const fn with_policy(mut self, policy: ThresholdPolicy) -> Self {
        self.settings.policy = policy;
        self
    }

    /// Tells again at other intervals than the default ones.
    pub const fn with_repeat(mut self, repeat: RepeatPolicy) -> Self {
        self.repeat = repeat;
        self
    }

    /// Reads files and folders with other limits than the default ones.
    pub fn with_loader(mut self, loader: Loader) -> Self {
        self.loader = loader;
        self
    }

    /// Tells this observer, through a queue of its own unless it is
    /// [prompt](Observer::is_prompt); repeatable.
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.outbox.add(observer);
        self
    }

    /// Asks endpoints through this, instead of an [`EndpointConnector`] of its own.
    pub fn with_connector(mut self, connector: Arc<dyn Connector>) -> Self {
        self.connector = Some(connector);
        self
    }

    /// Reads this clock instead of the system's.
    pub fn with_clock(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Evaluates everything at least so often, 12 hours by default, whatever its dates say; up to
    /// a tenth less, at random.
    pub const fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Looks at files and folders so often, every minute by default, up to a tenth less at random.
    pub const fn with_poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Connects to endpoints so often, hourly by default, up to a tenth less at random.
    pub const fn with_endpoint_interval(mut self, interval: Duration) -> Self {
        self.endpoint_interval = interval;
        self
    }

    /// Waits so long for a [`Connector`] that has no deadline of its own, 10 seconds by default. An
    /// endpoint that has not answered by then counts as one that could not be reached; what it
    /// showed last goes on being judged.
    pub const fn with_endpoint_deadline(mut self, deadline: Duration) -> Self {
        self.endpoint_deadline = deadline;
        self
    }

    /// Tells of a file that is damaged, or gone, once it has been so for so long, 10 seconds by
    /// default: one that is rewritten where it lies is neither. Until then what was read last is
    /// judged. Whole seconds; zero tells at once.
    ///
    /// A file that was whole a settle time ago or longer, at the look before, is told of at once,
    /// unless its modification time says that it was written to since. One that is written to
    /// without end, and is not whole at any look, is told of after six times as long.
    pub const fn with_settle_time(mut self, time: Duration) -> Self {
        self.settle_time = time;
        self
    }

    /// Takes the randomness of intervals from this number, so that two runs are the same.
    pub const fn with_jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = seed;
        self
    }

    /// Goes on where [`Monitor::save`] was called before a restart: nothing is told again before
    /// its time, nothing is forgotten. A state that cannot be read is told
    /// (`saved_state_unreadable`) and not used.
    #[cfg(feature = "json")]
    pub fn with_saved_state(mut self, saved: impl Into<String>) -> Self {
        self.saved = Some(saved.into());
        self
    }

    /// Keeps gauges up to date in the `metrics` facade, in absolute Unix seconds.
    ///
    /// By `source` and `position`: `x509_cert_not_before`, `x509_cert_not_after`,
    /// `x509_cert_expired`, `notafter_cert_due`, `notafter_cert_warning` and `notafter_cert_band` (of
    /// several certificates, the worst); by `source` and `relying_party`:
    /// `notafter_effective_not_after` (0 where it does not verify); by `source`:
    /// `notafter_chain_band`, `notafter_staple_next_update`, what there is of revocation lists
    /// (`notafter_crl_..`) and pins (`notafter_pin_epoch`, `notafter_announcement_expires`; those of a set by
    /// `hosts` too), of what reloads `notafter_anchors`, `notafter_crls` and
    /// `notafter_reload_stale_since_timestamp_seconds`, `notafter_source_readable` (0 where something in it
    /// could not be read at the latest look), `notafter_evaluation_overdue` (1 where it waits too long
    /// to be evaluated), and what else is watched; by `source`, `code` and `severity`: `notafter_findings`;
    /// `notafter_worst` (0 ok or due, 1 warning, 2 critical, 3 not everything could be judged and
    /// nothing was critical); and
    /// `notafter_source_errors_total` by `reason` (each there from the start),
    /// `notafter_events_lost_total`, `notafter_observer_panics_total`,
    /// `notafter_watched`, `notafter_last_evaluated_timestamp_seconds`. What is no longer watched
    /// becomes NaN, for the facade cannot forget. For counts of events add a
    /// [`MetricsObserver`](crate::observer::MetricsObserver).
    #[cfg(feature = "metrics")]
    pub const fn with_metrics(mut self) -> Self {
        self.publishing = Publishing::On;
        self
    }

    /// The finished monitor, which watches nothing yet.
    ///
    /// # Errors
    /// [`SelfCheckError`] where there are no trust anchors to judge by, or they were given twice, or
    /// there is no crypto provider.
    pub fn build(self) -> Result<Arc<Monitor>, SelfCheckError> {
        let judges = TargetJudges::new(self.settings.judge_maker()?);
        let connector = match self.connector {
            Some(connector) => connector,
            None => Arc::new(EndpointConnector::new(self.settings.provider()?)),
        };
        let epoch = judges.generation().epoch;
        let (transitions, unreadable) = restored(self.saved.as_deref());
        let transitions = transitions.with_repeat(self.repeat);
        let policy = self.settings.policy;
        let state = MonitorState::new(policy, transitions, unreadable, epoch);
        #[cfg(feature = "metrics")]
        if self.publishing == Publishing::On {
            metrics::describe();
        }
        let evaluator = Arc::new(Evaluator {
            judges,
            loader: self.loader,
            settle_seconds: whole_seconds(self.settle_time),
            connector,
            endpoint_deadline: self.endpoint_deadline,
            cores: Cores::default(),
        });
        let wake = Arc::new(Wake::default());
        let attempts = Attempts::new(Arc::clone(&evaluator), Arc::clone(&wake));
        Ok(Arc::new(Monitor {
            evaluator,
            intervals: Intervals {
                evaluation_seconds: seconds(self.interval),
                file_seconds: seconds(self.poll_interval),
                endpoint_seconds: seconds(self.endpoint_interval),
                jitter_seed: self.jitter_seed,
            },
            outbox: self.outbox,
            clock: self.clock,
            state: Mutex::new(state),
            ticking: Mutex::new(()),
            attempts: Mutex::new(attempts),
            wake,
            #[cfg(feature = "metrics")]
            publishing: self.publishing,
        }))
    }
}

/// At least a second.
fn seconds(interval: Duration) -> i64 {
    whole_seconds(interval).max(1)
}

#[cfg(feature = "json")]
fn restored(saved: Option<&str>) -> (Transitions, Option<String>) {
    let restored = saved.map(|saved| Transitions::restore(saved, MATTERS));
    match restored {
        Some(Ok(transitions)) => (transitions, None),
        Some(Err(error)) => (Transitions::new(MATTERS), Some(error.to_string())),
        None => (Transitions::new(MATTERS), None),
    }
}

#[cfg(not(feature = "json"))]
fn restored(_saved: Option<&str>) -> (Transitions, Option<String>) {
    (Transitions::new(MATTERS), None)
}

impl fmt::Debug for MonitorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitorBuilder")
            .field("policy", &self.settings.policy)
            .field("repeat", &self.repeat)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}
