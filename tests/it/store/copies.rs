//! Copies that are damaged, missing, old or forged.

use std::sync::Arc;

use notafter::announce::{PinFloor, PinStorage, StateFile, StoreNotice};
use notafter::pin::{Acceptance, PinsInForce as _};

use super::disk::Disk;
use super::faults::{first, open, second};
use crate::announcements::ground::{DAY, Draft, Ground, authority, day, floor_draft, listed};
use crate::support::pki::NOW;

const COPIES: [StateFile; 2] = [StateFile::First, StateFile::Second];

fn codes(notices: &[StoreNotice]) -> Vec<&'static str> {
    notices.iter().map(StoreNotice::as_str).collect()
}

/// Versions 11 and 12 applied.
fn disk() -> Arc<Disk> {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    assert_eq!(ground.notices, []);
    ground.apply(&first(), NOW).unwrap();
    ground.apply(&second(), day(40)).unwrap();
    disk
}

/// Ways to damage bytes.
fn damages(bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
    let flips = (0..bytes.len()).map(|index| {
        let mut flipped = bytes.to_vec();
        flipped[index] ^= 1 << (index % 8);
        Some(flipped)
    });
    let cuts = (0..bytes.len())
        .step_by(13)
        .map(|length| Some(bytes[..length].to_vec()));
    let more = [
        None,
        Some([bytes, b"\n"].concat()),
        Some([bytes, bytes].concat()),
    ];
    flips.chain(cuts).chain(more).collect()
}

#[test]
fn a_copy_has_16_mib_at_the_most() {
    const MOST: usize = 16 * 1024 * 1024;
    for (bytes, counts) in [(MOST, true), (MOST + 1, false)] {
        let disk = disk();
        let text = String::from_utf8(disk.get(StateFile::First).unwrap()).unwrap();
        let (json, checksum) = text.split_once("\nsha256 ").unwrap();
        let room = bytes - "\nsha256 ".len() - checksum.len();
        let json = json.to_owned() + &" ".repeat(room - json.len());
        let digest = notafter::cert::Sha256Digest::of(json.as_bytes());
        let padded = format!("{json}\nsha256 {digest}\n").into_bytes();
        assert_eq!(padded.len(), bytes);
        disk.put(StateFile::First, Some(padded.clone()));
        disk.put(StateFile::Second, None);
        let ground = open(&disk, day(41));
        assert_eq!(
            ground.store.version(),
            if counts { 12 } else { 10 },
            "{bytes}"
        );
    }
}

#[test]
fn one_copy_damaged_at_will_loses_nothing_and_is_healed() {
    // One key, for there are thousands of openings.
    let alone = floor_draft().with("authority", authority(&[1], 1, None));
    let disk = Arc::new(Disk::new());
    let open = |now| {
        let floor = PinFloor::from_json(&alone.payload()).unwrap();
        let storage: Arc<dyn PinStorage> = disk.clone();
        Ground::on(floor, Some(storage), now)
    };
    open(NOW).store.apply(&first().signed(&[1]), NOW).unwrap();
    for (n, damage) in damages(&disk.get(StateFile::First).unwrap())
        .into_iter()
        .enumerate()
    {
        disk.put(COPIES[n % 2], damage);
        let ground = open(day(31));
        assert_eq!(
            (ground.store.version(), ground.accepted(day(31))),
            (11, "OP".into())
        );
        assert_eq!(codes(&ground.notices), ["state_copy_damaged"]);
        assert_eq!(disk.get(COPIES[0]), disk.get(COPIES[1]));
    }
    assert_eq!(open(day(31)).notices, []);
}

#[test]
fn both_copies_lost_is_the_floor_with_an_alarm_and_a_new_folder_is_none() {
    let bytes = disk().get(StateFile::First).unwrap();
    let cases = [
        None,
        Some(vec![]),
        Some(bytes[..bytes.len() / 2].to_vec()),
        Some(b"garbage".to_vec()),
    ];
    for damage in cases {
        let disk = disk();
        for copy in COPIES {
            disk.put(copy, damage.clone());
        }
        let ground = open(&disk, day(41));
        assert_eq!(
            (ground.store.version(), ground.accepted(day(41))),
            (10, "OB".into())
        );
        assert_eq!(
            codes(&ground.notices),
            ["state_copy_damaged", "state_copy_damaged", "state_lost"]
        );
        assert_eq!(open(&disk, day(41)).notices, []);
    }
    assert_eq!(open(&Arc::new(Disk::new()), NOW).notices, []);
}

/// The writer of the folder knows the format and how to compute a checksum.
#[test]
fn whoever_writes_the_folder_can_forge_nothing() {
    use notafter::cert::Sha256Digest;

    let disk = disk();
    let text = String::from_utf8(disk.get(StateFile::First).unwrap()).unwrap();
    let (json, _) = text.split_once("\nsha256 ").unwrap();
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    let forge = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value = value.clone();
        change(&mut value);
        let json = value.to_string();
        let forged = format!("{json}\nsha256 {}\n", Sha256Digest::of(json.as_bytes()));
        let disk = Arc::new(Disk::new());
        for copy in COPIES {
            disk.put(copy, Some(forged.clone().into_bytes()));
        }
        open(&disk, day(41))
    };
    // Unchanged, it is taken: the forgeries fail for what they are.
    assert_eq!(forge(&|_| ()).store.version(), 12);
    let evil = Draft::new(13, NOW, &[listed(b'E', "current")]);
    let envelope = data_encoding::BASE64.encode(&evil.signed(&[8, 9]));
    let forged = forge(&|value| value["announcements"][1]["envelope"] = envelope.clone().into());
    assert_eq!(codes(&forged.notices), ["state_does_not_hold"]);
    assert_eq!(
        (forged.store.version(), forged.accepted(day(41))),
        (11, "OP".into())
    );
    // An instant of first sight before the announcement was made: it counts from then.
    let early = forge(&|value| {
        let announcements = value["announcements"].as_array_mut().unwrap();
        announcements.truncate(1);
        announcements[0]["applied"] = (NOW.as_unix_seconds() - 100).into();
        announcements[0]["first_sight"] = 0.into();
        value["latest"] = 0.into();
    });
    assert_eq!(
        (early.store.version(), early.from(b'P')),
        (11, Acceptance::From(day(30)))
    );
    // Years later: it is not believed further than the announcement lasts.
    let late = forge(&|value| {
        value["latest"] = i64::MAX.into();
        value["announcements"][1]["first_sight"] = i64::MAX.into();
    });
    let draft = Draft::new(
        13,
        day(41),
        &[listed(b'P', "current"), listed(b'R', "backup")],
    );
    let draft = draft.expiring(day(400));
    late.apply(&draft, day(41)).unwrap();
    assert_eq!(late.from(b'R'), Acceptance::From(day(40 + 90 + 30)));
    assert_eq!(codes(&late.notices), ["state_ahead"]);
}

#[test]
fn the_newer_copy_counts_and_two_older_ones_are_a_rollback_that_a_running_store_undoes() {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    ground.apply(&first(), NOW).unwrap();
    let old = disk.get(StateFile::First);
    ground.apply(&second(), day(40)).unwrap();
    disk.put(StateFile::First, old.clone());
    assert_eq!(open(&disk, day(41)).store.version(), 12);
    for copy in COPIES {
        disk.put(copy, old.clone());
    }
    ground.store.tick(day(41));
    assert_eq!(
        (ground.store.version(), open(&disk, day(41)).store.version()),
        (12, 12)
    );
}

#[test]
fn what_another_process_applied_to_the_folder_is_taken_over() {
    let disk = Arc::new(Disk::new());
    let (service, command) = (open(&disk, NOW), open(&disk, NOW));
    command.apply(&first(), NOW).unwrap();
    command.apply(&second(), day(40)).unwrap();
    assert_eq!(
        (service.store.version(), service.store.generation().epoch),
        (10, 0)
    );
    let told = service.store.tick(day(41));
    assert_eq!(codes(&told)[0], "announcement_taken_over");
    assert_eq!(
        (service.store.version(), service.accepted(day(41))),
        (12, "P".into())
    );
    assert_eq!(service.store.generation().epoch, 1);
    // Also when it comes to know of it by refusing an announcement that is too old by then.
    let third = Draft::new(13, day(41), &[listed(b'P', "current")]);
    command.apply(&third, day(41)).unwrap();
    assert_eq!(
        service
            .apply(&third, day(41))
            .map(|applied| applied.unchanged),
        Ok(true)
    );
    let earlier = service.apply(&second(), day(41));
    assert_eq!(earlier.unwrap_err().code(), "rollback");
}

#[test]
fn a_restart_at_any_point_of_a_long_life_finds_what_was_in_force() {
    let disk = Arc::new(Disk::new());
    let mut running = open(&disk, NOW);
    let state = |ground: &Ground| (ground.store.version(), ground.pins());
    for n in 1..=40_u8 {
        let now = day(i64::from(n) * 10);
        // Every letter is announced, becomes current, retires and is rejected in its turn.
        let phases = [
            "announced",
            "announced",
            "announced",
            "announced",
            "current",
            "retired",
            "rejected",
        ];
        let mut pins = vec![listed(b'B', "backup")];
        for (age, phase) in phases.into_iter().enumerate() {
            let letter = n.checked_sub(u8::try_from(age).unwrap());
            // No 17th, whose digest would be one digit all along.
            let letter = letter.map(|letter| letter + 1 + letter / 16);
            pins.extend(letter.map(|letter| listed(letter, phase)));
        }
        let draft = Draft::new(10 + u64::from(n), now, &pins);
        running.apply(&draft, now).unwrap();
        running.store.tick(now.saturating_add(DAY));
        let restarted = open(&disk, now);
        assert_eq!(state(&restarted), state(&running));
        assert_eq!(restarted.notices, []);
        if n % 3 == 0 {
            running = restarted;
        }
    }
    // What no longer matters is forgotten; every rejected digest matters.
    let bytes = disk.get(StateFile::First).unwrap();
    let kept = String::from_utf8(bytes)
        .unwrap()
        .matches("\"envelope\"")
        .count();
    assert!((34..=41).contains(&kept), "{kept}");
}

#[test]
fn announcements_that_no_longer_matter_are_forgotten() {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    for n in 0..60_u64 {
        let pins = [
            listed(b'O', "current"),
            listed(b'B', "backup"),
            listed(b'P', "announced"),
        ];
        let at = day(i64::try_from(n).unwrap());
        ground.apply(&Draft::new(11 + n, at, &pins), at).unwrap();
    }
    let bytes = disk.get(StateFile::First).unwrap();
    let kept = String::from_utf8(bytes)
        .unwrap()
        .matches("\"envelope\"")
        .count();
    // The one that is in force, and the one that first announced 'P'.
    assert_eq!(kept, 2);
    let restarted = open(&disk, day(60));
    assert_eq!(restarted.from(b'P'), Acceptance::From(day(30)));
    assert_eq!(restarted.store.version(), 70);
}

#[test]
fn the_instant_that_was_reached_is_kept_over_a_restart() {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    let without = Draft::new(11, NOW, &[listed(b'O', "current")]);
    ground.apply(&without, NOW).unwrap();
    ground.store.tick(day(25));
    drop(ground);
    // The clock is set back while the process is down.
    let ground = open(&disk, day(1));
    let pins = [listed(b'O', "current"), listed(b'P', "announced")];
    ground.apply(&Draft::new(12, NOW, &pins), day(1)).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(55)));
}

/// A disk that does not give its files for a while must not lead to their being overwritten.
#[test]
fn copies_that_cannot_be_read_are_not_overwritten_and_count_once_they_can() {
    let disk = disk();
    disk.set_unreadable(true);
    let ground = open(&disk, day(41));
    assert_eq!(
        codes(&ground.notices),
        [
            "state_copy_damaged",
            "state_copy_damaged",
            "state_lost",
            "state_not_saved"
        ]
    );
    assert_eq!(ground.accepted(day(41)), "OB");
    assert_eq!(codes(&ground.store.tick(day(41))), ["state_not_saved"]);
    disk.set_unreadable(false);
    let told = ground.store.tick(day(41));
    assert_eq!(told[0].as_str(), "announcement_taken_over");
    assert_eq!(
        (ground.store.version(), ground.accepted(day(41))),
        (12, "P".into())
    );
    assert_eq!(ground.store.tick(day(41)), []);
}

#[test]
fn damage_under_a_running_store_is_told_and_healed() {
    let disk = disk();
    let ground = open(&disk, day(41));
    disk.put(StateFile::First, Some(b"garbage".to_vec()));
    assert_eq!(codes(&ground.store.tick(day(41))), ["state_copy_damaged"]);
    for copy in COPIES {
        disk.put(copy, None);
    }
    let told = ground.store.tick(day(41));
    assert_eq!(codes(&told), ["state_copy_damaged", "state_copy_damaged"]);
    assert_eq!(ground.store.tick(day(41)), []);
    assert_eq!(open(&disk, day(41)).store.version(), 12);
}
