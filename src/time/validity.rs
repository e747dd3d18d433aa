//! From when until when one certificate is valid.

use std::time::Duration;

use super::Timestamp;

/// The validity of one certificate: both ends are good seconds (RFC 5280, 4.1.2.5).
///
/// # Does the last second count, and how long does it last?
/// ```
/// use std::time::Duration;
/// use notafter::Timestamp;
/// use notafter::time::Validity;
/// let validity = Validity {
///     not_before: Timestamp::from_unix_seconds(100),
///     not_after: Timestamp::from_unix_seconds(200),
/// };
/// assert!(validity.contains(validity.not_after));
/// assert!(!validity.contains(validity.not_after.saturating_add(1)));
/// assert_eq!(validity.lifetime(), Duration::from_secs(100));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_structs)] // The field set is RFC 5280's.
pub struct Validity {
    /// The first second at which the certificate is valid.
    pub not_before: Timestamp,
    /// The last second at which it is valid.
    pub not_after: Timestamp,
}

impl Validity {
    /// Whether `now` lies in it, both ends included (as webpki judges).
    pub fn contains(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// `not_after - not_before`; zero where a certificate states its end before its start.
    pub fn lifetime(&self) -> Duration {
        let seconds = self.not_after.seconds_since(self.not_before);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    }

    /// The seconds that lie in both; its end is before its start where there are none.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        Self {
            not_before: self.not_before.max(other.not_before),
            not_after: self.not_after.min(other.not_after),
        }
    }
}
