//! A clock that stands until it is set.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

use crate::time::Timestamp;
use crate::time::span::whole_seconds;

/// A clock that stands still until a test sets it: for `with_clock` of this crate's builders, and for
/// rustls's `builder_with_details`.
///
/// # How do I let a month pass in a test?
/// ```
/// use std::time::Duration;
/// use notafter::testing::TestClock;
/// let clock = TestClock::at("2026-01-01T00:00:00Z".parse()?);
/// clock.advance(Duration::from_secs(30 * 86_400));
/// assert_eq!(clock.now().to_string(), "2026-01-31T00:00:00Z");
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Stands at this second.
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_unix_seconds()))
    }

    /// Reads the clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }

    /// Sets it to this second, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_unix_seconds(), Ordering::SeqCst);
    }

    /// Lets so much time pass; parts of a second are dropped.
    pub fn advance(&self, span: Duration) {
        self.set(self.now().saturating_add(whole_seconds(span)));
    }
}

impl TimeProvider for TestClock {
    fn current_time(&self) -> Option<UnixTime> {
        self.now().to_unix_time()
    }
}
