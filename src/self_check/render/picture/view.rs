//! The stretch of time that a picture shows.

use crate::time::Timestamp;

/// So many times as far as the nearest change reaches the view: what comes first must be told from
/// now, however long the others last.
const REACH: i64 = 20;

/// The shortest stretch ahead.
const HOUR: i64 = 3_600;

/// The stretch ahead where nothing changes any more.
const MONTH: i64 = 30 * 86_400;

/// The stretch of time that a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct View {
    pub(in super::super) first: Timestamp,
    /// An hour at least after the first.
    pub(in super::super) last: Timestamp,
}

impl View {
    /// The view around `at` in which all changes ahead can be seen, or those up to twenty times as far
    /// as the nearest. A quarter of it is past; more, up to a half, where that shows when the latest of
    /// what is `dark` went so.
    pub(super) fn around(at: Timestamp, changes: &[Timestamp], dark: &[Timestamp]) -> Self {
        // The last instant that can be stated means that there is no end.
        let ahead = changes.iter().filter(|t| **t > at && **t < Timestamp::MAX);
        let ahead: Vec<_> = ahead.map(|t| t.seconds_since(at)).collect();
        let past = dark.iter().map(|t| at.seconds_since(*t));
        let past = past.filter(|seconds| *seconds >= 0).min();
        let past = past.map_or(0, |seconds| seconds + seconds / 4);
        let (ahead, past) = match (ahead.iter().min(), ahead.iter().max()) {
            (Some(nearest), Some(farthest)) => {
                let ahead = (*farthest).min(nearest.saturating_mul(REACH));
                let ahead = (ahead + ahead / 16).max(HOUR);
                // What is out of reach is not reached for.
                let past = if past > ahead { 0 } else { past };
                (ahead, past.max(ahead / 3))
            }
            _ => {
                let ahead = if past == 0 { MONTH } else { past / 3 };
                (ahead.max(HOUR), past.max(ahead / 3))
            }
        };
        Self {
            first: at.saturating_add(-past),
            last: at.saturating_add(ahead),
        }
        .at_least_an_hour()
    }

    fn at_least_an_hour(self) -> Self {
        let last = self.last.max(self.first.saturating_add(HOUR));
        Self {
            first: self.first.min(last.saturating_add(-HOUR)),
            last,
        }
    }

    pub(super) fn seconds(&self) -> i64 {
        self.last.seconds_since(self.first)
    }

    /// In which of so many equal parts of the view this instant lies: 0 is the first; a smaller or
    /// larger number lies outside.
    pub(in super::super) fn part(&self, t: Timestamp, parts: i64) -> i64 {
        let since = i128::from(t.seconds_since(self.first)) * i128::from(parts);
        let part = since.div_euclid(i128::from(self.seconds().max(1)));
        i64::try_from(part).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn the_view_holds_what_comes_first_and_as_much_of_the_rest_as_lets_it_be_seen() {
        let at = Timestamp::from_unix_seconds(1_767_225_600);
        let day = |n: i64| at.saturating_add(n * DAY);
        // Changes ahead and darkness past, in days; the view in hours before and after.
        let cases: [(&[i64], &[i64], i64, i64); 10] = [
            (&[48], &[], 17 * 24, 51 * 24),
            (&[48, 16], &[], 17 * 24, 51 * 24),
            (&[16, 3_650], &[], 340 * 8, 340 * 24),
            (&[48], &[-1], 17 * 24, 51 * 24),
            (&[48], &[-24], 30 * 24, 51 * 24),
            (&[48], &[-240, -24], 30 * 24, 51 * 24),
            (&[48], &[-40], 50 * 24, 51 * 24),
            (&[48], &[-240], 17 * 24, 51 * 24),
            (&[], &[-12], 15 * 24, 5 * 24),
            (&[], &[], 10 * 24, 30 * 24),
        ];
        for (ahead, dark, before, after) in cases {
            let changes: Vec<_> = ahead.iter().map(|n| day(*n)).collect();
            let dark: Vec<_> = dark.iter().map(|n| day(*n)).collect();
            let view = View::around(at, &changes, &dark);
            let hours = |seconds: i64| seconds / HOUR;
            let (first, last) = (at.seconds_since(view.first), view.last.seconds_since(at));
            assert_eq!((hours(first), hours(last)), (before, after), "{ahead:?}");
        }
    }

    #[test]
    fn it_is_an_hour_long_at_least_wherever_it_lies() {
        let instants = [Timestamp::MIN, Timestamp::MAX];
        for at in instants {
            for changes in [&[][..], &instants, &[at.saturating_add(1)]] {
                let view = View::around(at, changes, &[at]);
                assert!(view.seconds() >= HOUR, "{at} {changes:?}");
                assert!(view.first <= at && at <= view.last);
            }
        }
    }

    #[test]
    fn parts_are_counted_from_its_first_second() {
        let view = View {
            first: Timestamp::from_unix_seconds(0),
            last: Timestamp::from_unix_seconds(7_200),
        };
        let cases = [
            (-1, -1),
            (0, 0),
            (719, 0),
            (720, 1),
            (7_199, 9),
            (7_200, 10),
        ];
        for (t, part) in cases {
            assert_eq!(view.part(Timestamp::from_unix_seconds(t), 10), part, "{t}");
        }
    }
}
