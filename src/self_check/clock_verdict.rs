//! Is the clock right? A machine that wakes up in 1970 sees nothing but certificates that are not
//! valid yet; the certificates are not what is wrong then.

use crate::time::Timestamp;

/// When this version of the crate was made: no clock of a process that runs it can be earlier.
const RELEASED: Timestamp = Timestamp::from_unix_seconds(1_795_219_200); // 2026-11-21

/// Why the clock is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClockSuspicion {
    /// It is earlier than an instant that has passed for certain.
    BeforeKnownPast { known: Timestamp },
    /// It is earlier than the begin of most certificates at hand.
    BeforeMostCertificates { later: usize, of: usize },
}

/// Doubts a clock that says `now`, given instants that have passed for certain and the notBefore
/// of every certificate at hand.
pub(super) fn suspect(
    now: Timestamp,
    known_past: &[Timestamp],
    not_before: &[Timestamp],
) -> Option<ClockSuspicion> {
    let latest = known_past.iter().copied().chain([RELEASED]).max();
    if let Some(known) = latest.filter(|known| now < *known) {
        return Some(ClockSuspicion::BeforeKnownPast { known });
    }
    let (later, of) = (
        not_before.iter().filter(|t| now < **t).count(),
        not_before.len(),
    );
    (later * 2 > of).then_some(ClockSuspicion::BeforeMostCertificates { later, of })
}

impl ClockSuspicion {
    /// A sentence that says what to do.
    pub(super) fn message(&self, now: Timestamp) -> String {
        let why = match self {
            Self::BeforeKnownPast { known } => {
                format!("which is before {known}, an instant that has passed for certain")
            }
            Self::BeforeMostCertificates { later, of } => {
                format!("which is before {later} of the {of} certificates at hand begin")
            }
        };
        format!(
            "the clock says {now}, {why}: set the clock (is NTP running?) before blaming certificates"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_doubted_before_what_has_passed_and_before_most_certificates() {
        let t = |days: i64| RELEASED.saturating_add(days * 86_400);
        assert_eq!(RELEASED.to_string(), "2026-11-21T00:00:00Z");
        let cases: [(
            Timestamp,
            &[Timestamp],
            &[Timestamp],
            Option<ClockSuspicion>,
        ); 6] = [
            (t(0), &[], &[], None),
            (
                t(-1),
                &[],
                &[],
                Some(ClockSuspicion::BeforeKnownPast { known: t(0) }),
            ),
            (
                t(5),
                &[t(3), t(10)],
                &[],
                Some(ClockSuspicion::BeforeKnownPast { known: t(10) }),
            ),
            (t(5), &[t(5)], &[], None),
            (t(5), &[], &[t(1), t(6)], None),
            (
                t(5),
                &[],
                &[t(1), t(6), t(7)],
                Some(ClockSuspicion::BeforeMostCertificates { later: 2, of: 3 }),
            ),
        ];
        for (now, known, not_before, expected) in cases {
            assert_eq!(suspect(now, known, not_before), expected, "{now}");
        }
    }
}
