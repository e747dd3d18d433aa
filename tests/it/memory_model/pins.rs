//! Random pin sets over the keys of a world, and pins that change.

use std::sync::{Arc, Mutex};

use notafter::pin::{
    Acceptance, ExpiryRule, Pin, PinGeneration, PinMode, PinPosition, PinSets, PinState,
    PinsInForce,
};
use notafter::{PinSet, SpkiPin};

use crate::support::graph::Dice;
use crate::support::world::World;

/// Pins that a test changes.
#[derive(Debug)]
pub struct ChangingPins(Mutex<Arc<PinGeneration>>);

impl ChangingPins {
    pub fn new(sets: PinSets) -> Arc<Self> {
        let generation = PinGeneration::new(0, sets);
        Arc::new(Self(Mutex::new(Arc::new(generation))))
    }

    pub fn change(&self, sets: PinSets) {
        let mut generation = self.0.lock().unwrap();
        *generation = Arc::new(PinGeneration::new(generation.epoch + 1, sets));
    }
}

impl PinsInForce for ChangingPins {
    fn generation(&self) -> Arc<PinGeneration> {
        self.0.lock().unwrap().clone()
    }
}

/// Which pins there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinning {
    Leaves,
    /// At every position.
    Paths,
    /// At every position, for some of the names.
    Scopes,
    /// At every position, for some of the names and for some identities.
    Identities,
    /// At every position, with many keys in wrong hands and sets that fail open.
    Rejections,
}

pub fn any_sets(dice: &mut Dice, world: &World, pinning: Pinning) -> PinSets {
    let scopes: &[&[&str]] = match pinning {
        Pinning::Scopes => &[
            &["service.example"],
            &["other.example", "Service.Example"],
            &["**.example"],
            &[],
        ],
        Pinning::Identities => &[
            &["spiffe://a.example/red"],
            &["spiffe://a.example", "other.example"],
            &["spiffe://b.example/blue"],
            &["service.example"],
            &[],
        ],
        _ => return any_set(dice, world, pinning, &[]).into(),
    };
    // Without a set for some identity there would be none for clients.
    let must_be = |n: usize| pinning == Pinning::Identities && n == 0;
    let numbered = scopes.iter().enumerate();
    let chosen: Vec<_> = numbered
        .map(|(n, scope)| (dice.below(2) == 0 || must_be(n)).then_some(*scope))
        .collect();
    let sets: Vec<_> = chosen
        .into_iter()
        .flatten()
        .map(|scope| any_set(dice, world, pinning, scope))
        .collect();
    PinSets::new(sets).unwrap_or_else(|_| any_set(dice, world, pinning, &[]).into())
}

fn any_set(dice: &mut Dice, world: &World, pinning: Pinning, scopes: &[&str]) -> PinSet {
    loop {
        let mut set = PinSet::builder();
        for scope in scopes {
            set = set.with_scope(scope.parse().unwrap());
        }
        if dice.below(10) == 0 {
            set = set.with_mode(PinMode::ReportOnly);
        }
        for peer in &world.peers {
            if dice.below(if pinning == Pinning::Leaves { 3 } else { 2 }) > 0 {
                set = set.with_pin(any_pin(dice, world, pinning, peer.pin));
            }
        }
        if pinning != Pinning::Leaves {
            for _ in 0..1 + dice.below(2) {
                let key = *dice.pick(&world.ca_pins);
                let position = *dice.pick(&[
                    PinPosition::Ca,
                    PinPosition::Ca,
                    PinPosition::Anchor,
                    PinPosition::Any,
                ]);
                set = set.with_pin(any_pin(dice, world, pinning, key).with_position(position));
            }
        }
        // Always somebody who may be accepted, never shown.
        set = set.with_backup(SpkiPin::from_spki_der(b"nobody"));
        let has_end = if pinning == Pinning::Rejections { 2 } else { 5 };
        if dice.below(has_end) == 0 {
            let first = match pinning {
                Pinning::Rejections => ExpiryRule::FailOpenLoudly,
                _ => ExpiryRule::FailClosed,
            };
            let rule = *dice.pick(&[
                first,
                ExpiryRule::FailOpenLoudly,
                ExpiryRule::GraceThenClosed { seconds: 60 },
                ExpiryRule::GraceThenClosed { seconds: 432_000 },
            ]);
            set = set.with_expiry(*dice.pick(&world.instants), rule);
        }
        if let Ok(set) = set.build() {
            return set;
        }
    }
}

fn any_pin(dice: &mut Dice, world: &World, pinning: Pinning, key: SpkiPin) -> Pin {
    let states = if pinning == Pinning::Rejections {
        4
    } else {
        12
    };
    let state = match dice.below(states) {
        0 => PinState::Rejected,
        1 => PinState::Retired,
        2 => PinState::Backup,
        3 | 4 => PinState::Announced,
        _ => PinState::Current,
    };
    let pin = Pin::new(key, state);
    match (state, dice.below(2)) {
        (PinState::Announced, 0) => {
            pin.with_acceptance(Acceptance::From(*dice.pick(&world.instants)))
        }
        _ => pin,
    }
}
