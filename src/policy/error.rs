//! What cannot be a policy.

use std::time::Duration;

use thiserror::Error;

/// Thresholds out of order.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the {kind} thresholds are out of order for a lifetime of {} s: \
     make due at least warning, and warning at least critical",
    .lifetime.as_secs()
)]
#[non_exhaustive]
pub struct PolicyError {
    /// Which thresholds.
    pub kind: &'static str,
    /// A lifetime for which they are out of order.
    pub lifetime: Duration,
}
