//! Many matters, one event: when they share a cause, or are too many to be read one by one.

use crate::cert::Sha256Digest;
use crate::event::{Event, EventCode, Role};
use crate::policy::Band;

/// More events of one kind than this at one instant become one.
const MOST_OF_A_KIND: usize = 10;

/// How many names an event lists.
const NAMES: usize = 3;

/// An event that is to be sent, with what it may be put together by.
pub(super) struct Told {
    pub(super) name: Option<String>,
    pub(super) cause: Option<Sha256Digest>,
    pub(super) event: Event,
}

/// Puts together what belongs together, in the order of the first of each.
pub(super) fn coalesce(told: Vec<Told>) -> Vec<Event> {
    if told.len() < 2 {
        return told.into_iter().map(|told| told.event).collect();
    }
    let cause = |told: &Told| told.cause.map(|cause| (kind(told), cause));
    let by_cause = groups(told, |told| match cause(told) {
        Some(cause) => Group::Shared(cause),
        None => Group::Alone,
    });
    let singles = by_cause.into_iter().map(|group| match group.len() {
        1 => group,
        _ => merge(group, "share this cause").into_iter().collect(),
    });
    let singles: Vec<_> = singles.flatten().collect();
    let by_kind = groups(singles, |told| Group::Shared(kind(told)));
    let events = by_kind.into_iter().flat_map(|group| {
        if group.len() > MOST_OF_A_KIND {
            merge(group, "are so at once").into_iter().collect()
        } else {
            group
        }
    });
    events.map(|told| told.event).collect()
}

fn kind(told: &Told) -> (EventCode, Option<Band>, Role) {
    (told.event.code, told.event.band, told.event.role)
}

enum Group<K> {
    Shared(K),
    Alone,
}

fn groups<K: Eq + std::hash::Hash>(
    told: Vec<Told>,
    key: impl Fn(&Told) -> Group<K>,
) -> Vec<Vec<Told>> {
    let mut groups: Vec<Vec<Told>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for told in told {
        let index = match key(&told) {
            Group::Alone => groups.len(),
            Group::Shared(key) => *known.entry(key).or_insert(groups.len()),
        };
        match groups.get_mut(index) {
            Some(group) => group.push(told),
            None => groups.push(vec![told]),
        }
    }
    groups
}

/// One event for all of these: the most urgent one's, which says for how many it stands.
fn merge(group: Vec<Told>, what: &str) -> Option<Told> {
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
    let list = format!("{affected} {what}: {}{more}", names.join(", "));
    let ends = group
        .iter()
        .filter_map(|told| told.event.effective_not_after);
    let first_end = ends.min();
    let same = |get: fn(&Event) -> Option<&str>| {
        let mut values = group.iter().map(|told| get(&told.event));
        let first = values.next().flatten();
        values
            .all(|value| value == first)
            .then(|| first.map(str::to_owned))
            .flatten()
    };
    let (host, source) = (
        same(|event| event.host.as_deref()),
        same(|event| event.source.as_deref()),
    );
    let before = group.first().and_then(|told| told.event.band_before);
    let all_before = group.iter().all(|told| told.event.band_before == before);
    // `min_by_key` gives the first of equals.
    let most_urgent = |told: &Told| told.event.time_left.unwrap_or(i64::MAX);
    let mut first = group.into_iter().min_by_key(most_urgent)?;
    first.event.message = format!("{list}; {}", first.event.message);
    first.event.affected = affected;
    first.event.host = host;
    first.event.source = source;
    first.event.effective_not_after = first_end;
    if !all_before {
        first.event.band_before = None;
    }
    Some(first)
}
