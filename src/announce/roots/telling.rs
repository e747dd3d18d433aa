//! What there is to tell of roots and their next keys.

use super::RootOutcome;
use super::book::RootEntry;
use super::held_root::HeldRoot;
use super::overlay::is_usable;
use crate::announce::StoreNotice;
use crate::pin::{Acceptance, PinSets};
use crate::time::Timestamp;

/// What there is to say of what a certificate did, beside the pins that are in force then.
pub(super) fn of_entry(
    entry: &RootEntry,
    sets: &PinSets,
    hold_down_seconds: i64,
) -> Vec<StoreNotice> {
    let mut notices = Vec::new();
    if let Some(before) = &entry.replaced {
        notices.extend(withdrawn(before));
    }
    if matches!(
        entry.outcome,
        RootOutcome::Announced | RootOutcome::Confirmed
    ) {
        notices.extend(standing(&entry.root, sets, hold_down_seconds));
    }
    notices
}

/// That a root's next key counts no longer.
pub(super) fn withdrawn(root: &HeldRoot) -> Option<StoreNotice> {
    Some(StoreNotice::RootKeyWithdrawn {
        root: root.name(),
        next: root.next.clone()?,
    })
}

/// What became due after `told` and up to `now`.
pub(super) fn matured(
    roots: &[HeldRoot],
    sets: &PinSets,
    hold_down_seconds: i64,
    told: Timestamp,
    now: Timestamp,
) -> Vec<StoreNotice> {
    let mut notices = Vec::new();
    for root in roots {
        let from = root.acceptance(hold_down_seconds).from();
        let is_due = from.is_some_and(|from| told < from && from <= now);
        let Some((next, pin)) = root.next.clone().zip(root.next_pin()) else {
            continue;
        };
        if is_due && is_usable(sets, &pin) {
            let root = root.name();
            notices.push(StoreNotice::RootKeyDue { root, next, pin });
        }
    }
    notices
}

fn standing(root: &HeldRoot, sets: &PinSets, hold_down_seconds: i64) -> Option<StoreNotice> {
    let next = root.next.clone()?;
    let name = root.name();
    let not_after = root.certificate.not_after();
    Some(
        match (root.acceptance(hold_down_seconds), root.next_pin()) {
            (Acceptance::From(_), Some(pin)) if !is_usable(sets, &pin) => {
                let root = name;
                StoreNotice::RootKeyOverruled { root, next, pin }
            }
            (Acceptance::From(from), Some(pin)) => StoreNotice::RootKeyPending {
                root: name,
                next,
                pin,
                from,
            },
            (Acceptance::From(from), None) => StoreNotice::RootKeyAwaited {
                root: name,
                next,
                from,
            },
            _ => StoreNotice::RootKeyOutlasts {
                root: name,
                next,
                not_after,
            },
        },
    )
}
