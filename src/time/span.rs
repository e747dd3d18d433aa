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
}
