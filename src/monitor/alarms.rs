//! Which certificates are told of, and what that makes of those who would tell the same.

use std::collections::{BTreeMap, HashMap};

use super::parts::KnownMatter;
use crate::alert::Condition;
use crate::cert::Sha256Digest;
use crate::event::{EventCode, Role, Severity};
use crate::policy::Band;

/// The certificates at fault in what is not ok.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    /// How many there are in each band.
    by_certificate: HashMap<AtFault, BTreeMap<Band, usize>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AtFault {
    certificate: Sha256Digest,
    topic: EventCode,
    role: Role,
}

impl Alarms {
    pub(super) fn add(&mut self, known: &KnownMatter) {
        if let Some(at_fault) = at_fault(known) {
            let bands = self.by_certificate.entry(at_fault).or_default();
            *bands.entry(known.band).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, known: &KnownMatter) {
        let Some(at_fault) = at_fault(known) else {
            return;
        };
        let Some(bands) = self.by_certificate.get_mut(&at_fault) else {
            return;
        };
        if let Some(count) = bands.get_mut(&known.band) {
            *count = count.saturating_sub(1);
        }
        bands.retain(|_, count| *count > 0);
        if bands.is_empty() {
            self.by_certificate.remove(&at_fault);
        }
    }

    /// One that says no more than another, of the same certificate and at least as grave, says
    /// that, and wakes nobody besides.
    pub(super) fn follow(&self, condition: &mut Condition) {
        let Some(topic) = condition
            .follows_from
            .filter(|_| condition.band != Band::Ok)
        else {
            return;
        };
        let event = &mut condition.event;
        let Some(subject) = &event.subject else {
            return;
        };
        let at_fault = AtFault {
            certificate: subject.sha256,
            topic,
            role: condition.matter.role,
        };
        let told = self.by_certificate.get(&at_fault);
        let gravest = told.and_then(|bands| bands.last_key_value());
        let Some((band, _)) = gravest.filter(|(band, _)| **band >= condition.band) else {
            return;
        };
        let primary = code_of(*band);
        event.severity = Severity::Info;
        event.follows_from = Some(primary);
        event.message = format!("{} (as the event {primary} says)", event.message);
    }
}

fn at_fault(known: &KnownMatter) -> Option<AtFault> {
    Some(AtFault {
        certificate: known.subject.filter(|_| known.band != Band::Ok)?,
        topic: known.matter.topic,
        role: known.matter.role,
    })
}

/// The code by which a watched certificate in this band is told of.
pub(super) const fn code_of(band: Band) -> EventCode {
    match band {
        Band::Ok => EventCode::Recovered,
        Band::Due | Band::Warning | Band::Critical => EventCode::Expiring,
        Band::NotYetValid => EventCode::NotYetValid,
        Band::Expired => EventCode::Expired,
        Band::Broken => EventCode::Broken,
    }
}
