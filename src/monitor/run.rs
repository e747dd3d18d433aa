//! The monitor's threads.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::target::Lane;
use super::{Monitor, lock};

/// The longest sleep, in seconds: so soon is a clock that jumped noticed, and so old is the
/// heartbeat at most.
const LONGEST_SLEEP: i64 = 60;

/// What wakes the thread before its time.
#[derive(Debug, Default)]
pub(super) struct Wake {
    pokes: Mutex<u64>,
    changed: Condvar,
}

impl Wake {
    pub(super) fn poke(&self) {
        *lock(&self.pokes) += 1;
        self.changed.notify_all();
    }

    fn pokes(&self) -> u64 {
        *lock(&self.pokes)
    }

    /// Until somebody pokes who has not poked by `seen`, at most so long.
    fn wait(&self, seen: u64, patience: Duration) {
        let idle = |pokes: &mut u64| *pokes == seen;
        let pokes = lock(&self.pokes);
        let waited = self.changed.wait_timeout_while(pokes, patience, idle);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Monitor {
    /// Ticks on a thread of its own until the handle is stopped or dropped; with a connector,
    /// endpoints on another.
    ///
    /// # Errors
    /// The operating system's, where it has no thread to give: then none runs.
    pub fn spawn(self: &Arc<Self>) -> io::Result<MonitorHandle> {
        let mut handle = MonitorHandle {
            monitor: Arc::clone(self),
            run: Arc::default(),
            threads: Vec::new(),
        };
        handle.start("notafter-monitor", Lane::Local)?;
        if self.worker.connector.is_some() {
            handle.start("notafter-endpoints", Lane::Endpoints)?;
        }
        Ok(handle)
    }

    fn run(&self, lane: Lane, run: &Run) {
        while !run.stop.load(Ordering::Acquire) {
            let seen = self.wake.pokes();
            let now = self.now();
            let mut next = self.tick_lane(lane, now);
            if self.worker.connector.is_none() {
                // Nobody to ask them: that is said here.
                next = next.min(self.tick_lane(Lane::Endpoints, now));
            }
            let left = next.seconds_since(self.now()).clamp(1, LONGEST_SLEEP);
            if !run.stop.load(Ordering::Acquire) {
                let left = Duration::from_secs(left.unsigned_abs());
                self.wake.wait(seen, left);
            }
        }
        *lock(&run.ended) += 1;
        run.changed.notify_all();
    }
}

#[derive(Debug, Default)]
struct Run {
    stop: AtomicBool,
    /// How many threads have.
    ended: Mutex<usize>,
    changed: Condvar,
}

/// A running monitor. Dropping it lets its threads end after the ticks in progress.
#[derive(Debug)]
pub struct MonitorHandle {
    monitor: Arc<Monitor>,
    run: Arc<Run>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl MonitorHandle {
    fn start(&mut self, name: &str, lane: Lane) -> io::Result<()> {
        let (monitor, run) = (Arc::clone(&self.monitor), Arc::clone(&self.run));
        let thread = thread::Builder::new().name(name.to_owned());
        self.threads
            .push(thread.spawn(move || monitor.run(lane, &run))?);
        Ok(())
    }

    /// The orderly end: waits for the ticks in progress and for the observers, at most so long for
    /// each; says whether all is done. A connector or an observer that blocks is left behind.
    pub fn stop(mut self, patience: Duration) -> bool {
        self.signal();
        let threads = std::mem::take(&mut self.threads);
        let running = |ended: &mut usize| *ended < threads.len();
        let ended = lock(&self.run.ended);
        let waited = self
            .run
            .changed
            .wait_timeout_while(ended, patience, running);
        let (ended, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let all = *ended == threads.len();
        drop(ended);
        if all {
            // They have said that they are at their end, and nothing in them panics.
            threads.into_iter().for_each(|thread| drop(thread.join()));
        }
        self.monitor.flush_events(patience) && all
    }

    fn signal(&self) {
        self.run.stop.store(true, Ordering::Release);
        self.monitor.wake.poke();
    }
}

impl Drop for MonitorHandle {
    fn drop(&mut self) {
        self.signal();
    }
}
