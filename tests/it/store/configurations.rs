//! The same folder, opened with another configuration and back: what does not hold there is not damaged.

use std::sync::Arc;
use std::time::Duration;

use notafter::announce::{PinFloor, StateFile, StoreNotice};
use notafter::cert::Sha256Digest;
use notafter::pin::{Acceptance, ExpiryRule};
use notafter::{PinStore, Timestamp};
use serde_json::json;

use super::disk::Disk;
use super::faults::{first, open, second};
use crate::announcements::ground::{
    DAY, Draft, Ground, HOST, accepted, algorithms, at_position, authority, day, floor_draft,
    listed,
};
use crate::support::pki::NOW;

const OTHER: &str = "b.example.com";

fn opened(disk: &Arc<Disk>, floor: &Draft, hold_down_days: i64, now: Timestamp) -> Ground {
    let floor = PinFloor::from_json(&floor.payload()).unwrap();
    let (store, notices) = PinStore::builder(floor, ExpiryRule::FailClosed, algorithms())
        .with_hold_down(Duration::from_secs(
            u64::try_from(hold_down_days * DAY).unwrap(),
        ))
        .with_storage(disk.clone())
        .open(now)
        .unwrap();
    Ground { store, notices }
}

fn codes(notices: &[StoreNotice]) -> Vec<&'static str> {
    notices.iter().map(StoreNotice::as_str).collect()
}

/// Versions 11 and 12 applied: 'P' has taken over, 'O' is rejected.
fn disk() -> Arc<Disk> {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    ground.apply(&first(), NOW).unwrap();
    ground.apply(&second(), day(40)).unwrap();
    disk
}

/// Opened as before, it is as before.
fn assert_unharmed(disk: &Arc<Disk>) {
    let back = open(disk, day(41));
    assert_eq!(
        (back.store.version(), back.accepted(day(41))),
        (12, "P".into())
    );
}

#[test]
fn another_hold_down_during_a_handover_loses_nothing() {
    let next = authority(&[5, 6, 7], 2, Some(3));
    let pins = [listed(b'O', "current"), listed(b'B', "backup")];
    let handover = Draft::new(11, NOW, &pins).expiring(day(300));
    let handover = handover.with("authority", next);
    let rejecting = |version, at| {
        Draft::new(
            version,
            at,
            &[listed(b'B', "current"), listed(b'O', "rejected")],
        )
    };
    // Applied by the next authority after 30 days, or by the old one before; opened with a hold-down
    // that is not over yet, or was over already.
    for (at, keys, hold_down) in [(day(35), [5, 6], 60), (day(20), [1, 2], 10)] {
        let disk = Arc::new(Disk::new());
        let ground = opened(&disk, &floor_draft(), 30, NOW);
        ground
            .store
            .apply(&handover.signed(&[1, 2, 5, 6]), NOW)
            .unwrap();
        ground
            .store
            .apply(&rejecting(12, at).signed(&keys), at)
            .unwrap();
        for hold_down in [hold_down, 30] {
            let ground = opened(&disk, &floor_draft(), hold_down, day(36));
            assert_eq!(codes(&ground.notices), [""; 0], "{hold_down}");
            assert_eq!(
                (ground.store.version(), ground.accepted(day(36))),
                (12, "B".into()),
                "{hold_down}"
            );
        }
        // The same keys go on announcing.
        let ground = opened(&disk, &floor_draft(), hold_down, day(36));
        let next = rejecting(13, day(36)).signed(&keys);
        ground.store.apply(&next, day(36)).unwrap();
    }
}

/// Nothing but rejections is left of what was accepted before: what was applied stays applied.
#[test]
fn a_longer_hold_down_leaves_the_pin_that_took_over_from_all_others() {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    ground.apply(&first().expiring(day(400)), NOW).unwrap();
    let pins = [
        listed(b'P', "current"),
        listed(b'O', "rejected"),
        listed(b'B', "rejected"),
    ];
    ground
        .apply(&Draft::new(12, day(40), &pins), day(40))
        .unwrap();
    let ground = opened(&disk, &floor_draft(), 365, day(41));
    assert_eq!(
        (ground.store.version(), ground.accepted(day(41))),
        (12, "P".into())
    );
}

#[test]
fn hosts_added_and_removed_without_a_new_floor_version_lose_nothing() {
    let two = json!([
        { "hosts": [HOST], "pins": [listed(b'O', "current"), listed(b'B', "backup")] },
        { "hosts": [OTHER], "pins": [listed(b'O', "current"), listed(b'N', "backup")] },
    ]);
    let two = floor_draft().with("pin_sets", two);
    let disk = disk();
    for _ in 0..2 {
        let ground = opened(&disk, &two, 30, day(41));
        assert_eq!(codes(&ground.notices), [""; 0]);
        assert_eq!(
            (ground.store.version(), ground.accepted(day(41))),
            (12, "P".into())
        );
        // The new host has the floor's pins, but for what is rejected everywhere.
        assert_eq!(accepted(&ground.pins_of(OTHER), day(41)), "N");
        assert_unharmed(&disk);
    }
    // Announced for both, and one is gone again.
    let ground = opened(&disk, &two, 30, day(41));
    let sets = json!([
        { "hosts": [HOST], "pins": [listed(b'P', "current")] },
        { "hosts": [OTHER], "pins": [listed(b'N', "current"), listed(b'Z', "rejected")] },
    ]);
    let third = Draft::new(13, day(41), &[]).with("pin_sets", sets);
    ground.apply(&third, day(41)).unwrap();
    let one = open(&disk, day(42));
    assert_eq!((one.store.version(), codes(&one.notices)), (13, vec![]));
    let rejected = one
        .pins()
        .into_iter()
        .filter(|p| p.state.as_str() == "rejected");
    let rejected: Vec<_> = rejected.map(|pin| pin.key.digest().as_bytes()[0]).collect();
    assert!(
        rejected.contains(&b'Z') && rejected.contains(&b'O'),
        "{rejected:?}"
    );
}

#[test]
fn a_canary_with_a_newer_floor_and_back_loses_nothing() {
    let newer = floor_draft().with("version", 50);
    let others = floor_draft().with("authority", authority(&[5, 6, 7], 2, Some(3)));
    for (canary, keys) in [(newer, [1, 2]), (others, [5, 6])] {
        let disk = disk();
        for _ in 0..3 {
            opened(&disk, &canary, 30, day(41));
            assert_unharmed(&disk);
        }
        // Also after the canary was told something.
        let ground = opened(&disk, &canary, 30, day(41));
        let told = Draft::new(51, day(41), &[listed(b'B', "current")]);
        ground.store.apply(&told.signed(&keys), day(41)).unwrap();
        let back = open(&disk, day(42));
        // 'B' is held down there, so 'P' stays too.
        let expected = if keys == [1, 2] { (51, "P") } else { (12, "P") };
        assert_eq!(
            (back.store.version(), back.accepted(day(42)).as_str()),
            expected
        );
        let forth = opened(&disk, &canary, 30, day(42));
        assert_eq!(
            (forth.store.version(), forth.accepted(day(42))),
            (51, "B".into())
        );
    }
}

/// Both run at once, each with its own floor.
#[test]
fn a_canary_with_a_newer_floor_beside_the_service_loses_nothing() {
    let newer = floor_draft().with("version", 50);
    let disk = disk();
    let (service, canary) = (open(&disk, day(41)), opened(&disk, &newer, 30, day(41)));
    assert_eq!(service.store.tick(day(41)), []);
    let pins = [
        listed(b'P', "current"),
        listed(b'B', "backup"),
        listed(b'Z', "rejected"),
    ];
    service
        .apply(&Draft::new(13, day(42), &pins), day(42))
        .unwrap();
    assert_eq!(
        codes(&canary.store.tick(day(42))),
        ["announcement_taken_over"]
    );
    for n in 43..46 {
        canary.store.tick(day(n));
        assert_eq!(codes(&service.store.tick(day(n))), [""; 0]);
    }
    assert_eq!(open(&disk, day(46)).store.version(), 13);
    let rejected = canary
        .pins()
        .into_iter()
        .filter(|p| p.state.as_str() == "rejected");
    let mut rejected = rejected.map(|pin| pin.key.digest().as_bytes()[0]);
    assert!(rejected.any(|letter| letter == b'Z'));
}

#[test]
fn a_canary_with_other_keys_beside_the_service_loses_nothing() {
    let others = floor_draft().with("authority", authority(&[5, 6, 7], 2, Some(3)));
    let disk = disk();
    let (service, canary) = (open(&disk, day(41)), opened(&disk, &others, 30, day(41)));
    assert_eq!(service.store.tick(day(41)), []);
    let theirs = Draft::new(51, day(41), &[listed(b'B', "current")]);
    canary
        .store
        .apply(&theirs.signed(&[5, 6]), day(41))
        .unwrap();
    let told = service.store.tick(day(42));
    assert_eq!(told[0].as_str(), "state_does_not_hold");
    assert_eq!(service.store.tick(day(43)), []);
    let ours = Draft::new(
        13,
        day(42),
        &[listed(b'P', "current"), listed(b'B', "backup")],
    );
    service.apply(&ours, day(43)).unwrap();
    canary.store.tick(day(44));
    assert_eq!(
        (canary.store.version(), canary.accepted(day(44))),
        (51, "B".into())
    );
    canary.store.tick(day(46));
    assert_eq!(open(&disk, day(46)).store.version(), 13);
    let restarted = opened(&disk, &others, 30, day(45));
    assert_eq!(restarted.store.version(), 51);
}

#[test]
fn what_cannot_hold_at_all_stays_kept_and_goes_on_rejecting() {
    let elsewhere = json!([{ "hosts": [HOST], "pins": [
        listed(b'O', "current"), listed(b'B', "backup"), at_position(b'P', "backup", "anchor"),
    ] }]);
    let floor = floor_draft().with("pin_sets", elsewhere);
    let disk = disk();
    for told in [&["state_does_not_hold"][..], &[]] {
        let ground = opened(&disk, &floor, 30, day(41));
        assert_eq!(codes(&ground.notices), told);
        assert_eq!(ground.store.version(), 10);
        // 'O' stays rejected; 'P' is the floor's own, at an anchor.
        assert_eq!(ground.accepted(day(41)), "BP");
    }
    assert_unharmed(&disk);
}

#[test]
fn a_copy_of_a_newer_version_of_this_crate_is_not_overwritten() {
    let disk = disk();
    let text = String::from_utf8(disk.get(StateFile::First).unwrap()).unwrap();
    let (json, _) = text.split_once("\nsha256 ").unwrap();
    let json = json.replace("\"format\":1", "\"format\":2,\"new\":{}");
    let newer = format!("{json}\nsha256 {}\n", Sha256Digest::of(json.as_bytes()));
    for copy in [StateFile::First, StateFile::Second] {
        disk.put(copy, Some(newer.clone().into_bytes()));
    }
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
    ground.apply(&first(), day(41)).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(71)));
    assert_eq!(disk.get(StateFile::First), Some(newer.into_bytes()));
}
