//! What a connection is told: futures that any runtime can wait for.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Where an open connection stands on the way to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum ConnectionPhase {
    /// It may take requests.
    #[default]
    Open,
    /// It is told to end: it finishes its requests and takes no more. HTTP/1 says
    /// `Connection: close`, HTTP/2 sends GOAWAY.
    Closing,
    /// Its deadline is reached: it must be closed now, whatever is in flight.
    Overdue,
}

/// Waits until a connection reaches a phase; see
/// [`OpenConnection::closing`](super::OpenConnection::closing). Needs no runtime, and may outlive the
/// connection: then it waits for ever.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct PhaseReached {
    signal: Arc<PhaseSignal>,
    phase: ConnectionPhase,
    /// The number of its waker.
    waiter: Option<u64>,
}

impl Future for PhaseReached {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.signal.lock();
        if state.phase >= this.phase {
            return Poll::Ready(());
        }
        let waiter = match this.waiter {
            Some(waiter) => waiter,
            None => {
                state.next_waiter = state.next_waiter.wrapping_add(1);
                state.next_waiter
            }
        };
        let before = state.take_waker(waiter);
        state.wakers.push((waiter, context.waker().clone()));
        this.waiter = Some(waiter);
        // A waker may end a task that waits for the same connection.
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for PhaseReached {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter {
            let waker = self.signal.lock().take_waker(waiter);
            drop(waker);
        }
    }
}

/// The phase of one connection, and who waits for another.
#[derive(Debug, Default)]
pub(super) struct PhaseSignal(Mutex<SignalState>);

#[derive(Debug, Default)]
struct SignalState {
    phase: ConnectionPhase,
    wakers: Vec<(u64, Waker)>,
    next_waiter: u64,
}

impl SignalState {
    fn take_waker(&mut self, waiter: u64) -> Option<Waker> {
        let place = self.wakers.iter().position(|(other, _)| *other == waiter)?;
        Some(self.wakers.swap_remove(place).1)
    }
}

impl PhaseSignal {
    pub(super) fn phase(&self) -> ConnectionPhase {
        self.lock().phase
    }

    /// Moves on to this phase, never back, and wakes who waits.
    pub(super) fn reach(&self, phase: ConnectionPhase) {
        let wakers = {
            let mut state = self.lock();
            state.phase = state.phase.max(phase);
            std::mem::take(&mut state.wakers)
        };
        for (_, waker) in wakers {
            waker.wake();
        }
    }

    pub(super) fn wait(self: &Arc<Self>, phase: ConnectionPhase) -> PhaseReached {
        PhaseReached {
            signal: Arc::clone(self),
            phase,
            waiter: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, SignalState> {
        // Nothing in here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
