//! When a pin set ends, and what it comes to then.

use crate::policy::Band;
use crate::time::Timestamp;

/// So many seconds ahead of its date, a set is due, a warning, and critical.
const BAND_STARTS: [i64; 3] = [30 * 86_400, 20 * 86_400, 10 * 86_400];

/// What happens once a pin set is past its date. There is no default: who pins decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExpiryRule {
    /// Every peer of the set is refused.
    FailClosed,
    /// The pins go on deciding for so many seconds, with an event, then every peer is refused.
    GraceThenClosed {
        /// How many seconds.
        seconds: u32,
    },
    /// The pins decide no more; a critical event says so until the set is renewed.
    FailOpenLoudly,
}

/// What a pin set comes to at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PinSetStanding {
    /// Its pins decide.
    InForce,
    /// It is past its date; its pins go on deciding until this last second.
    InGrace {
        /// The last second of the grace.
        until: Timestamp,
    },
    /// It is past its date: every peer is refused.
    Closed,
    /// It is past its date: its pins decide no more.
    Open,
}

/// The date of a pin set, with its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expiry {
    /// The last good second.
    pub(super) not_after: Timestamp,
    pub(super) rule: ExpiryRule,
}

impl Expiry {
    pub(super) fn standing(self, now: Timestamp) -> PinSetStanding {
        if now <= self.not_after {
            return PinSetStanding::InForce;
        }
        match self.rule {
            ExpiryRule::FailClosed => PinSetStanding::Closed,
            ExpiryRule::FailOpenLoudly => PinSetStanding::Open,
            ExpiryRule::GraceThenClosed { seconds } => {
                let until = self.not_after.saturating_add(i64::from(seconds));
                match now <= until {
                    true => PinSetStanding::InGrace { until },
                    false => PinSetStanding::Closed,
                }
            }
        }
    }

    pub(super) fn band(self, now: Timestamp) -> Band {
        let [due, warning, critical] = BAND_STARTS;
        match (self.standing(now), self.not_after.seconds_since(now)) {
            (PinSetStanding::Closed | PinSetStanding::Open, _) => Band::Expired,
            (PinSetStanding::InGrace { .. }, _) => Band::Critical,
            (PinSetStanding::InForce, left) if left <= critical => Band::Critical,
            (PinSetStanding::InForce, left) if left <= warning => Band::Warning,
            (PinSetStanding::InForce, left) if left <= due => Band::Due,
            (PinSetStanding::InForce, _) => Band::Ok,
        }
    }

    /// The instants at which its standing or its band may be another than the second before.
    pub(super) fn changes(self) -> impl Iterator<Item = Timestamp> {
        let after = self.not_after.saturating_add(1);
        let grace = match self.rule {
            ExpiryRule::GraceThenClosed { seconds } => i64::from(seconds),
            ExpiryRule::FailClosed | ExpiryRule::FailOpenLoudly => 0,
        };
        let bands = BAND_STARTS.map(|start| self.not_after.saturating_add(-start));
        bands
            .into_iter()
            .chain([after, after.saturating_add(grace)])
    }
}
