//! What changed for each host between two states.

use super::StoreNotice;
use crate::announce::RotationState;
use crate::pin::{Acceptance, Pin, PinScope, PinState};
use crate::time::Timestamp;

const DAY: i64 = 24 * 60 * 60;

/// What is different in `after` at `now` from `before` at `then`.
pub(super) fn changes(
    (before, then): (&RotationState, Timestamp),
    (after, now): (&RotationState, Timestamp),
) -> Vec<StoreNotice> {
    let mut notices = Vec::new();
    let old = by_host(before);
    for (host, pins) in by_host(after) {
        let earlier = old.iter().find(|(other, _)| *other == host);
        let earlier = earlier.map_or(&[][..], |(_, pins)| pins);
        let same = |pin: &Pin, others: &[Pin]| -> Option<Pin> {
            let mut same = others.iter();
            let same = same.find(|o| (o.key, o.position) == (pin.key, pin.position));
            same.cloned()
        };
        for pin in &pins {
            let was = same(pin, earlier);
            let notice = notice(&host, was.as_ref().map(|was| (was, then)), (pin, now));
            notices.extend(notice.map(|notice| by_rule(notice, after)));
        }
        let pending = earlier.iter().filter(|was| is_successor(was, then));
        for was in pending {
            let now_listed = same(was, &pins);
            if !now_listed.is_some_and(|pin| pin.state.can_be_accepted()) {
                notices.push(StoreNotice::SuccessorWithdrawn {
                    host: host.clone(),
                    pin: was.clone(),
                });
            }
        }
        let usable = |pins: &[Pin]| pins.iter().filter(|pin| pin.can_be_accepted()).count();
        if usable(&pins) == 1 && usable(earlier) != 1 {
            let mut left = pins.into_iter().filter(Pin::can_be_accepted);
            notices.extend(
                left.next()
                    .map(|pin| StoreNotice::OneUsablePinLeft { host, pin }),
            );
        }
    }
    notices.extend(authority((before, then), (after, now)));
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

fn by_host(state: &RotationState) -> Vec<(PinScope, Vec<Pin>)> {
    let sets = state.in_force();
    let hosts = sets.flat_map(|(hosts, pins)| {
        let each = hosts.iter().map(move |host| (host.clone(), pins.clone()));
        each.collect::<Vec<_>>()
    });
    hosts.collect()
}

/// Announced, or held down under another name.
fn is_successor(pin: &Pin, now: Timestamp) -> bool {
    pin.state.can_be_accepted() && (pin.state == PinState::Announced || !pin.is_accepted(now))
}

fn notice(
    host: &PinScope,
    was: Option<(&Pin, Timestamp)>,
    (pin, now): (&Pin, Timestamp),
) -> Option<StoreNotice> {
    let (host, pin) = (host.clone(), pin.clone());
    if !pin.state.can_be_accepted() {
        return None;
    }
    let accepted_before = was.is_some_and(|(was, then)| was.is_accepted(then));
    if !pin.is_accepted(now) {
        if was.is_some_and(|(was, _)| was.acceptance == pin.acceptance) {
            return None;
        }
        return Some(match pin.acceptance {
            Acceptance::Never => StoreNotice::SuccessorOutlasts { host, pin },
            _ => StoreNotice::SuccessorPending { host, pin },
        });
    }
    if !accepted_before {
        return Some(StoreNotice::SuccessorDue { host, pin });
    }
    let promoted = was.is_some_and(|(was, _)| was.state == PinState::Announced)
        && pin.state != PinState::Announced;
    promoted.then_some(StoreNotice::SuccessorPromoted { host, pin })
}

/// What does not count as things are waits for something else where the store asks for a listing.
fn by_rule(notice: StoreNotice, state: &RotationState) -> StoreNotice {
    match notice {
        StoreNotice::SuccessorOutlasts { host, pin } if state.asks_for_listing() => {
            StoreNotice::SuccessorAwaitsListing { host, pin }
        }
        notice => notice,
    }
}

fn authority(
    (before, then): (&RotationState, Timestamp),
    (after, now): (&RotationState, Timestamp),
) -> Option<StoreNotice> {
    if before.authority_at(then) != after.authority_at(now) {
        return Some(StoreNotice::AuthorityChanged);
    }
    let waiting = |(_, rules): (_, Acceptance)| rules.from();
    let was = before.next_authority().and_then(waiting);
    let is = after.next_authority().and_then(waiting);
    match (
        was.filter(|from| *from > then),
        is.filter(|from| *from > now),
    ) {
        (was, Some(from)) if was != Some(from) => Some(StoreNotice::AuthorityPending { from }),
        (Some(_), None) if after.next_authority().is_none() => {
            Some(StoreNotice::AuthorityWithdrawn)
        }
        _ => None,
    }
}
