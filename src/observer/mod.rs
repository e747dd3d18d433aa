//! Delivering events to the application.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::Event;

/// Receives events. Any `Fn(&Event) + Send + Sync` is one.
///
/// An observer observes: what it does cannot change a verdict, and its panics are contained and
/// counted. It runs on the thread of the handshake that made the event: fine for a log line, a
/// metric, a channel. One that may wait for anything belongs into a
/// [`QueuedObserver`](crate::QueuedObserver).
pub trait Observer: Send + Sync {
    /// Something happened.
    fn observe(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> Observer for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}

/// Hands events to observers one after the other, each panic contained.
#[derive(Clone, Default)]
pub(crate) struct Delivery {
    observers: Vec<Arc<dyn Observer>>,
    panics: Arc<AtomicU64>,
}

impl Delivery {
    pub(crate) fn add(&mut self, observer: Arc<dyn Observer>) {
        self.observers.push(observer);
    }

    pub(crate) fn deliver(&self, event: &Event) {
        for observer in &self.observers {
            // What an observer leaves half-done after a panic is its own affair: we share
            // nothing with it but the event, which we only lend.
            let outcome = catch_unwind(AssertUnwindSafe(|| observer.observe(event)));
            if outcome.is_err() {
                self.panics.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// How many times an observer panicked instead of observing.
    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("observers", &self.observers.len())
            .field("panics", &self.panics())
            .finish()
    }
}
