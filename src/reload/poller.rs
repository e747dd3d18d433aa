//! The thread that looks at the files.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::observer::SpawnError;

/// A running [`ReloadingKey::spawn`](crate::ReloadingKey::spawn); dropping it stops the thread.
#[derive(Debug)]
#[must_use = "dropping it stops the reloading: keep it, or call detach"]
pub struct ReloadThread {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
    detached: bool,
}

#[derive(Debug, Default)]
struct Signal {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl ReloadThread {
    /// Calls `look` with what is followed at this interval (at least a millisecond), until nobody else
    /// holds it any more.
    pub(crate) fn follow<T: Send + Sync + 'static>(
        followed: &Arc<T>,
        interval: Duration,
        look: impl Fn(&T) + Send + 'static,
    ) -> Result<Self, SpawnError> {
        let followed = Arc::downgrade(followed);
        let signal = Arc::new(Signal::default());
        let waiting = Arc::clone(&signal);
        let interval = interval.max(Duration::from_millis(1));
        let thread = thread::Builder::new().name("notafter-reload".to_owned());
        let started = thread.spawn(move || {
            while !waiting.wait(interval) {
                let Some(followed) = followed.upgrade() else {
                    return;
                };
                look(&followed);
            }
        });
        let thread = started.map_err(|error| SpawnError::new("to look at files with", error))?;
        Ok(Self {
            signal,
            thread: Some(thread),
            detached: false,
        })
    }

    /// Stops the thread and waits until it has ended, which a file system that hangs delays.
    pub fn stop(mut self) {
        self.signal.stop();
        if let Some(thread) = self.thread.take() {
            // A panic there was printed there.
            let _ = thread.join();
        }
    }

    /// Lets the thread run for as long as the key lives.
    pub fn detach(mut self) {
        self.detached = true;
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for ReloadThread {
    /// Does not wait: a file system that hangs must not block a shutdown.
    fn drop(&mut self) {
        if !self.detached {
            self.signal.stop();
        }
    }
}

impl Signal {
    fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits for so long; says whether it was stopped.
    fn wait(&self, interval: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let running = |stopped: &mut bool| !*stopped;
        let waited = self.changed.wait_timeout_while(stopped, interval, running);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
