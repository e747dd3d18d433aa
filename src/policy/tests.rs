use std::time::Duration;

use super::*;
use crate::outlook::Position;
use crate::time::{Timestamp, Validity};

const HOUR: i64 = 3_600;

fn validity(lifetime: i64) -> Validity {
    Validity {
        not_before: Timestamp::from_unix_seconds(0),
        not_after: Timestamp::from_unix_seconds(lifetime),
    }
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let policy = ThresholdPolicy::default();
    // Lifetime, position, and the seconds left at which due, warning and critical begin.
    let leaf = Position::Leaf;
    let ca = Position::Intermediate(0);
    let cases = [
        (90 * DAY, leaf, [30 * DAY, 20 * DAY, 10 * DAY]),
        (398 * DAY, leaf, [30 * DAY, 20 * DAY, 10 * DAY]),
        (47 * DAY, leaf, [1_353_600, 902_400, 451_200]),
        (160 * HOUR, leaf, [80 * HOUR, 192_000, 96_000]),
        (10 * DAY, leaf, [288_000, 192_000, 96_000]),
        (10 * DAY - 1, leaf, [431_999, 287_999, 143_999]),
        (0, leaf, [0, 0, 0]),
        (3650 * DAY, ca, [180 * DAY, 90 * DAY, 30 * DAY]),
        (360 * DAY, ca, [120 * DAY, 60 * DAY, 20 * DAY]),
        (
            3650 * DAY,
            Position::Anchor,
            [180 * DAY, 90 * DAY, 30 * DAY],
        ),
    ];
    for (lifetime, position, expected) in cases {
        let seconds = [Band::Due, Band::Warning, Band::Critical].map(|band| {
            policy
                .threshold_seconds(band, validity(lifetime), position)
                .unwrap()
        });
        assert_eq!(seconds, expected, "{lifetime} s at {position}");
    }
}

#[test]
fn bands_begin_at_their_second() {
    let policy = ThresholdPolicy::default();
    let validity = validity(90 * DAY);
    let cases = [
        (-1, Band::NotYetValid),
        (0, Band::Ok),
        (60 * DAY - 1, Band::Ok),
        (60 * DAY, Band::Due),
        (70 * DAY - 1, Band::Due),
        (70 * DAY, Band::Warning),
        (80 * DAY - 1, Band::Warning),
        (80 * DAY, Band::Critical),
        (90 * DAY, Band::Critical),
        (90 * DAY + 1, Band::Expired),
    ];
    for (now, expected) in cases {
        let now = Timestamp::from_unix_seconds(now);
        assert_eq!(
            policy.band(validity, Position::Leaf, now),
            expected,
            "{now}"
        );
    }
}

#[test]
fn the_next_change_is_where_the_band_changes() {
    let policy = ThresholdPolicy::default();
    let validity = validity(90 * DAY);
    let mut now = Timestamp::from_unix_seconds(-5);
    let mut seen = vec![policy.band(validity, Position::Leaf, now)];
    while let Some(change) = policy.next_change(validity, Position::Leaf, now) {
        let before = policy.band(validity, Position::Leaf, change.saturating_add(-1));
        assert_eq!(
            Some(&before),
            seen.last(),
            "nothing changes before {change}"
        );
        now = change;
        seen.push(policy.band(validity, Position::Leaf, now));
    }
    let expected = [
        Band::NotYetValid,
        Band::Ok,
        Band::Due,
        Band::Warning,
        Band::Critical,
        Band::Expired,
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_certificate_that_ends_before_it_begins_is_expired_or_not_yet_valid() {
    let policy = ThresholdPolicy::default();
    let validity = Validity {
        not_before: Timestamp::from_unix_seconds(100),
        not_after: Timestamp::from_unix_seconds(50),
    };
    let band = |now| policy.band(validity, Position::Leaf, Timestamp::from_unix_seconds(now));
    assert_eq!(
        (band(50), band(51), band(100)),
        (Band::NotYetValid, Band::Expired, Band::Expired)
    );
}

#[test]
fn thresholds_out_of_order_are_refused() {
    assert!(ThresholdPolicy::fixed_days(30, 20, 10).is_ok());
    assert!(ThresholdPolicy::fixed_days(30, 30, 30).is_ok());
    let error = ThresholdPolicy::fixed_days(10, 20, 30).unwrap_err();
    assert_eq!(error.kind, "leaf");
    // In order for long lives, out of order for short ones.
    let mixed = Thresholds::new(
        Threshold::fraction(1, 3),
        Threshold::days(20),
        Threshold::days(1),
    );
    let error = ThresholdPolicy::builder()
        .with_ca(mixed)
        .build()
        .unwrap_err();
    assert_eq!(error.kind, "CA");
    assert!(error.lifetime < Duration::from_secs(60 * 86_400));
}

#[test]
fn the_order_of_bands_is_that_of_the_report() {
    let bands = [
        "ok",
        "due",
        "warning",
        "critical",
        "not_yet_valid",
        "expired",
        "broken",
    ];
    let order = [
        Band::Ok,
        Band::Due,
        Band::Warning,
        Band::Critical,
        Band::NotYetValid,
        Band::Expired,
        Band::Broken,
    ];
    assert!(order.is_sorted());
    assert_eq!(order.map(Band::as_str), bands);
}
