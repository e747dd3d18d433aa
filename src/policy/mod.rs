//! When to worry: bands of time left, by position and lifetime.
//!
//! [`ThresholdPolicy`] says in which [`Band`] a certificate is at an instant; it knows dates and
//! positions, and nothing of what is done about them.

mod band;
mod error;
mod threshold;
mod threshold_policy;

pub use band::Band;
pub use error::PolicyError;
pub use threshold::{Threshold, Thresholds};
pub use threshold_policy::{ThresholdPolicy, ThresholdPolicyBuilder};

/// In seconds.
const DAY: i64 = 86_400;

#[cfg(test)]
mod tests;
