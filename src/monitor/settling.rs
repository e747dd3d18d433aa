//! When what seems damaged or gone is believed to be.

use crate::time::Timestamp;

/// After so many settle times it is told of, however often it is written to meanwhile: it was not
/// whole at any look.
const MOST_SETTLE_TIMES: i64 = 6;

/// By what a damaged file, or one that is gone, is told from one that is being written anew.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settling {
    pub(super) now: Timestamp,
    /// When it was looked at before.
    pub(super) looked_before: Timestamp,
    pub(super) seconds: i64,
}

impl Settling {
    /// Since when it seems so: since this look, unless an earlier one saw it.
    pub(super) fn since(&self, since: Option<Timestamp>) -> Timestamp {
        // A clock that was set back makes it lie ahead.
        since.filter(|since| *since <= self.now).unwrap_or(self.now)
    }

    /// Whether it has lasted, and the file (written to so many seconds ago, where that is known)
    /// has held still.
    ///
    /// Of what the look before saw whole a settle time ago or longer, that is not known, so it is
    /// believed at once, unless the file itself says that it was written to a moment ago.
    pub(super) fn is_believed(&self, since: Option<Timestamp>, age_seconds: Option<i64>) -> bool {
        let within = |seconds: i64| seconds.checked_abs().is_some_and(|s| s < self.seconds);
        let lasted = self.now.seconds_since(self.since(since));
        if lasted >= self.seconds.saturating_mul(MOST_SETTLE_TIMES) {
            return true;
        }
        let was_whole = match since {
            Some(_) => None,
            None => Some(self.now.seconds_since(self.looked_before)),
        };
        let is_fresh = age_seconds.is_some_and(within);
        !is_fresh
            && (lasted >= self.seconds
                || was_whole.is_some_and(|ago| !(0..self.seconds).contains(&ago)))
    }

    /// The first instant after now at which it may be believed.
    pub(super) fn look_again(&self, since: Timestamp) -> Timestamp {
        let lasted = self.now.seconds_since(since);
        let left = self
            .seconds
            .saturating_sub(lasted.rem_euclid(self.seconds.max(1)));
        self.now.saturating_add(left.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_or_held_still_is_believed_and_nothing_else() {
        let at = Timestamp::from_unix_seconds;
        let settling = |now, looked_before| Settling {
            now: at(now),
            looked_before: at(looked_before),
            seconds: 10,
        };
        // Now, the look before, since when it was seen so, how long ago it was written to.
        let cases = [
            ((1_000, 940), None, None, true),
            ((1_000, 990), None, None, true),
            ((1_000, 991), None, None, false),
            ((1_000, 1_001), None, None, true),
            ((1_000, 940), None, Some(10), true),
            ((1_000, 940), None, Some(9), false),
            ((1_000, 940), None, Some(-9), false),
            ((1_000, 940), None, Some(-1_000), true),
            ((1_000, 999), Some(990), None, true),
            ((1_000, 999), Some(991), None, false),
            ((1_000, 999), Some(990), Some(3), false),
            ((1_000, 999), Some(941), Some(3), false),
            ((1_000, 999), Some(940), Some(3), true),
            // The clock was set back.
            ((1_000, 999), Some(1_500), None, false),
        ];
        for ((now, before), since, age, believed) in cases {
            let judged = settling(now, before).is_believed(since.map(at), age);
            assert_eq!(judged, believed, "{now} {before} {since:?} {age:?}");
        }
        let at_once = Settling {
            seconds: 0,
            ..settling(1_000, 1_000)
        };
        assert!(at_once.is_believed(None, Some(0)));
        for (since, next) in [(1_000, 1_010), (991, 1_001), (990, 1_010), (985, 1_005)] {
            assert_eq!(
                settling(1_000, 999).look_again(at(since)),
                at(next),
                "{since}"
            );
        }
    }
}
