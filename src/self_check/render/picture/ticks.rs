//! The marks on the axis of time: at round instants of the calendar, minutes to millennia apart.

use time::UtcDateTime;

use super::view::View;
use crate::time::Timestamp;

const DAY: i64 = 86_400;

/// A labelled instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Tick {
    pub(in super::super) at: Timestamp,
    pub(in super::super) label: String,
}

/// How far apart ticks are.
#[derive(Debug, Clone, Copy)]
enum TickStep {
    Seconds(i64),
    Months(i32),
}

/// From the finest to the coarsest.
const STEPS: [TickStep; 25] = [
    TickStep::Seconds(60),
    TickStep::Seconds(300),
    TickStep::Seconds(900),
    TickStep::Seconds(1_800),
    TickStep::Seconds(3_600),
    TickStep::Seconds(3 * 3_600),
    TickStep::Seconds(6 * 3_600),
    TickStep::Seconds(12 * 3_600),
    TickStep::Seconds(DAY),
    TickStep::Seconds(2 * DAY),
    TickStep::Seconds(7 * DAY),
    TickStep::Seconds(14 * DAY),
    TickStep::Months(1),
    TickStep::Months(3),
    TickStep::Months(6),
    TickStep::Months(12),
    TickStep::Months(2 * 12),
    TickStep::Months(5 * 12),
    TickStep::Months(10 * 12),
    TickStep::Months(20 * 12),
    TickStep::Months(50 * 12),
    TickStep::Months(100 * 12),
    TickStep::Months(200 * 12),
    TickStep::Months(500 * 12),
    TickStep::Months(1_000 * 12),
];

/// As many ticks as have room for their labels in so many columns.
pub(in super::super) fn ticks(view: View, columns: usize) -> Vec<Tick> {
    let columns = i64::try_from(columns).unwrap_or(i64::MAX);
    let fits = |step: &TickStep| {
        let apart = columns.saturating_mul(step.seconds()) / view.seconds().max(1);
        apart > step.label_columns()
    };
    let step = STEPS.into_iter().find(fits);
    step.map_or_else(Vec::new, |step| step.ticks(view))
}

impl TickStep {
    /// The least that lies between two of them.
    const fn seconds(self) -> i64 {
        match self {
            Self::Seconds(seconds) => seconds,
            Self::Months(months) => months as i64 * 28 * DAY,
        }
    }

    const fn label_columns(self) -> i64 {
        match self {
            Self::Seconds(seconds) if seconds < DAY => 11,
            Self::Seconds(_) => 10,
            Self::Months(months) if months < 12 => 7,
            Self::Months(_) => 4,
        }
    }

    fn ticks(self, view: View) -> Vec<Tick> {
        let instants = match self {
            Self::Seconds(step) => every_seconds(step, view),
            Self::Months(step) => every_months(step, view),
        };
        let tick = |at| Tick {
            at,
            label: self.label(at),
        };
        instants.into_iter().map(tick).collect()
    }

    fn label(self, t: Timestamp) -> String {
        let utc = UtcDateTime::from(t);
        let (year, month, day) = utc.to_calendar_date();
        let month = u8::from(month);
        match self {
            Self::Seconds(seconds) if seconds < DAY => {
                format!("{month:02}-{day:02} {:02}:{:02}", utc.hour(), utc.minute())
            }
            Self::Seconds(_) => format!("{year:04}-{month:02}-{day:02}"),
            Self::Months(months) if months < 12 => format!("{year:04}-{month:02}"),
            Self::Months(_) => format!("{year:04}"),
        }
    }
}

fn every_seconds(step: i64, view: View) -> Vec<Timestamp> {
    // 1970 began on a Thursday, weeks begin on Mondays.
    let aligned_at = if step % (7 * DAY) == 0 { 4 * DAY } else { 0 };
    let behind = (view.first.as_unix_seconds() - aligned_at).rem_euclid(step);
    let first = (step - behind) % step;
    let offsets = (first..=view.seconds()).step_by(usize::try_from(step).unwrap_or(usize::MAX));
    offsets
        .map(|offset| view.first.saturating_add(offset))
        .collect()
}

fn every_months(step: i32, view: View) -> Vec<Timestamp> {
    let month_of = |t: Timestamp| {
        let (year, month, _) = UtcDateTime::from(t).to_calendar_date();
        year * 12 + i32::from(u8::from(month)) - 1
    };
    let (first, last) = (month_of(view.first), month_of(view.last));
    let first = first - first.rem_euclid(step);
    let months = (first..=last).step_by(usize::try_from(step).unwrap_or(usize::MAX));
    let instants = months.filter_map(|month| {
        let year = u16::try_from(month / 12).ok()?;
        let month = u8::try_from(month % 12 + 1).ok()?;
        Timestamp::from_calendar(year, month, 1, [0; 3])
    });
    instants
        .filter(|t| view.first <= *t && *t <= view.last)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_instants_from_minutes_to_millennia_apart() {
        let cases: [(&str, &str, &[&str]); 9] = [
            (
                "2026-01-01T11:50:00Z",
                "2026-01-01T12:50:00Z",
                &["01-01 12:00", "01-01 12:15", "01-01 12:30", "01-01 12:45"],
            ),
            (
                "2025-12-31T20:00:00Z",
                "2026-01-01T13:00:00Z",
                &["01-01 00:00", "01-01 06:00", "01-01 12:00"],
            ),
            (
                "2026-02-27T12:00:00Z",
                "2026-03-02T12:00:00Z",
                &["2026-02-28", "2026-03-01", "2026-03-02"],
            ),
            (
                "2026-01-01T00:00:00Z",
                "2026-01-20T00:00:00Z",
                &["2026-01-05", "2026-01-12", "2026-01-19"],
            ),
            (
                "2025-12-01T00:00:00Z",
                "2026-03-21T00:00:00Z",
                &["2025-12", "2026-01", "2026-02", "2026-03"],
            ),
            (
                "2019-06-01T00:00:00Z",
                "2020-09-21T00:00:00Z",
                &["2019-07", "2019-10", "2020-01", "2020-04", "2020-07"],
            ),
            (
                "2019-06-01T00:00:00Z",
                "2023-09-21T00:00:00Z",
                &["2020", "2021", "2022", "2023"],
            ),
            (
                "1999-12-31T23:59:59Z",
                "2050-01-01T00:00:00Z",
                &["2000", "2010", "2020", "2030", "2040", "2050"],
            ),
            ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", &[]),
        ];
        for (first, last, expected) in cases {
            let view = View {
                first: first.parse().unwrap(),
                last: last.parse().unwrap(),
            };
            let labels: Vec<_> = ticks(view, 48).into_iter().map(|t| t.label).collect();
            assert_eq!(labels, expected, "{first} {last}");
            let columns: Vec<_> = (ticks(view, 48).iter())
                .map(|tick| view.part(tick.at, 48))
                .collect();
            let label = i64::try_from(expected.first().map_or(0, |l| l.len())).unwrap();
            let apart = columns.windows(2).all(|two| two[1] - two[0] >= label);
            assert!(apart, "{columns:?}");
        }
    }
}
