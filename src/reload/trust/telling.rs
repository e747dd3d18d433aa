//! What is told of anchors and lists.

use std::num::NonZeroUsize;

use super::standing::TrustStep;
use crate::alert::{Condition, Matter, RepeatPolicy, Transitions};
use crate::event::{Event, EventCode, Role, Severity};
use crate::policy::Band;
use crate::time::Timestamp;

/// How many lists are told of: those of more issuers are in force all the same.
const MAX_TOLD: NonZeroUsize = match NonZeroUsize::new(1024) {
    Some(matters) => matters,
    None => NonZeroUsize::MIN,
};

/// Says it once, and again when it matters.
#[derive(Debug)]
pub(super) struct TrustTeller {
    transitions: Transitions,
    role: Role,
    /// What it is about, by the name that the places had at the start: what is pushed under more names
    /// later is no other matter.
    matter: Matter,
}

/// What is told of.
pub(super) struct ToldTrust<'t> {
    pub(super) place: &'t str,
    /// What is in force now.
    pub(super) in_force: String,
    pub(super) since: Timestamp,
}

impl TrustTeller {
    pub(super) fn new(role: Role, repeat: RepeatPolicy, place: &str) -> Self {
        Self {
            transitions: Transitions::new(MAX_TOLD).with_repeat(repeat),
            role,
            matter: Matter::new(EventCode::ReloadFailed, role).with_name(place.to_owned()),
        }
    }

    /// What should be said of what the service starts with.
    pub(super) fn start(&self, place: &str, remark: &str, now: Timestamp) -> Event {
        let message = format!("{place}: started all the same: {remark}");
        let code = EventCode::ReloadSucceeded;
        Event::new(now, code, Severity::Warning, self.role, message).with_source(place.to_owned())
    }

    /// What should be said of this step, if anything.
    pub(super) fn step(
        &mut self,
        told: &ToldTrust<'_>,
        step: &TrustStep,
        now: Timestamp,
    ) -> Option<Event> {
        let (band, code, message, fresh) = match step {
            TrustStep::Settling(_) => return None,
            // Something may have been refused that was pushed: what was pushed before stayed.
            TrustStep::Unchanged | TrustStep::Restored => {
                let message = format!("{}: it holds what is in force again", told.place);
                (Band::Ok, EventCode::ReloadRecovered, message, false)
            }
            TrustStep::Swapped { warning } => {
                let warning = warning.as_ref();
                let warning = warning.map_or_else(String::new, |error| format!("; but {error}"));
                let message = format!(
                    "{}: from now on in force: {}{warning}",
                    told.place, told.in_force
                );
                (Band::Ok, EventCode::ReloadSucceeded, message, true)
            }
            TrustStep::Refused { error, fresh } => {
                let message = format!(
                    "{error}; what was loaded at {} stays in force: {}",
                    told.since, told.in_force
                );
                (Band::Warning, EventCode::ReloadFailed, message, *fresh)
            }
        };
        let telling = self.transitions.observe(self.matter.clone(), band, now);
        // Another failure than the one told of is told at once.
        if telling.is_none() && !fresh {
            return None;
        }
        let severity = match step {
            TrustStep::Swapped { warning: Some(_) } => Severity::Warning,
            _ => Severity::of_band(band),
        };
        let event = Event::new(now, code, severity, self.role, message)
            .with_source(told.place.to_owned())
            .with_matter(self.matter.clone());
        let before = match telling {
            Some(telling) => telling.before,
            // Another failure comes in the band of the one before; where nothing failed there is none.
            None => Some(band).filter(|band| *band != Band::Ok),
        };
        Some(event.with_bands(before, band))
    }

    /// What should be said of the ends of what is in force.
    pub(super) fn ends(&mut self, conditions: Vec<Condition>, now: Timestamp) -> Vec<Event> {
        self.transitions.tell(conditions, now)
    }
}
