//! Spans of time: as numbers to reckon with, and for people.

use std::time::Duration;

/// The whole seconds of a span, as instants reckon with them.
pub(crate) fn whole_seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

/// `20 d 3 h`, `5 h 12 min`, `3 min 4 s`: the two largest units; the sign is the caller's to say.
pub(crate) fn readable(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let (days, hours) = (seconds / 86_400, seconds % 86_400 / 3_600);
    let (minutes, rest) = (seconds % 3_600 / 60, seconds % 60);
    let two = |large, large_unit, small, small_unit| match small {
        0 => format!("{large} {large_unit}"),
        small => format!("{large} {large_unit} {small} {small_unit}"),
    };
    if days > 0 {
        two(days, "d", hours, "h")
    } else if hours > 0 {
        two(hours, "h", minutes, "min")
    } else if minutes > 0 {
        two(minutes, "min", rest, "s")
    } else {
        format!("{rest} s")
    }
}

/// The same where there is little room: `20 d`, but `9 d 3 h`; the smaller unit only where there are
/// fewer than ten of the larger.
#[cfg(feature = "monitor")]
pub(crate) fn brief(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let mut units = [86_400, 3_600, 60].into_iter();
    let unit = units.find(|unit| seconds >= *unit).unwrap_or(1);
    let kept = match seconds / unit {
        0..10 => seconds,
        many => many * unit,
    };
    readable(i64::try_from(kept).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    #[test]
    fn shows_the_two_largest_units() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (184, "3 min 4 s"),
            (18_720, "5 h 12 min"),
            (86_400, "1 d"),
            (-1_739_000, "20 d 3 h"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(super::readable(seconds), expected);
        }
    }

    #[test]
    fn shows_one_unit_where_ten_are_enough() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (184, "3 min 4 s"),
            (659, "10 min"),
            (18_720, "5 h 12 min"),
            (40_000, "11 h"),
            (9 * 86_400 + 23 * 3_600, "9 d 23 h"),
            (-1_739_000, "20 d"),
            (i64::MIN, "106751991167300 d"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(super::brief(seconds), expected);
        }
    }
}
