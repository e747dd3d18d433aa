//! The pins in force, with the successors that their roots announce beside them.

use std::collections::BTreeSet;

use super::held_root::HeldRoot;
use crate::pin::{Acceptance, Pin, PinPosition, PinSet, PinSetError, PinSets, PinState, SpkiPin};
use crate::time::Timestamp;

/// The sets with the successors. Each stands behind the pin of its root, in the same set, at no position
/// that this one has not; it counts no earlier than that one does.
pub(super) fn with_successors(
    sets: &PinSets,
    held: &[HeldRoot],
    hold_down_seconds: i64,
) -> PinSets {
    let rejected = rejected_anywhere(sets);
    let extended = sets.iter().map(|set| {
        let mut pins = ExtendedPins {
            set,
            rejected: &rejected,
            pins: set.pins().to_vec(),
        };
        // A successor may announce its own in turn.
        for _ in 0..=held.len() {
            let before = pins.pins.clone();
            for root in held {
                pins.add_successor(root, hold_down_seconds);
            }
            if pins.pins == before {
                break;
            }
        }
        rebuilt(set, pins.pins).unwrap_or_else(|_| set.clone())
    });
    let extended = PinSets::new(extended);
    let extended = extended.and_then(|new| new.with_unpinned(sets.unpinned().iter().cloned()));
    // What stood beside each other does so with more pins.
    extended.unwrap_or_else(|_| sets.clone())
}

/// Where the key is accepted at `now`, as a CA's or an anchor's.
pub(super) fn positions_of(
    sets: &PinSets,
    key: &SpkiPin,
    now: Timestamp,
) -> impl Iterator<Item = PinPosition> {
    let rejected = rejected_anywhere(sets).contains(key);
    let accepted = sets.iter().flat_map(move |set| set.accepted(now));
    let of_key = accepted.filter(move |pin| pin.key == *key && !rejected);
    of_key.map(|pin| pin.position)
}

/// Whether the sets say that the key is over, or in wrong hands, and none accepts it.
pub(super) fn is_ended(sets: &PinSets, key: &SpkiPin) -> bool {
    let all = sets.iter().flat_map(PinSet::pins);
    let of_key: Vec<_> = all.filter(|pin| pin.key == *key).collect();
    let is_rejected = of_key.iter().any(|pin| pin.state == PinState::Rejected);
    let can_be_accepted = of_key.iter().any(|pin| pin.state.can_be_accepted());
    is_rejected || (!of_key.is_empty() && !can_be_accepted)
}

/// Whether a successor by this key is among the sets' pins, as it would be accepted.
pub(super) fn is_usable(sets: &PinSets, key: &SpkiPin) -> bool {
    let mut all = sets.iter().flat_map(PinSet::usable);
    all.any(|pin| pin.key == *key)
}

/// The digests that any set rejects: they count nowhere.
fn rejected_anywhere(sets: &PinSets) -> BTreeSet<SpkiPin> {
    let all = sets.iter().flat_map(PinSet::pins);
    let rejected = all.filter(|pin| pin.state == PinState::Rejected);
    rejected.map(|pin| pin.key).collect()
}

fn rebuilt(set: &PinSet, pins: Vec<Pin>) -> Result<PinSet, PinSetError> {
    let mut builder = PinSet::builder().with_mode(set.mode());
    if let Some((end, rule)) = set.expiry() {
        builder = builder.with_expiry(end, rule);
    }
    for scope in set.scopes() {
        builder = builder.with_scope(scope.clone());
    }
    for pin in pins {
        builder = builder.with_pin(pin);
    }
    builder.build()
}

/// The pins of one set on the way to having successors.
struct ExtendedPins<'s> {
    /// As it is without them.
    set: &'s PinSet,
    rejected: &'s BTreeSet<SpkiPin>,
    pins: Vec<Pin>,
}

impl ExtendedPins<'_> {
    fn add_successor(&mut self, root: &HeldRoot, hold_down_seconds: i64) {
        let Some(key) = root.next_pin() else {
            return;
        };
        let Acceptance::From(from) = root.acceptance(hold_down_seconds) else {
            return;
        };
        // Whoever pins knows better: what is over stays so.
        let is_over = |pin: &Pin| pin.key == key && !pin.state.can_be_accepted();
        if self.rejected.contains(&key) || self.set.pins().iter().any(is_over) {
            return;
        }
        let roots = self.pins.iter().filter(|pin| pin.key == root.key);
        let roots = roots.filter(|pin| pin.position.needs_path() && pin.is_usable(self.rejected));
        let label = format!("the next key of '{}'", root.name());
        let successors: Vec<_> = roots
            .map(|pin| {
                Pin::new(key, PinState::Announced)
                    .with_position(position_of_successor(pin.position))
                    .with_acceptance(later(pin.acceptance, from))
                    .with_label(label.clone())
            })
            .collect();
        for successor in successors {
            self.add(successor);
        }
    }

    /// Where the key is listed at this position already, the earlier instant counts: both were held down.
    fn add(&mut self, successor: Pin) {
        let same = |pin: &&mut Pin| (pin.key, pin.position) == (successor.key, successor.position);
        let Some(listed) = self.pins.iter_mut().find(same) else {
            self.pins.push(successor);
            return;
        };
        listed.acceptance = match (listed.acceptance, successor.acceptance) {
            (Acceptance::Always, _) => Acceptance::Always,
            (Acceptance::From(one), Acceptance::From(other)) => Acceptance::From(one.min(other)),
            (Acceptance::Never, other) | (other, _) => other,
        };
    }
}

/// A root's key is no leaf's, whatever its predecessor's pin allows.
const fn position_of_successor(position: PinPosition) -> PinPosition {
    match position {
        PinPosition::Any => PinPosition::Ca,
        other => other,
    }
}

/// No earlier than the pin that it stands behind.
fn later(root: Acceptance, from: Timestamp) -> Acceptance {
    match root {
        Acceptance::Always => Acceptance::From(from),
        Acceptance::From(root) => Acceptance::From(root.max(from)),
        Acceptance::Never => Acceptance::Never,
    }
}
