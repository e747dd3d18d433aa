//! When to worry: bands of time left, by position and lifetime.
//!
//! [`ThresholdPolicy`] says in which [`Band`] a certificate is at an instant; it knows dates and
//! positions, and nothing of what is done about them.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::outlook::Position;
use crate::time::span::whole_seconds;
use crate::time::{Timestamp, Validity};

const DAY: i64 = 86_400;

/// How a certificate or a chain stands at an instant, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Band {
    /// Nothing to do.
    Ok,
    /// Renewal should have happened by now; automation has time to try again.
    Due,
    /// A person should look.
    Warning,
    /// A person should look now.
    Critical,
    /// Its time has not come.
    NotYetValid,
    /// Its time is over: `now > not_after`.
    Expired,
    /// A chain that does not verify though its dates are fine; no single certificate is that.
    Broken,
}

impl Band {
    /// Every band, from best to worst.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Due,
        Self::Warning,
        Self::Critical,
        Self::NotYetValid,
        Self::Expired,
        Self::Broken,
    ];

    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Due => "due",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Broken => "broken",
        }
    }

    /// The stable number, for metrics: 0 for ok, 1 due, 2 warning, 3 critical, 4 not yet valid, 5 expired,
    /// 6 broken. A greater one is worse.
    pub const fn as_number(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Due => 1,
            Self::Warning => 2,
            Self::Critical => 3,
            Self::NotYetValid => 4,
            Self::Expired => 5,
            Self::Broken => 6,
        }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

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
    const LEAF: Self = Self::new(
        Threshold::fraction(1, 3).at_most_days(30),
        Threshold::fraction(2, 9).at_most_days(20),
        Threshold::fraction(1, 9).at_most_days(10),
    );
    /// 1/2, 1/3 and 1/6 of the lifetime.
    const SHORT_LIVED_LEAF: Self = Self::new(
        Threshold::fraction(1, 2),
        Threshold::fraction(1, 3),
        Threshold::fraction(1, 6),
    );
    /// 1/3, 1/6 and 1/18 of the lifetime, at most 180, 90 and 30 days.
    const CA: Self = Self::new(
        Threshold::fraction(1, 3).at_most_days(180),
        Threshold::fraction(1, 6).at_most_days(90),
        Threshold::fraction(1, 18).at_most_days(30),
    );

    /// The seconds before the end at which this band begins; `None` for bands without a threshold.
    fn seconds(&self, band: Band, lifetime: i64) -> Option<i64> {
        let threshold = match band {
            Band::Due => &self.due,
            Band::Warning => &self.warning,
            Band::Critical => &self.critical,
            _ => return None,
        };
        Some(threshold.seconds_for(lifetime))
    }

    fn is_ordered(&self, lifetime: i64) -> bool {
        let [due, warning, critical] =
            [self.due, self.warning, self.critical].map(|t| t.seconds_for(lifetime));
        due >= warning && warning >= critical
    }
}

/// When a certificate becomes due, a warning, critical: by its position and its lifetime.
///
/// Left is `not_after - now`; a band begins at the second when left is at or below its number.
/// The defaults: a leaf is due at a third of its lifetime, at most 30 days (half of it where it
/// lives less than 10 days), a warning at two thirds of that, critical at one third. CA
/// certificates and anchors: a third, at most 180 days; a warning at half of that, critical at a
/// sixth.
///
/// # In which band is a certificate of 90 days with 20 days left?
/// ```
/// use notafter::{Band, ThresholdPolicy, Timestamp};
/// use notafter::outlook::Position;
/// use notafter::time::Validity;
/// let day = 86_400;
/// let validity = Validity {
///     not_before: Timestamp::from_unix_seconds(0),
///     not_after: Timestamp::from_unix_seconds(90 * day),
/// };
/// let policy = ThresholdPolicy::default();
/// let at = |seconds| Timestamp::from_unix_seconds(seconds);
/// assert_eq!(policy.band(validity, Position::Leaf, at(70 * day)), Band::Warning);
/// assert_eq!(policy.band(validity, Position::Leaf, at(70 * day - 1)), Band::Due);
///
/// let fixed = ThresholdPolicy::fixed_days(45, 14, 3)?;
/// assert_eq!(fixed.band(validity, Position::Leaf, at(70 * day)), Band::Due);
/// # Ok::<(), notafter::policy::PolicyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThresholdPolicy {
    leaf: Thresholds,
    short_lived_leaf: Thresholds,
    short_lived_below: i64,
    ca: Thresholds,
}

impl Default for ThresholdPolicy {
    fn default() -> Self {
        Self {
            leaf: Thresholds::LEAF,
            short_lived_leaf: Thresholds::SHORT_LIVED_LEAF,
            short_lived_below: 10 * DAY,
            ca: Thresholds::CA,
        }
    }
}

impl ThresholdPolicy {
    /// Starts from the defaults.
    pub fn builder() -> ThresholdPolicyBuilder {
        ThresholdPolicyBuilder {
            policy: Self::default(),
        }
    }

    /// The same three day counts for every certificate, whatever its position and lifetime.
    ///
    /// # Errors
    /// [`PolicyError`] where `due >= warning >= critical` does not hold.
    pub fn fixed_days(due: u32, warning: u32, critical: u32) -> Result<Self, PolicyError> {
        let all = Thresholds::days(due, warning, critical);
        let builder = Self::builder().with_leaf(all).with_ca(all);
        builder.with_short_lived_leaf(Duration::ZERO, all).build()
    }

    /// A warning so many days before the end, whatever the position and the lifetime: due by then too, and
    /// critical at a third of that.
    ///
    /// # How am I warned 30 days ahead?
    /// ```
    /// use notafter::ThresholdPolicy;
    /// assert_eq!(ThresholdPolicy::warning_at_days(30), ThresholdPolicy::fixed_days(30, 30, 10)?);
    /// # Ok::<(), notafter::policy::PolicyError>(())
    /// ```
    pub const fn warning_at_days(days: u32) -> Self {
        let all = Thresholds::days(days, days, days / 3);
        Self {
            leaf: all,
            short_lived_leaf: all,
            short_lived_below: 0,
            ca: all,
        }
    }

    /// The band of a certificate with this validity, at this position, at `now`.
    pub fn band(&self, validity: Validity, position: Position, now: Timestamp) -> Band {
        if now > validity.not_after {
            return Band::Expired;
        }
        if now < validity.not_before {
            return Band::NotYetValid;
        }
        let left = validity.not_after.seconds_since(now);
        let reached = |band: &Band| {
            let threshold = self.threshold_seconds(*band, validity, position);
            threshold.is_some_and(|threshold| left <= threshold)
        };
        let bands = [Band::Critical, Band::Warning, Band::Due];
        bands.into_iter().find(reached).unwrap_or(Band::Ok)
    }

    /// The seconds before `not_after` at which `band` begins; `None` for the bands that no
    /// threshold makes.
    pub fn threshold_seconds(
        &self,
        band: Band,
        validity: Validity,
        position: Position,
    ) -> Option<i64> {
        let lifetime = whole_seconds(validity.lifetime());
        let thresholds = match position {
            Position::Leaf if lifetime < self.short_lived_below => &self.short_lived_leaf,
            Position::Leaf => &self.leaf,
            Position::Intermediate(_) | Position::Anchor => &self.ca,
        };
        thresholds.seconds(band, lifetime)
    }

    /// The first second after `now` at which the band is another; `None` once it has expired.
    pub fn next_change(
        &self,
        validity: Validity,
        position: Position,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let band_starts = [Band::Due, Band::Warning, Band::Critical].map(|band| {
            let seconds = self.threshold_seconds(band, validity, position);
            validity.not_after.saturating_add(-seconds.unwrap_or(0))
        });
        let [due, warning, critical] = band_starts;
        let end = validity.not_after.saturating_add(1);
        let current = self.band(validity, position, now);
        [validity.not_before, due, warning, critical, end]
            .into_iter()
            .filter(|t| *t > now && self.band(validity, position, *t) != current)
            .min()
    }
}

/// Sets the numbers of a [`ThresholdPolicy`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ThresholdPolicyBuilder {
    policy: ThresholdPolicy,
}

impl ThresholdPolicyBuilder {
    /// For leaves that are not short-lived.
    pub const fn with_leaf(mut self, thresholds: Thresholds) -> Self {
        self.policy.leaf = thresholds;
        self
    }

    /// For leaves that live less than `below`; zero turns the distinction off.
    pub fn with_short_lived_leaf(mut self, below: Duration, thresholds: Thresholds) -> Self {
        self.policy.short_lived_below = whole_seconds(below);
        self.policy.short_lived_leaf = thresholds;
        self
    }

    /// For intermediates and anchors.
    pub const fn with_ca(mut self, thresholds: Thresholds) -> Self {
        self.policy.ca = thresholds;
        self
    }

    /// The finished policy.
    ///
    /// # Errors
    /// [`PolicyError`] where a band would begin before a milder one.
    pub fn build(self) -> Result<ThresholdPolicy, PolicyError> {
        let policy = self.policy;
        let kinds = [
            ("leaf", policy.leaf),
            ("short-lived leaf", policy.short_lived_leaf),
            ("CA", policy.ca),
        ];
        // Thresholds are straight lines with a cap: what holds at these lifetimes holds between.
        let lifetimes = [
            1,
            DAY,
            10 * DAY,
            47 * DAY,
            90 * DAY,
            398 * DAY,
            3650 * DAY,
            36_500 * DAY,
        ];
        for (kind, thresholds) in kinds {
            let wrong = lifetimes.into_iter().find(|l| !thresholds.is_ordered(*l));
            if let Some(lifetime) = wrong {
                let lifetime = Duration::from_secs(lifetime.unsigned_abs());
                return Err(PolicyError { kind, lifetime });
            }
        }
        Ok(policy)
    }
}

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

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
