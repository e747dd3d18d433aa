//! What is told of reloads.

use std::num::NonZeroUsize;

use super::slot::{Slot, Step};
use crate::alert::{Matter, RepeatPolicy, Telling, Transitions};
use crate::cert::Certificate;
use crate::event::{Event, EventCode, Role, Severity, Subject};
use crate::outlook::Position;
use crate::policy::{Band, ThresholdPolicy};
use crate::source::path_name;
use crate::time::Timestamp;

/// Says it once, and again when it matters.
#[derive(Debug)]
pub(super) struct Teller {
    transitions: Transitions,
    policy: ThresholdPolicy,
    role: Role,
}

impl Teller {
    pub(super) fn new(
        pairs: usize,
        (policy, repeat): (ThresholdPolicy, RepeatPolicy),
        role: Role,
    ) -> Self {
        // A matter of the pair and one of its staple.
        let matters = NonZeroUsize::new(pairs.saturating_mul(2)).unwrap_or(NonZeroUsize::MIN);
        Self {
            transitions: Transitions::new(matters).with_repeat(repeat),
            policy,
            role,
        }
    }

    /// What should be said of a pair that the service starts with, if anything.
    pub(super) fn start(&self, slot: &Slot, now: Timestamp) -> Option<Event> {
        let remarks = &slot.served.remarks;
        if remarks.is_empty() {
            return None;
        }
        let message = format!("started all the same: {}", remarks.join("; "));
        let leaf = slot.served.leaf()?;
        let (code, severity) = match self.policy.band(leaf.validity(), Position::Leaf, now) {
            Band::Expired => (EventCode::Expired, Severity::Critical),
            Band::NotYetValid => (EventCode::NotYetValid, Severity::Critical),
            _ => (EventCode::ReloadSucceeded, Severity::Warning),
        };
        Some(self.event(slot, code, severity, message, now))
    }

    /// What should be said of this step, if anything.
    pub(super) fn step(&mut self, slot: &Slot, step: &Step, now: Timestamp) -> Option<Event> {
        match step {
            Step::Unchanged | Step::Settling { .. } => None,
            Step::Restored => {
                let telling = self.observe(slot, EventCode::ReloadFailed, Band::Ok, now)?;
                let message = format!(
                    "{}: it holds what is served again, until {}",
                    file(slot),
                    end(slot)
                );
                let event = self.event(
                    slot,
                    EventCode::ReloadRecovered,
                    Severity::Info,
                    message,
                    now,
                );
                Some(event.with_bands(telling.before, Band::Ok))
            }
            Step::Swapped { remarks } => {
                let telling = self.observe(slot, EventCode::ReloadFailed, Band::Ok, now);
                let mut message = format!(
                    "{}: '{}' is served from now on, until {}",
                    file(slot),
                    name(slot),
                    end(slot)
                );
                for remark in remarks {
                    message.push_str("; ");
                    message.push_str(remark);
                }
                let severity = match remarks.as_slice() {
                    [] => Severity::Info,
                    _ => Severity::Warning,
                };
                let event = self.event(slot, EventCode::ReloadSucceeded, severity, message, now);
                Some(match telling {
                    Some(telling) => event.with_bands(telling.before, Band::Ok),
                    None => event,
                })
            }
            Step::Refused { error, .. } => {
                let band = self.band(slot, now);
                let telling = self.observe(slot, EventCode::ReloadFailed, band, now)?;
                let message = format!(
                    "{error}; '{}', which was loaded at {}, is served on, until {}",
                    name(slot),
                    slot.since,
                    end(slot)
                );
                let severity = Severity::of_band(band);
                let event = self.event(slot, EventCode::ReloadFailed, severity, message, now);
                Some(event.with_bands(telling.before, band))
            }
        }
    }

    /// What should be said of the pair's staple, if anything.
    #[cfg(feature = "ocsp")]
    pub(super) fn staple(
        &mut self,
        slot: &Slot,
        settle_seconds: i64,
        now: Timestamp,
    ) -> Option<Event> {
        let standing = slot.staple_standing(settle_seconds, now)?;
        let telling = self.observe(slot, EventCode::StapleNotGood, standing.band, now)?;
        let code = match standing.band {
            Band::Ok => EventCode::StapleRecovered,
            _ => EventCode::StapleNotGood,
        };
        let severity = Severity::of_band(standing.band);
        let event = self.event(slot, code, severity, standing.message, now);
        let staple = slot.files.staple.as_deref().map(path_name);
        let event = event.with_source(staple);
        Some(event.with_bands(telling.before, standing.band))
    }

    /// A failed reload matters more the nearer the end of what is served.
    fn band(&self, slot: &Slot, now: Timestamp) -> Band {
        let leaf = slot.served.leaf();
        let band = leaf.map(|leaf| self.policy.band(leaf.validity(), Position::Leaf, now));
        match band {
            Some(Band::Ok | Band::Due | Band::Warning) => Band::Warning,
            _ => Band::Critical,
        }
    }

    fn observe(
        &mut self,
        slot: &Slot,
        code: EventCode,
        band: Band,
        now: Timestamp,
    ) -> Option<Telling> {
        let matter = Matter::new(code, self.role).with_name(file(slot));
        self.transitions.observe(matter, band, now)
    }

    fn event(
        &self,
        slot: &Slot,
        code: EventCode,
        severity: Severity,
        message: String,
        now: Timestamp,
    ) -> Event {
        let subject = slot
            .served
            .leaf()
            .map(|leaf| Subject::of(leaf, Position::Leaf));
        Event::new(now, code, severity, self.role, message)
            .with_source(file(slot))
            .with_subject(subject)
    }
}

fn file(slot: &Slot) -> String {
    path_name(&slot.files.certificates)
}

fn name(slot: &Slot) -> String {
    slot.served
        .leaf()
        .map(Certificate::short_name)
        .unwrap_or_default()
}

fn end(slot: &Slot) -> String {
    let leaf = slot.served.leaf();
    leaf.map(|leaf| leaf.not_after().to_string())
        .unwrap_or_default()
}
