//! Many matters, one event: when they share a cause, or are too many to be read one by one.

use std::collections::HashMap;
use std::hash::Hash;

use crate::cert::Sha256Digest;
use crate::event::{Event, EventCode, Role};
use crate::policy::Band;
use crate::text::visible;

/// More events of one kind than this at one instant become one.
const MOST_OF_A_KIND: usize = 10;

/// How many names an event lists.
const NAMES: usize = 3;

/// An event that is to be sent, with what it may be put together by.
pub(super) struct EventToSend {
    pub(super) name: Option<String>,
    pub(super) cause: Option<Sha256Digest>,
    pub(super) event: Event,
}

/// Puts together what belongs together, in the order of the first of each.
pub(super) fn coalesce(told: Vec<EventToSend>) -> Vec<Event> {
    let mut by_cause = Vec::new();
    for group in groups(told, |told| told.cause.map(|cause| (kind(told), cause))) {
        match group.len() {
            1 => by_cause.extend(group),
            _ => by_cause.extend(merge(group, "share this cause")),
        }
    }
    let mut events = Vec::new();
    for group in groups(by_cause, |told| Some(kind(told))) {
        if group.len() > MOST_OF_A_KIND {
            events.extend(merge(group, "are so at once"));
        } else {
            events.extend(group);
        }
    }
    events.into_iter().map(|told| told.event).collect()
}

/// What events that are put together have in common.
#[derive(PartialEq, Eq, Hash)]
struct Kind {
    code: EventCode,
    band: Option<Band>,
    role: Role,
    follows_from: Option<EventCode>,
}

fn kind(told: &EventToSend) -> Kind {
    Kind {
        code: told.event.code,
        band: told.event.band,
        role: told.event.role,
        follows_from: told.event.follows_from,
    }
}

/// The same for events that are about no matter: each is told once.
#[cfg(feature = "monitor")]
pub(crate) fn together(events: Vec<Event>) -> Vec<Event> {
    let told = events.into_iter().map(|event| EventToSend {
        name: event.source.clone(),
        cause: None,
        event,
    });
    coalesce(told.collect())
}

/// Puts those of one key together; an event without a key is alone.
fn groups<K: Eq + Hash>(
    told: Vec<EventToSend>,
    key: impl Fn(&EventToSend) -> Option<K>,
) -> Vec<Vec<EventToSend>> {
    let mut groups: Vec<Vec<EventToSend>> = Vec::new();
    let mut places = HashMap::new();
    for told in told {
        let place = match key(&told) {
            None => groups.len(),
            Some(key) => *places.entry(key).or_insert(groups.len()),
        };
        match groups.get_mut(place) {
            Some(group) => group.push(told),
            None => groups.push(vec![told]),
        }
    }
    groups
}

/// One event for all of these: the most urgent one's, which says for how many it stands.
fn merge(group: Vec<EventToSend>, what: &str) -> Option<EventToSend> {
    let affected = group.iter().map(|told| told.event.affected).sum();
    let names: Vec<_> = group
        .iter()
        .filter_map(|told| told.name.as_deref())
        .take(NAMES)
        .collect();
    let more = match group.len().saturating_sub(names.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    // Matters are called what others chose.
    let list = visible(&format!("{affected} {what}: {}{more}", names.join(", ")));
    let ends = group
        .iter()
        .filter_map(|told| told.event.effective_not_after);
    let first_end = ends.min();
    let host = common(&group, |event| event.host.as_deref());
    let source = common(&group, |event| event.source.as_deref());
    let band_before = common(&group, |event| event.band_before.as_ref());
    let matters = group.iter().flat_map(|told| told.event.matters.clone());
    let matters = matters.collect();
    // `min_by_key` gives the first of equals.
    let most_urgent = |told: &EventToSend| told.event.time_left_seconds.unwrap_or(i64::MAX);
    let mut first = group.into_iter().min_by_key(most_urgent)?;
    first.event.message = format!("{list}; {}", first.event.message);
    first.event.affected = affected;
    first.event.matters = matters;
    first.event.host = host;
    first.event.source = source;
    first.event.effective_not_after = first_end;
    first.event.band_before = band_before;
    Some(first)
}

/// What all of these say, where they say the same.
fn common<T: PartialEq + ToOwned + ?Sized>(
    group: &[EventToSend],
    get: fn(&Event) -> Option<&T>,
) -> Option<T::Owned> {
    let mut values = group.iter().map(|told| get(&told.event));
    let first = values.next().flatten()?;
    values
        .all(|value| value == Some(first))
        .then(|| first.to_owned())
}
