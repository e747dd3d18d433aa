//! What is registered, when each of it is due, and what is known of it. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::item::{WatchedItem, vanishing};
use super::last_read::LastRead;
#[cfg(feature = "metrics")]
use super::metrics::Change;
use super::schedule::Intervals;
use super::target::{Lane, Target};
use super::watched::Evaluation;
use crate::alert::Transitions;
use crate::event::{Event, EventCode, Role, Severity};
use crate::policy::{Band, ThresholdPolicy};
use crate::self_check::Report;
use crate::source::FailureReason;
use crate::time::Timestamp;

/// Everything that is watched.
pub(super) struct MonitorState {
    /// In the order in which they were registered.
    pub(super) items: BTreeMap<u64, WatchedItem>,
    ids: HashMap<Arc<str>, u64>,
    next_id: u64,
    /// When each item is due; an item that is being worked on is not in it.
    schedule: BTreeSet<(Lane, Timestamp, u64)>,
    pub(super) transitions: Transitions,
    /// By lane, the local one first.
    last_ticks: [Option<Timestamp>; 2],
    errors: HashMap<FailureReason, u64>,
    /// The thresholds of what is shown.
    policy: ThresholdPolicy,
    /// To be told at the first tick.
    unreadable_state: Option<String>,
}

/// One thing that is due.
pub(super) struct Work {
    pub(super) id: u64,
    pub(super) generation: u64,
    pub(super) name: Arc<str>,
    pub(super) target: Arc<Target>,
    pub(super) last_read: Arc<LastRead>,
    pub(super) poll: bool,
    pub(super) evaluate: bool,
}

/// What came of it.
pub(super) struct Outcome {
    pub(super) id: u64,
    pub(super) generation: u64,
    /// What was read, where it was looked at.
    pub(super) last_read: Option<LastRead>,
    pub(super) evaluation: Option<Evaluation>,
    /// The evaluation speaks of itself alone; what is known of the thing stays.
    pub(super) panicked: bool,
}

/// What came of all that was due.
pub(super) struct Merged {
    pub(super) events: Vec<Event>,
    #[cfg(feature = "metrics")]
    pub(super) changes: Vec<Change>,
}

impl MonitorState {
    pub(super) fn new(
        policy: ThresholdPolicy,
        transitions: Transitions,
        unreadable_state: Option<String>,
    ) -> Self {
        Self {
            items: BTreeMap::new(),
            ids: HashMap::new(),
            next_id: 0,
            schedule: BTreeSet::new(),
            transitions,
            last_ticks: [None; 2],
            errors: HashMap::new(),
            policy,
            unreadable_state,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn target(&self, name: &str) -> Option<Arc<Target>> {
        let item = self.items.get(self.ids.get(name)?)?;
        Some(Arc::clone(&item.target))
    }

    /// Whether something of this name was there; what was told of it stays.
    pub(super) fn put(&mut self, name: String, target: Target) -> bool {
        let polled = target.is_polled();
        let known = self.ids.get(name.as_str()).copied();
        let id = known.unwrap_or_else(|| {
            self.next_id += 1;
            self.next_id
        });
        let name: Arc<str> = name.into();
        let item = self
            .items
            .entry(id)
            .or_insert_with(|| WatchedItem::new(&name));
        self.schedule.remove(&item.slot(id));
        item.target = Arc::new(target);
        item.last_read = Arc::default();
        item.next_poll = polled.then_some(Timestamp::MIN);
        item.begin_anew();
        self.schedule.insert(item.slot(id));
        self.ids.insert(name, id);
        known.is_some()
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<WatchedItem> {
        let id = self.ids.remove(name)?;
        let item = self.items.remove(&id)?;
        self.schedule.remove(&item.slot(id));
        item.matters
            .iter()
            .for_each(|matter| self.transitions.forget(matter));
        Some(item)
    }

    pub(super) fn refresh(&mut self, name: &str) -> bool {
        let Some(id) = self.ids.get(name).copied() else {
            return false;
        };
        let Some(item) = self.items.get_mut(&id) else {
            return false;
        };
        self.schedule.remove(&item.slot(id));
        item.next_poll = item.next_poll.map(|_| Timestamp::MIN);
        item.begin_anew();
        self.schedule.insert(item.slot(id));
        true
    }

    /// The instant of the latest tick, whatever the endpoints do.
    pub(super) const fn last_tick(&self) -> Option<Timestamp> {
        let [local, _] = self.last_ticks;
        local
    }

    /// When something is due next in this lane.
    pub(super) fn next_due(&self, lane: Lane) -> Option<Timestamp> {
        let mut from = self.schedule.range((lane, Timestamp::MIN, 0)..);
        let first = from.next().filter(|(of, ..)| *of == lane);
        first.map(|(_, due, _)| *due)
    }

    /// Takes what is due in this lane out of the schedule.
    pub(super) fn take_due(&mut self, lane: Lane, now: Timestamp) -> Vec<Work> {
        let [local, endpoints] = &mut self.last_ticks;
        let last = match lane {
            Lane::Local => local,
            Lane::Endpoints => endpoints,
        };
        if last.replace(now).is_some_and(|last| now < last) {
            self.doubt_the_future(lane, now);
        }
        let mut due = Vec::new();
        while let Some(at) = self.next_due(lane).filter(|at| *at <= now) {
            let Some((_, _, id)) = self.schedule.range((lane, at, 0)..).next().copied() else {
                break;
            };
            self.schedule.remove(&(lane, at, id));
            if let Some(item) = self.items.get(&id) {
                due.push(Work {
                    id,
                    generation: item.generation,
                    name: Arc::clone(&item.name),
                    target: Arc::clone(&item.target),
                    last_read: Arc::clone(&item.last_read),
                    poll: item.next_poll.is_some_and(|poll| poll <= now),
                    evaluate: item.next_evaluation <= now,
                });
            }
        }
        // Told in the order in which they were registered.
        due.sort_by_key(|work| work.id);
        due
    }

    /// The clock was set back: what was evaluated after now says nothing about now.
    fn doubt_the_future(&mut self, lane: Lane, now: Timestamp) {
        let of_lane = |item: &WatchedItem| item.target.lane() == lane;
        for (id, item) in self.items.iter_mut().filter(|(_, item)| of_lane(item)) {
            let evaluated = item.evaluated.unwrap_or(Timestamp::MIN);
            if evaluated.max(item.polled) > now {
                self.schedule.remove(&item.slot(*id));
                item.next_poll = item.next_poll.map(|_| Timestamp::MIN);
                item.begin_anew();
                self.schedule.insert(item.slot(*id));
            }
        }
    }

    /// Takes what came of the work in, and says what is to be told.
    pub(super) fn merge(
        &mut self,
        outcomes: Vec<Outcome>,
        now: Timestamp,
        intervals: &Intervals,
    ) -> Merged {
        let mut events = Vec::new();
        if let Some(message) = self.unreadable_state.take() {
            let (code, role) = (EventCode::SavedStateUnreadable, Role::Monitor);
            events.push(Event::new(now, code, Severity::Warning, role, message));
        }
        let (mut conditions, mut gone, mut touched) = (Vec::new(), Vec::new(), Vec::new());
        #[cfg(feature = "metrics")]
        let (mut changes, policy) = (Vec::new(), self.policy);
        for outcome in outcomes {
            let Some(item) = self.items.get_mut(&outcome.id) else {
                continue;
            };
            if item.generation != outcome.generation {
                continue;
            }
            touched.push(outcome.id);
            if let Some(last_read) = outcome.last_read {
                for failure in &last_read.failures {
                    *self.errors.entry(failure.reason).or_default() += 1;
                }
                item.last_read = Arc::new(last_read);
                item.polled = now;
                item.next_poll = intervals.next_poll(&item.target, outcome.id, now);
            }
            let Some(mut evaluation) = outcome.evaluation else {
                continue;
            };
            #[cfg(feature = "metrics")]
            let before = item.samples(&policy);
            let told = std::mem::take(&mut evaluation.conditions);
            let matters = told.iter().map(|condition| condition.matter.clone());
            let vanished = item.take(evaluation, matters.collect(), outcome.panicked, now);
            conditions.extend(told);
            #[cfg(feature = "metrics")]
            changes.push(Change {
                before,
                now: item.samples(&policy),
            });
            for matter in vanished {
                if self
                    .transitions
                    .band(&matter)
                    .is_some_and(|band| band != Band::Ok)
                {
                    conditions.push(vanishing(&matter, &item.name, now));
                }
                gone.push(matter);
            }
            let latest = intervals.next_evaluation(outcome.id, now);
            item.next_evaluation = item.next_evaluation.min(latest);
        }
        events.extend(self.transitions.tell(conditions, now));
        // Two items may speak of one matter.
        gone.iter()
            .for_each(|matter| self.transitions.forget(matter));
        for id in touched {
            self.reschedule(id, now);
        }
        Merged {
            events,
            #[cfg(feature = "metrics")]
            changes,
        }
    }

    fn reschedule(&mut self, id: u64, now: Timestamp) {
        let Some(item) = self.items.get_mut(&id) else {
            return;
        };
        let matters = item.matters.iter();
        let repeats = matters.filter_map(|matter| self.transitions.next_repeat(matter, now));
        let soonest = repeats.min().unwrap_or(Timestamp::MAX);
        // Never at once again: a tick ends.
        item.next_evaluation = (item.next_evaluation.min(soonest)).max(now.saturating_add(1));
        item.due = item
            .next_poll
            .unwrap_or(Timestamp::MAX)
            .min(item.next_evaluation);
        self.schedule.insert(item.slot(id));
    }

    pub(super) fn report(&self) -> Report {
        let items = || self.items.values();
        Report {
            at: self.last_tick().unwrap_or(Timestamp::from_unix_seconds(0)),
            chains: items().flat_map(|item| item.chains.clone()).collect(),
            findings: items().flat_map(|item| item.findings.clone()).collect(),
            gauges: items().flat_map(WatchedItem::reported_gauges).collect(),
            policy: self.policy,
        }
    }

    pub(super) fn source_errors(&self) -> Vec<(FailureReason, u64)> {
        let count = |reason| self.errors.get(&reason).copied().unwrap_or_default();
        let reasons = FailureReason::ALL.into_iter();
        reasons.map(|reason| (reason, count(reason))).collect()
    }
}
