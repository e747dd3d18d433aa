//! The monitor's threads: what wakes them, and how they end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::observer::SpawnError;

/// What wakes threads before their time.
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

    pub(super) fn pokes(&self) -> u64 {
        *lock(&self.pokes)
    }

    /// Until somebody pokes who has not poked by `seen`, at most so long.
    pub(super) fn wait(&self, seen: u64, patience: Duration) {
        let idle = |pokes: &mut u64| *pokes == seen;
        let pokes = lock(&self.pokes);
        let waited = self.changed.wait_timeout_while(pokes, patience, idle);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Whether threads are to end, and how many have.
#[derive(Debug, Default)]
pub(super) struct Ending {
    stop: AtomicBool,
    ended: Mutex<usize>,
    changed: Condvar,
}

impl Ending {
    pub(super) fn is_asked_for(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub(super) fn ask(&self) {
        self.stop.store(true, Ordering::Release);
    }

    fn one_more(&self) {
        *lock(&self.ended) += 1;
        self.changed.notify_all();
    }

    /// Waits until so many have ended, at most so long; says whether they have.
    fn wait(&self, threads: usize, patience: Duration) -> bool {
        let running = |ended: &mut usize| *ended < threads;
        let ended = lock(&self.ended);
        let waited = self.changed.wait_timeout_while(ended, patience, running);
        let (ended, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *ended == threads
    }
}

/// Threads that end together.
#[derive(Debug, Default)]
pub(super) struct Threads {
    pub(super) ending: Arc<Ending>,
    running: Vec<thread::JoinHandle<()>>,
}

impl Threads {
    pub(super) fn start(
        &mut self,
        name: &str,
        body: impl FnOnce(&Ending) + Send + 'static,
    ) -> Result<(), SpawnError> {
        let ending = Arc::clone(&self.ending);
        let thread = thread::Builder::new().name(name.to_owned());
        let started = thread.spawn(move || {
            body(&ending);
            ending.one_more();
        });
        self.running
            .push(started.map_err(|error| SpawnError::new("to watch with", error))?);
        Ok(())
    }

    /// Waits until all have ended, at most so long; says whether they have. One that blocks is left
    /// behind.
    pub(super) fn join(&mut self, patience: Duration) -> bool {
        let threads = std::mem::take(&mut self.running);
        let all = self.ending.wait(threads.len(), patience);
        if all {
            // They have said that they are at their end, and nothing in them panics.
            threads.into_iter().for_each(|thread| drop(thread.join()));
        }
        all
    }
}

/// No code of others runs under our locks, and what they guard is whole between any two calls.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
