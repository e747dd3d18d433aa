//! What is told when: a matter once in each band, and again at the band's interval.

use std::num::NonZeroUsize;

use super::coalesce::{EventToSend, coalesce};
#[cfg(feature = "json")]
use super::saved::{self, SavedStateError};
use super::told_matters::{LastTold, ToldMatters};
use super::{Condition, Matter, RepeatPolicy};
use crate::event::Event;
use crate::policy::Band;
use crate::time::Timestamp;

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
    told: ToldMatters,
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
            told: ToldMatters::new(capacity),
            repeat: RepeatPolicy::default(),
        }
    }

    /// Repeats at these intervals instead of the default ones.
    #[must_use]
    pub const fn with_repeat(mut self, repeat: RepeatPolicy) -> Self {
        self.repeat = repeat;
        self
    }

    /// Whether to tell that `matter` is in `band` at `now`.
    pub fn observe(&mut self, matter: Matter, band: Band, now: Timestamp) -> Option<Telling> {
        let Some(last) = self.told.get_mut(&matter) else {
            // What was never anything but ok takes no room from what was.
            if band == Band::Ok {
                return None;
            }
            self.told.put(matter, LastTold::now(band, now));
            return Some(Telling { before: None });
        };
        let before = last.band;
        if before != band {
            self.told.put(matter, LastTold::now(band, now));
        } else {
            let quiet = last.quiet_for(now);
            let interval = self.repeat.interval_seconds(band);
            if interval.is_none_or(|interval| quiet < interval) {
                return None;
            }
            *last = LastTold::now(band, now);
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
            let (matter, band) = (condition.matter, condition.band);
            if let Some(telling) = self.observe(matter.clone(), band, now) {
                let (name, cause) = (matter.name.clone(), condition.cause);
                let event = condition.event.with_matter(matter);
                let event = event.with_bands(telling.before, band);
                told.push(EventToSend { name, cause, event });
            }
        }
        coalesce(told)
    }

    /// The first instant at which this matter is told again if nothing changes; `None` where it
    /// is not.
    pub fn next_repeat(&self, matter: &Matter, now: Timestamp) -> Option<Timestamp> {
        let mut last = *self.told.peek(matter)?;
        let interval = self.repeat.interval_seconds(last.band)?;
        let left = interval.saturating_sub(last.quiet_for(now)).max(0);
        Some(now.saturating_add(left))
    }

    /// The band that this matter was last seen in, where it is known.
    pub fn band(&self, matter: &Matter) -> Option<Band> {
        self.told.peek(matter).map(|last| last.band)
    }

    /// Forgets a matter that no longer exists, without telling.
    pub fn forget(&mut self, matter: &Matter) {
        self.told.remove(matter);
    }

    /// How many matters are remembered.
    pub fn len(&self) -> usize {
        self.told.len()
    }

    /// Whether no matter is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many matters were forgotten for lack of room.
    pub const fn evictions(&self) -> u64 {
        self.told.evictions()
    }

    /// What was told so far as JSON, for [`Transitions::restore`] after a restart.
    ///
    /// It holds the names of hosts and sources, and nothing secret.
    #[cfg(feature = "json")]
    pub fn save(&self) -> String {
        saved::to_json(self.told.iter())
    }

    /// Goes on where [`Transitions::save`] was called: what was told is not told again before its
    /// time, and what recovered meanwhile is told as recovered.
    ///
    /// # Errors
    /// [`SavedStateError`] where the text is not what `save` wrote. Nothing
    /// of it is used then: start with [`Transitions::new`], which tells everything that is not ok as
    /// new.
    #[cfg(feature = "json")]
    pub fn restore(saved: &str, capacity: NonZeroUsize) -> Result<Self, SavedStateError> {
        let mut transitions = Self::new(capacity);
        transitions.restore_from(saved)?;
        Ok(transitions)
    }

    /// Restores into transitions that exist, with their room and their intervals; what is known
    /// already stays.
    ///
    /// # Errors
    /// [`SavedStateError`] as for [`Transitions::restore`]: then nothing has
    /// changed.
    #[cfg(feature = "json")]
    pub fn restore_from(&mut self, saved: &str) -> Result<(), SavedStateError> {
        for (matter, last) in saved::from_json(saved)? {
            if self.told.peek(&matter).is_none() {
                self.told.put(matter, last);
            }
        }
        Ok(())
    }
}
