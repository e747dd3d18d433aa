//! Endpoints are asked several at once, so that one which hangs holds up few others: an edge, for
//! it starts threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;

use crate::endpoint::{Endpoint, EndpointConnector, EndpointError, PresentedChain};

/// The most endpoints that are asked at once.
const MAX_AT_ONCE: usize = 16;

/// What came of a look.
pub(super) type Looked = Result<PresentedChain, EndpointError>;

/// Endpoints to be asked.
pub(super) struct Looks<'l> {
    pub(super) connector: &'l EndpointConnector,
    pub(super) endpoints: &'l [Endpoint],
}

impl Looks<'_> {
    /// What came of each, in their order; the number of each is told once it is there.
    pub(super) fn all(&self, mut tell: impl FnMut(usize)) -> Vec<Option<Looked>> {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        let mut looked: Vec<_> = self.endpoints.iter().map(|_| None).collect();
        thread::scope(|scope| {
            for _ in 0..self.endpoints.len().min(MAX_AT_ONCE) {
                let (sender, next) = (sender.clone(), &next);
                let asking = move || self.ask(next, &sender);
                // Where there is no thread to be had, those that there are ask all.
                let _ = thread::Builder::new().spawn_scoped(scope, asking);
            }
            drop(sender);
            for (number, one) in receiver {
                if let Some(slot) = looked.get_mut(number) {
                    *slot = Some(one);
                }
                tell(number);
            }
        });
        // Or this one.
        for (endpoint, slot) in self.endpoints.iter().zip(&mut looked) {
            slot.get_or_insert_with(|| self.connector.presented_by(endpoint));
        }
        looked
    }

    /// Asks the next one until there is none.
    fn ask(&self, next: &AtomicUsize, sender: &Sender<(usize, Looked)>) {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(endpoint) = self.endpoints.get(number) else {
                return;
            };
            let looked = self.connector.presented_by(endpoint);
            if sender.send((number, looked)).is_err() {
                return;
            }
        }
    }
}
