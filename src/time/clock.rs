//! The one place that reads the clock.

use std::sync::Arc;
#[cfg(feature = "monitor")]
use std::time::{Duration, Instant};

#[cfg(feature = "monitor")]
use pki_types::UnixTime;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};

#[cfg(feature = "monitor")]
use crate::time::Timestamp;

/// The instant by the clock that was given, or by the system's where none was given or it has no
/// answer.
#[cfg(feature = "monitor")]
#[allow(clippy::disallowed_methods)] // The one place.
pub(crate) fn now(given: Option<&Arc<dyn TimeProvider>>) -> Timestamp {
    let answer = given.and_then(|clock| clock.current_time());
    answer.unwrap_or_else(UnixTime::now).into()
}

/// The system's clock, as rustls asks it.
pub(crate) fn system() -> Arc<dyn TimeProvider> {
    Arc::new(DefaultTimeProvider)
}

/// Until when something must be done, by a clock that nobody sets.
#[cfg(feature = "monitor")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    begun: Instant,
    length: Duration,
}

#[cfg(feature = "monitor")]
impl Deadline {
    /// So long after now.
    #[allow(clippy::disallowed_methods)] // The one place.
    pub(crate) fn after(length: Duration) -> Self {
        Self {
            begun: Instant::now(),
            length,
        }
    }

    /// How long it was from the beginning.
    pub(crate) const fn length(&self) -> Duration {
        self.length
    }

    /// How long it is still; zero once it has passed.
    pub(crate) fn left(&self) -> Duration {
        self.length.saturating_sub(self.begun.elapsed())
    }
}
