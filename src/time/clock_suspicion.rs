//! Is the clock right? A machine that wakes up in 1970 sees nothing but certificates that are not
//! valid yet; the certificates are not what is wrong then.

use std::fmt;

use super::Timestamp;

/// When this version of the crate was made: no clock of a process that runs it can be earlier.
const RELEASED: Timestamp = Timestamp::from_unix_seconds(1_795_219_200); // 2026-11-21

/// Why a clock is not believed. It reads as a sentence that says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockSuspicion {
    /// It is earlier than an instant that has passed for certain.
    BeforeKnownPast {
        /// What the clock says.
        now: Timestamp,
        /// That instant: the release of this crate, or one that the application named.
        known: Timestamp,
    },
    /// It is earlier than the begin of most certificates at hand.
    BeforeMostCertificates {
        /// What the clock says.
        now: Timestamp,
        /// How many certificates begin later.
        later: usize,
        /// How many are at hand.
        of: usize,
    },
}

impl ClockSuspicion {
    /// Doubts a clock that says `now`, given instants that have passed for certain and the notBefore
    /// of every certificate at hand.
    pub(crate) fn of(
        now: Timestamp,
        known_past: &[Timestamp],
        not_before: &[Timestamp],
    ) -> Option<Self> {
        let latest = known_past.iter().copied().chain([RELEASED]).max();
        if let Some(known) = latest.filter(|known| now < *known) {
            return Some(Self::BeforeKnownPast { now, known });
        }
        let (later, of) = (
            not_before.iter().filter(|t| now < **t).count(),
            not_before.len(),
        );
        (later * 2 > of).then_some(Self::BeforeMostCertificates { now, later, of })
    }
}

impl fmt::Display for ClockSuspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeKnownPast { now, known } => write!(
                f,
                "the clock says {now}, which is before {known}, an instant that has passed for certain"
            )?,
            Self::BeforeMostCertificates { now, later, of } => write!(
                f,
                "the clock says {now}, which is before {later} of the {of} certificates at hand begin"
            )?,
        }
        f.write_str(": set the clock (is NTP running?) before blaming certificates")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_doubted_before_what_has_passed_and_before_most_certificates() {
        let t = |days: i64| RELEASED.saturating_add(days * 86_400);
        let before = |now: i64, known: i64| ClockSuspicion::BeforeKnownPast {
            now: t(now),
            known: t(known),
        };
        assert_eq!(RELEASED.to_string(), "2026-11-21T00:00:00Z");
        let cases: [(i64, &[Timestamp], &[Timestamp], Option<ClockSuspicion>); 6] = [
            (0, &[], &[], None),
            (-1, &[], &[], Some(before(-1, 0))),
            (5, &[t(3), t(10)], &[], Some(before(5, 10))),
            (5, &[t(5)], &[], None),
            (5, &[], &[t(1), t(6)], None),
            (
                5,
                &[],
                &[t(1), t(6), t(7)],
                Some(ClockSuspicion::BeforeMostCertificates {
                    now: t(5),
                    later: 2,
                    of: 3,
                }),
            ),
        ];
        for (now, known, not_before, expected) in cases {
            assert_eq!(
                ClockSuspicion::of(t(now), known, not_before),
                expected,
                "{now}"
            );
        }
        assert_eq!(
            before(-1, 0).to_string(),
            "the clock says 2026-11-20T00:00:00Z, which is before 2026-11-21T00:00:00Z, an instant that \
             has passed for certain: set the clock (is NTP running?) before blaming certificates"
        );
    }
}
