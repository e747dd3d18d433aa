//! What is told of peers that proved nothing: how many, by kind, once a minute.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::{Event, EventCode};
use crate::time::Timestamp;

/// Seconds between two events of one kind.
const INTERVAL: u64 = 60;

/// Counts them: there are no more entries than kinds, whoever comes.
#[derive(Debug, Default)]
pub(super) struct UnprovenCounts {
    kinds: Mutex<BTreeMap<EventCode, KindCount>>,
}

#[derive(Debug)]
struct KindCount {
    told: Timestamp,
    /// The first event since then that was not told, and how many there were.
    waiting: Option<(Event, usize)>,
}

impl UnprovenCounts {
    /// Counts one, and hands it back where it is time to tell. The event is only made where it
    /// may be told.
    pub(super) fn count(
        &self,
        code: EventCode,
        now: Timestamp,
        make: impl FnOnce() -> Event,
    ) -> Option<Event> {
        let mut kinds = self.kinds();
        let Some(kind) = kinds.get_mut(&code) else {
            let kind = KindCount {
                told: now,
                waiting: None,
            };
            kinds.insert(code, kind);
            return Some(make());
        };
        // A clock set back by more than that ends the interval too.
        if now.seconds_since(kind.told).unsigned_abs() >= INTERVAL {
            let since = std::mem::replace(&mut kind.told, now);
            let others = kind.waiting.take().map_or(0, |(_, count)| count);
            return Some(speaking_for(make(), others.saturating_add(1), since));
        }
        match &mut kind.waiting {
            Some((_, count)) => *count = count.saturating_add(1),
            waiting => *waiting = Some((make(), 1)),
        }
        None
    }

    /// What was counted and not told yet.
    pub(super) fn take_waiting(&self) -> Vec<Event> {
        let mut kinds = self.kinds();
        let waiting = kinds.values_mut().filter_map(|kind| {
            let (event, count) = kind.waiting.take()?;
            let since = std::mem::replace(&mut kind.told, event.at);
            Some(speaking_for(event, count, since))
        });
        waiting.collect()
    }

    fn kinds(&self) -> MutexGuard<'_, BTreeMap<EventCode, KindCount>> {
        // What an event is made of does not panic, and the map is whole between any two calls.
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The event for all that were counted.
fn speaking_for(mut event: Event, count: usize, since: Timestamp) -> Event {
    event.affected = count;
    if count > 1 {
        let others = count - 1;
        event.message = format!(
            "{} (and {others} more like it since {since})",
            event.message
        );
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Role, Severity};

    fn count(unproven: &UnprovenCounts, code: EventCode, at: i64) -> Option<usize> {
        let at = Timestamp::from_unix_seconds(at);
        let make = || Event::new(at, code, Severity::Unproven, Role::PeerClient, "x");
        unproven.count(code, at, make).map(|event| event.affected)
    }

    #[test]
    fn each_kind_is_told_once_a_minute_with_its_number() {
        use EventCode::{PeerExpired, PinMismatch};
        let unproven = UnprovenCounts::default();
        assert_eq!(count(&unproven, PeerExpired, 0), Some(1));
        for at in [0, 30, 59] {
            assert_eq!(count(&unproven, PeerExpired, at), None);
        }
        assert_eq!(count(&unproven, PinMismatch, 59), Some(1), "another kind");
        assert_eq!(count(&unproven, PeerExpired, 60), Some(4));
        assert_eq!(count(&unproven, PeerExpired, 61), None);
        let waiting = unproven.take_waiting();
        assert_eq!(waiting.len(), 1);
        assert_eq!(
            (waiting[0].affected, waiting[0].at.as_unix_seconds()),
            (1, 61)
        );
        assert!(unproven.take_waiting().is_empty());
        // A clock set back by a year is no year of silence.
        assert_eq!(count(&unproven, PeerExpired, -31_536_000), Some(1));
        assert_eq!(count(&unproven, PeerExpired, -31_536_000 + 59), None);
        assert_eq!(count(&unproven, PeerExpired, -31_536_000 + 60), Some(2));
    }
}
