//! A newer binary brings another floor.

use std::sync::Arc;
use std::time::Duration;

use notafter::PinStore;
use notafter::announce::{PinFloor, PinStorage, StoreNotice};
use notafter::pin::ExpiryRule;
use serde_json::json;

use super::disk::Disk;
use super::faults::{first, open, second};
use crate::announcements::ground::{
    Draft, Ground, HOST, accepted, algorithms, authority, day, floor_draft, listed,
};
use crate::support::pki::NOW;

fn reopened(disk: &Arc<Disk>, floor: &Draft) -> Ground {
    let floor = PinFloor::from_json(&floor.payload()).unwrap();
    let storage: Arc<dyn PinStorage> = disk.clone();
    Ground::on(floor, Some(storage), day(41))
}

fn codes(ground: &Ground) -> Vec<&'static str> {
    ground.notices.iter().map(StoreNotice::as_str).collect()
}

fn disk() -> Arc<Disk> {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    ground.apply(&first(), NOW).unwrap();
    ground.apply(&second(), day(40)).unwrap();
    disk
}

#[test]
fn a_floor_of_no_lower_version_or_with_another_authority_replaces_what_grew_from_the_old_one() {
    let newer = floor_draft().with("version", 12);
    let others = floor_draft().with("authority", authority(&[5, 6, 7], 2, Some(3)));
    for (floor, keys) in [(newer, [1, 2]), (others, [5, 6])] {
        let disk = disk();
        let ground = reopened(&disk, &floor);
        assert_eq!(codes(&ground), ["state_discarded"]);
        assert_eq!(ground.accepted(day(41)), "OB");
        // It is discarded once, and grows anew.
        let ground = reopened(&disk, &floor);
        assert_eq!(codes(&ground), [""; 0]);
        let third = Draft::new(13, day(40), &[listed(b'O', "current")]);
        ground.store.apply(&third.signed(&keys), day(41)).unwrap();
        assert_eq!(reopened(&disk, &floor).store.version(), 13);
    }
}

/// A release made of last month's floor must not take back what was announced since.
#[test]
fn what_is_above_the_version_of_a_lagging_floor_is_applied_again_to_it() {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    let pins = [listed(b'B', "current"), listed(b'O', "rejected")];
    ground.apply(&Draft::new(60, NOW, &pins), NOW).unwrap();
    let lagging = floor_draft().with("version", 50);
    for told in [&["state_rebased"][..], &[]] {
        let ground = reopened(&disk, &lagging);
        assert_eq!(codes(&ground), told);
        assert_eq!(
            (ground.store.version(), ground.accepted(day(41))),
            (60, "B".into())
        );
    }
    // And what is not above it no longer lists pins, but goes on rejecting what the floor does not lift.
    let catching_up = floor_draft().with("version", 60).with(
        "pin_sets",
        json!([{ "hosts": [HOST], "pins": [listed(b'N', "current"), listed(b'B', "backup")] }]),
    );
    let ground = reopened(&disk, &catching_up);
    assert_eq!(ground.accepted(day(41)), "NB");
    let pins = [listed(b'O', "current"), listed(b'B', "current")];
    ground
        .apply(&Draft::new(61, day(40), &pins), day(41))
        .unwrap();
    assert_eq!(ground.accepted(day(80)), "B");
    let by_name = reopened(&disk, &floor_draft().with("version", 62));
    assert_eq!(by_name.accepted(day(41)), "OB");
}

#[test]
fn a_rejection_of_the_old_floors_announcements_is_lifted_by_a_newer_floor_only() {
    let disk = disk();
    assert_eq!(open(&disk, day(41)).accepted(day(41)), "P");
    let same_version = reopened(&disk, &floor_draft());
    assert_eq!(same_version.accepted(day(41)), "P");
    let newer = reopened(&disk, &floor_draft().with("version", 12));
    assert_eq!(newer.accepted(day(41)), "OB");
}

#[test]
fn an_older_binary_keeps_what_still_holds_with_its_floor() {
    let disk = disk();
    let older = floor_draft().with("version", 9);
    let ground = reopened(&disk, &older);
    assert_eq!(
        (ground.store.version(), ground.accepted(day(41))),
        (12, "P".into())
    );
    // The hosts of another application, whose only pin is rejected here: it keeps that.
    let hosts = json!([{ "hosts": ["other.example"], "pins": [listed(b'O', "current")] }]);
    let foreign = reopened(&disk, &floor_draft().with("pin_sets", hosts));
    assert_eq!(codes(&foreign), ["state_rebased", "state_does_not_hold"]);
    assert_eq!(foreign.store.version(), 11);
    assert_eq!(
        accepted(&foreign.pins_of("other.example"), day(41)),
        "O".to_owned()
    );
    assert_eq!(open(&disk, day(41)).accepted(day(41)), "P");
}

/// 'P' took over from 'O' after 30 days. A binary with a longer hold-down must neither forget that
/// 'O' is rejected nor be left without a pin.
#[test]
fn a_longer_hold_down_configured_later_loses_neither_version_nor_rejection_nor_pins() {
    let disk = Arc::new(Disk::new());
    let ground = open(&disk, NOW);
    ground.apply(&first().expiring(day(400)), NOW).unwrap();
    ground.apply(&second().expiring(day(400)), day(40)).unwrap();
    let floor = PinFloor::from_json(&floor_draft().payload()).unwrap();
    let (store, notices) = PinStore::builder(floor, ExpiryRule::FailClosed, algorithms())
        .with_hold_down(Duration::from_secs(365 * 86_400))
        .with_storage(disk.clone())
        .open(day(41))
        .unwrap();
    assert_eq!((store.version(), notices), (12, vec![]));
    let ground = Ground {
        store,
        notices: vec![],
    };
    // 'O' was all that was accepted before, and is rejected now: the floor's backup is left.
    assert_eq!(ground.accepted(day(41)), "B");
    assert_eq!(ground.accepted(day(365)), "PB");
}
