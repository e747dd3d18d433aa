//! Instants and spans in whole seconds of UTC, as certificates state them.
//!
//! [`Timestamp`] is one second, [`Validity`] the two seconds between which a certificate counts. Time
//! is an argument everywhere in this crate: only the parts that run by themselves read a clock, all
//! of them the same one, and each of them takes a `TimeProvider` in its place.

pub(crate) mod clock;
pub(crate) mod span;
pub(crate) mod timestamp;
mod validity;

#[cfg(test)]
mod tests;

pub use timestamp::{Timestamp, TimestampParseError};
pub use validity::Validity;
