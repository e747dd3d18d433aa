//! How often what lasts is said again.

use std::time::Duration;

use crate::policy::Band;
use crate::time::span::whole_seconds;

/// How often a matter is told again while it stays in its band: by default warnings daily,
/// critical and worse hourly, and what is merely due not at all.
///
/// # How do I get a message 14 days before the end, and every 60 minutes from then on?
/// ```
/// use std::time::Duration;
/// use notafter::{Band, ThresholdPolicy};
/// use notafter::policy::PolicyError;
/// use notafter::alert::RepeatPolicy;
/// # fn main() -> Result<(), PolicyError> {
/// let (from, again) = (ThresholdPolicy::fixed_days(14, 14, 14)?, RepeatPolicy::every_minutes(60));
/// # assert_eq!(again.interval(Band::Critical), Some(Duration::from_secs(3600)));
/// # let _ = from;
/// # Ok(())
/// # }
/// ```
/// Both go into [`MonitorBuilder`](crate::monitor::MonitorBuilder) and into the builder of a verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatPolicy {
    due: Option<Duration>,
    warning: Option<Duration>,
    critical: Option<Duration>,
    not_yet_valid: Option<Duration>,
    expired: Option<Duration>,
    broken: Option<Duration>,
}

const HOUR: Option<Duration> = Some(Duration::from_secs(3_600));
const DAY: Option<Duration> = Some(Duration::from_secs(86_400));

impl Default for RepeatPolicy {
    fn default() -> Self {
        Self {
            due: None,
            warning: DAY,
            ..Self::all(HOUR)
        }
    }
}

impl RepeatPolicy {
    /// Everything that is not ok again after so many minutes (0 counts as 1), whatever its band.
    pub const fn every_minutes(minutes: u32) -> Self {
        let minutes = if minutes == 0 { 1 } else { minutes };
        Self::all(Some(Duration::from_secs(minutes as u64 * 60)))
    }

    /// Each band once, nothing again.
    pub const fn never() -> Self {
        Self::all(None)
    }

    const fn all(interval: Option<Duration>) -> Self {
        Self {
            due: interval,
            warning: interval,
            critical: interval,
            not_yet_valid: interval,
            expired: interval,
            broken: interval,
        }
    }

    /// Repeats this band at this interval (less than a second counts as one), or never. [`Band::Ok`] is
    /// never repeated.
    #[must_use]
    pub const fn with_band(mut self, band: Band, interval: Option<Duration>) -> Self {
        let interval = match interval {
            Some(interval) if interval.as_secs() == 0 => Some(Duration::from_secs(1)),
            interval => interval,
        };
        match band {
            Band::Ok => {}
            Band::Due => self.due = interval,
            Band::Warning => self.warning = interval,
            Band::Critical => self.critical = interval,
            Band::NotYetValid => self.not_yet_valid = interval,
            Band::Expired => self.expired = interval,
            Band::Broken => self.broken = interval,
        }
        self
    }

    /// The interval at which this band is told again; `None` where it is not.
    pub const fn interval(&self, band: Band) -> Option<Duration> {
        match band {
            Band::Ok => None,
            Band::Due => self.due,
            Band::Warning => self.warning,
            Band::Critical => self.critical,
            Band::NotYetValid => self.not_yet_valid,
            Band::Expired => self.expired,
            Band::Broken => self.broken,
        }
    }

    /// The interval as differences of instants are counted.
    pub(super) fn interval_seconds(&self, band: Band) -> Option<i64> {
        let interval = self.interval(band)?;
        Some(whole_seconds(interval))
    }
}
