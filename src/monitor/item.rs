//! One thing that is watched, and what is known of it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::agenda::DueSlot;
use super::alarms::Alarms;
use super::last_read::LastRead;
#[cfg(feature = "metrics")]
use super::metrics::{Change, overdue_samples};
use super::outcome::{Outcome, Work};
use super::parts::{DueParts, JudgedPart, KnownMatter, Part};
#[cfg(feature = "metrics")]
use super::tally::{Tally, Touched};
use super::target::Target;
use super::vanished::{self, SourceStanding, Vanished};
use crate::alert::{Condition, Matter, Transitions};
use crate::event::{Event, EventCode};
use crate::policy::{Band, ThresholdPolicy};
#[cfg(feature = "metrics")]
use crate::self_check::Samples;
use crate::self_check::{ChainReport, Finding, ReportedGauge};
use crate::time::Timestamp;

/// One thing that is watched.
pub(super) struct WatchedItem {
    pub(super) name: Arc<str>,
    pub(super) target: Arc<Target>,
    pub(super) last_read: Arc<LastRead>,
    /// What was begun before the latest change to the item does not count.
    pub(super) generation: u64,
    /// When it stands in the schedule.
    pub(super) due: Timestamp,
    pub(super) evaluated: Option<Timestamp>,
    /// When all of it is evaluated again at the latest.
    pub(super) next_evaluation: Timestamp,
    /// When it was looked at last, and how often it was.
    pub(super) polled: Timestamp,
    pub(super) polls: usize,
    pub(super) next_poll: Option<Timestamp>,
    parts: HashMap<Part, JudgedPart>,
    /// When each part is judged again.
    agenda: BTreeSet<(Timestamp, Part)>,
    #[cfg(feature = "metrics")]
    pub(super) tally: Tally,
    /// It was told that it waits too long.
    pub(super) is_overdue: bool,
}

/// What an outcome makes news of.
#[derive(Default)]
pub(super) struct ItemNews {
    /// What stands otherwise, or is to be repeated, and what is no longer there.
    pub(super) conditions: Vec<Condition>,
    /// To be forgotten once that is told.
    pub(super) gone: Vec<Matter>,
    /// What no condition tells.
    pub(super) events: Vec<Event>,
    pub(super) judged: Vec<Part>,
    #[cfg(feature = "metrics")]
    pub(super) changes: Vec<Change>,
}

impl ItemNews {
    pub(super) fn extend(&mut self, more: Self) {
        self.conditions.extend(more.conditions);
        self.gone.extend(more.gone);
        self.events.extend(more.events);
        #[cfg(feature = "metrics")]
        self.changes.extend(more.changes);
    }
}

impl WatchedItem {
    pub(super) fn new(name: &Arc<str>) -> Self {
        Self {
            name: Arc::clone(name),
            target: Arc::new(Target::from_chain([])),
            last_read: Arc::default(),
            generation: 0,
            due: Timestamp::MIN,
            evaluated: None,
            next_evaluation: Timestamp::MIN,
            polled: Timestamp::MIN,
            polls: 0,
            next_poll: None,
            parts: HashMap::new(),
            agenda: BTreeSet::new(),
            #[cfg(feature = "metrics")]
            tally: Tally::default(),
            is_overdue: false,
        }
    }

    /// Its place in the schedule.
    pub(super) fn slot(&self, id: u64) -> DueSlot {
        DueSlot {
            lane: self.target.lane(),
            due: self.due,
            id,
        }
    }

    pub(super) fn begin_anew(&mut self) {
        self.generation += 1;
        self.next_evaluation = Timestamp::MIN;
        self.due = Timestamp::MIN;
    }

    /// The chains for the report.
    pub(super) fn chains(&self) -> impl Iterator<Item = &ChainReport> {
        self.judged().flat_map(|part| &part.chains)
    }

    /// The findings for the report.
    pub(super) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.judged().flat_map(|part| &part.findings)
    }

    /// Its numbers, for the report.
    pub(super) fn reported_gauges(&self) -> impl Iterator<Item = ReportedGauge> {
        let gauges = self.judged().flat_map(|part| &part.gauges);
        gauges.map(|gauge| ReportedGauge {
            source: self.name.to_string(),
            gauge: gauge.clone(),
        })
    }

    /// In the order in which it was read.
    fn judged(&self) -> impl Iterator<Item = &JudgedPart> {
        let sources = self.last_read.sources.iter();
        let sources = sources.map(|read| Part::Source(Arc::clone(&read.key)));
        let parts = [Part::Whole, Part::ExpectedNames]
            .into_iter()
            .chain(sources);
        let parts = parts.chain([Part::Failures, Part::Panic]);
        parts.filter_map(|part| self.parts.get(&part))
    }

    pub(super) fn matters(&self) -> impl Iterator<Item = &KnownMatter> {
        self.parts.values().flat_map(|part| &part.matters)
    }

    /// What is to be done now that it is due.
    pub(super) fn work(&self, id: u64, now: Timestamp) -> Work {
        Work {
            id,
            generation: self.generation,
            name: Arc::clone(&self.name),
            target: Arc::clone(&self.target),
            last_read: Arc::clone(&self.last_read),
            is_polled: self.next_poll.is_some_and(|poll| poll <= now),
            looked_before: self.polled,
            looks: self.polls,
            due: self.due_parts(now),
        }
    }

    fn due_parts(&self, now: Timestamp) -> DueParts {
        let due = self.agenda.iter().take_while(|(due, _)| *due <= now);
        let due: HashSet<_> = due.map(|(_, part)| part.clone()).collect();
        // What is known of what panicked is old.
        match self.next_evaluation <= now || due.contains(&Part::Panic) {
            true => DueParts::All,
            false => DueParts::Some(due),
        }
    }

    /// Takes in what came of judging some of it.
    pub(super) fn take(
        &mut self,
        outcome: Outcome,
        alarms: &mut Alarms,
        transitions: &Transitions,
        policy: &ThresholdPolicy,
        now: Timestamp,
    ) -> ItemNews {
        let mut taking = Taking {
            policy,
            news: ItemNews::default(),
            vanished: Vec::new(),
            alarms,
            #[cfg(feature = "metrics")]
            touched: Touched::default(),
        };
        for part in self.gone(&outcome) {
            self.replace(&part, None, &mut taking);
        }
        for (part, evaluation) in outcome.evaluations {
            let (judged, conditions) = JudgedPart::new(&self.name, evaluation, now);
            taking.news.conditions.extend(conditions);
            self.replace(&part, Some(judged), &mut taking);
            taking.news.judged.push(part);
        }
        #[cfg(feature = "metrics")]
        taking.news.changes.push(self.tally.change(taking.touched));
        let Taking {
            mut news,
            mut vanished,
            ..
        } = taking;
        vanished.retain(|(part, known)| !self.is_matter_of_another_part(known, part));
        if !news.judged.is_empty() {
            #[cfg(feature = "metrics")]
            if self.evaluated.is_none() {
                news.changes.push(Change {
                    before: Samples::default(),
                    now: overdue_samples(&self.name, self.is_overdue),
                });
            }
            self.evaluated = Some(now);
        }
        let told = self.tell_vanished(&vanished, transitions, &mut news, now);
        for source in outcome
            .removed
            .iter()
            .filter(|source| !told.contains(&***source))
        {
            let event = vanished::removed(source, &self.name, self.target.role, now);
            news.events.push(event);
        }
        news.gone
            .extend(vanished.into_iter().map(|(_, known)| known.matter));
        news
    }

    /// The parts that are judged no more.
    fn gone(&self, outcome: &Outcome) -> Vec<Part> {
        if outcome.panicked {
            return Vec::new();
        }
        let mut gone = outcome.gone.clone();
        if outcome.judged == DueParts::All {
            let stay: HashSet<_> = outcome.evaluations.iter().map(|(part, _)| part).collect();
            let parts = self.parts.keys().filter(|part| !stay.contains(part));
            gone.extend(parts.cloned());
        }
        gone
    }

    /// Puts how a part stands now in place of how it stood.
    fn replace(&mut self, part: &Part, judged: Option<JudgedPart>, taking: &mut Taking<'_>) {
        let before = self.parts.remove(part);
        if before.is_none() && judged.is_none() {
            return;
        }
        #[cfg(feature = "metrics")]
        {
            let samples = |judged: Option<&JudgedPart>| {
                judged.map_or_else(Samples::default, |judged| {
                    judged.samples(&self.name, taking.policy)
                })
            };
            taking.news.changes.push(Change {
                before: samples(before.as_ref()),
                now: samples(judged.as_ref()),
            });
            let touched = &mut taking.touched;
            if let Some(before) = &before {
                self.tally.remove(before, touched);
            }
            if let Some(judged) = &judged {
                self.tally.add(judged, touched);
            }
        }
        if let Some(before) = before {
            self.agenda.remove(&(before.due, part.clone()));
            before
                .matters
                .iter()
                .for_each(|known| taking.alarms.remove(known));
            let vanished = match &judged {
                Some(judged) => judged.vanished_since(before.matters),
                None => before.matters,
            };
            let vanished = vanished.into_iter().map(|known| (part.clone(), known));
            taking.vanished.extend(vanished);
        }
        if let Some(judged) = judged {
            judged
                .matters
                .iter()
                .for_each(|known| taking.alarms.add(known));
            self.parts.insert(part.clone(), judged);
        }
    }

    /// Says of what is no longer there what it was; the sources of which something is said.
    fn tell_vanished<'v>(
        &self,
        vanished: &'v [(Part, KnownMatter)],
        transitions: &Transitions,
        news: &mut ItemNews,
        now: Timestamp,
    ) -> HashSet<&'v str> {
        let mut there: Option<HashSet<String>> = None;
        let mut told = HashSet::new();
        for (part, known) in vanished {
            let band = transitions.band(&known.matter);
            if band.is_none_or(|band| band == Band::Ok) {
                continue;
            }
            let source = known.source.as_deref();
            let standing = match part {
                Part::Whole | Part::ExpectedNames | Part::Panic => SourceStanding::There,
                Part::Source(_) | Part::Failures => {
                    let there = there.get_or_insert_with(|| self.last_read.names());
                    SourceStanding::of(source, there)
                }
            };
            told.extend(source);
            let vanished = Vanished {
                matter: &known.matter,
                name: &self.name,
                source,
                standing,
            };
            news.conditions.push(vanished.condition(now));
        }
        told
    }

    /// What could not be read as a whole, and what was read and is no certificate, are one matter.
    fn is_matter_of_another_part(&self, known: &KnownMatter, part: &Part) -> bool {
        let has = |part: &JudgedPart| {
            part.matters
                .iter()
                .any(|other| other.matter == known.matter)
        };
        match part {
            _ if known.matter.topic != EventCode::SourceFailed => false,
            Part::Source(_) => self.parts.get(&Part::Failures).is_some_and(has),
            Part::Failures if self.last_read.sources.len() == 1 => self
                .parts
                .iter()
                .any(|(other, judged)| other != part && has(judged)),
            _ => false,
        }
    }

    /// Now that these parts are told of: when each of them is judged again.
    pub(super) fn told(&mut self, judged: Vec<Part>, transitions: &Transitions, now: Timestamp) {
        for part in judged {
            if let Some(known) = self.parts.get_mut(&part) {
                let due = known.told(transitions, now);
                self.agenda.insert((due, part));
            }
        }
        let agenda = self.agenda.first().map_or(Timestamp::MAX, |(due, _)| *due);
        let next = agenda.min(self.next_evaluation).max(now.saturating_add(1));
        self.due = next.min(self.next_poll.unwrap_or(Timestamp::MAX));
    }

    /// Whether metrics may show something of one of these sources for it.
    #[cfg(feature = "metrics")]
    pub(super) fn shows_any(&self, sources: &HashSet<&str>) -> bool {
        let chains = self.chains().map(|chain| Some(&*chain.source));
        let findings = self.findings().map(|finding| finding.source.as_deref());
        let mut shown = chains.chain(findings).flatten();
        shown.any(|source| sources.contains(source))
    }

    /// What metrics show of it.
    #[cfg(feature = "metrics")]
    pub(super) fn samples(&self, policy: &ThresholdPolicy) -> Samples {
        let mut samples = Samples::default();
        for part in self.parts.values() {
            samples.0.extend(part.samples(&self.name, policy).0);
        }
        samples.0.extend(self.tally.samples().0);
        if self.evaluated.is_some() || self.is_overdue {
            samples
                .0
                .extend(overdue_samples(&self.name, self.is_overdue).0);
        }
        samples
    }
}

/// An outcome being taken in.
struct Taking<'t> {
    #[cfg_attr(not(feature = "metrics"), allow(dead_code))] // What they alone show.
    policy: &'t ThresholdPolicy,
    news: ItemNews,
    vanished: Vec<(Part, KnownMatter)>,
    alarms: &'t mut Alarms,
    #[cfg(feature = "metrics")]
    touched: Touched,
}
