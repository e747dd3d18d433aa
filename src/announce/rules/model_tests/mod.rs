//! The rules against a reference model, on random histories.

mod arrivals;
mod model;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrivals::{HOLD, Random, at, digest, floor, random_arrival, scopes};
use model::HistoryModel;

use super::{Arrival, WhenEmpty, apply};
use crate::announce::handover::Handover;
use crate::announce::{AnnouncementError, PinFloor, RotationState, SuccessorRule};
use crate::pin::{Pin, PinPosition, PinScope, PinState};
use crate::time::Timestamp;

fn universe() -> Vec<Pin> {
    let positions = [PinPosition::Leaf, PinPosition::Ca, PinPosition::Any];
    let pins = b"OBPQ".iter().flat_map(|letter| {
        positions.map(|p| Pin::new(digest(*letter), PinState::Current).with_position(p))
    });
    pins.collect()
}

fn accepted_by_rules(state: &RotationState, host: &PinScope, pin: &Pin, now: Timestamp) -> bool {
    let mut sets = state.in_force();
    let set = sets.find(|(hosts, _)| hosts.contains(host));
    let pins = set.map(|(_, pins)| pins).unwrap_or_default();
    let same = |p: &&Pin| (p.key, p.position) == (pin.key, pin.position);
    pins.iter().find(same).is_some_and(|p| p.is_accepted(now))
}

#[test]
fn random_histories_come_to_what_the_model_says() {
    let mut seen = BTreeMap::<&str, u32>::new();
    for seed in 1..=500_u64 {
        let random = &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut model = HistoryModel {
            floor: floor(),
            listed_again: seed % 3 == 0,
            history: Vec::new(),
            ruled: RefCell::default(),
        };
        let floor = Arc::new(PinFloor::new(floor()).unwrap());
        let mut state = RotationState::of_floor(floor, Duration::from_secs(HOLD.into()));
        if model.listed_again {
            state = state.with_successors(SuccessorRule::ListedAgain);
        }
        let mut clock = 1000;
        for step in 0..24 {
            let entry = random_arrival(random, &mut clock, state.version(), state.head());
            model.arrived(entry.clone());
            let handovers = entry.handovers.iter().map(|brought| Handover {
                announcement: brought.announcement.clone(),
                payload: brought.payload,
                signed: Box::new(brought.clone()),
            });
            let handovers: Vec<_> = handovers.collect();
            let arrival = Arrival {
                announcement: &entry.announcement,
                payload: entry.payload,
                signed: &entry,
                handovers: &handovers,
            };
            let outcome = apply(&state, arrival, WhenEmpty::Refuse, entry.at);
            let code = outcome.as_ref().err().map(AnnouncementError::code);
            assert_eq!(code, model.refusal(), "seed {seed} step {step}");
            *seen.entry(code.unwrap_or("applied")).or_default() += 1;
            let followed = outcome.is_ok().then(|| model.delegate(model.history.len()));
            match followed.flatten() {
                Some((_, true)) => *seen.entry("followed at once").or_default() += 1,
                Some((_, false)) => *seen.entry("followed").or_default() += 1,
                None => {}
            }
            match outcome {
                Ok(next) => state = next,
                Err(_) => drop(model.history.pop()),
            }
            if model.history.len() >= 7 {
                break;
            }
        }
        let k = model.history.len();
        let hold = i64::from(HOLD);
        let mut edges = vec![at(-500), at(2500), at(9000)];
        for entry in &model.history {
            for edge in [
                entry.at,
                entry.announcement.issued,
                entry.announcement.expires,
            ] {
                edges.extend([
                    edge,
                    edge.saturating_add(hold),
                    edge.saturating_add(hold - 1),
                ]);
            }
        }
        for now in (0..8).map(|_| random.pick(&edges)).collect::<Vec<_>>() {
            assert_eq!(
                *state.authority_at(now),
                model.authority(k, now),
                "seed {seed} at {now}"
            );
            for host in scopes() {
                let mut any = false;
                for pin in universe() {
                    let ours = accepted_by_rules(&state, &host, &pin, now);
                    let theirs = model.acceptance(k, &host, &pin).holds(now);
                    assert_eq!(ours, theirs, "seed {seed}: {host} {pin} at {now}");
                    any |= ours;
                }
                let last = model.history.last().map_or(at(100), |entry| entry.at);
                assert!(any || now < last, "seed {seed}: {host} has no pin at {now}");
            }
        }
    }
    let all = [
        "applied",
        "followed",
        "followed at once",
        "threshold",
        "emergency_threshold",
        "other_product",
        "forked",
        "malformed",
        "rollback",
        "fast_forward",
        "not_yet_issued",
        "expired",
        "authority",
        "widened",
        "empty_set",
    ];
    for code in all {
        assert!(
            seen.get(code).is_some_and(|n| *n > 15),
            "{code} is rare: {seen:?}"
        );
    }
}
