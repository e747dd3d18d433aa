//! How long a leaf may live that browsers are to accept.

use crate::time::Timestamp;

pub(super) const DAY_SECONDS: i64 = 86_400;

/// To which chains the CA/Browser Forum's limits on lifetimes apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LifetimeLimits {
    /// To chains that end at an anchor known to be public: one of Mozilla's, which the feature
    /// `mozilla-anchors` knows.
    #[default]
    ForPublicAnchors,
    /// To every chain.
    ForAll,
}

/// From when on a leaf may live how many days (CA/Browser Forum, Baseline Requirements, 6.3.2).
const LIFETIME_LIMITS: [(i64, i64); 5] = [
    (1_519_862_400, 825), // 2018-03-01
    (1_598_918_400, 398), // 2020-09-01
    (1_773_532_800, 200), // 2026-03-15
    (1_805_068_800, 100), // 2027-03-15
    (1_868_227_200, 47),  // 2029-03-15
];

/// The most days that a leaf issued at this instant may live, if there was a limit then.
pub(super) fn limit_in_days(issued: Timestamp) -> Option<i64> {
    let issued = issued.as_unix_seconds();
    let limits = LIFETIME_LIMITS.iter().rev();
    limits
        .into_iter()
        .find(|(from, _)| *from <= issued)
        .map(|(_, days)| *days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_begin_at_their_days() {
        let cases = [
            ("2018-02-28T23:59:59Z", None),
            ("2018-03-01T00:00:00Z", Some(825)),
            ("2020-08-31T23:59:59Z", Some(825)),
            ("2020-09-01T00:00:00Z", Some(398)),
            ("2026-03-14T23:59:59Z", Some(398)),
            ("2026-03-15T00:00:00Z", Some(200)),
            ("2027-03-15T00:00:00Z", Some(100)),
            ("2029-03-14T23:59:59Z", Some(100)),
            ("2029-03-15T00:00:00Z", Some(47)),
        ];
        for (issued, expected) in cases {
            assert_eq!(limit_in_days(issued.parse().unwrap()), expected, "{issued}");
        }
    }
}
