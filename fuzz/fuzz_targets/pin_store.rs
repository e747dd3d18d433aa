#![no_main]
//! Over announcements, restarts, failing disks and clocks: does no hold-down end early, no rejection
//! end at all, no version go down?

use std::collections::BTreeMap;
use std::sync::Arc;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use notafter::announce::Durability;
use notafter::pin::PinsInForce as _;
use notafter::{PinStore, Timestamp};
use notafter_fuzz::announcing::{
    DAY, Disk, HOLD_DOWN_DAYS, POOL, accepted, all_printable, day, open,
};
use notafter_fuzz::assert_printable;

#[derive(Arbitrary, Debug)]
enum Step {
    Apply {
        which: u8,
        damage: Option<(u16, u8)>,
    },
    Tick,
    Clock {
        hours: i16,
    },
    Restart,
    /// A later step of replacing files fails.
    Fault {
        steps: u8,
    },
}

struct Scene {
    disk: Arc<Disk>,
    store: Arc<PinStore>,
    now: Timestamp,
    /// When a pin was first heard of.
    heard: BTreeMap<u8, Timestamp>,
    skipped: Vec<u8>,
    rejected: Vec<u8>,
    /// Whether everything is on the disk.
    is_kept: bool,
}

fuzz_target!(|steps: Vec<Step>| {
    let (disk, now) = (Arc::new(Disk::default()), day(0));
    let (store, _) = open(Some(disk.clone()), now);
    let mut scene = Scene {
        disk,
        store,
        now,
        heard: BTreeMap::new(),
        skipped: Vec::new(),
        rejected: Vec::new(),
        is_kept: true,
    };
    for step in steps.iter().take(48) {
        scene.step(step);
        scene.check();
    }
});

impl Scene {
    fn step(&mut self, step: &Step) {
        let before = self.store.version();
        match step {
            Step::Apply { which, damage } => self.apply(*which, *damage),
            Step::Tick => {
                all_printable(&self.store.tick(self.now));
            }
            Step::Clock { hours } => {
                let now = self.now.saturating_add(i64::from(*hours) * 3_600);
                self.now = now.clamp(day(-100), day(800));
            }
            Step::Restart => {
                let pins = self.store.generation().sets.clone();
                let (store, notices) = open(Some(self.disk.clone()), self.now);
                all_printable(&notices);
                if self.is_kept {
                    assert_eq!(
                        store.generation().sets,
                        pins,
                        "what was kept comes back: {notices:?}"
                    );
                }
                self.store = store;
                if !self.is_kept {
                    // From here on it is as if it had heard less.
                    self.rejected.clear();
                    return;
                }
            }
            Step::Fault { steps } => {
                *self.disk.before_fault.lock().expect("no panic") = Some(u32::from(*steps % 32));
                self.is_kept = false;
            }
        }
        assert!(self.store.version() >= before, "it went back");
    }

    fn apply(&mut self, which: u8, damage: Option<(u16, u8)>) {
        let signed = &POOL[usize::from(which) % POOL.len()];
        let mut envelope = signed.envelope.clone();
        if let Some((place, value)) = damage {
            let place = usize::from(place) % envelope.len();
            envelope[place] = value;
        }
        let applied = match self.store.apply(&envelope, self.now) {
            Ok(applied) => applied,
            Err(error) => return assert_printable(&error.to_string()),
        };
        assert!(signed.counts, "it was signed by too few");
        all_printable(&applied.notices);
        if self.disk.before_fault.lock().expect("no panic").is_none() {
            self.is_kept = applied.durability == Durability::Kept;
        }
        for (letter, state) in &signed.pins {
            self.heard.entry(*letter).or_insert(self.now);
            if signed.emergency {
                self.skipped.push(*letter);
            }
            if *state == "rejected" {
                self.rejected.push(*letter);
            }
        }
    }

    fn check(&self) {
        for letter in accepted(&self.store, self.now) {
            assert!(
                !self.rejected.contains(&letter),
                "{} was rejected",
                char::from(letter)
            );
            if matches!(letter, b'O' | b'B') || self.skipped.contains(&letter) {
                continue;
            }
            let heard = self.heard.get(&letter).expect("nobody announced it");
            let over = heard.saturating_add(HOLD_DOWN_DAYS * DAY);
            assert!(
                self.now >= over,
                "{} was heard of at {heard}",
                char::from(letter)
            );
        }
    }
}
