//! A fault at every write, sync and rename.

use std::sync::Arc;

use notafter::Timestamp;
use notafter::announce::{Durability, PinStorage, StoreNotice};

use super::disk::{Disk, Fault};
use crate::announcements::ground::{Draft, Ground, day, floor, listed};
use crate::support::pki::NOW;

const FAULTS: [Fault; 4] = [
    Fault::Error,
    Fault::Crash,
    Fault::CrashAndForget,
    Fault::Full,
];

pub fn open(disk: &Arc<Disk>, now: Timestamp) -> Ground {
    let storage: Arc<dyn PinStorage> = disk.clone();
    Ground::on(floor(), Some(storage), now)
}

/// Version 11: 'P' announced, 'X' and 'Y' rejected.
pub fn first() -> Draft {
    let pins = [
        listed(b'O', "current"),
        listed(b'P', "announced"),
        listed(b'Y', "rejected"),
    ];
    Draft::new(11, NOW, &pins)
}

/// Version 12: 'P' has taken over, 'O' is rejected.
pub fn second() -> Draft {
    let pins = [
        listed(b'P', "current"),
        listed(b'Q', "announced"),
        listed(b'O', "rejected"),
    ];
    Draft::new(12, day(40), &pins).following(&first())
}

fn codes(notices: &[StoreNotice]) -> Vec<&'static str> {
    notices.iter().map(StoreNotice::as_str).collect()
}

#[test]
fn a_fault_at_any_step_leaves_the_old_generation_or_the_new_one() {
    let clean = Arc::new(Disk::new());
    open(&clean, NOW).apply(&first(), NOW).unwrap();
    let mut seen = [0; 2];
    for fault in FAULTS {
        for step in 0.. {
            let disk = Arc::new(clean.with_fault(step, fault));
            let ground = open(&disk, day(40));
            assert_eq!(ground.accepted(day(40)), "OP");
            // In force in any case: a rejection must not wait for a disk.
            let applied = ground.apply(&second(), day(40)).unwrap();
            assert_eq!(ground.accepted(day(40)), "P", "{fault:?} at {step}");
            let kept = applied.durability == Durability::Kept;
            let told = codes(&applied.notices).contains(&"state_not_saved");
            assert_eq!(kept, !told, "{fault:?} at {step}: {applied:?}");

            let restarted = Arc::new(disk.after_restart());
            let again = open(&restarted, day(41));
            let version = again.store.version();
            match version {
                11 => assert_eq!(again.accepted(day(41)), "OP", "{fault:?} at {step}"),
                12 => assert_eq!(again.accepted(day(41)), "P", "{fault:?} at {step}"),
                other => panic!("{fault:?} at {step}: version {other}"),
            }
            seen[usize::from(version == 12)] += 1;
            // What was said to be safe is there.
            if applied.durability != Durability::MemoryOnly {
                assert_eq!(version, 12, "{fault:?} at {step}");
            }
            assert!(
                !codes(&again.notices).contains(&"state_lost"),
                "{:?}",
                again.notices
            );
            // The next opening finds both copies whole, and the rest can still be applied.
            again.apply(&second(), day(41)).unwrap();
            let healed = open(&restarted, day(42));
            assert_eq!((healed.store.version(), healed.notices), (12, vec![]));
            if disk.steps() <= step {
                break;
            }
        }
    }
    assert!(seen[0] > 5 && seen[1] > 5, "{seen:?}");
}

#[test]
fn a_fault_at_any_step_of_the_first_opening_loses_no_pins() {
    for fault in FAULTS {
        for step in 0.. {
            let disk = Arc::new(Disk::new().with_fault(step, fault));
            let ground = open(&disk, NOW);
            assert_eq!(ground.accepted(NOW), "OB", "{fault:?} at {step}");
            let _ = ground.apply(&first(), NOW).unwrap();
            let again = open(&Arc::new(disk.after_restart()), day(1));
            let version = again.store.version();
            assert!([10, 11].contains(&version), "{fault:?} at {step}");
            assert!(
                again.accepted(day(1)).starts_with('O'),
                "{fault:?} at {step}"
            );
            if disk.steps() <= step {
                break;
            }
        }
    }
}

#[test]
fn a_disk_that_was_full_gets_both_copies_once_it_is_not() {
    let full = Arc::new(Disk::new().with_fault(0, Fault::Full));
    let ground = open(&full, NOW);
    assert_eq!(codes(&ground.notices), ["state_not_saved"]);
    let applied = ground.apply(&first(), NOW).unwrap();
    assert_eq!(applied.durability, Durability::MemoryOnly);
    // It goes on being told.
    assert_eq!(codes(&ground.store.tick(NOW)), ["state_not_saved"]);

    let failing_once = Arc::new(Disk::new().with_fault(1, Fault::Error));
    let ground = open(&failing_once, NOW);
    assert_eq!(codes(&ground.notices), ["state_not_saved"]);
    assert_eq!(ground.store.tick(NOW), []);
    assert_eq!(
        ground.apply(&first(), NOW).unwrap().durability,
        Durability::Kept
    );
    assert_eq!(open(&failing_once, NOW).notices, []);
}
