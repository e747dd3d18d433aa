//! A folder that somebody without keys rewrites under a running store.

use std::sync::Arc;

use data_encoding::BASE64;
use notafter::Timestamp;
use notafter::announce::{StateFile, StoreNotice};
use notafter::cert::Sha256Digest;
use notafter::pin::Acceptance;
use serde_json::{Value, json};

use super::disk::Disk;
use super::faults::open;
use crate::announcements::ground::{Draft, Ground, day, listed};
use crate::support::pki::NOW;

const COPIES: [StateFile; 2] = [StateFile::First, StateFile::Second];

fn rewrite(disk: &Disk, change: impl Fn(&mut Value)) {
    let text = String::from_utf8(disk.get(StateFile::First).unwrap()).unwrap();
    let (json, _) = text.split_once("\nsha256 ").unwrap();
    let mut value: Value = serde_json::from_str(json).unwrap();
    value["sequence"] = (value["sequence"].as_u64().unwrap() + 1).into();
    change(&mut value);
    let json = value.to_string();
    let forged = format!("{json}\nsha256 {}\n", Sha256Digest::of(json.as_bytes()));
    for copy in COPIES {
        disk.put(copy, Some(forged.clone().into_bytes()));
    }
}

fn kept(draft: &Draft, at: Timestamp) -> Value {
    let envelope = BASE64.encode(&draft.signed(&[1, 2]));
    json!({ "applied": at.as_unix_seconds(), "first_sight": at.as_unix_seconds(), "envelope": envelope })
}

fn codes(notices: &[StoreNotice]) -> Vec<&'static str> {
    notices.iter().map(StoreNotice::as_str).collect()
}

fn rejected(ground: &Ground) -> String {
    let pins = ground.pins().into_iter();
    let rejected = pins.filter(|pin| pin.state.as_str() == "rejected");
    rejected
        .map(|pin| char::from(pin.key.digest().as_bytes()[0]))
        .collect()
}

/// 'P' was announced, withdrawn, and announced again: without the withdrawal it would ripen early.
#[test]
fn an_old_announcement_inserted_hides_no_withdrawal() {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    let with = |version, at, announced: bool| {
        let mut pins = vec![listed(b'O', "current"), listed(b'B', "backup")];
        pins.extend(announced.then(|| listed(b'P', "announced")));
        Draft::new(version, at, &pins).expiring(day(300))
    };
    let old = with(11, NOW, true);
    ground.apply(&old, NOW).unwrap();
    ground.apply(&with(12, day(10), false), day(10)).unwrap();
    ground.apply(&with(13, day(20), true), day(20)).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(50)));
    rewrite(&disk, |value| {
        let announcements = value["announcements"].as_array_mut().unwrap();
        announcements.insert(0, kept(&old, NOW));
    });
    assert_eq!(codes(&ground.store.tick(day(21))), ["state_altered"]);
    assert_eq!(ground.from(b'P'), Acceptance::From(day(50)));
    // What is in force was written again.
    assert_eq!(ground.store.tick(day(22)), []);
    assert_eq!(open(&disk, day(22)).from(b'P'), Acceptance::From(day(50)));
}

#[test]
fn an_announcement_removed_lifts_no_rejection() {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    let rejecting = [listed(b'O', "current"), listed(b'E', "rejected")];
    ground.apply(&Draft::new(11, NOW, &rejecting), NOW).unwrap();
    let later = [listed(b'O', "current"), listed(b'B', "backup")];
    ground
        .apply(&Draft::new(12, day(1), &later), day(1))
        .unwrap();
    rewrite(&disk, |value| {
        value["announcements"].as_array_mut().unwrap().remove(0);
    });
    assert_eq!(codes(&ground.store.tick(day(2))), ["state_altered"]);
    assert_eq!(rejected(&ground), "EX");
    assert_eq!(rejected(&open(&disk, day(3))), "EX");
}

#[test]
fn a_higher_sequence_over_a_shorter_history_is_not_taken_over() {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    for version in [11, 12] {
        let pins = [listed(b'O', "current"), listed(b'B', "backup")];
        ground.apply(&Draft::new(version, NOW, &pins), NOW).unwrap();
    }
    rewrite(&disk, |value| {
        value["announcements"] = json!([]);
        value["sequence"] = 1_000_000.into();
    });
    assert_eq!(codes(&ground.store.tick(day(1))), ["state_altered"]);
    assert_eq!(
        (ground.store.version(), open(&disk, day(2)).store.version()),
        (12, 12)
    );
}

/// With a threshold of stolen keys, what they announce can be said to last for ever, and to be first
/// seen then.
#[test]
fn nothing_taken_over_was_first_seen_in_the_future_or_before_the_last_look() {
    for said in [day(100_000), NOW] {
        let disk = Arc::new(Disk::new());
        let ground = open(&disk, NOW);
        let pins = [listed(b'O', "current"), listed(b'B', "backup")];
        let lasting = |version, pins: &[Value]| Draft::new(version, NOW, pins).expiring(day(900));
        ground.apply(&lasting(11, &pins), NOW).unwrap();
        ground.store.tick(day(40));
        let next = [listed(b'O', "current"), listed(b'P', "announced")];
        let next = lasting(12, &next);
        rewrite(&disk, |value| {
            let announcements = value["announcements"].as_array_mut().unwrap();
            let mut kept = kept(&next, NOW);
            kept["first_sight"] = said.as_unix_seconds().into();
            announcements.push(kept);
        });
        let told = ground.store.tick(day(41));
        assert!(
            codes(&told).contains(&"announcement_taken_over"),
            "{told:?}"
        );
        let Acceptance::From(from) = ground.from(b'P') else {
            panic!("{told:?}");
        };
        assert!(day(70) <= from && from <= day(71), "{from}");
        assert_eq!(open(&disk, day(42)).from(b'P'), Acceptance::From(from));
    }
}
