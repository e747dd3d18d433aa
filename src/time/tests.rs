use std::time::{Duration, SystemTime};

use ::time::{Date, Month, OffsetDateTime, UtcDateTime, UtcOffset};

use super::*;

#[test]
fn timestamps_convert_from_and_to_the_calendar_and_the_system() {
    let cases = [
        ("0000-01-01T00:00:00Z", (0, 1, 1)),
        ("0001-02-28T23:59:59Z", (1, 2, 28)),
        ("1600-02-29T00:00:00Z", (1600, 2, 29)),
        ("1969-12-31T23:59:59Z", (1969, 12, 31)),
        ("1970-01-01T00:00:00Z", (1970, 1, 1)),
        ("2024-02-29T12:00:00Z", (2024, 2, 29)),
        ("9999-12-31T23:59:59Z", (9999, 12, 31)),
    ];
    for (text, (year, month, day)) in cases {
        let ours: Timestamp = text.parse().unwrap();
        let month = Month::try_from(month).unwrap();
        let utc = UtcDateTime::from(ours);
        assert_eq!(utc.to_calendar_date(), (year, month, day), "{text}");
        let offset = OffsetDateTime::from(ours);
        assert_eq!(
            (offset.offset(), offset.date()),
            (UtcOffset::UTC, utc.date())
        );
        assert_eq!(Timestamp::from(utc), ours);
        assert_eq!(Timestamp::from(offset), ours);
        let system = ours.to_system_time();
        assert_eq!(system.map(Timestamp::from), Some(ours), "{text}");
    }
}

#[test]
fn what_is_finer_or_wider_than_a_timestamp_is_cut_and_held_within_its_bounds() {
    let half = Duration::from_millis(500);
    let epoch = SystemTime::UNIX_EPOCH;
    let cases = [
        (epoch + half, 0),
        (epoch - half, -1),
        (epoch - Duration::from_secs(1), -1),
        (epoch - Duration::from_secs(1) - half, -2),
    ];
    for (system, expected) in cases {
        assert_eq!(Timestamp::from(system).as_unix_seconds(), expected);
        let offset = OffsetDateTime::from_unix_timestamp(0).unwrap() + (system_distance(system));
        assert_eq!(Timestamp::from(offset).as_unix_seconds(), expected);
    }
    let far = epoch + Duration::from_secs(300_000_000_000);
    assert_eq!(Timestamp::from(far), Timestamp::MAX);
    assert_eq!(Timestamp::from(UtcDateTime::MIN), Timestamp::MIN);
    let west = UtcOffset::from_hms(-23, 0, 0).unwrap();
    let after = Date::MAX.midnight().assume_offset(west) + Duration::from_secs(86_399);
    assert_eq!(Timestamp::from(after), Timestamp::MAX);
}

/// How far the crate `time` finds it from 1970.
fn system_distance(system: SystemTime) -> ::time::Duration {
    OffsetDateTime::from(system) - OffsetDateTime::UNIX_EPOCH
}

/// The `time` crate is the judge of which texts are RFC 3339, and of what they say.
#[test]
fn timestamps_agree_with_the_time_crate_on_texts() {
    use ::time::format_description::well_known::Rfc3339;
    let parts: [&[&str]; 8] = [
        &[
            "0000", "1969", "1999", "2000", "2024", "2100", "9999", "99999", "+999",
        ],
        &["00", "01", "02", "06", "12", "13"],
        &["00", "01", "28", "29", "30", "31", "32"],
        &["T", "t", " "],
        &["00", "15", "23", "24"],
        &["00", "59", "60", "5"],
        &["00", "59", "60", "61"],
        &[
            "Z",
            "z",
            "",
            ".5Z",
            ".Z",
            ".123456789012Z",
            "+00:00",
            "-23:59",
            "+24:00",
            "+01:60",
            "+0100",
            "Z ",
        ],
    ];
    // A full product would take minutes: every pair of values occurs many times in this walk.
    let mut state = 1_u32;
    let (mut read, mut refused) = (0, 0);
    for _ in 0..200_000 {
        let mut pick = |choices: &[&'static str]| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            choices[state as usize / 65_536 % choices.len()]
        };
        let [year, month, day, separator, hour, minute, second, end] = parts.map(&mut pick);
        let text = format!("{year}-{month}-{day}{separator}{hour}:{minute}:{second}{end}");
        let theirs = ::time::OffsetDateTime::parse(&text, &Rfc3339).ok();
        let theirs = theirs.map(::time::OffsetDateTime::unix_timestamp);
        let bounds = Timestamp::MIN.as_unix_seconds()..=Timestamp::MAX.as_unix_seconds();
        let theirs = theirs.filter(|seconds| bounds.contains(seconds));
        let ours = text
            .parse::<Timestamp>()
            .ok()
            .map(Timestamp::as_unix_seconds);
        assert_eq!(ours, theirs, "{text}");
        *(if ours.is_some() {
            &mut read
        } else {
            &mut refused
        }) += 1;
    }
    assert!(read > 5_000 && refused > 5_000, "{read} {refused}");
}

#[test]
fn timestamps_are_printed_as_the_time_crate_prints_them() {
    let (first, last) = (
        Timestamp::MIN.as_unix_seconds(),
        Timestamp::MAX.as_unix_seconds(),
    );
    // A prime step: all days of the week and hours of the day come by.
    for seconds in (first..=last)
        .step_by(1_234_577)
        .chain([first, last, -1, 0])
    {
        let t = ::time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        let theirs = t
            .format(&::time::format_description::well_known::Rfc3339)
            .unwrap();
        assert_eq!(Timestamp::from_unix_seconds(seconds).to_string(), theirs);
    }
}

#[test]
fn timestamps_are_read_and_held_within_their_bounds() {
    let cases = [
        ("0", Some("1970-01-01T00:00:00Z")),
        ("-1", Some("1969-12-31T23:59:59Z")),
        ("2026-11-21T12:00:00+02:00", Some("2026-11-21T10:00:00Z")),
        ("2026-11-21T12:00:00.999Z", Some("2026-11-21T12:00:00Z")),
        ("2026-11-21", None),
        ("", None),
        ("253402300800", None),
        ("-62167219201", None),
    ];
    for (text, expected) in cases {
        let parsed = text.parse::<Timestamp>().ok().map(|t| t.to_string());
        assert_eq!(parsed.as_deref(), expected, "{text}");
    }
    assert_eq!(Timestamp::MAX.saturating_add(1), Timestamp::MAX);
    assert_eq!(Timestamp::MIN.saturating_add(i64::MIN), Timestamp::MIN);
    assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00Z");
    assert_eq!(Timestamp::from_unix_seconds(-1).to_unix_time(), None);
}
