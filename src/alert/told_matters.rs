//! What was told last of each matter, bounded.

use std::num::NonZeroUsize;

use lru::LruCache;

use super::Matter;
use crate::policy::Band;
use crate::time::Timestamp;

/// What was told of one matter, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastTold {
    pub(super) band: Band,
    pub(super) told: Timestamp,
    /// The instant of the latest look.
    pub(super) looked: Timestamp,
    /// Seconds that went by since `told`, counted while the clock is behind it.
    pub(super) quiet: i64,
}

impl LastTold {
    /// Told just now.
    pub(super) const fn now(band: Band, now: Timestamp) -> Self {
        Self {
            band,
            told: now,
            looked: now,
            quiet: 0,
        }
    }

    /// The seconds since it was told.
    ///
    /// A clock that was set back makes `told` lie ahead. Waiting for it would be silence (for a
    /// year, say), telling at once a storm: so only what the clock goes forward from then on
    /// counts.
    pub(super) fn quiet_for(&mut self, now: Timestamp) -> i64 {
        if now < self.told {
            self.quiet = self
                .quiet
                .saturating_add(now.seconds_since(self.looked).max(0));
        } else {
            self.quiet = now.seconds_since(self.told);
        }
        self.looked = now;
        self.quiet
    }
}

/// What was told last of each matter; matters that are ok (again) lie apart: they are the first to go.
#[derive(Debug, Clone)]
pub(super) struct ToldMatters {
    alarms: LruCache<Matter, LastTold>,
    calm: LruCache<Matter, LastTold>,
    capacity: NonZeroUsize,
    evictions: u64,
}

impl ToldMatters {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            // The caches are bounded together, by `put`.
            alarms: LruCache::unbounded(),
            calm: LruCache::unbounded(),
            capacity,
            evictions: 0,
        }
    }

    pub(super) fn get_mut(&mut self, matter: &Matter) -> Option<&mut LastTold> {
        match self.alarms.get_mut(matter) {
            Some(last) => Some(last),
            None => self.calm.get_mut(matter),
        }
    }

    pub(super) fn peek(&self, matter: &Matter) -> Option<&LastTold> {
        self.alarms.peek(matter).or_else(|| self.calm.peek(matter))
    }

    pub(super) fn put(&mut self, matter: Matter, last: LastTold) {
        self.remove(&matter);
        while self.len() >= self.capacity.get() {
            if self
                .calm
                .pop_lru()
                .or_else(|| self.alarms.pop_lru())
                .is_none()
            {
                break;
            }
            self.evictions = self.evictions.saturating_add(1);
        }
        let kind = match last.band {
            Band::Ok => &mut self.calm,
            _ => &mut self.alarms,
        };
        kind.put(matter, last);
    }

    pub(super) fn remove(&mut self, matter: &Matter) {
        if self.alarms.pop(matter).is_none() {
            self.calm.pop(matter);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.alarms.len() + self.calm.len()
    }

    pub(super) const fn evictions(&self) -> u64 {
        self.evictions
    }

    /// The longest unseen first.
    #[cfg(feature = "json")]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Matter, &LastTold)> {
        self.calm.iter().rev().chain(self.alarms.iter().rev())
    }
}
