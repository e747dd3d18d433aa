//! The thresholds of everything, and the bands that they make.

use std::time::Duration;

use super::{Band, DAY, PolicyError, Thresholds};
use crate::outlook::Position;
use crate::time::span::whole_seconds;
use crate::time::{Timestamp, Validity};

/// When a certificate becomes due, a warning, critical: by its position and its lifetime.
///
/// Left is `not_after - now`; a band begins at the second when left is at or below its number.
/// The defaults: a leaf is due at a third of its lifetime, at most 30 days (half of it where it
/// lives less than 10 days), a warning at two thirds of that, critical at one third. CA
/// certificates and anchors: a third, at most 180 days; a warning at half of that, critical at a
/// sixth. A [list of trust anchors](Self::anchor_list_band) has no end: it is due for an update once it is
/// 180 days old, and a warning from 365 days on.
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
    anchor_list: AnchorListAges,
}

/// How old a list of trust anchors is, in seconds, where a band begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AnchorListAges {
    due: i64,
    warning: i64,
}

impl AnchorListAges {
    const DEFAULT: Self = Self {
        due: 180 * DAY,
        warning: 365 * DAY,
    };
}

impl Default for ThresholdPolicy {
    fn default() -> Self {
        Self {
            leaf: Thresholds::LEAF,
            short_lived_leaf: Thresholds::SHORT_LIVED_LEAF,
            short_lived_below: 10 * DAY,
            ca: Thresholds::CA,
            anchor_list: AnchorListAges::DEFAULT,
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
            anchor_list: AnchorListAges::DEFAULT,
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

    /// The band of a list of trust anchors of this date at `now`: ok, due or a warning by its age, never worse,
    /// for what is trusted goes on to be. A date in the future is ok.
    ///
    /// # From when on are roots that I compiled in too old?
    /// ```
    /// use notafter::{Band, ThresholdPolicy, Timestamp};
    /// let (date, day) = (Timestamp::from_unix_seconds(1_700_000_000), 86_400);
    /// let policy = ThresholdPolicy::default();
    /// let band = |days: i64| policy.anchor_list_band(date, date.saturating_add(days * day));
    /// assert_eq!([band(179), band(180), band(365)], [Band::Ok, Band::Due, Band::Warning]);
    /// ```
    pub const fn anchor_list_band(&self, date: Timestamp, now: Timestamp) -> Band {
        let age = now.seconds_since(date);
        if age >= self.anchor_list.warning {
            Band::Warning
        } else if age >= self.anchor_list.due {
            Band::Due
        } else {
            Band::Ok
        }
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

    /// For lists of trust anchors whose date [is known](crate::TrustAnchors::with_list_date): how old they are due
    /// for an update, and how old they are a warning. Parts of a second are dropped.
    pub fn with_anchor_list(mut self, due: Duration, warning: Duration) -> Self {
        self.policy.anchor_list = AnchorListAges {
            due: whole_seconds(due),
            warning: whole_seconds(warning),
        };
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
