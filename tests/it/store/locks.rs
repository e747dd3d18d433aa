//! Several processes, or several stores of one, on the same folder.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};

use notafter::announce::{
    AnnouncementError, Applied, Durability, PinFolder, PinStorage as _, StoreNotice,
};

use crate::announcements::command::binary;
use crate::announcements::ground::{Draft, Ground, floor, floor_draft, listed};
use crate::support::pki::NOW;

fn open(path: &Path) -> Ground {
    Ground::on(floor(), Some(Arc::new(PinFolder::new(path))), NOW)
}

/// Each version rejects a letter of its own.
fn rejecting(version: u64, letter: u8) -> Draft {
    let pins = [
        listed(b'O', "current"),
        listed(b'B', "backup"),
        listed(letter, "rejected"),
    ];
    Draft::new(version, NOW, &pins)
}

fn rejects(ground: &Ground, letter: u8) -> bool {
    let mut pins = ground.pins().into_iter();
    pins.any(|pin| pin.state.as_str() == "rejected" && pin.key.digest().as_bytes()[0] == letter)
}

#[test]
fn of_two_stores_that_apply_at_the_same_instant_neither_loses_what_the_other_did() {
    for _ in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let stores = [open(folder.path()), open(folder.path())];
        let ready = Barrier::new(2);
        let apply = |store: &Ground, version, letter| -> Result<Applied, AnnouncementError> {
            ready.wait();
            store.apply(&rejecting(version, letter), NOW)
        };
        let (one, other) = std::thread::scope(|scope| {
            let one = scope.spawn(|| apply(&stores[0], 11, b'E'));
            let other = scope.spawn(|| apply(&stores[1], 12, b'F'));
            (one.join().unwrap(), other.join().unwrap())
        });
        let found = open(folder.path());
        for (outcome, letter) in [(one, b'E'), (other, b'F')] {
            match outcome {
                Ok(applied) => {
                    assert_eq!(applied.durability, Durability::Kept, "{applied:?}");
                    assert!(rejects(&found, letter), "{}", char::from(letter));
                }
                // The later one came first.
                Err(refused) => assert_eq!((refused.code(), letter), ("rollback", b'E')),
            }
        }
    }
}

#[test]
fn of_two_processes_that_apply_at_the_same_instant_neither_loses_what_the_other_did() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("floor.json"), floor_draft().payload()).unwrap();
        let running = [(11, b'E'), (12, b'F')].map(|(version, letter)| {
            let file = path(&format!("{version}.json"));
            std::fs::write(&file, rejecting(version, letter).signed(&[1, 2])).unwrap();
            let child = Command::new(binary())
                .args(["apply", "--at", "2026-01-01T00:00:00Z", "--floor"])
                .arg(path("floor.json"))
                .arg("--state")
                .arg(path("state"))
                .arg(file)
                .stdout(Stdio::piped())
                .spawn();
            (child.unwrap(), letter)
        });
        let ended = running.map(|(child, letter)| (child.wait_with_output().unwrap(), letter));
        let found = open(&path("state"));
        for (output, letter) in ended {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            match output.status.code() {
                Some(0) => assert!(rejects(&found, letter), "{}: {text}", char::from(letter)),
                code => assert_eq!((code, letter), (Some(1), b'E'), "{text}"),
            }
        }
    }
}

/// A rejection must not wait for a process that hangs; the folder does.
#[test]
fn while_another_holds_the_lock_an_announcement_is_in_force_in_memory_and_kept_later() {
    let folder = tempfile::tempdir().unwrap();
    let ground = open(folder.path());
    let lock = PinFolder::new(folder.path()).lock().unwrap();
    let applied = ground.apply(&rejecting(11, b'E'), NOW).unwrap();
    assert_eq!(applied.durability, Durability::MemoryOnly);
    let codes = applied.notices.iter().map(StoreNotice::as_str);
    assert!(codes.into_iter().any(|code| code == "state_not_saved"));
    assert!(rejects(&ground, b'E'));
    drop(lock);
    assert_eq!(ground.store.tick(NOW), []);
    assert!(rejects(&open(folder.path()), b'E'));
}

/// Whoever was killed with the lock in its hands holds it no longer.
#[test]
fn a_lock_file_that_a_crash_left_there_keeps_nobody_away() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pins-lock"), b"").unwrap();
    let ground = open(folder.path());
    let applied = ground.apply(&rejecting(11, b'E'), NOW).unwrap();
    assert_eq!(applied.durability, Durability::Kept);
}
