//! Say it once, and again when it matters.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::cert::{Sha256Digest, Timestamp};
use crate::event::EventCode;
use crate::policy::Band;

/// What is told about: one certificate (or key) of one peer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Matter {
    /// Matters of expiry and matters of pins do not silence each other.
    pub(crate) code: EventCode,
    pub(crate) host: Option<String>,
    pub(crate) sha256: Sha256Digest,
}

#[derive(Debug, Clone, Copy)]
struct Standing {
    band: Band,
    told: Timestamp,
}

/// Which matter is in which band, and when it was last told. Bounded: the matter that was looked
/// at longest ago is forgotten first, and so would be told again.
#[derive(Debug)]
pub(crate) struct Transitions {
    standings: LruCache<Matter, Standing>,
}

/// That something should be told now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Telling {
    /// The band told of last.
    pub(crate) before: Option<Band>,
}

impl Transitions {
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            standings: LruCache::new(capacity),
        }
    }

    /// Whether to tell that `matter` is in `band` at `now`: when it came into another band than
    /// was told, or when the band's interval has passed. A matter that was never anything but ok
    /// is not told.
    pub(crate) fn observe(
        &mut self,
        matter: Matter,
        band: Band,
        now: Timestamp,
    ) -> Option<Telling> {
        let before = self.standings.get(&matter).copied();
        let due = match before {
            // What was never anything but ok takes no room from what was.
            None if band == Band::Ok => return None,
            None => true,
            Some(before) if before.band != band => true,
            Some(before) => repeat_seconds(band).is_some_and(|interval| {
                // A clock set back makes the last telling lie ahead: then it is long enough ago.
                !(0..interval).contains(&now.seconds_since(before.told))
            }),
        };
        let told = match before {
            Some(before) if !due => before.told,
            _ => now,
        };
        self.standings.put(matter, Standing { band, told });
        due.then_some(Telling {
            before: before.map(|before| before.band),
        })
    }
}

/// Warning daily, critical and worse hourly.
const fn repeat_seconds(band: Band) -> Option<i64> {
    match band {
        Band::Ok | Band::Due => None,
        Band::Warning => Some(86_400),
        Band::Critical | Band::NotYetValid | Band::Expired | Band::Broken => Some(3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matter(n: u8) -> Matter {
        Matter {
            code: EventCode::PeerExpiring,
            host: Some("a.example".to_owned()),
            sha256: Sha256Digest::of(&[n]),
        }
    }

    #[test]
    fn tells_each_band_once_and_repeats_at_its_interval() {
        let mut transitions = Transitions::new(NonZeroUsize::MIN);
        let steps = [
            (0, Band::Ok, None),
            (10, Band::Due, Some(None)),
            (900_000, Band::Due, None),
            (1_000_000, Band::Warning, Some(Some(Band::Due))),
            (1_086_399, Band::Warning, None),
            (1_086_400, Band::Warning, Some(Some(Band::Warning))),
            (1_086_401, Band::Warning, None),
            (1_100_000, Band::Critical, Some(Some(Band::Warning))),
            (1_103_599, Band::Critical, None),
            (1_103_600, Band::Critical, Some(Some(Band::Critical))),
            // The clock is set back by more than a day: told again rather than never.
            (1_000_000, Band::Critical, Some(Some(Band::Critical))),
            (1_000_001, Band::Critical, None),
            (1_200_000, Band::Ok, Some(Some(Band::Critical))),
            (1_300_000, Band::Ok, None),
        ];
        for (now, band, expected) in steps {
            let now = Timestamp::from_unix_seconds(now);
            let told = transitions.observe(matter(1), band, now);
            let expected = expected.map(|before| Telling { before });
            assert_eq!(told, expected, "{band} at {now}");
        }
    }

    #[test]
    fn a_forgotten_matter_is_told_again() {
        let mut transitions = Transitions::new(NonZeroUsize::MIN);
        let now = Timestamp::from_unix_seconds(0);
        assert!(transitions.observe(matter(1), Band::Due, now).is_some());
        assert!(transitions.observe(matter(2), Band::Due, now).is_some());
        assert!(transitions.observe(matter(1), Band::Due, now).is_some());
    }
}
