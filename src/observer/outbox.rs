//! The observers of one verifier, monitor or reloading key: an edge, for queues start threads.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::observer::{Observed, Observer, observe_contained};
use super::queue::QueuedObserver;
use crate::event::Event;

/// How many events wait for each observer that is not prompt.
const QUEUE: NonZeroUsize = match NonZeroUsize::new(1024) {
    Some(events) => events,
    None => NonZeroUsize::MIN,
};

/// The observers of one verifier or monitor: prompt ones are called at once, each other one has a
/// queue and, from its first event on, a thread of its own.
#[derive(Default)]
pub(crate) struct Outbox {
    prompt: Vec<Arc<dyn Observer>>,
    /// How many times one of the prompt ones panicked.
    panics: AtomicU64,
    queues: Vec<QueuedObserver>,
}

impl Outbox {
    pub(crate) fn add(&mut self, observer: Arc<dyn Observer>) {
        if observer.is_prompt() {
            self.prompt.push(observer);
        } else {
            self.queues.push(QueuedObserver::on_demand(observer, QUEUE));
        }
    }

    /// Whether nobody observes.
    pub(crate) fn is_empty(&self) -> bool {
        self.prompt.is_empty() && self.queues.is_empty()
    }

    pub(crate) fn deliver(&self, event: &Event) {
        for observer in &self.prompt {
            if observe_contained(&**observer, event) == Observed::Panicked {
                self.panics.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.queues.iter().for_each(|queue| queue.observe(event));
    }

    /// How many times an observer panicked instead of observing.
    pub(crate) fn panics(&self) -> u64 {
        let queued: u64 = self.queues.iter().map(QueuedObserver::panics).sum();
        self.panics.load(Ordering::Relaxed) + queued
    }

    /// How many events found no room in an observer's queue.
    pub(crate) fn lost(&self) -> u64 {
        self.queues.iter().map(QueuedObserver::lost).sum()
    }

    /// Waits for each queue in turn, at most so long for each; says whether all are empty.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        let unflushed = self.queues.iter().filter(|queue| !queue.flush(patience));
        unflushed.count() == 0
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("prompt", &self.prompt.len())
            .field("queues", &self.queues)
            .field("panics", &self.panics())
            .finish()
    }
}
