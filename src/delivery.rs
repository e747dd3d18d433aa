//! Delivery off the handshake's thread: an edge, for it starts a thread.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::event::Event;
use crate::observer::Observer;

/// Hands events to an observer on a thread of its own, through a bounded queue: whatever the
/// observer does, no handshake waits for it.
///
/// When the queue is full, the oldest of its least severe events gives way and is counted. Give
/// each observer a queue of its own, and a blocked one delays only itself.
///
/// Dropping it lets the thread deliver what is queued and end by itself;
/// [`QueuedObserver::flush`] waits for that.
///
/// # How do I send events over the network without slowing handshakes down?
/// ```
/// use std::{num::NonZeroUsize, sync::Arc, time::Duration};
/// use notafter::{Event, QueuedObserver};
/// # fn send(_: &Event) {}
/// let slow = Arc::new(|event: &Event| send(event));
/// let observer = QueuedObserver::spawn(slow, NonZeroUsize::new(1024).unwrap())?;
/// // WatchingServerVerifier::builder(inner).with_observer(observer.clone()) ...
/// assert!(observer.flush(Duration::from_secs(5)));
/// assert_eq!((observer.lost(), observer.panics()), (0, 0));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct QueuedObserver {
    shared: Arc<Shared>,
    capacity: NonZeroUsize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Something was queued, delivered, or ended.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Event>,
    delivering: bool,
    ended: bool,
    lost: u64,
    panics: u64,
}

impl QueuedObserver {
    /// Starts the thread, with room for so many events in the queue.
    ///
    /// # Errors
    /// The operating system's, where it has no thread to give.
    pub fn spawn(inner: Arc<dyn Observer>, capacity: NonZeroUsize) -> io::Result<Arc<Self>> {
        let shared = Arc::new(Shared::default());
        let worker = Arc::clone(&shared);
        let thread = thread::Builder::new().name("notafter-events".to_owned());
        // Not joined: a blocked observer must not block a shutdown.
        thread.spawn(move || worker.deliver(&*inner))?;
        Ok(Arc::new(Self { shared, capacity }))
    }

    /// How many events gave way to others.
    pub fn lost(&self) -> u64 {
        self.shared.state().lost
    }

    /// How many times the observer panicked instead of observing.
    pub fn panics(&self) -> u64 {
        self.shared.state().panics
    }

    /// Waits until everything that is queued now has been delivered, at most so long; says
    /// whether it has.
    pub fn flush(&self, patience: Duration) -> bool {
        let busy = |state: &mut State| state.delivering || !state.queue.is_empty();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(self.shared.state(), patience, busy);
        let (_state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }
}

impl Observer for QueuedObserver {
    fn observe(&self, event: &Event) {
        let mut state = self.shared.state();
        if state.queue.len() >= self.capacity.get() {
            state.make_room_for(event);
        } else {
            state.queue.push_back(event.clone());
        }
        self.shared.changed.notify_all();
    }
}

impl Drop for QueuedObserver {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.changed.notify_all();
    }
}

impl fmt::Debug for QueuedObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.state();
        f.debug_struct("QueuedObserver")
            .field("queued", &state.queue.len())
            .field("capacity", &self.capacity)
            .field("lost", &state.lost)
            .field("panics", &state.panics)
            .finish_non_exhaustive()
    }
}

impl State {
    /// Drops the oldest of the least severe events, which may be the new one itself.
    fn make_room_for(&mut self, event: &Event) {
        self.lost += 1;
        let mildest = self
            .queue
            .iter()
            .enumerate()
            .min_by_key(|(_, queued)| queued.severity);
        if let Some((index, queued)) = mildest {
            if queued.severity <= event.severity {
                self.queue.remove(index);
                self.queue.push_back(event.clone());
            }
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // The observer runs without the lock, so nobody's panic leaves the state half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self, observer: &dyn Observer) {
        while let Some(event) = self.next() {
            let outcome = catch_unwind(AssertUnwindSafe(|| observer.observe(&event)));
            let mut state = self.state();
            state.delivering = false;
            state.panics += u64::from(outcome.is_err());
            self.changed.notify_all();
        }
    }

    /// The next event; `None` once it has ended and everything is delivered.
    fn next(&self) -> Option<Event> {
        let idle = |state: &mut State| state.queue.is_empty() && !state.ended;
        let waited = self.changed.wait_while(self.state(), idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let event = state.queue.pop_front()?;
        state.delivering = true;
        Some(event)
    }
}
