//! How long before an end a band begins.

use std::time::Duration;

use super::{Band, DAY};
use crate::time::span::whole_seconds;

/// How long before the end a band begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    numerator: i64,
    denominator: i64,
    at_most: i64,
}

impl Threshold {
    /// `numerator / denominator` of the certificate's lifetime.
    pub const fn fraction(numerator: u32, denominator: u32) -> Self {
        Self {
            numerator: numerator as i64,
            denominator: if denominator == 0 {
                1
            } else {
                denominator as i64
            },
            at_most: i64::MAX,
        }
    }

    /// The same number of days whatever the lifetime.
    pub const fn days(days: u32) -> Self {
        Self::of_seconds(days as i64 * DAY)
    }

    /// The same span whatever the lifetime. Parts of a second are dropped.
    pub fn from_duration(span: Duration) -> Self {
        Self::of_seconds(whole_seconds(span))
    }

    const fn of_seconds(seconds: i64) -> Self {
        Self {
            numerator: 0,
            denominator: 0,
            at_most: seconds,
        }
    }

    /// But never more than so many days.
    pub const fn at_most_days(mut self, days: u32) -> Self {
        self.at_most = days as i64 * DAY;
        self
    }

    /// How long before `not_after` for a certificate of this lifetime, in whole seconds, rounded
    /// down.
    pub fn for_lifetime(&self, lifetime: Duration) -> Duration {
        let seconds = self.seconds_for(whole_seconds(lifetime));
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    }

    fn seconds_for(&self, lifetime: i64) -> i64 {
        // A lifetime is below 2^39, a numerator below 2^32: 128 bits hold the product.
        let part = i128::from(lifetime) * i128::from(self.numerator);
        let part = match i128::from(self.denominator) {
            0 => i128::from(self.at_most),
            denominator => part / denominator,
        };
        i64::try_from(part).unwrap_or(i64::MAX).min(self.at_most)
    }
}

/// The three thresholds of one kind of certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thresholds {
    /// Where [`Band::Due`] begins.
    pub due: Threshold,
    /// Where [`Band::Warning`] begins.
    pub warning: Threshold,
    /// Where [`Band::Critical`] begins.
    pub critical: Threshold,
}

impl Thresholds {
    /// The three of them, the earliest first.
    pub const fn new(due: Threshold, warning: Threshold, critical: Threshold) -> Self {
        Self {
            due,
            warning,
            critical,
        }
    }

    /// Fixed day counts, for those who must have them.
    pub const fn days(due: u32, warning: u32, critical: u32) -> Self {
        Self::new(
            Threshold::days(due),
            Threshold::days(warning),
            Threshold::days(critical),
        )
    }

    /// 1/3, 2/9 and 1/9 of the lifetime, at most 30, 20 and 10 days.
    pub(super) const LEAF: Self = Self::new(
        Threshold::fraction(1, 3).at_most_days(30),
        Threshold::fraction(2, 9).at_most_days(20),
        Threshold::fraction(1, 9).at_most_days(10),
    );
    /// 1/2, 1/3 and 1/6 of the lifetime.
    pub(super) const SHORT_LIVED_LEAF: Self = Self::new(
        Threshold::fraction(1, 2),
        Threshold::fraction(1, 3),
        Threshold::fraction(1, 6),
    );
    /// 1/3, 1/6 and 1/18 of the lifetime, at most 180, 90 and 30 days.
    pub(super) const CA: Self = Self::new(
        Threshold::fraction(1, 3).at_most_days(180),
        Threshold::fraction(1, 6).at_most_days(90),
        Threshold::fraction(1, 18).at_most_days(30),
    );

    /// The seconds before the end at which this band begins; `None` for bands without a threshold.
    pub(super) fn seconds(&self, band: Band, lifetime: i64) -> Option<i64> {
        let threshold = match band {
            Band::Due => &self.due,
            Band::Warning => &self.warning,
            Band::Critical => &self.critical,
            _ => return None,
        };
        Some(threshold.seconds_for(lifetime))
    }

    pub(super) fn is_ordered(&self, lifetime: i64) -> bool {
        let [due, warning, critical] =
            [self.due, self.warning, self.critical].map(|t| t.seconds_for(lifetime));
        due >= warning && warning >= critical
    }
}
