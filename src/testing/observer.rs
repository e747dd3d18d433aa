//! An observer that keeps what it is told.

use std::sync::{Mutex, PoisonError};

use crate::event::{Event, EventCode};
use crate::observer::Observer;

/// Keeps every event until a test takes them. It is prompt, so what was told is there when the call that
/// told it returns.
#[derive(Debug, Default)]
pub struct RecordingObserver(Mutex<Vec<Event>>);

impl RecordingObserver {
    /// Makes an observer that was told nothing yet.
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Takes the events of since it was last asked, oldest first.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes them, and gives their codes.
    pub fn take_codes(&self) -> Vec<EventCode> {
        self.take().iter().map(|event| event.code).collect()
    }
}

impl Observer for RecordingObserver {
    fn observe(&self, event: &Event) {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        events.push(event.clone());
    }

    fn is_prompt(&self) -> bool {
        true
    }
}
