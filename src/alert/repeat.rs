//! How often what lasts is said again.

use crate::policy::Band;

/// How often a matter is told again while it stays in its band: by default warnings daily,
/// critical and worse hourly, and what is merely due not at all.
///
/// # How do I get a message 14 days before the end, and every 60 minutes from then on?
/// ```
/// use notafter::{Band, ThresholdPolicy};
/// use notafter::policy::PolicyError;
/// use notafter::alert::RepeatPolicy;
/// # fn main() -> Result<(), PolicyError> {
/// let (from, again) = (ThresholdPolicy::fixed_days(14, 14, 14)?, RepeatPolicy::every_minutes(60));
/// # assert_eq!(again.seconds(Band::Critical), Some(3600));
/// # let _ = from;
/// # Ok(())
/// # }
/// ```
/// Both go into [`MonitorBuilder`](crate::monitor::MonitorBuilder) and into the builder of a verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatPolicy {
    due: Option<i64>,
    warning: Option<i64>,
    critical: Option<i64>,
    not_yet_valid: Option<i64>,
    expired: Option<i64>,
    broken: Option<i64>,
}

const HOUR: Option<i64> = Some(3_600);
const DAY: Option<i64> = Some(86_400);

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
        Self::all(Some(if minutes == 0 {
            60
        } else {
            minutes as i64 * 60
        }))
    }

    /// Each band once, nothing again.
    pub const fn never() -> Self {
        Self::all(None)
    }

    const fn all(seconds: Option<i64>) -> Self {
        Self {
            due: seconds,
            warning: seconds,
            critical: seconds,
            not_yet_valid: seconds,
            expired: seconds,
            broken: seconds,
        }
    }

    /// This band after so many seconds (less than 1 counts as 1), or never. [`Band::Ok`] is never
    /// repeated.
    #[must_use]
    pub const fn with_band(mut self, band: Band, seconds: Option<i64>) -> Self {
        let seconds = match seconds {
            Some(seconds) if seconds < 1 => Some(1),
            seconds => seconds,
        };
        match band {
            Band::Ok => {}
            Band::Due => self.due = seconds,
            Band::Warning => self.warning = seconds,
            Band::Critical => self.critical = seconds,
            Band::NotYetValid => self.not_yet_valid = seconds,
            Band::Expired => self.expired = seconds,
            Band::Broken => self.broken = seconds,
        }
        self
    }

    /// After how many seconds this band is told again; `None` where it is not.
    pub const fn seconds(&self, band: Band) -> Option<i64> {
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
}
