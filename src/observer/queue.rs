//! Delivery off the handshake's thread: an edge, for it starts a thread.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::observer::{Observed, Observer, observe_contained};
use super::spawn_error::SpawnError;
use crate::event::Event;

/// Hands events to an observer through a bounded queue, on a thread of its own or on one that the
/// caller gives: whatever the observer does, no handshake waits for it.
///
/// When the queue is full, the oldest of its least severe events gives way and is counted. Give
/// each observer a queue of its own, and a blocked one delays only itself; verifiers and the
/// monitor do so by themselves for observers that are not [prompt](Observer::is_prompt).
///
/// Dropping it lets the thread deliver what is queued and end by itself;
/// [`QueuedObserver::close`] waits for that.
///
/// # How do I send events over the network without slowing handshakes down?
/// ```
/// use std::{num::NonZeroUsize, sync::Arc, time::Duration};
/// use notafter::Event;
/// use notafter::observer::QueuedObserver;
/// # fn send(_: &Event) {}
/// let slow = Arc::new(|event: &Event| send(event));
/// let observer = QueuedObserver::spawn(slow, NonZeroUsize::new(1024).unwrap())?;
/// // WatchingServerVerifier::builder(inner).with_observer(observer.clone()) ...
/// assert!(observer.close(Duration::from_secs(5)));
/// assert_eq!((observer.lost(), observer.panics()), (0, 0));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct QueuedObserver {
    shared: Arc<SharedQueue>,
    inner: Arc<dyn Observer>,
    capacity: NonZeroUsize,
}

/// What the thread that delivers has in common with those that observe.
#[derive(Default)]
struct SharedQueue {
    state: Mutex<QueueState>,
    /// Something was queued, delivered, or ended.
    changed: Condvar,
}

/// What is queued, and what became of the rest.
#[derive(Default)]
struct QueueState {
    queue: VecDeque<Event>,
    worker: QueueWorker,
    /// How many events are with the observer right now.
    delivering: usize,
    ended: bool,
    lost: u64,
    panics: u64,
}

/// Who delivers.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum QueueWorker {
    /// Whoever calls `poll`.
    #[default]
    Caller,
    /// A thread, once there is something to deliver.
    ThreadToBe,
    Thread,
}

impl QueuedObserver {
    /// Starts the thread, with room for so many events in the queue.
    ///
    /// # Errors
    /// [`SpawnError`] where the operating system has no thread to give.
    pub fn spawn(
        inner: Arc<dyn Observer>,
        capacity: NonZeroUsize,
    ) -> Result<Arc<Self>, SpawnError> {
        let observer = Self::new(inner, capacity, QueueWorker::ThreadToBe);
        let started = observer.start();
        started.map_err(|error| SpawnError::new("to deliver events with", error))?;
        Ok(Arc::new(observer))
    }

    /// Starts no thread: events wait, with room for so many, until [`QueuedObserver::poll`] is
    /// called.
    ///
    /// # How do I deliver events on a thread, or in a task, that I have already?
    /// ```
    /// use std::{num::NonZeroUsize, sync::Arc};
    /// use notafter::Event;
    /// use notafter::observer::QueuedObserver;
    /// let print = Arc::new(|event: &Event| println!("{event}"));
    /// let observer = QueuedObserver::polled(print, NonZeroUsize::new(1024).unwrap());
    /// // .with_observer(observer.clone()), and now and then:
    /// while observer.poll(16) > 0 {}
    /// ```
    pub fn polled(inner: Arc<dyn Observer>, capacity: NonZeroUsize) -> Arc<Self> {
        Arc::new(Self::new(inner, capacity, QueueWorker::Caller))
    }

    /// Starts the thread when the first event comes.
    pub(super) fn on_demand(inner: Arc<dyn Observer>, capacity: NonZeroUsize) -> Self {
        Self::new(inner, capacity, QueueWorker::ThreadToBe)
    }

    fn new(inner: Arc<dyn Observer>, capacity: NonZeroUsize, worker: QueueWorker) -> Self {
        let shared = Arc::new(SharedQueue::default());
        shared.state().worker = worker;
        Self {
            shared,
            inner,
            capacity,
        }
    }

    fn start(&self) -> io::Result<()> {
        let (shared, inner) = (Arc::clone(&self.shared), Arc::clone(&self.inner));
        let thread = thread::Builder::new().name("notafter-events".to_owned());
        shared.state().worker = QueueWorker::Thread;
        // Not joined: a blocked observer must not block a shutdown.
        let started = thread.spawn(move || shared.deliver_until_ended(&*inner));
        if let Err(error) = started {
            // The next event tries again.
            self.shared.state().worker = QueueWorker::ThreadToBe;
            return Err(error);
        }
        Ok(())
    }

    /// Delivers at most so many of the queued events on the calling thread, and says how many.
    pub fn poll(&self, most: usize) -> usize {
        let events = std::iter::from_fn(|| self.shared.take());
        let delivered = events.take(most);
        delivered
            .map(|event| self.shared.deliver(&*self.inner, &event))
            .count()
    }

    /// How many events gave way to others, or came after [`QueuedObserver::close`].
    pub fn lost(&self) -> u64 {
        self.shared.state().lost
    }

    /// How many events wait in the queue.
    pub fn queued(&self) -> usize {
        self.shared.state().queue.len()
    }

    /// How many times the observer panicked instead of observing.
    pub fn panics(&self) -> u64 {
        self.shared.state().panics
    }

    /// Waits until everything that is queued now has been delivered, at most so long; says
    /// whether it has. Without a thread of its own, it delivers on this one, however long that
    /// takes.
    pub fn flush(&self, patience: Duration) -> bool {
        if self.shared.state().worker == QueueWorker::Caller {
            while self.poll(usize::MAX) > 0 {}
        }
        let busy = |state: &mut QueueState| state.delivering > 0 || !state.queue.is_empty();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(self.shared.state(), patience, busy);
        let (_state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }

    /// The orderly end: takes no more events (they count as lost) and flushes.
    pub fn close(&self, patience: Duration) -> bool {
        self.end();
        self.flush(patience)
    }

    fn end(&self) {
        self.shared.state().ended = true;
        self.shared.changed.notify_all();
    }
}

impl Observer for QueuedObserver {
    fn observe(&self, event: &Event) {
        let mut state = self.shared.state();
        if state.ended {
            state.lost += 1;
        } else if state.queue.len() >= self.capacity.get() {
            state.make_room_for(event);
        } else {
            state.queue.push_back(event.clone());
        }
        let start = state.worker == QueueWorker::ThreadToBe && !state.ended;
        if start {
            // Claimed under the lock: nobody else starts a second one.
            state.worker = QueueWorker::Thread;
        }
        drop(state);
        self.shared.changed.notify_all();
        if start {
            // Without a thread the events wait, and the next one tries again.
            let _ = self.start();
        }
    }

    fn is_prompt(&self) -> bool {
        true
    }
}

impl Drop for QueuedObserver {
    fn drop(&mut self) {
        self.end();
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

impl QueueState {
    fn take(&mut self) -> Option<Event> {
        let event = self.queue.pop_front()?;
        self.delivering += 1;
        Some(event)
    }

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

impl SharedQueue {
    fn state(&self) -> MutexGuard<'_, QueueState> {
        // The observer runs without the lock, so nobody's panic leaves the state half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver_until_ended(&self, observer: &dyn Observer) {
        while let Some(event) = self.next() {
            self.deliver(observer, &event);
        }
    }

    fn deliver(&self, observer: &dyn Observer, event: &Event) {
        let observed = observe_contained(observer, event);
        let mut state = self.state();
        state.delivering -= 1;
        state.panics += u64::from(observed == Observed::Panicked);
        drop(state);
        self.changed.notify_all();
    }

    /// The next event; `None` once it has ended and everything is delivered.
    fn next(&self) -> Option<Event> {
        let idle = |state: &mut QueueState| state.queue.is_empty() && !state.ended;
        let waited = self.changed.wait_while(self.state(), idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.take()
    }

    /// The next event, if there is one now.
    fn take(&self) -> Option<Event> {
        self.state().take()
    }
}
