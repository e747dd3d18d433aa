//! Events into a channel of the standard library.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::Observer;
use crate::event::Event;

/// Sends events into a bounded channel and never waits: what finds it full, or without a
/// receiver, is counted as lost.
///
/// # How do I receive events in a loop of my own?
/// ```
/// use std::{num::NonZeroUsize, sync::Arc};
/// use notafter::observer::ChannelObserver;
/// let (observer, events) = ChannelObserver::bounded(NonZeroUsize::new(1024).unwrap());
/// let observer = Arc::new(observer);
/// // .with_observer(observer.clone()), and in the loop:
/// for event in events.try_iter() {
///     println!("{event}");
/// }
/// assert_eq!(observer.lost(), 0);
/// ```
#[derive(Debug)]
pub struct ChannelObserver {
    sender: SyncSender<Event>,
    lost: AtomicU64,
}

impl ChannelObserver {
    /// A channel with room for so many events.
    pub fn bounded(capacity: NonZeroUsize) -> (Self, Receiver<Event>) {
        let (sender, receiver) = sync_channel(capacity.get());
        let lost = AtomicU64::new(0);
        (Self { sender, lost }, receiver)
    }

    /// How many events found no room, or no receiver.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Observer for ChannelObserver {
    fn observe(&self, event: &Event) {
        if self.sender.try_send(event.clone()).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn is_prompt(&self) -> bool {
        true
    }
}
