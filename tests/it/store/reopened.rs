//! Random histories, opened again at any point: as before, with another hold-down, with a newer floor and back.

use std::sync::Arc;
use std::time::Duration;

use notafter::announce::{PinFloor, PinStorage, StoreNotice};
use notafter::pin::{ExpiryRule, PinsInForce as _};
use notafter::{PinStore, Timestamp};
use serde_json::{Value, json};

use super::disk::Disk;
use crate::announcements::ground::{
    DAY, Draft, HOST, algorithms, announced_after, at_position, authority, day, floor_draft, listed,
};
use crate::support::pki::NOW;

const OTHER: &str = "b.example.com";

/// xorshift64*, so that a failure can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }

    fn days(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap()
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[usize::try_from(self.below(values.len() as u64)).unwrap()]
    }

    fn pins(&mut self, clock: i64) -> Vec<Value> {
        let states = [
            "current",
            "current",
            "backup",
            "announced",
            "announced",
            "retired",
            "rejected",
        ];
        let mut pins = Vec::new();
        for letter in *b"OBPQR" {
            if letter != b'O' && self.chance(40) {
                continue;
            }
            let often_current = letter == b'O' && self.chance(75);
            let state = if often_current {
                "current"
            } else {
                self.pick(&states)
            };
            pins.push(match state {
                "announced" if self.chance(25) => {
                    announced_after(letter, day(clock + self.days(60)))
                }
                state if self.chance(5) => at_position(letter, state, "any"),
                state => listed(letter, state),
            });
        }
        pins
    }

    fn draft(&mut self, version: u64, clock: i64) -> Draft {
        let sets = if self.chance(50) {
            json!([{ "hosts": [HOST, OTHER], "pins": self.pins(clock) }])
        } else {
            json!([
                { "hosts": [OTHER], "pins": self.pins(clock) },
                { "hosts": [HOST], "pins": self.pins(clock) },
            ])
        };
        let expires = day(clock + self.pick(&[5, 29, 31, 40, 90, 400]));
        let draft = Draft::new(version, day(clock - self.days(4)), &[]).expiring(expires);
        let draft = draft
            .with("pin_sets", sets)
            .with("emergency", self.chance(20));
        let authorities = [
            authority(&[1, 2, 3, 4], 2, Some(3)),
            authority(&[3, 4, 5], 2, Some(3)),
            authority(&[4, 5, 6], 2, None),
        ];
        let which = usize::try_from(self.below(3)).unwrap();
        match self.chance(20) {
            true => draft.with("authority", authorities[which].clone()),
            false => draft,
        }
    }
}

fn floor(version: u64) -> PinFloor {
    let sets = json!([
        { "hosts": [HOST], "pins": [listed(b'O', "current"), announced_after(b'B', day(40))] },
        { "hosts": [OTHER], "pins": [at_position(b'O', "backup", "any"), listed(b'Q', "retired")] },
    ]);
    let draft = floor_draft().with("version", version);
    PinFloor::from_json(&draft.with("pin_sets", sets).payload()).unwrap()
}

#[derive(Clone, Copy)]
struct Configuration {
    floor: u64,
    hold_down_days: i64,
}

fn open(
    disk: &Arc<Disk>,
    as_in: Configuration,
    now: Timestamp,
) -> (Arc<PinStore>, Vec<StoreNotice>) {
    let storage: Arc<dyn PinStorage> = disk.clone();
    PinStore::builder(floor(as_in.floor), ExpiryRule::FailClosed, algorithms())
        .with_hold_down(Duration::from_secs(
            u64::try_from(as_in.hold_down_days * DAY).unwrap(),
        ))
        .with_storage(storage)
        .open(now)
        .unwrap()
}

/// The pins of each host, with what they are accepted from.
fn view(store: &PinStore) -> Vec<Vec<String>> {
    let generation = store.generation();
    let view = [HOST, OTHER].map(|host| {
        let set = generation.sets.for_server(&host.try_into().unwrap());
        let pins = set.unwrap().pins().iter().map(|pin| format!("{pin:?}"));
        let mut pins: Vec<_> = pins.collect();
        pins.sort();
        pins
    });
    view.to_vec()
}

fn assert_accepts_something(store: &PinStore, now: Timestamp, place: &str) {
    for host in [HOST, OTHER] {
        let generation = store.generation();
        let set = generation.sets.for_server(&host.try_into().unwrap());
        assert!(set.unwrap().accepted(now).count() > 0, "{place}: {host}");
    }
}

#[test]
fn a_random_history_is_the_same_after_a_restart_and_outlives_other_configurations() {
    let mut applied = 0;
    for seed in 1..=40_u64 {
        let random = &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let disk = Arc::new(Disk::new());
        let mut usual = Configuration {
            floor: 10,
            hold_down_days: 30,
        };
        let mut store = open(&disk, usual, NOW).0;
        let mut clock = 0;
        for step in 0..24 {
            let place = format!("seed {seed}, step {step}");
            clock += random.days(12);
            let now = day(clock);
            if random.chance(20) {
                store.tick(now);
            }
            let version = store.version() + 1 + random.below(3);
            let draft = random.draft(version, clock);
            let keys: [&[u8]; 8] = [
                &[1, 2],
                &[1, 2],
                &[2, 4],
                &[1, 2, 3],
                &[1, 2, 3, 4, 5, 6],
                &[1, 2, 4, 5],
                &[4, 5],
                &[3, 4],
            ];
            if store.apply(&draft.signed(random.pick(&keys)), now).is_ok() {
                applied += 1;
            }
            assert_accepts_something(&store, now, &place);

            let (again, mut notices) = open(&disk, usual, now);
            notices.retain(|notice| notice.as_str() != "announcement_stale");
            assert_eq!(notices, [], "{place}");
            assert_eq!(
                (again.version(), view(&again)),
                (store.version(), view(&store)),
                "{place}"
            );
            // Another floor or hold-down, and back; or for good.
            if random.chance(25) {
                let mut other = usual;
                let newer_floor = random.chance(40);
                if newer_floor {
                    other.floor = store.version();
                } else {
                    other.hold_down_days = random.pick(&[30, 10, 60, 0]);
                }
                let (elsewhere, notices) = open(&disk, other, now);
                let bad = ["state_lost", "state_copy_damaged"];
                assert!(
                    !notices.iter().any(|notice| bad.contains(&notice.as_str())),
                    "{place}: {notices:?}"
                );
                assert_eq!(elsewhere.version(), store.version(), "{place}");
                assert_accepts_something(&elsewhere, now, &place);
                let (back, _) = open(&disk, usual, now);
                assert_eq!(
                    (back.version(), view(&back)),
                    (store.version(), view(&store)),
                    "{place}"
                );
                if !newer_floor {
                    usual = other;
                }
            }
            store = open(&disk, usual, now).0;
        }
    }
    assert!(applied > 200, "{applied}");
}
