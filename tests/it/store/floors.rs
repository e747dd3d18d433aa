//! A newer binary brings another floor.

use std::sync::Arc;

use notafter::{ExpiryRule, PinFloor, PinStorage, PinStore, StoreNotice};
use serde_json::json;

use super::disk::Disk;
use super::faults::{first, open, second};
use crate::announcements::ground::{
    Draft, Ground, HOST, algorithms, authority, day, floor_draft, listed,
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
fn a_floor_with_a_higher_version_or_another_authority_discards_what_grew_from_the_old_one() {
    let newer = floor_draft().with("version", 11);
    let others = floor_draft().with("authority", authority(&[1, 2, 3], 2, Some(3)));
    for floor in [newer, others] {
        let disk = disk();
        let ground = reopened(&disk, &floor);
        assert_eq!(codes(&ground), ["state_discarded"]);
        assert_eq!(ground.accepted(day(41)), "OB");
        // It is discarded once, and grows anew.
        let ground = reopened(&disk, &floor);
        assert_eq!(codes(&ground), [""; 0]);
        ground
            .apply(
                &second().with(
                    "pin_sets",
                    json!([{ "hosts": [HOST], "pins": [listed(b'O', "current")] }]),
                ),
                day(41),
            )
            .unwrap();
        assert_eq!(reopened(&disk, &floor).store.version(), 12);
    }
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
    // Other hosts are another application's: nothing of it can hold.
    let hosts = json!([{ "hosts": ["other.example"], "pins": [listed(b'O', "current")] }]);
    let foreign = reopened(&disk, &floor_draft().with("pin_sets", hosts));
    assert_eq!(
        codes(&foreign),
        ["copy_damaged", "copy_damaged", "state_lost"]
    );
    assert_eq!(foreign.store.version(), 10);
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
        .with_hold_down(365 * 86_400)
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
