//! When each thing is due, which are being worked on, and which wait too long.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::target::Lane;
use crate::time::Timestamp;

/// From so long on that it is due and not evaluated, something is overdue.
pub(super) const OVERDUE_SECONDS: i64 = 300;

/// Of the time between two checks so much counts at the most: a clock that jumps, or a machine that
/// slept, makes nothing overdue.
const LONGEST_STEP_SECONDS: i64 = 120;

/// One thing in the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DueSlot {
    pub(super) lane: Lane,
    pub(super) due: Timestamp,
    pub(super) id: u64,
}

/// The schedule of both lanes. What is being worked on is not in it.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    slots: BTreeSet<DueSlot>,
    /// With the generation that is worked on.
    working: HashMap<u64, (Lane, u64)>,
    local: Waiting,
    endpoints: Waiting,
}

/// For how many seconds what is due in a lane has been so, as far as checks have seen them go by.
#[derive(Debug, Default)]
struct Waiting {
    seconds: HashMap<u64, i64>,
    checked: Option<Timestamp>,
}

impl Agenda {
    pub(super) fn insert(&mut self, slot: DueSlot) {
        self.slots.insert(slot);
    }

    pub(super) fn remove(&mut self, slot: DueSlot) {
        self.slots.remove(&slot);
    }

    /// Nothing is known of it any more.
    pub(super) fn forget(&mut self, slot: DueSlot) {
        self.slots.remove(&slot);
        self.working.remove(&slot.id);
        self.waiting(slot.lane).seconds.remove(&slot.id);
    }

    /// When something is due next in this lane.
    pub(super) fn next_due(&self, lane: Lane) -> Option<Timestamp> {
        self.first(lane).map(|slot| slot.due)
    }

    /// What is due in this lane, the longest due first.
    pub(super) fn due(&self, lane: Lane, now: Timestamp) -> impl Iterator<Item = DueSlot> + '_ {
        self.slots.range(from(lane)..=to(lane, now)).copied()
    }

    fn first(&self, lane: Lane) -> Option<DueSlot> {
        self.due(lane, Timestamp::MAX).next()
    }

    /// It is worked on, and no longer in the schedule.
    pub(super) fn begin(&mut self, slot: DueSlot, generation: u64) {
        self.slots.remove(&slot);
        self.working.insert(slot.id, (slot.lane, generation));
    }

    /// The work of that generation is done.
    pub(super) fn done(&mut self, id: u64, generation: u64) {
        let working = self.working.get(&id);
        if working.is_some_and(|(_, begun)| *begun == generation) {
            self.working.remove(&id);
        }
    }

    /// It is due at that time again, and waits no more where that lies ahead.
    pub(super) fn insert_again(&mut self, slot: DueSlot, now: Timestamp) {
        if slot.due > now {
            self.waiting(slot.lane).seconds.remove(&slot.id);
        }
        self.slots.insert(slot);
    }

    /// What has been due in this lane for too long, with the seconds.
    pub(super) fn overdue(&mut self, lane: Lane, now: Timestamp) -> Vec<(u64, i64)> {
        let due = self.due(lane, now).map(|slot| slot.id);
        let working = self.working.iter().filter(|(_, (of, _))| *of == lane);
        let due: HashSet<_> = due.chain(working.map(|(id, _)| *id)).collect();
        let waiting = self.waiting(lane);
        let step = waiting
            .checked
            .replace(now)
            .map_or(0, |then| now.seconds_since(then));
        let step = step.clamp(0, LONGEST_STEP_SECONDS);
        let before = std::mem::take(&mut waiting.seconds);
        for id in due {
            let seconds = before
                .get(&id)
                .map_or(0, |waited| waited.saturating_add(step));
            waiting.seconds.insert(id, seconds);
        }
        let waiting = waiting.seconds.iter();
        let mut overdue: Vec<_> = waiting
            .filter(|(_, seconds)| **seconds > OVERDUE_SECONDS)
            .map(|(id, seconds)| (*id, *seconds))
            .collect();
        overdue.sort_unstable();
        overdue
    }

    fn waiting(&mut self, lane: Lane) -> &mut Waiting {
        match lane {
            Lane::Local => &mut self.local,
            Lane::Endpoints => &mut self.endpoints,
        }
    }
}

/// The first place of a lane.
const fn from(lane: Lane) -> DueSlot {
    DueSlot {
        lane,
        due: Timestamp::MIN,
        id: 0,
    }
}

/// The last place of what is due at `now`.
const fn to(lane: Lane, now: Timestamp) -> DueSlot {
    DueSlot {
        lane,
        due: now,
        id: u64::MAX,
    }
}
