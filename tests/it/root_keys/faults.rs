//! A fault at every write, sync and rename, and a disk that gives nothing.

use std::sync::Arc;

use notafter::Timestamp;
use notafter::announce::{Durability, RootAnnouncedPins, StateFile};
use notafter::cert::RootKeyHash;
use notafter::pin::Acceptance;

use super::{Root, algorithms, codes, pin_of, set};
use crate::store::disk::{Disk, Fault};
use crate::support::pki::{NOW, days};

fn open(
    root: &Root,
    disk: &Arc<Disk>,
    now: Timestamp,
) -> (Arc<RootAnnouncedPins>, Vec<&'static str>) {
    let builder = RootAnnouncedPins::builder(set([root.current()]), algorithms());
    let (pins, notices) = builder.with_storage(disk.clone()).open(now);
    (pins, codes(&notices))
}

#[test]
fn a_fault_at_any_step_leaves_what_was_known_or_what_is_new() {
    let [root, first, second] = ["Root", "First", "Second"].map(Root::new);
    let of_first = root.naming_from(-10, &first, RootKeyHash::Sha256);
    let of_second = root.naming_from(-5, &second, RootKeyHash::Sha256);
    let clean = Arc::new(Disk::new());
    let (pins, notices) = open(&root, &clean, NOW);
    assert_eq!(notices, [""; 0]);
    pins.observe(&of_first, NOW).unwrap();
    let mut seen = [0; 2];
    for fault in [
        Fault::Error,
        Fault::Crash,
        Fault::CrashAndForget,
        Fault::Full,
    ] {
        for step in 0.. {
            let disk = Arc::new(clean.with_fault(step, fault));
            let (pins, _) = open(&root, &disk, days(3));
            let observed = pins.observe(&of_second, days(5)).unwrap();
            // In force in any case.
            assert_eq!(pin_of(&pins, &first), None);
            let told = codes(&observed.notices).contains(&"state_not_saved");
            let is_kept = observed.durability == Durability::Kept;
            assert_eq!(is_kept, !told, "{fault:?} at {step}");

            let restarted = Arc::new(disk.after_restart());
            let (again, notices) = open(&root, &restarted, days(6));
            assert!(!notices.contains(&"state_lost"), "{fault:?} at {step}");
            let acceptance = |root| pin_of(&again, root).map(|pin| pin.acceptance);
            let is_new = match (acceptance(&first), acceptance(&second)) {
                (Some(Acceptance::From(from)), None) if from == days(30) => false,
                (None, Some(Acceptance::From(from))) if from == days(35) => true,
                other => panic!("{fault:?} at {step}: {other:?}"),
            };
            seen[usize::from(is_new)] += 1;
            if observed.durability != Durability::MemoryOnly {
                assert!(is_new, "{fault:?} at {step}");
            }
            let (_, notices) = open(&root, &restarted, days(7));
            assert_eq!(notices, [""; 0], "{fault:?} at {step}");
            if disk.steps() <= step {
                break;
            }
        }
    }
    assert!(seen[0] > 5 && seen[1] > 5, "{seen:?}");
}

#[test]
fn a_disk_that_gives_nothing_is_not_written_over_and_counts_again_once_it_does() {
    let (root, next) = (Root::new("Root"), Root::new("Next"));
    let disk = Arc::new(Disk::new());
    let (pins, _) = open(&root, &disk, NOW);
    pins.observe(&root.naming(&next), NOW).unwrap();
    let kept = disk.get(StateFile::FirstRoots);
    disk.set_unreadable(true);
    let (pins, notices) = open(&root, &disk, days(31));
    let told = [
        "state_copy_damaged",
        "state_copy_damaged",
        "state_lost",
        "state_not_saved",
    ];
    assert_eq!(notices, told);
    assert_eq!(pin_of(&pins, &next), None);
    assert_eq!(codes(&pins.tick(days(31))), ["state_not_saved"]);
    assert_eq!(disk.get(StateFile::FirstRoots), kept);
    disk.set_unreadable(false);
    let (pins, notices) = open(&root, &disk, days(31));
    assert_eq!(notices, [""; 0]);
    let acceptance = pin_of(&pins, &next).unwrap().acceptance;
    assert_eq!(acceptance, Acceptance::From(days(30)));
}

#[test]
fn a_process_that_started_blind_takes_over_what_it_could_not_read() {
    let (root, next) = (Root::new("Root"), Root::new("Next"));
    let disk = Arc::new(Disk::new());
    let (pins, _) = open(&root, &disk, NOW);
    pins.observe(&root.naming(&next), NOW).unwrap();
    disk.set_unreadable(true);
    // Whether it has shown the root again meanwhile or not.
    let (untouched, _) = open(&root, &disk, days(31));
    let (seen, _) = open(&root, &disk, days(31));
    seen.observe(&root.naming(&next), days(31)).unwrap();
    assert_eq!(pin_of(&untouched, &next), None);
    disk.set_unreadable(false);
    for blind in [untouched, seen] {
        blind.tick(days(32));
        let acceptance = pin_of(&blind, &next).unwrap().acceptance;
        assert_eq!(acceptance, Acceptance::From(days(30)));
    }
    let (again, notices) = open(&root, &disk, days(33));
    assert_eq!(notices, [""; 0]);
    let acceptance = pin_of(&again, &next).unwrap().acceptance;
    assert_eq!(acceptance, Acceptance::From(days(30)));
}
