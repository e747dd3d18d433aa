//! What there is to tell of an announcement, of what changed for each host, and of time that went by.

use std::collections::HashMap;

use super::StoreNotice;
use crate::announce::payload::identity;
use crate::announce::previous::Link;
use crate::announce::{RotationState, SignedAnnouncement};
use crate::pin::{Acceptance, Pin, PinPosition, PinScope, PinState, SpkiPin};
use crate::time::Timestamp;

const DAY: i64 = 24 * 60 * 60;

/// A state as it stands at an instant.
#[derive(Clone, Copy)]
pub(super) struct StateAt<'s> {
    pub(super) state: &'s RotationState,
    pub(super) at: Timestamp,
}

/// What there is to say about an announcement that is applied to this state.
pub(super) fn said_of(signed: &SignedAnnouncement, before: &RotationState) -> Vec<StoreNotice> {
    let (announcement, in_force) = (signed.announcement(), before.version());
    let version = announcement.version;
    let mut notices = vec![StoreNotice::Applied { version }];
    if announcement.emergency {
        notices.push(StoreNotice::Emergency { version });
    }
    match Link::between(before.head(), announcement.previous) {
        Link::Follows => {}
        Link::Missed => notices.push(StoreNotice::AnnouncementsMissed { version, in_force }),
        Link::Forks => notices.push(StoreNotice::HistoryForked { version, in_force }),
    }
    notices
}

/// What is different in `now` from `then`.
pub(super) fn changes(then: StateAt<'_>, now: StateAt<'_>) -> Vec<StoreNotice> {
    let mut notices = Vec::new();
    let earlier: HashMap<_, _> = by_host(then.state).collect();
    for (host, pins) in by_host(now.state) {
        let earlier = earlier.get(&host).map_or(&[][..], Vec::as_slice);
        let (old, new) = (by_identity(earlier), by_identity(&pins));
        for pin in &pins {
            let was = old.get(&identity(pin)).copied();
            let change = PinChange {
                was,
                was_accepted: was.is_some_and(|was| was.is_accepted(then.at)),
                pin,
                is_accepted: pin.is_accepted(now.at),
            };
            notices.extend(change.notice(&host, now.state));
        }
        for was in earlier.iter().filter(|was| is_successor(was, then.at)) {
            let listed = new.get(&identity(was));
            if !listed.is_some_and(|pin| pin.state.can_be_accepted()) {
                notices.push(StoreNotice::SuccessorWithdrawn {
                    host: host.clone(),
                    pin: was.clone(),
                });
            }
        }
        if let (Some(pin), true) = (only_usable(&pins), only_usable(earlier).is_none()) {
            let pin = pin.clone();
            notices.push(StoreNotice::OneUsablePinLeft { host, pin });
        }
    }
    notices.extend(authority(then, now));
    notices
}

/// A stale announcement is told of when it becomes so, and every day from then on; at an opening, where
/// nothing was told before, always.
pub(super) fn stale(
    state: &RotationState,
    told: Option<Timestamp>,
    now: Timestamp,
) -> Option<StoreNotice> {
    let expires = state.expires()?;
    let days = |at: Timestamp| match at.seconds_since(expires) {
        over if over > 0 => 1 + (over - 1) / DAY,
        _ => 0,
    };
    let version = state.version();
    (days(now) > told.map_or(0, days))
        .then_some(StoreNotice::AnnouncementStale { version, expires })
}

fn by_host(state: &RotationState) -> impl Iterator<Item = (PinScope, Vec<Pin>)> {
    state.in_force().flat_map(|(hosts, pins)| {
        let hosts = hosts.iter().cloned();
        hosts.map(move |host| (host, pins.clone()))
    })
}

/// The first of each digest and position.
fn by_identity(pins: &[Pin]) -> HashMap<(SpkiPin, PinPosition), &Pin> {
    let mut known = HashMap::with_capacity(pins.len());
    for pin in pins {
        known.entry(identity(pin)).or_insert(pin);
    }
    known
}

/// Announced, or held down under another name.
fn is_successor(pin: &Pin, now: Timestamp) -> bool {
    pin.state.can_be_accepted() && (pin.state == PinState::Announced || !pin.is_accepted(now))
}

/// The pin that can be accepted, where there is exactly one.
fn only_usable(pins: &[Pin]) -> Option<&Pin> {
    let mut usable = pins.iter().filter(|pin| pin.can_be_accepted());
    usable.next().filter(|_| usable.next().is_none())
}

/// One pin of a host, before and now.
struct PinChange<'p> {
    was: Option<&'p Pin>,
    was_accepted: bool,
    pin: &'p Pin,
    is_accepted: bool,
}

impl PinChange<'_> {
    fn notice(&self, host: &PinScope, state: &RotationState) -> Option<StoreNotice> {
        let (host, pin) = (host.clone(), self.pin.clone());
        if !pin.state.can_be_accepted() {
            return None;
        }
        if self.is_accepted {
            let was_announced = self.was.is_some_and(|was| was.state == PinState::Announced);
            return match (self.was_accepted, pin.state) {
                (false, _) => Some(StoreNotice::SuccessorDue { host, pin }),
                (true, PinState::Announced) => None,
                (true, _) => was_announced.then_some(StoreNotice::SuccessorPromoted { host, pin }),
            };
        }
        if self.was.is_some_and(|was| was.acceptance == pin.acceptance) {
            return None;
        }
        Some(match pin.acceptance {
            // What does not count as things are waits for a listing where the store asks for one.
            Acceptance::Never if state.asks_for_listing() => {
                StoreNotice::SuccessorAwaitsListing { host, pin }
            }
            Acceptance::Never => StoreNotice::SuccessorOutlasts { host, pin },
            _ => StoreNotice::SuccessorPending { host, pin },
        })
    }
}

fn authority(then: StateAt<'_>, now: StateAt<'_>) -> Option<StoreNotice> {
    if then.state.authority_at(then.at) != now.state.authority_at(now.at) {
        return Some(StoreNotice::AuthorityChanged);
    }
    match (pending_from(then), pending_from(now)) {
        (was, Some(from)) if was != Some(from) => Some(StoreNotice::AuthorityPending { from }),
        (Some(_), None) if now.state.next_authority().is_none() => {
            Some(StoreNotice::AuthorityWithdrawn)
        }
        _ => None,
    }
}

/// From when on the next authority will rule that does not yet.
fn pending_from(StateAt { state, at }: StateAt<'_>) -> Option<Timestamp> {
    let (_, rules) = state.next_authority()?;
    rules.from().filter(|from| *from > at)
}
