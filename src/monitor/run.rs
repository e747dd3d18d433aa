//! The monitor's thread.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

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
    /// Ticks on a thread of its own until the handle is stopped or dropped.
    ///
    /// # Errors
    /// The operating system's, where it has no thread to give.
    pub fn spawn(self: &Arc<Self>) -> io::Result<MonitorHandle> {
        let monitor = Arc::clone(self);
        let run = Arc::new(Run::default());
        let ours = Arc::clone(&run);
        let thread = thread::Builder::new().name("notafter-monitor".to_owned());
        let thread = thread.spawn(move || monitor.run(&ours))?;
        Ok(MonitorHandle {
            monitor: Arc::clone(self),
            run,
            thread: Some(thread),
        })
    }

    fn run(&self, run: &Run) {
        while !run.stop.load(Ordering::Acquire) {
            let seen = self.wake.pokes();
            let now = self.now();
            let next = self.tick(now);
            let left = next.seconds_since(self.now()).clamp(1, LONGEST_SLEEP);
            if !run.stop.load(Ordering::Acquire) {
                let left = Duration::from_secs(left.unsigned_abs());
                self.wake.wait(seen, left);
            }
        }
        *lock(&run.ended) = true;
        run.changed.notify_all();
    }
}

#[derive(Debug, Default)]
struct Run {
    stop: AtomicBool,
    ended: Mutex<bool>,
    changed: Condvar,
}

/// A running monitor. Dropping it lets the thread end after the tick in progress.
#[derive(Debug)]
pub struct MonitorHandle {
    monitor: Arc<Monitor>,
    run: Arc<Run>,
    thread: Option<thread::JoinHandle<()>>,
}

impl MonitorHandle {
    /// The orderly end: waits for the tick in progress and for the observers, at most so long for
    /// each; says whether all is done. A connector or an observer that blocks is left behind.
    pub fn stop(mut self, patience: Duration) -> bool {
        self.signal();
        let running = |ended: &mut bool| !*ended;
        let ended = lock(&self.run.ended);
        let waited = self
            .run
            .changed
            .wait_timeout_while(ended, patience, running);
        let (ended, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let ended = *ended;
        if let Some(thread) = self.thread.take().filter(|_| ended) {
            // It has said that it is at its end. Nothing in it panics.
            let _ = thread.join();
        }
        self.monitor.flush_events(patience) && ended
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
