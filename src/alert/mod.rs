//! Say it once, and again when it matters: pure, the instant is an argument.

mod coalesce;
mod condition;
mod repeat;
#[cfg(feature = "json")]
mod saved;
mod standing;

use std::num::NonZeroUsize;

use crate::event::Event;
use crate::policy::Band;
use crate::time::Timestamp;

pub use condition::{Condition, Matter};
pub use repeat::RepeatPolicy;
#[cfg(feature = "json")]
pub use saved::SavedStateError;

use standing::{Standing, Standings};

/// Which matter is in which band, and when it was last told.
///
/// A matter is told when it comes into another band, for better or worse, and again at its band's
/// interval ([`RepeatPolicy`]) until it is ok. A matter that was never anything but ok is not told.
///
/// It is bounded: where it is full, matters that are ok (again) are forgotten first, then those
/// looked at longest ago; [`Transitions::evictions`] counts them. A forgotten matter is told as if
/// new.
///
/// A clock that jumps makes no storm: forward, each matter is told at most once and those that go
/// together in one event; back, a matter in its old band waits for its interval, counted from
/// then on.
///
/// # How do I tell of my own matters once, and hourly while they last?
/// ```
/// use std::num::NonZeroUsize;
/// use notafter::{Band, EventCode, Timestamp};
/// use notafter::alert::{Matter, Transitions};
/// use notafter::event::Role;
/// let mut transitions = Transitions::new(NonZeroUsize::MIN);
/// let matter = Matter::new(EventCode::Expired, Role::OwnServer).with_name("licence".to_owned());
/// let at = |seconds| Timestamp::from_unix_seconds(seconds);
/// assert!(transitions.observe(matter.clone(), Band::Expired, at(0)).is_some());
/// assert!(transitions.observe(matter.clone(), Band::Expired, at(3_599)).is_none());
/// assert!(transitions.observe(matter.clone(), Band::Expired, at(3_600)).is_some());
/// let recovered = transitions.observe(matter, Band::Ok, at(3_601)).unwrap();
/// assert_eq!(recovered.before, Some(Band::Expired));
/// ```
#[derive(Debug, Clone)]
pub struct Transitions {
    standings: Standings,
    repeat: RepeatPolicy,
}

/// That something should be told now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Telling {
    /// The band told of last; the same as now where it is repeated.
    pub before: Option<Band>,
}

impl Transitions {
    /// Room for so many matters that are (or were) not ok. It takes memory only for those.
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self {
            standings: Standings::new(capacity),
            repeat: RepeatPolicy::default(),
        }
    }

    /// Repeats at other intervals than the default ones.
    #[must_use]
    pub const fn with_repeat(mut self, repeat: RepeatPolicy) -> Self {
        self.repeat = repeat;
        self
    }

    /// Whether to tell that `matter` is in `band` at `now`.
    pub fn observe(&mut self, matter: Matter, band: Band, now: Timestamp) -> Option<Telling> {
        let Some(known) = self.standings.get_mut(&matter) else {
            // What was never anything but ok takes no room from what was.
            if band == Band::Ok {
                return None;
            }
            self.standings.put(matter, Standing::told(band, now));
            return Some(Telling { before: None });
        };
        let before = known.band;
        if before != band {
            self.standings.put(matter, Standing::told(band, now));
        } else {
            let quiet = known.quiet_for(now);
            let interval = self.repeat.seconds(band);
            if interval.is_none_or(|interval| quiet < interval) {
                return None;
            }
            *known = Standing::told(band, now);
        }
        Some(Telling {
            before: Some(before),
        })
    }

    /// The events for what is told of these conditions at `now`, those that share a cause (and
    /// more than ten of one kind) as one event.
    ///
    /// Each event is the condition's own, with its bands filled in.
    pub fn tell(
        &mut self,
        conditions: impl IntoIterator<Item = Condition>,
        now: Timestamp,
    ) -> Vec<Event> {
        let mut told = Vec::new();
        for condition in conditions {
            let Condition {
                matter,
                band,
                cause,
                event,
            } = condition;
            let name = matter.name.clone();
            if let Some(telling) = self.observe(matter, band, now) {
                let event = event.with_bands(telling.before, band);
                told.push(coalesce::Told { name, cause, event });
            }
        }
        coalesce::coalesce(told)
    }

    /// The first instant at which this matter is told again if nothing changes; `None` where it
    /// is not.
    pub fn next_repeat(&self, matter: &Matter, now: Timestamp) -> Option<Timestamp> {
        let standing = self.standings.peek(matter)?;
        let interval = self.repeat.seconds(standing.band)?;
        let mut standing = *standing;
        let left = interval.saturating_sub(standing.quiet_for(now)).max(0);
        Some(now.saturating_add(left))
    }

    /// The band that this matter was last seen in, where it is known.
    pub fn band(&self, matter: &Matter) -> Option<Band> {
        self.standings.peek(matter).map(|standing| standing.band)
    }

    /// Forgets a matter that no longer exists, without telling.
    pub fn forget(&mut self, matter: &Matter) {
        self.standings.remove(matter);
    }

    /// How many matters are remembered.
    pub fn len(&self) -> usize {
        self.standings.len()
    }

    /// Whether no matter is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many matters were forgotten for lack of room.
    pub const fn evictions(&self) -> u64 {
        self.standings.evictions()
    }
}

#[cfg(test)]
mod tests;
