//! Who receives events.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::event::Event;

/// Receives events. Any `Fn(&Event) + Send + Sync` is one.
///
/// An observer observes: what it does cannot change a verdict, its panics are contained and
/// counted, and it cannot hold up a handshake: verifiers and the monitor give each observer a
/// bounded queue and a thread of its own (started with its first event), as
/// [`QueuedObserver`](crate::observer::QueuedObserver) does. Those that say that they are
/// [prompt](Observer::is_prompt) are called at once instead.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn observe(&self, event: &Event);

    /// Whether it returns at once whatever happens, so that it can be called on the thread of the
    /// handshake: a counter, a queue, a channel that does not wait. `false` unless overridden,
    /// and for closures.
    fn is_prompt(&self) -> bool {
        false
    }
}

/// Calls an observer on the thread where the event is made, without a queue: for one that is
/// known to return at once, though it does not say so.
///
/// # How do I get events inline, in tests for example?
/// ```
/// use notafter::{Event, Observer as _};
/// use notafter::observer::InlineObserver;
/// let observer = InlineObserver(|event: &Event| println!("{event}"));
/// assert!(observer.is_prompt());
/// ```
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_structs)] // It marks what it holds, nothing else.
pub struct InlineObserver<O>(pub O);

impl<O: Observer> Observer for InlineObserver<O> {
    fn observe(&self, event: &Event) {
        self.0.observe(event);
    }

    fn is_prompt(&self) -> bool {
        true
    }
}

impl<F: Fn(&Event) + Send + Sync> Observer for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}

/// How an observer took an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Observed {
    Returned,
    Panicked,
}

/// Hands an event to an observer, whose panic ends here.
pub(crate) fn observe_contained(observer: &dyn Observer, event: &Event) -> Observed {
    // What an observer leaves half-done after a panic is its own affair: we share nothing with it
    // but the event, which we only lend.
    match catch_unwind(AssertUnwindSafe(|| observer.observe(event))) {
        Ok(()) => Observed::Returned,
        Err(payload) => {
            // Dropping what a panic carries may panic again, so it is not dropped.
            std::mem::forget(payload);
            Observed::Panicked
        }
    }
}
