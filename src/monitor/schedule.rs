//! How often everything is looked at and judged.

use super::target::{Target, TargetKind};
use crate::time::Timestamp;

/// The intervals, in seconds, and the randomness that spreads them.
#[derive(Debug, Clone)]
pub(super) struct Intervals {
    /// Between evaluations of what does not change.
    pub(super) evaluation_seconds: i64,
    /// Between looks at files.
    pub(super) file_seconds: i64,
    /// Between connections to endpoints.
    pub(super) endpoint_seconds: i64,
    pub(super) jitter_seed: u64,
}

impl Intervals {
    /// When a target is looked at again.
    pub(super) fn next_poll(&self, target: &Target, id: u64, now: Timestamp) -> Option<Timestamp> {
        let seconds = match target.kind {
            TargetKind::Path(_) => self.file_seconds,
            TargetKind::Endpoint(_) => self.endpoint_seconds,
            _ => return None,
        };
        Some(now.saturating_add(self.jittered(seconds, id, now)))
    }

    /// The latest instant at which it is evaluated again.
    pub(super) fn next_evaluation(&self, id: u64, now: Timestamp) -> Timestamp {
        now.saturating_add(self.jittered(self.evaluation_seconds, id, now))
    }

    /// At most the interval, at least nine tenths of it, so that a thousand processes started
    /// together do not do everything at the same second.
    fn jittered(&self, interval_seconds: i64, id: u64, now: Timestamp) -> i64 {
        let tenth = u64::try_from(interval_seconds / 10).unwrap_or(0);
        let now = now.as_unix_seconds().unsigned_abs();
        let random = mix(self.jitter_seed ^ mix(id ^ mix(now)));
        let less = random % tenth.saturating_add(1);
        (interval_seconds - i64::try_from(less).unwrap_or(0)).max(1)
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): spreads neighbouring numbers.
const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}
