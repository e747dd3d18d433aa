//! What is registered, when each of it is due, and what is known of it. Pure.

#[cfg(feature = "metrics")]
use std::collections::HashSet;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::agenda::Agenda;
use super::alarms::Alarms;
use super::anchors::{self, KnownAnchors};
use super::item::{ItemNews, WatchedItem};
#[cfg(feature = "metrics")]
use super::metrics::Change;
use super::outcome::{Outcome, Work};
use super::overdue::OverdueItem;
use super::parts::DueParts;
use super::schedule::Intervals;
use super::target::{Lane, Target};
use crate::alert::{Transitions, together};
use crate::event::{Event, EventCode, Role, Severity};
use crate::outlook::TrustGeneration;
#[cfg(feature = "metrics")]
use crate::policy::Band;
use crate::policy::ThresholdPolicy;
use crate::self_check::Report;
#[cfg(feature = "metrics")]
use crate::self_check::{Samples, Standing};
use crate::source::FailureReason;
use crate::time::Timestamp;

/// Everything that is watched.
pub(super) struct MonitorState {
    /// In the order in which they were registered.
    pub(super) items: BTreeMap<u64, WatchedItem>,
    ids: HashMap<Arc<str>, u64>,
    next_id: u64,
    agenda: Agenda,
    pub(super) transitions: Transitions,
    alarms: Alarms,
    /// By lane, the local one first.
    last_ticks: [Option<Timestamp>; 2],
    errors: HashMap<FailureReason, u64>,
    /// That of the anchors and lists that what is known was judged by.
    epoch: u64,
    anchors: KnownAnchors,
    /// The thresholds of what is shown.
    policy: ThresholdPolicy,
    /// To be told at the first tick.
    unreadable_state: Option<String>,
}

/// Past so many that are to be looked at, and wait for their turn, is looked for what is only to be
/// judged.
const LOOKING_AHEAD: usize = 256;

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
        epoch: u64,
    ) -> Self {
        Self {
            items: BTreeMap::new(),
            ids: HashMap::new(),
            next_id: 0,
            agenda: Agenda::default(),
            transitions,
            alarms: Alarms::default(),
            last_ticks: [None; 2],
            errors: HashMap::new(),
            epoch,
            anchors: KnownAnchors::default(),
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
        self.agenda.remove(item.slot(id));
        if !item.target.reads_the_same_as(&target) {
            // It is asked before it is judged.
            item.last_read = Arc::default();
            item.polls = 0;
        }
        item.target = Arc::new(target);
        item.next_poll = polled.then_some(Timestamp::MIN);
        item.begin_anew();
        self.agenda.insert(item.slot(id));
        self.ids.insert(name, id);
        known.is_some()
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<WatchedItem> {
        let id = self.ids.remove(name)?;
        let item = self.items.remove(&id)?;
        self.agenda.forget(item.slot(id));
        for known in item.matters() {
            self.transitions.forget(&known.matter);
            self.alarms.remove(known);
        }
        self.transitions.forget(&OverdueItem::matter(&item));
        Some(item)
    }

    pub(super) fn refresh(&mut self, name: &str) -> bool {
        let Some(id) = self.ids.get(name).copied() else {
            return false;
        };
        let Some(item) = self.items.get_mut(&id) else {
            return false;
        };
        self.agenda.remove(item.slot(id));
        item.next_poll = item.next_poll.map(|_| Timestamp::MIN);
        item.begin_anew();
        self.agenda.insert(item.slot(id));
        true
    }

    /// Whatever is judged by anchors and lists is due at once, if these have another epoch than
    /// those that it was judged by.
    pub(super) fn judge_anew(&mut self, trust: &TrustGeneration) {
        self.anchors.take(&trust.anchors);
        if std::mem::replace(&mut self.epoch, trust.epoch) == trust.epoch {
            return;
        }
        let judged = |item: &WatchedItem| item.target.is_judged_by_trust();
        for (id, item) in self.items.iter_mut().filter(|(_, item)| judged(item)) {
            self.agenda.remove(item.slot(*id));
            item.begin_anew();
            self.agenda.insert(item.slot(*id));
        }
    }

    /// The instant of the latest tick, whatever the endpoints do.
    pub(super) const fn last_tick(&self) -> Option<Timestamp> {
        let [local, _] = self.last_ticks;
        local
    }

    /// When something is due next in this lane.
    pub(super) fn next_due(&self, lane: Lane) -> Option<Timestamp> {
        self.agenda.next_due(lane)
    }

    /// Takes what is due in this lane out of the schedule; no more than so many that are to be
    /// looked at: the others are judged by what is known, where that is due.
    pub(super) fn take_due(&mut self, lane: Lane, now: Timestamp, room: usize) -> Vec<Work> {
        let [local, endpoints] = &mut self.last_ticks;
        let last = match lane {
            Lane::Local => local,
            Lane::Endpoints => endpoints,
        };
        if last.replace(now).is_some_and(|last| now < last) {
            self.doubt_the_future(lane, now);
        }
        let (mut due, mut polled) = (Vec::new(), 0);
        let slots = self
            .agenda
            .due(lane, now)
            .take(room.saturating_add(LOOKING_AHEAD));
        for slot in slots.collect::<Vec<_>>() {
            let Some(item) = self.items.get(&slot.id) else {
                self.agenda.remove(slot);
                continue;
            };
            let mut work = item.work(slot.id, now);
            work.is_polled &= polled < room;
            let is_known = work.looks > 0 || !work.target.is_polled();
            if !work.is_polled && (work.due.is_none() || !is_known) {
                continue;
            }
            polled += usize::from(work.is_polled);
            self.agenda.begin(slot, work.generation);
            due.push(work);
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
                self.agenda.remove(item.slot(*id));
                item.next_poll = item.next_poll.map(|_| Timestamp::MIN);
                item.begin_anew();
                self.agenda.insert(item.slot(*id));
            }
        }
    }

    /// Takes what came of the work in a lane in, looks whether the other one goes on, and says what
    /// is to be told.
    pub(super) fn merge(
        &mut self,
        lane: Lane,
        outcomes: Vec<Outcome>,
        now: Timestamp,
        intervals: &Intervals,
    ) -> Merged {
        let mut events = Vec::new();
        if let Some(message) = self.unreadable_state.take() {
            let (code, role) = (EventCode::SavedStateUnreadable, Role::Monitor);
            events.push(Event::new(now, code, Severity::Warning, role, message));
        }
        let mut news = ItemNews::default();
        let mut judged = Vec::new();
        for outcome in outcomes {
            self.agenda.done(outcome.id, outcome.generation);
            let id = outcome.id;
            if let Some(of_item) = self.take(outcome, now, intervals) {
                judged.push((id, of_item.judged.clone()));
                news.extend(of_item);
            }
        }
        self.overdue(lane.other(), &mut news, now);
        if lane == Lane::Local {
            let known = self.anchors_that_matter();
            anchors::tell(known, &self.policy, &self.transitions, &mut news, now);
            #[cfg(feature = "metrics")]
            news.changes.extend(self.anchors.change(&self.policy, now));
        }
        for condition in &mut news.conditions {
            self.alarms.follow(condition);
        }
        events.extend(self.transitions.tell(news.conditions, now));
        events.extend(together(news.events));
        // Two items may speak of one matter.
        news.gone
            .iter()
            .for_each(|matter| self.transitions.forget(matter));
        for (id, parts) in judged {
            if let Some(item) = self.items.get_mut(&id) {
                item.told(parts, &self.transitions, now);
                self.agenda.insert_again(item.slot(id), now);
            }
        }
        Merged {
            events,
            #[cfg(feature = "metrics")]
            changes: news.changes,
        }
    }

    /// `None` where the item was replaced or removed meanwhile.
    fn take(
        &mut self,
        outcome: Outcome,
        now: Timestamp,
        intervals: &Intervals,
    ) -> Option<ItemNews> {
        let id = outcome.id;
        let item = self.items.get_mut(&id)?;
        if item.generation != outcome.generation {
            return None;
        }
        if outcome.was_polled {
            item.polled = now;
            item.polls += 1;
            item.next_poll = intervals.next_poll(&item.target, id, now);
        }
        if let Some(read) = &outcome.read {
            for reason in read.last_read.reasons() {
                *self.errors.entry(reason).or_default() += 1;
            }
            item.last_read = Arc::clone(&read.last_read);
            let look_again = read.look_again.unwrap_or(Timestamp::MAX);
            item.next_poll = item.next_poll.map(|next| next.min(look_again));
        }
        if outcome.judged == DueParts::All {
            item.next_evaluation = intervals.next_evaluation(id, now);
        }
        let is_back = item.is_overdue && item.next_poll.is_none_or(|poll| now < poll);
        item.is_overdue &= !is_back;
        let mut news = item.take(
            outcome,
            &mut self.alarms,
            &self.transitions,
            &self.policy,
            now,
        );
        if is_back {
            OverdueItem::new(item, now).tell_evaluated(&mut news);
        }
        Some(news)
    }

    /// Says what has been due in a lane for too long.
    fn overdue(&mut self, lane: Lane, news: &mut ItemNews, now: Timestamp) {
        for (id, seconds) in self.agenda.overdue(lane, now) {
            if let Some(item) = self.items.get_mut(&id) {
                item.is_overdue = true;
                OverdueItem::new(item, now).tell_waiting(seconds, news);
            }
        }
    }

    /// As long as something is judged by whom it leads to.
    fn anchors_that_matter(&self) -> Option<&KnownAnchors> {
        let mut items = self.items.values();
        let matter = items.any(|item| item.target.asks_for_anchors());
        matter.then_some(&self.anchors)
    }

    pub(super) fn report(&self) -> Report {
        let items = || self.items.values();
        let at = self.last_tick().unwrap_or(Timestamp::from_unix_seconds(0));
        let anchors = self.anchors_that_matter();
        let of_anchors = anchors.map(|anchors| anchors.findings(&self.policy, at));
        let findings = items().flat_map(WatchedItem::findings).cloned();
        let list = self.anchors.gauge(&self.policy, at);
        let gauges = items().flat_map(WatchedItem::reported_gauges);
        Report {
            at,
            chains: items().flat_map(WatchedItem::chains).cloned().collect(),
            findings: of_anchors.into_iter().flatten().chain(findings).collect(),
            gauges: gauges.chain(list).collect(),
            policy: self.policy,
        }
    }

    /// How bad everything is together: what the report says, and the bands of all matters.
    #[cfg(feature = "metrics")]
    pub(super) fn standing(&self) -> Standing {
        let mut standing = Standing::default();
        for item in self.items.values() {
            item.tally.add_to(&mut standing);
            if item.evaluated.is_none() {
                standing.add_blindness();
            }
        }
        let anchors = self.anchors_that_matter();
        if self.items.is_empty() || anchors.is_some_and(KnownAnchors::are_lacking) {
            standing.add_blindness();
        }
        let now = self.last_tick().unwrap_or(Timestamp::MIN);
        let list = anchors.and_then(|anchors| anchors.list_band(&self.policy, now));
        standing.add_band(list.unwrap_or(Band::Ok));
        standing
    }

    /// What is shown otherwise now that this one is no longer watched: of files that others look at
    /// too, what these show.
    #[cfg(feature = "metrics")]
    pub(super) fn change_by_removal(&self, removed: &WatchedItem) -> Change {
        let before = removed.samples(&self.policy);
        let mut now = Samples::default();
        let sources: HashSet<&str> = before.0.keys().map(|series| &*series.source).collect();
        let others = self.items.values().filter(|item| item.shows_any(&sources));
        for other in others {
            let shown = other.samples(&self.policy).0.into_iter();
            now.0
                .extend(shown.filter(|(series, _)| before.0.contains_key(series)));
        }
        Change { before, now }
    }

    pub(super) fn source_errors(&self) -> Vec<(FailureReason, u64)> {
        let count = |reason| self.errors.get(&reason).copied().unwrap_or_default();
        let reasons = FailureReason::ALL.into_iter();
        reasons.map(|reason| (reason, count(reason))).collect()
    }
}
