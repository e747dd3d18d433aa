//! How fast connections may end, and how long before they must.

use std::num::NonZeroU32;

/// The pace at which open connections are told to end: how many a second, spread over which time
/// before their deadline, and with how much time left for their last requests.
///
/// Where both cannot be kept, the deadline wins over the bound, and
/// [`ClosingTick::over_bound`](super::ClosingTick::over_bound) counts it.
///
/// # How do 10,000 clients not come back in the same second?
/// ```
/// use notafter::session::{ClosingPace, OpenConnections};
/// let pace = ClosingPace::default()
///     .with_max_per_second(200.try_into()?)
///     .with_removal_seconds(60);
/// let connections = OpenConnections::with_pace(pace);
/// # assert!(connections.is_empty());
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct ClosingPace {
    pub(super) max_per_second: u32,
    pub(super) spread_seconds: i64,
    pub(super) last_requests_seconds: i64,
    pub(super) removal_seconds: i64,
    pub(super) seed: u64,
}

impl Default for ClosingPace {
    /// 100 a second, spread over five minutes, ten seconds for last requests, a minute after a
    /// removal, and the seed 0.
    fn default() -> Self {
        Self {
            max_per_second: 100,
            spread_seconds: 300,
            last_requests_seconds: 10,
            removal_seconds: 60,
            seed: 0,
        }
    }
}

impl ClosingPace {
    /// Tells no more connections than this to end within one second.
    pub const fn with_max_per_second(mut self, connections: NonZeroU32) -> Self {
        self.max_per_second = connections.get();
        self
    }

    /// Spreads the ends of chains over this time before the deadline (jitter); none where negative.
    ///
    /// A connection that is opened within this time is told at its last moment instead: a peer that
    /// comes back with the same certificate is not sent away over and over.
    pub const fn with_spread_seconds(mut self, seconds: i64) -> Self {
        self.spread_seconds = at_least_0(seconds);
        self
    }

    /// Tells a connection at least this time before its deadline, so that requests in flight can
    /// finish; at the deadline where negative. One that is opened later is told half-way.
    pub const fn with_last_requests_seconds(mut self, seconds: i64) -> Self {
        self.last_requests_seconds = at_least_0(seconds);
        self
    }

    /// Sets the deadline of connections whose anchor, pin or identity was removed: this time after
    /// the removal; at once where negative. They are spread over all of it but the last requests.
    pub const fn with_removal_seconds(mut self, seconds: i64) -> Self {
        self.removal_seconds = at_least_0(seconds);
        self
    }

    /// Sets what the jitter is computed from, besides the number of the connection: give each
    /// process its own, so that a fleet does not move in step.
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// A number below `bound` for this connection, the same each time; 0 where there is no room.
    pub(super) fn jitter(&self, connection: u64, bound: i64) -> i64 {
        let bound = u64::try_from(bound).unwrap_or(0).max(1);
        let number = mixed(self.seed ^ mixed(connection)) % bound;
        i64::try_from(number).unwrap_or(0)
    }
}

const fn at_least_0(seconds: i64) -> i64 {
    if seconds < 0 { 0 } else { seconds }
}

/// The finalizer of SplitMix64: neighbours come out far apart.
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
