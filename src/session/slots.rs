//! Seconds with so many places each.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// Which seconds have how many places taken. Memory grows with the places that are taken.
#[derive(Debug)]
pub(super) struct Slots {
    places: u32,
    taken: BTreeMap<i64, u32>,
    /// Runs of full seconds, first to last, never two that touch.
    full: BTreeMap<i64, i64>,
}

impl Slots {
    pub(super) fn new(places: u32) -> Self {
        Self {
            places,
            taken: BTreeMap::new(),
            full: BTreeMap::new(),
        }
    }

    /// Takes a place in the second `wanted`, else in the nearest one before it from `earliest` on,
    /// else in the nearest one after it up to `latest`, else in `wanted`, beyond what it has.
    pub(super) fn take(
        &mut self,
        wanted: Timestamp,
        earliest: Timestamp,
        latest: Timestamp,
    ) -> Timestamp {
        let second = self.free_near(wanted, earliest, latest);
        let second = second.as_unix_seconds();
        let taken = self.taken.entry(second).or_default();
        *taken = taken.saturating_add(1);
        if *taken == self.places {
            self.fill(second);
        }
        Timestamp::from_unix_seconds(second)
    }

    /// Gives a place back.
    pub(super) fn release(&mut self, second: Timestamp) {
        let second = second.as_unix_seconds();
        let Some(taken) = self.taken.get_mut(&second) else {
            return;
        };
        *taken -= 1;
        let taken = *taken;
        if taken == 0 {
            self.taken.remove(&second);
        }
        if taken.checked_add(1) == Some(self.places) {
            self.open(second);
        }
    }

    /// Forgets the seconds before `now`.
    pub(super) fn forget_before(&mut self, now: Timestamp) {
        let now = now.as_unix_seconds();
        if let Some((_, last)) = self.run_of(now) {
            self.full.insert(now, last);
        }
        self.full = self.full.split_off(&now);
        self.taken = self.taken.split_off(&now);
    }

    fn free_near(&self, wanted: Timestamp, earliest: Timestamp, latest: Timestamp) -> Timestamp {
        let Some((first, last)) = self.run_of(wanted.as_unix_seconds()) else {
            return wanted;
        };
        let before = Timestamp::from_unix_seconds(first).saturating_add(-1);
        let after = Timestamp::from_unix_seconds(last).saturating_add(1);
        if before >= earliest {
            before
        } else if after <= latest {
            after
        } else {
            wanted
        }
    }

    /// The run of full seconds that this one lies in.
    fn run_of(&self, second: i64) -> Option<(i64, i64)> {
        let (first, last) = self.full.range(..=second).next_back()?;
        (*last >= second).then_some((*first, *last))
    }

    fn fill(&mut self, second: i64) {
        let before = second.checked_sub(1).and_then(|s| self.run_of(s));
        let after = second.checked_add(1).and_then(|s| self.run_of(s));
        if let Some((first, _)) = after {
            self.full.remove(&first);
        }
        let first = before.map_or(second, |(first, _)| first);
        let last = after.map_or(second, |(_, last)| last);
        self.full.insert(first, last);
    }

    fn open(&mut self, second: i64) {
        let Some((first, last)) = self.run_of(second) else {
            return;
        };
        self.full.remove(&first);
        if first < second {
            self.full.insert(first, second.saturating_sub(1));
        }
        if second < last {
            self.full.insert(second.saturating_add(1), last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_seconds_give_way_to_earlier_ones_then_to_later_ones_then_overflow() {
        let t = Timestamp::from_unix_seconds;
        let mut slots = Slots::new(2);
        let mut take = |wanted| slots.take(t(wanted), t(8), t(11)).as_unix_seconds();
        let taken: Vec<i64> = (0..8).map(|_| take(9)).collect();
        assert_eq!(taken, [9, 9, 8, 8, 10, 10, 11, 11]);
        assert_eq!(take(9), 9, "beyond what it has");
        assert_eq!(slots.full, BTreeMap::from([(8, 11)]));
        slots.release(t(9));
        assert_eq!(slots.full, BTreeMap::from([(8, 11)]), "still two of two");
        slots.release(t(9));
        assert_eq!(slots.full, BTreeMap::from([(8, 8), (10, 11)]));
        assert_eq!(slots.take(t(11), t(8), t(11)), t(9));
        assert_eq!(slots.full, BTreeMap::from([(8, 11)]));
        let mut later = Slots::new(1);
        for second in [1, 2, 3] {
            later.take(t(second), t(0), t(9));
        }
        later.forget_before(t(2));
        assert_eq!(later.full, BTreeMap::from([(2, 3)]));
        assert_eq!(later.taken.len(), 2);
        slots.forget_before(t(12));
        assert!(slots.full.is_empty() && slots.taken.is_empty());
    }
}
