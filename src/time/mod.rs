//! Instants and spans in whole seconds of UTC, as certificates state them.
//!
//! [`Timestamp`] is one second, [`Validity`] the two seconds between which a certificate counts. Time
//! is an argument everywhere in this crate: only the parts that run by themselves read a clock, all
//! of them the same one, and each of them takes a `TimeProvider` in its place. The crate `time` is the
//! calendar.
//!
//! # How long is it until an instant?
//! ```
//! use notafter::Timestamp;
//! let now: Timestamp = "2026-11-21T12:00:00Z".parse()?;
//! let not_after: Timestamp = "2026-11-21T12:01:30+00:00".parse()?;
//! assert_eq!(not_after.seconds_since(now), 90);
//! # Ok::<(), notafter::time::TimestampParseError>(())
//! ```

pub(crate) mod clock;
mod clock_suspicion;
pub(crate) mod span;
pub(crate) mod timestamp;
mod validity;

#[cfg(test)]
mod tests;

pub use clock_suspicion::ClockSuspicion;
pub use timestamp::{Timestamp, TimestampParseError};
pub use validity::Validity;
