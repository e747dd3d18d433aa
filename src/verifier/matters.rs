//! What was told of peers, so that it is said once, and again when it matters.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(feature = "json")]
use crate::alert::SavedStateError;
use crate::alert::{Matter, RepeatPolicy, Telling, Transitions};
use crate::policy::Band;
use crate::time::Timestamp;

/// [`Transitions`] that threads share.
#[derive(Debug)]
pub(super) struct Matters(Mutex<Transitions>);

impl Matters {
    pub(super) fn new(capacity: NonZeroUsize, repeat: RepeatPolicy) -> Self {
        Self(Mutex::new(Transitions::new(capacity).with_repeat(repeat)))
    }

    /// Whether to tell that this matter is in this band now.
    pub(super) fn observe(&self, matter: Matter, band: Band, now: Timestamp) -> Option<Telling> {
        self.transitions().observe(matter, band, now)
    }

    /// Whether anything was told of this matter.
    pub(super) fn knows(&self, matter: &Matter) -> bool {
        self.transitions().band(matter).is_some()
    }

    /// How many matters were forgotten for lack of room.
    pub(super) fn evictions(&self) -> u64 {
        self.transitions().evictions()
    }

    #[cfg(feature = "json")]
    pub(super) fn save(&self) -> String {
        self.transitions().save()
    }

    #[cfg(feature = "json")]
    pub(super) fn restore(&self, saved: &str) -> Result<(), SavedStateError> {
        self.transitions().restore_from(saved)
    }

    fn transitions(&self) -> MutexGuard<'_, Transitions> {
        // No code of ours panics under the lock, and the state is whole between any two calls.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
