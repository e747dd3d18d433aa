//! Files, folders, and readers that never wait.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notafter::{
    Durability, PinFolder, PinSet, PinStorage, PinsInForce as _, StateFile, StoreNotice,
};

use super::faults::{first, second};
use crate::announcements::ground::{Draft, Ground, day, floor, listed};
use crate::support::pki::NOW;

#[test]
fn a_folder_of_announcements_is_applied_in_the_order_of_their_versions() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let third = Draft::new(13, day(40), &[listed(b'P', "current")]);
    put("a-third.json", &third.signed(&[1, 2]));
    put("b-first.json", &first().signed(&[1, 2]));
    put("c-second.json", &second().signed(&[1]));
    put("torn.json", &third.signed(&[1, 2])[..200]);
    put("README", b"not an announcement");
    put(
        "other.json",
        b"{\"payloadType\":\"application/vnd.in-toto+json\"}",
    );
    fs::create_dir(folder.path().join("below")).unwrap();
    let ground = Ground::new();
    let outcomes = ground.store.apply_folder(folder.path(), NOW).unwrap();
    let told = outcomes.iter().map(|file| {
        let name = file.path.file_name().unwrap().to_str().unwrap();
        let code = file
            .outcome
            .as_ref()
            .map_or_else(notafter::AnnouncementError::code, |_| "applied");
        format!("{name} {code}")
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "b-first.json applied",
            "c-second.json threshold",
            "a-third.json not_yet_issued",
            "torn.json malformed",
        ]
    );
    assert_eq!(ground.store.version(), 11);
    let missing = ground.store.apply_folder(folder.path().join("none"), NOW);
    assert_eq!(missing.unwrap_err().code(), "unreadable");
    let missing = ground.store.apply_file(folder.path().join("none"), NOW);
    assert_eq!(missing.unwrap_err().code(), "unreadable");
}

#[test]
fn a_pin_folder_is_made_when_needed_and_keeps_both_copies() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("var/lib/pins");
    let open = |now| Ground::on(floor(), Some(Arc::new(PinFolder::new(&path))), now);
    let ground = open(NOW);
    assert_eq!(ground.notices, []);
    assert_eq!(
        ground.apply(&first(), NOW).unwrap().durability,
        Durability::Kept
    );
    drop(ground);
    let mut names: Vec<_> = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["pins-1", "pins-2", "pins-kept"]);
    assert_eq!(open(day(30)).accepted(day(30)), "OP");
    // Crash debris of an earlier attempt is in nobody's way.
    fs::write(path.join("pins-1.new"), b"half").unwrap();
    fs::write(path.join("pins-2"), b"damaged").unwrap();
    let ground = open(day(40));
    assert_eq!(codes(&ground.notices), ["copy_damaged"]);
    assert_eq!(
        ground.apply(&second(), day(40)).unwrap().durability,
        Durability::Kept
    );
    assert_eq!(open(day(40)).notices, []);
    // The folder is gone: it is a new one.
    fs::remove_dir_all(&path).unwrap();
    assert_eq!(open(day(40)).store.version(), 10);
}

#[test]
fn a_folder_that_cannot_be_one_is_told_and_pins_hold_in_memory() {
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("file");
    fs::write(&file, b"").unwrap();
    let folder = Arc::new(PinFolder::new(file.join("below")));
    assert!(folder.write_new(StateFile::First, b"").is_err());
    let ground = Ground::on(floor(), Some(folder), NOW);
    assert!(
        codes(&ground.notices).contains(&"not_saved"),
        "{:?}",
        ground.notices
    );
    let applied = ground.apply(&first(), NOW).unwrap();
    assert_eq!(applied.durability, Durability::MemoryOnly);
    assert_eq!(
        (ground.store.version(), ground.accepted(day(30))),
        (11, "OP".into())
    );
}

/// The epoch and the pins that belong together are seen together.
#[test]
fn readers_see_one_whole_generation_while_announcements_come_in() {
    let ground = Ground::new();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let generation = ground.store.generation();
                    assert!(generation.epoch >= last);
                    last = generation.epoch;
                    let pins: Vec<_> = generation.sets.iter().flat_map(PinSet::pins).collect();
                    // Generation n names n pins beside the first two, all labelled n.
                    if last > 0 {
                        let label = last.to_string();
                        assert!(pins.iter().all(|pin| pin.label.as_ref() == Some(&label)));
                    }
                }
            });
        }
        for n in 1..=50_u64 {
            let mut pins = [
                listed(b'O', "current"),
                listed(b'B', "backup"),
                listed(b'P', "announced"),
            ];
            for pin in &mut pins {
                pin["label"] = n.to_string().into();
            }
            ground.apply(&Draft::new(10 + n, NOW, &pins), NOW).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(ground.store.generation().epoch, 50);
}

fn codes(notices: &[StoreNotice]) -> Vec<&'static str> {
    notices.iter().map(StoreNotice::as_str).collect()
}
