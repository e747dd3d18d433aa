//! What is told of reloads.

use std::num::NonZeroUsize;

use super::remarks::Remarks;
#[cfg(feature = "ocsp")]
use super::staple::StapleStanding;
use super::step::ReloadStep;
use crate::alert::{Matter, RepeatPolicy, Telling, Transitions};
use crate::cert::Certificate;
use crate::event::{Event, EventCode, Role, Severity, Subject};
use crate::outlook::Position;
use crate::policy::{Band, ThresholdPolicy};
use crate::time::Timestamp;

/// A pair, as far as it is told of.
pub(super) struct ToldPair<'p> {
    /// What it is called: its certificates' file, or its source.
    pub(super) name: String,
    #[cfg(feature = "ocsp")]
    pub(super) staple_name: Option<String>,
    /// The leaf that is served.
    pub(super) leaf: Option<&'p Certificate>,
    /// When it was loaded.
    pub(super) since: Timestamp,
    pub(super) remarks: Option<&'p Remarks>,
}

/// Says it once, and again when it matters.
#[derive(Debug)]
pub(super) struct Teller {
    transitions: Transitions,
    policy: ThresholdPolicy,
    role: Role,
}

impl Teller {
    pub(super) fn new(policy: ThresholdPolicy, repeat: RepeatPolicy, role: Role) -> Self {
        Self {
            // A matter of each pair and one of its staple: as many as there are pairs.
            transitions: Transitions::new(NonZeroUsize::MAX).with_repeat(repeat),
            policy,
            role,
        }
    }

    /// What should be said of a pair that the service starts with, if anything.
    pub(super) fn start(&self, pair: &ToldPair<'_>, now: Timestamp) -> Option<Event> {
        let remarks = pair.remarks?;
        if remarks.warnings.is_empty() {
            return None;
        }
        let message = format!("started all the same: {}", remarks.warnings.join("; "));
        let leaf = pair.leaf?;
        let (code, severity) = match self.policy.band(leaf.validity(), Position::Leaf, now) {
            Band::Expired => (EventCode::Expired, Severity::Critical),
            Band::NotYetValid => (EventCode::NotYetValid, Severity::Critical),
            _ => (EventCode::ReloadSucceeded, Severity::Warning),
        };
        Some(self.event(pair, code, severity, message, now))
    }

    /// What should be said of this step, if anything.
    pub(super) fn step(
        &mut self,
        pair: &ToldPair<'_>,
        step: &ReloadStep,
        now: Timestamp,
    ) -> Option<Event> {
        match step {
            ReloadStep::Unchanged | ReloadStep::Settling { .. } => None,
            ReloadStep::Restored => {
                let telling = self.observe(pair, EventCode::ReloadFailed, Band::Ok, now)?;
                let message = format!(
                    "{}: it holds what is served again, until {}",
                    pair.name.clone(),
                    end(pair)
                );
                let event = self.event(
                    pair,
                    EventCode::ReloadRecovered,
                    Severity::Info,
                    message,
                    now,
                );
                let event = event.with_matter(self.matter(pair, EventCode::ReloadFailed));
                Some(event.with_bands(telling.before, Band::Ok))
            }
            ReloadStep::Swapped { remarks } => {
                let telling = self.observe(pair, EventCode::ReloadFailed, Band::Ok, now);
                let mut message = format!(
                    "{}: '{}' is served from now on, until {}",
                    pair.name.clone(),
                    leaf_name(pair),
                    end(pair)
                );
                for remark in remarks.iter() {
                    message.push_str("; ");
                    message.push_str(remark);
                }
                let severity = match remarks.warnings.as_slice() {
                    [] => Severity::Info,
                    _ => Severity::Warning,
                };
                let event = self.event(pair, EventCode::ReloadSucceeded, severity, message, now);
                let event = event.with_matter(self.matter(pair, EventCode::ReloadFailed));
                // Whatever it warns of, nothing has failed.
                let before = telling.and_then(|telling| telling.before);
                Some(event.with_bands(before, Band::Ok))
            }
            ReloadStep::Refused { error, is_news, .. } => {
                let band = self.band(pair, now);
                let telling = match is_news {
                    true => self.observe_news(pair, band, now)?,
                    false => self.observe(pair, EventCode::ReloadFailed, band, now)?,
                };
                let message = match pair.leaf {
                    Some(_) => format!(
                        "{error}; '{}', which was loaded at {}, is served on, until {}",
                        leaf_name(pair),
                        pair.since,
                        end(pair)
                    ),
                    None => format!("{error}; nothing is served for it until that is done"),
                };
                let severity = Severity::of_band(band);
                let event = self.event(pair, EventCode::ReloadFailed, severity, message, now);
                let event = event.with_matter(self.matter(pair, EventCode::ReloadFailed));
                Some(event.with_bands(telling.before, band))
            }
        }
    }

    /// What should be said of the pair's staple, which stands so, if anything.
    #[cfg(feature = "ocsp")]
    pub(super) fn staple(
        &mut self,
        pair: &ToldPair<'_>,
        standing: StapleStanding,
        now: Timestamp,
    ) -> Option<Event> {
        let telling = self.observe(pair, EventCode::StapleNotGood, standing.band, now)?;
        let code = match standing.band {
            Band::Ok => EventCode::StapleRecovered,
            _ => EventCode::StapleNotGood,
        };
        let severity = Severity::of_band(standing.band);
        let event = self.event(pair, code, severity, standing.message, now);
        let event = event
            .with_source(pair.staple_name.clone())
            .with_matter(self.matter(pair, EventCode::StapleNotGood));
        Some(event.with_bands(telling.before, standing.band))
    }

    /// Forgets a pair that is served no longer.
    pub(super) fn forget(&mut self, pair: &ToldPair<'_>) {
        for code in [EventCode::ReloadFailed, EventCode::StapleNotGood] {
            let matter = self.matter(pair, code);
            self.transitions.forget(&matter);
        }
    }

    /// A failed reload matters more the nearer the end of what is served.
    fn band(&self, pair: &ToldPair<'_>, now: Timestamp) -> Band {
        let leaf = pair.leaf;
        let band = leaf.map(|leaf| self.policy.band(leaf.validity(), Position::Leaf, now));
        match band {
            Some(Band::Ok | Band::Due | Band::Warning) => Band::Warning,
            _ => Band::Critical,
        }
    }

    /// Another failure than the one that was told: it is told whatever was told before.
    fn observe_news(&mut self, pair: &ToldPair<'_>, band: Band, now: Timestamp) -> Option<Telling> {
        let matter = self.matter(pair, EventCode::ReloadFailed);
        let before = self.transitions.band(&matter);
        self.transitions.forget(&matter);
        let mut telling = self.transitions.observe(matter, band, now)?;
        telling.before = before;
        Some(telling)
    }

    fn matter(&self, pair: &ToldPair<'_>, code: EventCode) -> Matter {
        Matter::new(code, self.role).with_name(pair.name.clone())
    }

    fn observe(
        &mut self,
        pair: &ToldPair<'_>,
        code: EventCode,
        band: Band,
        now: Timestamp,
    ) -> Option<Telling> {
        let matter = self.matter(pair, code);
        self.transitions.observe(matter, band, now)
    }

    fn event(
        &self,
        pair: &ToldPair<'_>,
        code: EventCode,
        severity: Severity,
        message: String,
        now: Timestamp,
    ) -> Event {
        let subject = pair.leaf.map(|leaf| Subject::of(leaf, Position::Leaf));
        Event::new(now, code, severity, self.role, message)
            .with_source(pair.name.clone())
            .with_subject(subject)
    }
}

fn leaf_name(pair: &ToldPair<'_>) -> String {
    pair.leaf.map(Certificate::short_name).unwrap_or_default()
}

fn end(pair: &ToldPair<'_>) -> String {
    let leaf = pair.leaf;
    leaf.map(|leaf| leaf.not_after().to_string())
        .unwrap_or_default()
}
