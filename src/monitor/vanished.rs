//! What is said of matters that are no longer there.

use std::collections::HashSet;

use crate::alert::{Condition, Matter};
use crate::event::{Event, EventCode, Role, Severity};
use crate::policy::Band;
use crate::time::Timestamp;

/// Where a matter was, and why it is not there any more.
pub(super) struct Vanished<'v> {
    pub(super) matter: &'v Matter,
    /// What the thing is watched under.
    pub(super) name: &'v str,
    /// The file, the folder or the endpoint.
    pub(super) source: Option<&'v str>,
    pub(super) standing: SourceStanding,
}

/// How the source of a matter that vanished stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SourceStanding {
    /// It is there, and the matter is not.
    There,
    /// It is not there.
    Removed,
}

impl SourceStanding {
    pub(super) fn of(source: Option<&str>, there: &HashSet<String>) -> Self {
        match source {
            Some(source) if !there.contains(source) => Self::Removed,
            _ => Self::There,
        }
    }
}

impl Vanished<'_> {
    /// What was not ok is no longer there.
    pub(super) fn condition(&self, now: Timestamp) -> Condition {
        let what = self.matter.name.as_deref().unwrap_or(self.name);
        let (code, message) = match (self.matter.topic, self.standing) {
            (EventCode::SourceFailed, SourceStanding::There) => {
                let message = format!("{what} can be read again");
                (EventCode::SourceRecovered, message)
            }
            (EventCode::SourceFailed, SourceStanding::Removed) => {
                let message = format!(
                    "{what}, which could not be read, was removed, or is no longer watched"
                );
                (EventCode::SourceRemoved, message)
            }
            (EventCode::StapleNotGood, _) => {
                let message = format!("{what} has no staple to judge any more");
                (EventCode::StapleRecovered, message)
            }
            (_, SourceStanding::Removed) => {
                let message = format!(
                    "what was wrong in {what} is no longer there: it was removed, or is no longer watched"
                );
                (EventCode::Recovered, message)
            }
            _ => {
                let message = format!("what was wrong in {what} is no longer there");
                (EventCode::Recovered, message)
            }
        };
        let event = Event::new(now, code, Severity::Info, self.matter.role, message);
        let event = event.with_source(self.source.unwrap_or(self.name).to_owned());
        Condition::new(self.matter.clone(), Band::Ok, event)
    }
}

/// A file of a watched folder that was in order is no longer there.
pub(super) fn removed(source: &str, name: &str, role: Role, now: Timestamp) -> Event {
    let message = format!(
        "{name} ({source}): the file was removed, or holds no certificates any more, and is no longer judged"
    );
    let code = EventCode::SourceRemoved;
    Event::new(now, code, Severity::Info, role, message).with_source(source.to_owned())
}
