//! The monitor itself: what it holds, what a tick does, and its threads.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use pki_types::CertificateDer;
use rustls::time_provider::TimeProvider;

use super::attempts::Attempts;
use super::health::{self, Health};
#[cfg(feature = "metrics")]
use super::metrics::{self, Change, Counts};
use super::outcome::{Outcome, Work};
use super::run::{Ending, Threads, Wake, lock};
use super::schedule::Intervals;
use super::state::MonitorState;
use super::target::{Lane, Target, TargetKind};
use super::work::Evaluator;
use crate::alert::Matter;
#[cfg(feature = "metrics")]
use crate::observer::Publishing;
use crate::observer::{Outbox, SpawnError};
use crate::self_check::Report;
use crate::source::FailureReason;
use crate::time::Timestamp;
use crate::time::clock::{self, Deadline};

/// What endpoints answer within so long of each other is told together: many may rest on one
/// certificate.
const GATHERING: Duration = Duration::from_secs(1);

/// The longest sleep: so soon is a clock that jumped noticed, and so old is the heartbeat at most.
const LONGEST_SLEEP_SECONDS: i64 = 60;

/// Watches what is registered with it, and tells when it comes nearer to its end.
///
/// Everything is evaluated when it is registered, at each instant at which a date makes it stand
/// otherwise, when its file or endpoint is found changed, and in any case at an interval. A tick
/// with nothing due looks at one instant, however much is registered.
///
/// It runs on a thread ([`Monitor::spawn`]; endpoints have others, so that a peer that does not
/// answer holds up nothing else), or wherever [`Monitor::tick`] is called. Observers that are not
/// prompt have queues of their own, so none holds it up.
///
/// # How does my service watch what it serves?
/// ```
/// use std::{sync::Arc, time::Duration};
/// use notafter::{Event, Monitor, Target, TrustAnchors};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (anchors, chain) = (TrustAnchors::builder().build(), Vec::new());
/// let monitor = Monitor::builder()
///     .with_trust_anchors(anchors)
///     .with_provider(rustls::crypto::ring::default_provider().into())
///     .with_observer(Arc::new(|event: &Event| eprintln!("{event}")))
///     .build()?;
/// monitor.watch("served", Target::from_chain(chain).with_expected_name("service.example.com"));
/// monitor.watch("on disk", Target::from_path("/etc/service/tls.crt"));
/// let running = monitor.spawn()?;
/// // For /ready: monitor.health().ready; for /certificates: monitor.snapshot().to_text().
/// assert!(running.stop(Duration::from_secs(5)));
/// # Ok(())
/// # }
/// ```
pub struct Monitor {
    pub(super) evaluator: Arc<Evaluator>,
    pub(super) intervals: Intervals,
    pub(super) outbox: Outbox,
    pub(super) clock: Option<Arc<dyn TimeProvider>>,
    pub(super) state: Mutex<MonitorState>,
    /// Held during a tick, so that there is one at a time in each lane; never with the state.
    pub(super) ticking: Mutex<()>,
    pub(super) attempts: Mutex<Attempts>,
    pub(super) wake: Arc<Wake>,
    #[cfg(feature = "metrics")]
    pub(super) publishing: Publishing,
}

impl Monitor {
    /// Watches something under this name, which events, reports and metrics show; whether it
    /// takes the place of something else. It is due at once.
    ///
    /// Metrics of a file or an endpoint are labelled by it, not by this name: watch each under one name
    /// alone, for of several that expect different things of it one series shows the latest.
    pub fn watch(&self, name: impl Into<String>, target: Target) -> bool {
        let replaced = self.state().put(name.into(), target);
        self.wake.poke();
        replaced
    }

    /// The chain that is watched under this name has been replaced by this one: for whoever swaps
    /// what is served. Its role and expected names stay, its staple does not. `false` where no
    /// chain is watched under this name.
    pub fn replace(
        &self,
        name: &str,
        chain: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> bool {
        let mut state = self.state();
        let Some(known) = state.target(name) else {
            return false;
        };
        if !matches!(known.kind, TargetKind::Chain(_)) {
            return false;
        }
        let target = Target {
            kind: TargetKind::Chain(chain.into_iter().collect()),
            role: known.role,
            names: known.names.clone(),
            names_from: known.names_from,
            starttls: known.starttls,
            staple: None,
            judged_by: known.judged_by,
        };
        state.put(name.to_owned(), target);
        drop(state);
        self.wake.poke();
        true
    }

    /// Watches it no longer, and forgets what was told of it; whether it was watched.
    pub fn remove(&self, name: &str) -> bool {
        let removed = self.state().remove(name);
        #[cfg(feature = "metrics")]
        if let (Publishing::On, Some(item)) = (self.publishing, &removed) {
            let change = self.state().change_by_removal(item);
            metrics::publish_changes(&[change]);
        }
        removed.is_some()
    }

    /// Reads and evaluates it anew at the next tick, which is at once where a thread runs; whether
    /// it is watched.
    pub fn refresh(&self, name: &str) -> bool {
        let known = self.state().refresh(name);
        self.wake.poke();
        known
    }

    /// How many things are watched.
    pub fn len(&self) -> usize {
        self.state().len()
    }

    /// Whether nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Evaluates what is due at `now`, tells, and says when something is due next.
    ///
    /// Call it no later than that, after anything was registered or replaced, and at least every
    /// minute, so that a clock that jumps is noticed and the heartbeat goes on. It reads files and
    /// asks endpoints (16 at once, each for as long as its deadline lets it), so in an asynchronous
    /// runtime it belongs where blocking is allowed.
    pub fn tick(&self, now: Timestamp) -> Timestamp {
        let local = self.tick_local(now);
        local.min(self.tick_endpoints(&|| now, &Ending::default()))
    }

    fn tick_local(&self, now: Timestamp) -> Timestamp {
        let _one_at_a_time = lock(&self.ticking);
        let due = self.take_due(Lane::Local, now, usize::MAX);
        // Nothing is locked meanwhile: health and snapshots never wait for a disk or a peer.
        let is_known = |matter: &Matter| self.state().transitions.band(matter).is_some();
        let outcomes = self.evaluator.run_all(&due, &is_known, now);
        self.merge(Lane::Local, outcomes, now)
    }

    /// Asks the endpoints that are due, several at once. What is known of one counts from its answer
    /// on, or from the end of its time; answers within a second of each other are told together.
    /// Once the end is asked for, no more are begun.
    fn tick_endpoints(&self, clock: &dyn Fn() -> Timestamp, ending: &Ending) -> Timestamp {
        let mut attempts = lock(&self.attempts);
        let (mut outcomes, mut gathering) = (Vec::new(), None);
        loop {
            let (seen, now) = (self.wake.pokes(), clock());
            outcomes.extend(attempts.finished());
            if !ending.is_asked_for() {
                for work in attempts.no_longer_waiting() {
                    outcomes.extend(attempts.begin(work, now));
                }
                let due = self.take_due(Lane::Endpoints, now, attempts.room());
                for work in due {
                    outcomes.extend(attempts.begin(work, now));
                }
            }
            let patience = attempts.patience();
            let gathered = match outcomes.is_empty() {
                true => GATHERING,
                false => gathering
                    .get_or_insert_with(|| Deadline::after(GATHERING))
                    .left(),
            };
            let has_more = !outcomes.is_empty();
            if let Some(patience) = patience.filter(|_| !gathered.is_zero()) {
                self.wake.wait(seen, patience.min(gathered));
                continue;
            }
            gathering = None;
            let next = self.merge(Lane::Endpoints, std::mem::take(&mut outcomes), now);
            if patience.is_none() && !has_more {
                return next;
            }
        }
    }

    /// What is due in a lane, all of it where other anchors or lists are in force than before.
    fn take_due(&self, lane: Lane, now: Timestamp, room: usize) -> Vec<Work> {
        let trust = self.evaluator.judges.generation();
        let mut state = self.state();
        state.judge_anew(&trust);
        state.take_due(lane, now, room)
    }

    /// Takes in what came of what was due, tells, and says when something is due next.
    fn merge(&self, lane: Lane, outcomes: Vec<Outcome>, now: Timestamp) -> Timestamp {
        let mut state = self.state();
        let merged = state.merge(lane, outcomes, now, &self.intervals);
        let next = state.next_due(lane).unwrap_or(Timestamp::MAX);
        drop(state);
        #[cfg(feature = "metrics")]
        if self.publishing == Publishing::On {
            self.publish(&merged.changes, lane, now);
        }
        merged
            .events
            .iter()
            .for_each(|event| self.outbox.deliver(event));
        next
    }

    /// What is known of everything that is watched, as the self-check reports it: evaluated at
    /// the latest tick, or earlier where nothing has changed since. Before the first tick it is
    /// empty, and so not ok.
    pub fn snapshot(&self) -> Report {
        self.state().report()
    }

    /// Whether this process can do its work with its own certificates, now.
    pub fn health(&self) -> Health {
        self.health_at(self.now())
    }

    /// Whether this process can do its work at any instant: what has ended by then counts as ended, though no tick has seen
    /// it yet.
    pub fn health_at(&self, now: Timestamp) -> Health {
        health::of(&self.state(), now)
    }

    /// The instant of the latest tick: its heartbeat.
    pub fn last_evaluated(&self) -> Option<Timestamp> {
        self.state().last_tick()
    }

    /// How often something could not be read, by reason, since the start; reasons without any are
    /// there too.
    pub fn source_errors(&self) -> Vec<(FailureReason, u64)> {
        self.state().source_errors()
    }

    /// What was told so far, for
    /// [`MonitorBuilder::with_saved_state`](super::MonitorBuilder::with_saved_state) after a restart.
    #[cfg(feature = "json")]
    pub fn save(&self) -> String {
        self.state().transitions.save()
    }

    /// How many times an observer panicked instead of observing.
    pub fn observer_panics(&self) -> u64 {
        self.outbox.panics()
    }

    /// How many events were dropped because an observer's queue was full.
    pub fn events_lost(&self) -> u64 {
        self.outbox.lost()
    }

    /// Waits until the observers have seen everything that was told so far, at most so long for
    /// each; says whether they have.
    pub fn flush_events(&self, patience: Duration) -> bool {
        self.outbox.flush(patience)
    }

    #[cfg(feature = "metrics")]
    fn publish(&self, changes: &[Change], lane: Lane, now: Timestamp) {
        metrics::publish_changes(changes);
        metrics::publish_worst(self.state().standing());
        metrics::publish_counts(&Counts {
            source_errors: self.source_errors(),
            events_lost: self.events_lost(),
            observer_panics: self.observer_panics(),
        });
        // The heart beats whatever the endpoints do, and only if the rest goes on.
        if lane == Lane::Local {
            metrics::publish_heartbeat(self.len(), now);
        }
    }

    /// Ticks on a thread of its own until the handle is stopped or dropped; endpoints on another.
    ///
    /// # Errors
    /// [`SpawnError`] where the operating system has no thread to give: then none runs.
    pub fn spawn(self: &Arc<Self>) -> Result<MonitorHandle, SpawnError> {
        let mut handle = MonitorHandle {
            monitor: Arc::clone(self),
            threads: Threads::default(),
            detached: false,
        };
        handle.start("notafter-monitor", Lane::Local)?;
        handle.start("notafter-endpoints", Lane::Endpoints)?;
        Ok(handle)
    }

    fn run(&self, lane: Lane, ending: &Ending) {
        while !ending.is_asked_for() {
            let seen = self.wake.pokes();
            let clock = || self.now();
            let next = match lane {
                Lane::Local => self.tick_local(clock()),
                Lane::Endpoints => self.tick_endpoints(&clock, ending),
            };
            let left = next.seconds_since(self.now());
            let left = left.clamp(1, LONGEST_SLEEP_SECONDS);
            if !ending.is_asked_for() {
                let patience = Duration::from_secs(left.unsigned_abs());
                self.wake.wait(seen, patience);
            }
        }
    }

    fn now(&self) -> Timestamp {
        clock::now(self.clock.as_ref())
    }

    fn state(&self) -> MutexGuard<'_, MonitorState> {
        lock(&self.state)
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("watched", &self.len())
            .field("last_evaluated", &self.last_evaluated())
            .finish_non_exhaustive()
    }
}

/// A running monitor. Dropping it lets its threads end after the ticks in progress.
#[derive(Debug)]
#[must_use = "dropping it stops the monitor: keep it, or call detach"]
pub struct MonitorHandle {
    monitor: Arc<Monitor>,
    threads: Threads,
    detached: bool,
}

impl MonitorHandle {
    fn start(&mut self, name: &str, lane: Lane) -> Result<(), SpawnError> {
        let monitor = Arc::clone(&self.monitor);
        self.threads
            .start(name, move |ending| monitor.run(lane, ending))
    }

    /// The orderly end: waits for the ticks in progress and for the observers, at most so long for
    /// each; says whether all is done. A connector or an observer that blocks is left behind.
    pub fn stop(mut self, patience: Duration) -> bool {
        self.signal();
        let all = self.threads.join(patience);
        self.monitor.flush_events(patience) && all
    }

    /// Lets the monitor run until the process ends.
    pub fn detach(mut self) {
        self.detached = true;
    }

    fn signal(&self) {
        self.threads.ending.ask();
        self.monitor.wake.poke();
    }
}

impl Drop for MonitorHandle {
    fn drop(&mut self) {
        if !self.detached {
            self.signal();
        }
    }
}
