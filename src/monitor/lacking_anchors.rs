//! What is said where there is no trust anchor to judge by.

use super::item::ItemNews;
use crate::alert::{Condition, Matter, Transitions};
use crate::event::{Event, EventCode, Role, Severity};
use crate::policy::Band;
use crate::self_check::Finding;
use crate::time::Timestamp;

/// Says so, or that it is no longer so.
pub(super) fn tell(
    lacking: Option<&Finding>,
    transitions: &Transitions,
    news: &mut ItemNews,
    now: Timestamp,
) {
    let (topic, role) = (EventCode::NoTrustAnchors, Role::Anchor);
    let matter = Matter::new(topic, role);
    let (band, code, message) = match lacking {
        Some(finding) => (Band::Broken, topic, finding.message.clone()),
        None if transitions.band(&matter).is_none() => return,
        None => {
            news.gone.push(matter.clone());
            let message = "there are trust anchors again, or nothing that is judged by them";
            (Band::Ok, EventCode::Recovered, message.to_owned())
        }
    };
    let event = Event::new(now, code, Severity::of_band(band), role, message);
    news.conditions.push(Condition::new(matter, band, event));
}
