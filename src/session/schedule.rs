//! When which connection is told to end: no clock, no threads, nothing hidden.

use std::collections::{BTreeSet, HashMap};

use super::pace::ClosingPace;
use super::slots::Slots;
use crate::time::Timestamp;

/// Connections by number, each with a deadline and the second in which it is told.
#[derive(Debug)]
pub(super) struct ClosingSchedule {
    pace: ClosingPace,
    slots: Slots,
    entries: HashMap<u64, Entry>,
    /// Not told yet, by the second that they are planned for.
    planned: BTreeSet<(Timestamp, u64)>,
    /// Told and still open, by deadline.
    told: BTreeSet<(Timestamp, u64)>,
    /// The second of the last look, and how many were told in it.
    second: Timestamp,
    told_in_second: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    deadline: Timestamp,
    /// The last second in which it may be told.
    latest: Timestamp,
    planned: Timestamp,
}

/// What a look at the schedule came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DueConnections {
    /// They begin to end.
    pub(super) told: Vec<u64>,
    /// Their deadline is reached.
    pub(super) overdue: Vec<u64>,
    /// How many were told beyond the bound, because they could not wait.
    pub(super) over_bound: usize,
}

impl ClosingSchedule {
    pub(super) fn new(pace: ClosingPace) -> Self {
        Self {
            pace,
            slots: Slots::new(pace.max_per_second),
            entries: HashMap::new(),
            planned: BTreeSet::new(),
            told: BTreeSet::new(),
            second: Timestamp::MIN,
            told_in_second: 0,
        }
    }

    /// The instant of the last look.
    pub(super) const fn last_look(&self) -> Timestamp {
        self.second
    }

    /// How many were told and are open still.
    pub(super) fn told(&self) -> usize {
        self.told.len()
    }

    /// Plans the end of a connection whose chain ends, spread over the time before its deadline.
    /// One without an end, or opened beyond it, has none.
    pub(super) fn add(&mut self, connection: u64, deadline: Timestamp, now: Timestamp) {
        if deadline == Timestamp::MAX || deadline < now {
            return;
        }
        let latest = self.latest(deadline, now);
        let spread = self.pace.spread_seconds;
        // Opened within the spread, it may be one that was sent away just now.
        let room = if latest.saturating_add(-spread) <= now {
            1
        } else {
            spread.saturating_add(1)
        };
        let wanted = latest.saturating_add(-self.pace.jitter(connection, room));
        self.plan(connection, deadline, latest, wanted, now);
    }

    /// Moves the end of a connection whose foundation was removed to within `deadline`, spread over
    /// all the time until then.
    pub(super) fn doom(&mut self, connection: u64, deadline: Timestamp, now: Timestamp) {
        if let Some(entry) = self.entries.get(&connection) {
            if entry.deadline <= deadline {
                return;
            }
        }
        let was_told = self.remove(connection);
        let latest = self.latest(deadline, now);
        if was_told {
            // Once is enough; only its deadline is another.
            self.told.insert((deadline, connection));
            let entry = Entry {
                deadline,
                latest,
                planned: now,
            };
            self.entries.insert(connection, entry);
            return;
        }
        let window = latest.seconds_since(now).saturating_add(1);
        let jitter = self.pace.jitter(connection, window);
        let wanted = latest.saturating_add(-jitter);
        self.plan(connection, deadline, latest, wanted, now);
    }

    /// Forgets a connection that has closed. Says whether it was told.
    pub(super) fn remove(&mut self, connection: u64) -> bool {
        let Some(entry) = self.entries.remove(&connection) else {
            return false;
        };
        if self.planned.remove(&(entry.planned, connection)) {
            self.slots.release(entry.planned);
        }
        self.told.remove(&(entry.deadline, connection))
    }

    /// Takes those that are to be told at `now`, and those whose deadline is reached.
    pub(super) fn due(&mut self, now: Timestamp) -> DueConnections {
        if now != self.second {
            self.second = now;
            self.told_in_second = 0;
            self.slots.forget_before(now);
        }
        let mut due = DueConnections::default();
        // Those of this very second have their places; those that wait take what is left.
        let on_time = self.planned.range((now, 0)..=(now, u64::MAX));
        let late = self.planned.range(..(now, 0));
        let waiting: Vec<(Timestamp, u64)> = on_time.chain(late).copied().collect();
        for (planned, connection) in waiting {
            let Some(entry) = self.entries.get(&connection) else {
                continue;
            };
            let beyond = self.told_in_second >= self.pace.max_per_second;
            if beyond && planned < now && now < entry.latest {
                continue;
            }
            due.over_bound += usize::from(beyond);
            self.told_in_second = self.told_in_second.saturating_add(1);
            self.told.insert((entry.deadline, connection));
            self.planned.remove(&(planned, connection));
            due.told.push(connection);
        }
        while let Some((deadline, connection)) = self.told.first().copied() {
            if deadline > now {
                break;
            }
            self.told.pop_first();
            due.overdue.push(connection);
        }
        due
    }

    /// When to look again at the latest; `None` while nothing has an end.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let planned = self.planned.first().map(|(second, _)| *second);
        // What waits for room is looked at in the next second.
        let next_second = self.second.saturating_add(1);
        let planned = planned.map(|second| second.max(next_second));
        let deadline = self.told.first().map(|(deadline, _)| *deadline);
        planned.into_iter().chain(deadline).min()
    }

    fn latest(&self, deadline: Timestamp, now: Timestamp) -> Timestamp {
        let latest = deadline.saturating_add(-self.pace.last_requests_seconds);
        let half_way = now.saturating_add(deadline.seconds_since(now) / 2);
        latest.max(half_way)
    }

    fn plan(
        &mut self,
        connection: u64,
        deadline: Timestamp,
        latest: Timestamp,
        wanted: Timestamp,
        now: Timestamp,
    ) {
        let planned = self.slots.take(wanted, now, latest);
        let entry = Entry {
            deadline,
            latest,
            planned,
        };
        self.entries.insert(connection, entry);
        self.planned.insert((planned, connection));
    }
}
