//! Files, folders, and readers that never wait.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notafter::PinSet;
use notafter::announce::{
    AnnouncementError, AnnouncementFolder, Durability, PinFolder, PinStorage, StateFile,
    StoreNotice,
};
use notafter::pin::PinsInForce as _;

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
            .map_or_else(AnnouncementError::code, |_| "applied");
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
fn a_folder_that_is_looked_at_again_and_again_tells_each_thing_once() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let ground = Ground::new();
    let watched = AnnouncementFolder::new(ground.store.clone(), folder.path());
    let check = |now| -> Vec<String> {
        let events = watched.check(now);
        let told = events.iter().map(|event| {
            let source = event
                .source
                .as_ref()
                .map_or("-", |source| source.rsplit(['/', '\\']).next().unwrap());
            format!("{} {} {source}", event.severity, event.code)
        });
        told.collect()
    };
    assert_eq!(check(NOW), [""; 0]);
    put("11.json", &first().signed(&[1, 2]));
    put("12.json", &second().signed(&[1]));
    assert_eq!(
        check(NOW),
        [
            "info announcement_applied 11.json",
            "info pin_successor_pending 11.json",
            "warning announcement_refused 12.json",
        ]
    );
    assert_eq!(check(day(1)), [""; 0]);
    assert_eq!(check(day(30)), ["info pin_successor_due -"]);
    put("12.json", &second().signed(&[2, 3]));
    let told = check(day(40));
    assert_eq!(told[0], "info announcement_applied 12.json");
    assert_eq!(told[1], "info pin_successor_promoted 12.json");
    // 11 is a rollback from now on, and that is as it should be.
    assert_eq!(check(day(41)), [""; 0]);
    drop(folder);
    assert_eq!(check(day(41)).len(), 1);
    assert_eq!(check(day(42)), [""; 0]);
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
    assert_eq!(names, ["pins-1", "pins-2", "pins-kept", "pins-lock"]);
    assert_eq!(open(day(30)).accepted(day(30)), "OP");
    // Crash debris of an earlier attempt is in nobody's way, and goes.
    let debris = ["pins-1.new", "pins-2.77-0123456789abcdef.new"].map(|name| path.join(name));
    debris
        .iter()
        .for_each(|debris| fs::write(debris, b"half").unwrap());
    fs::write(path.join("pins-2"), b"damaged").unwrap();
    let ground = open(day(40));
    assert_eq!(codes(&ground.notices), ["state_copy_damaged"]);
    assert!(!debris.iter().any(|debris| debris.exists()));
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
        codes(&ground.notices).contains(&"state_not_saved"),
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
                    let pins = generation.sets.iter().flat_map(PinSet::pins);
                    let pins: Vec<_> = pins.filter(|pin| pin.can_be_accepted()).collect();
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

/// Runs it on a thread of its own, for it could wait for ever.
#[cfg(unix)]
fn without_waiting<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(run()));
    let patience = std::time::Duration::from_secs(60);
    receiver.recv_timeout(patience).expect("it waits for ever")
}

#[cfg(unix)]
fn make_pipe(path: &std::path::Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_is_damage_that_nobody_waits_for() {
    for pipe in ["pins-1", "pins-2", "pins-kept", "pins-lock"] {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().to_owned();
        let open = move || Ground::on(floor(), Some(Arc::new(PinFolder::new(&path))), NOW);
        open().apply(&first(), NOW).unwrap();
        fs::remove_file(temporary.path().join(pipe)).unwrap();
        make_pipe(&temporary.path().join(pipe));
        let ground = without_waiting(open.clone());
        assert_eq!(ground.store.version(), 11, "{pipe}");
        let damaged = ["pins-1", "pins-2"].contains(&pipe);
        let expected: &[&str] = if damaged {
            &["state_copy_damaged"]
        } else {
            &[]
        };
        assert_eq!(codes(&ground.notices), expected, "{pipe}");
        assert_eq!(without_waiting(open).notices, [], "{pipe}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_or_a_copy_that_others_can_write_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("pins");
    let open = || Ground::on(floor(), Some(Arc::new(PinFolder::new(&path))), NOW);
    assert_eq!(open().notices, []);
    let set_mode = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let cases = [
        (path.clone(), 0o777, 0o700),
        (path.clone(), 0o770, 0o700),
        (path.join("pins-2"), 0o666, 0o644),
    ];
    for (exposed, mode, private) in cases {
        set_mode(&exposed, mode);
        let told = open().notices;
        assert_eq!(codes(&told), ["state_exposed"], "{mode:o}");
        assert!(
            told[0].to_string().contains(&format!("{mode:04o}")),
            "{}",
            told[0]
        );
        set_mode(&exposed, private);
        assert_eq!(open().notices, []);
    }
}

#[test]
fn thirty_thousand_files_do_not_hide_the_genuine_one() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..30_000 {
        fs::write(folder.path().join(format!("{n}")), b"").unwrap();
    }
    for n in 0..20 {
        let junk = [b"vnd.notafter.pins.".as_slice(), &[b'x'; 60_000]].concat();
        fs::write(folder.path().join(format!("junk-{n}")), junk).unwrap();
    }
    let genuine = folder.path().join("genuine.json");
    fs::write(genuine, first().signed(&[1, 2])).unwrap();
    let ground = Ground::new();
    let watched = AnnouncementFolder::new(ground.store.clone(), folder.path());
    let events = watched.check(NOW);
    assert_eq!(ground.store.version(), 11);
    let refused = events
        .iter()
        .filter(|event| event.code.as_str() == "announcement_refused");
    assert_eq!(refused.count(), 20);
}
