//! A threshold of stolen keys that means to fill what can be remembered.

use std::fs;
use std::sync::Arc;

use notafter::announce::{AnnouncementError, PinFolder, StateFile};
use notafter::cert::Sha256Digest;
use serde_json::{Value, json};

use super::ground::{Draft, Ground, day, envelope, floor, listed, sign};
use crate::support::pki::NOW;

fn rejected(number: u32) -> Value {
    let digest = Sha256Digest::of(&number.to_be_bytes()).to_base64();
    json!({ "pin": format!("sha256/{digest}"), "state": "rejected" })
}

/// Rejects these numbers.
fn rejecting(version: u64, numbers: std::ops::Range<u32>) -> Draft {
    let own = [listed(b'O', "current"), listed(b'B', "backup")];
    let pins: Vec<_> = own.into_iter().chain(numbers.map(rejected)).collect();
    Draft::new(version, NOW, &pins)
}

fn count(ground: &Ground) -> usize {
    let pins = ground.pins();
    pins.iter()
        .filter(|pin| pin.state.as_str() == "rejected")
        .count()
}

#[test]
fn so_many_digests_can_be_rejected_and_more_in_an_emergency() {
    let ground = Ground::new();
    ground.apply(&rejecting(11, 0..300), NOW).unwrap();
    ground.apply(&rejecting(12, 200..512), NOW).unwrap();
    let refused = AnnouncementError::TooManyRejected {
        rejected: 513,
        limit: 512,
    };
    assert_eq!(ground.apply(&rejecting(13, 512..513), NOW), Err(refused));
    // All of them fit into one announcement, and what rejects no more is applied.
    ground.apply(&rejecting(13, 0..512), NOW).unwrap();
    ground.apply(&rejecting(14, 0..0), NOW).unwrap();
    // With the floor's own.
    assert_eq!(count(&ground), 513);
    ground.emergency(&rejecting(15, 512..600), NOW).unwrap();
    // From then on anew.
    ground.apply(&rejecting(16, 600..1100), NOW).unwrap();
    let error = ground.apply(&rejecting(17, 1100..1113), NOW).unwrap_err();
    assert_eq!(error.code(), "too_many_rejected");
    assert_eq!(count(&ground), 1101);
}

#[test]
fn the_history_has_room_for_the_emergency_that_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        Ground::on(
            floor(),
            Some(Arc::new(PinFolder::new(folder.path()))),
            day(1),
        )
    };
    let ground = open();
    let one = |version: u64| {
        let number = u32::try_from(version).unwrap();
        rejecting(version, number..number + 1)
    };
    let mut version = 10;
    let error = (0..200).find_map(|_| {
        let refused = ground.apply(&one(version + 1), day(1)).err();
        version += u64::from(refused.is_none());
        refused
    });
    let error = error.unwrap();
    assert!(
        matches!(
            error,
            AnnouncementError::HistoryFull {
                announcements: 129,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(version, 138);
    let ending = Draft::new(version + 1, NOW, &[listed(b'N', "current")]);
    ground.emergency(&ending, day(1)).unwrap();
    ground
        .apply(
            &Draft::new(version + 2, NOW, &[listed(b'N', "current")]),
            day(1),
        )
        .unwrap();
    let plain = Draft::new(version + 3, NOW, &[listed(b'N', "current"), rejected(9000)]);
    ground.apply(&plain, day(1)).unwrap();
    let again = open();
    assert_eq!(
        (again.store.version(), again.pins()),
        (version + 3, ground.pins())
    );
}

/// They would cost a verification for each key at each opening.
#[test]
fn signatures_of_keys_that_nobody_knows_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::on(floor(), Some(Arc::new(PinFolder::new(folder.path()))), NOW);
    let payload = rejecting(11, 0..1).payload();
    let signatures: Vec<_> = (100..130)
        .chain([1, 2])
        .map(|n| sign(&payload, n))
        .collect();
    let crowded = envelope(&payload, &signatures);
    ground.store.apply(&crowded, NOW).unwrap();
    let kept = fs::read_to_string(folder.path().join(StateFile::First.as_str())).unwrap();
    let (json, _) = kept.split_once("\nsha256 ").unwrap();
    let state: Value = serde_json::from_str(json).unwrap();
    let kept = state["announcements"][0]["envelope"].as_str().unwrap();
    let kept = data_encoding::BASE64.decode(kept.as_bytes()).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    let sigs: Vec<_> = kept["signatures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["sig"])
        .collect();
    assert_eq!(sigs, [&signatures[30]["sig"], &signatures[31]["sig"]]);
    // It is the one in force all the same, also after a restart.
    let ground = Ground::on(floor(), Some(Arc::new(PinFolder::new(folder.path()))), NOW);
    assert!(ground.store.apply(&crowded, NOW).unwrap().unchanged);
}
