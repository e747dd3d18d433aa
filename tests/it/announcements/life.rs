//! What announcements are for: the ordinary life of a pin, emergencies, and what is told.

use std::sync::Arc;

use notafter::PinStore;
use notafter::announce::{AnnouncementError, PinFolder, StoreNotice, SuccessorRule};
use notafter::pin::{Acceptance, ExpiryRule, PinSetStanding, PinsInForce as _};
use serde_json::json;

use super::ground::{
    DAY, Draft, Ground, HOST, announced_after, day, floor, floor_draft, listed, second,
};
use crate::support::pki::NOW;

fn codes(notices: &[StoreNotice]) -> Vec<&'static str> {
    notices.iter().map(StoreNotice::as_str).collect()
}

#[test]
fn a_successor_is_announced_matures_is_promoted_and_its_predecessor_retires() {
    let ground = Ground::new();
    assert_eq!(codes(&ground.notices), ["hold_down_cannot_end"]);
    let pins = [
        listed(b'O', "current"),
        listed(b'B', "backup"),
        listed(b'P', "announced"),
    ];
    let applied = ground.apply(&Draft::new(11, NOW, &pins), NOW).unwrap();
    assert_eq!((applied.version, applied.unchanged), (11, false));
    assert_eq!(
        codes(&applied.notices),
        ["announcement_applied", "pin_successor_pending"]
    );
    assert_eq!(ground.store.generation().epoch, 1);
    assert_eq!(ground.store.tick(day(29)), []);
    assert_eq!(codes(&ground.store.tick(day(30))), ["pin_successor_due"]);
    assert_eq!(ground.store.tick(day(31)), []);

    let pins = [
        listed(b'O', "retired"),
        listed(b'B', "backup"),
        listed(b'P', "current"),
    ];
    let applied = ground
        .apply(&Draft::new(12, day(40), &pins), day(40))
        .unwrap();
    assert_eq!(
        codes(&applied.notices),
        ["announcement_applied", "pin_successor_promoted"]
    );
    assert_eq!(ground.accepted(day(40)), "BP");
    assert_eq!(ground.from(b'P'), Acceptance::Always);
    assert_eq!(ground.store.generation().epoch, 2);

    let applied = ground
        .apply(&Draft::new(13, day(41), &pins[2..]), day(41))
        .unwrap();
    assert_eq!(
        codes(&applied.notices),
        ["announcement_applied", "pin_only_one_usable"]
    );
}

#[test]
fn a_device_that_hears_of_a_successor_later_accepts_it_later() {
    let pins = [
        listed(b'O', "current"),
        listed(b'B', "backup"),
        listed(b'P', "announced"),
    ];
    let announced = Draft::new(11, NOW, &pins).with("expires", day(120).to_string());
    let (daily, rarely) = (Ground::new(), Ground::new());
    daily.apply(&announced, NOW).unwrap();
    rarely.apply(&announced, day(50)).unwrap();
    let accepted = |n| [&daily, &rarely].map(|device| device.accepted(day(n)));
    assert_eq!(accepted(29), ["OB", "OB"]);
    assert_eq!(accepted(30), ["OBP", "OB"]);
    assert_eq!(accepted(79), ["OBP", "OB"]);
    assert_eq!(accepted(80), ["OBP", "OBP"]);
    assert_eq!(codes(&rarely.store.tick(day(80))), ["pin_successor_due"]);
}

#[test]
fn a_withdrawal_is_told_and_ends_the_hold_down() {
    let ground = Ground::new();
    let pins = [listed(b'O', "current"), listed(b'P', "announced")];
    ground.apply(&Draft::new(11, NOW, &pins), NOW).unwrap();
    let applied = ground.apply(&Draft::new(12, NOW, &pins[..1]), NOW).unwrap();
    assert_eq!(
        codes(&applied.notices),
        [
            "announcement_applied",
            "pin_successor_withdrawn",
            "pin_only_one_usable"
        ]
    );
    assert_eq!(ground.accepted(day(3650)), "O");
}

#[test]
fn only_the_emergency_threshold_skips_the_hold_down() {
    let pins = [listed(b'P', "current"), listed(b'O', "rejected")];
    let draft = Draft::new(11, NOW, &pins);
    assert_eq!(
        Ground::new().apply(&draft, NOW).unwrap_err().code(),
        "empty_set"
    );
    let ground = Ground::new();
    let applied = ground.emergency(&draft, NOW).unwrap();
    assert_eq!(ground.accepted(NOW), "P");
    assert_eq!(
        codes(&applied.notices),
        [
            "announcement_applied",
            "announcement_emergency",
            "pin_successor_due",
            "pin_only_one_usable"
        ]
    );
    // What it accepted stays accepted under ordinary announcements.
    let next = Draft::new(12, NOW, &[listed(b'P', "current"), listed(b'Q', "backup")]);
    ground.apply(&next, NOW).unwrap();
    assert_eq!(ground.accepted(NOW), "P");
    // It keeps to the dates and the versions, and to the date that it names itself.
    let late = Draft::new(11, NOW, &pins);
    assert_eq!(ground.emergency(&late, NOW).unwrap_err().code(), "rollback");
    let dated = Draft::new(
        13,
        NOW,
        &[listed(b'P', "current"), announced_after(b'R', day(3))],
    );
    ground.emergency(&dated, NOW).unwrap();
    assert_eq!(ground.from(b'R'), Acceptance::From(day(3)));
    // Without an emergency threshold nothing skips.
    let plain = floor_draft().with("authority", super::ground::authority(&[1, 2, 3], 2, None));
    let plain = notafter::announce::PinFloor::from_json(&plain.payload()).unwrap();
    let ground = Ground::on(plain, None, NOW);
    assert_eq!(
        ground.emergency(&draft, NOW),
        Err(AnnouncementError::EmergencyThreshold {
            found: 3,
            needed: None
        })
    );
}

#[test]
fn the_announcement_in_force_brought_again_changes_nothing_at_any_time() {
    let ground = Ground::new();
    let pins = [listed(b'O', "current"), listed(b'P', "announced")];
    let draft = Draft::new(11, NOW, &pins).expiring(day(35));
    ground.apply(&draft, NOW).unwrap();
    for at in [NOW, day(20), day(35), day(400)] {
        let again = ground.apply(&draft, at).unwrap();
        assert!(again.unchanged && again.notices.is_empty(), "{again:?}");
        assert_eq!(ground.from(b'P'), Acceptance::From(day(30)), "{at}");
    }
    assert_eq!(ground.store.generation().epoch, 1);
    // Also in another envelope, as long as enough signed it.
    for keys in [&[2, 3][..], &[1, 2, 3, 9]] {
        let again = ground.store.apply(&draft.signed(keys), day(400)).unwrap();
        assert!(again.unchanged, "{again:?}");
    }
    let alone = ground.store.apply(&draft.signed(&[1]), NOW);
    assert_eq!(alone.unwrap_err().code(), "threshold");
}

#[test]
fn a_successor_in_the_floor_is_accepted_without_hold_down_also_when_it_is_announced_again() {
    let pins = [
        listed(b'O', "current"),
        listed(b'S', "announced"),
        announced_after(b'T', day(20)),
    ];
    let floor = Draft::new(10, NOW, &pins).expiring(day(1000)).with(
        "authority",
        super::ground::authority(&[1, 2, 3, 4], 2, Some(3)),
    );
    let floor = notafter::announce::PinFloor::from_json(&floor.payload()).unwrap();
    let ground = Ground::on(floor, None, NOW);
    assert_eq!(
        (ground.accepted(NOW), ground.accepted(day(20))),
        ("OS".into(), "OST".into())
    );
    ground
        .apply(&Draft::new(11, day(1), &pins), day(1))
        .unwrap();
    assert_eq!(
        (ground.accepted(day(1)), ground.from(b'T')),
        ("OS".into(), Acceptance::From(day(20)))
    );
    // No announcement makes it come earlier.
    let sooner = [listed(b'O', "current"), listed(b'T', "current")];
    ground
        .apply(&Draft::new(12, day(2), &sooner), day(2))
        .unwrap();
    assert_eq!(ground.from(b'T'), Acceptance::From(day(20)));
}

#[test]
fn announcements_do_not_move_the_end_of_the_pins() {
    let ground = Ground::new();
    let draft = Draft::new(11, NOW, &[listed(b'O', "current")]).expiring(day(5000));
    ground.apply(&draft, NOW).unwrap();
    let generation = ground.store.generation();
    let set = generation
        .sets
        .for_server(&HOST.try_into().unwrap())
        .unwrap();
    assert_eq!(
        set.expiry(),
        Some((floor().expires(), ExpiryRule::FailClosed))
    );
    assert_eq!(set.standing(second(1000 * DAY + 1)), PinSetStanding::Closed);
}

#[test]
fn hosts_may_be_grouped_anew_but_each_keeps_its_own_hold_down() {
    let other = "other.example.com";
    let set = |host: &[&str], pins: &[serde_json::Value]| json!({ "hosts": host, "pins": pins });
    let old = [listed(b'O', "current")];
    let both = [listed(b'O', "current"), listed(b'P', "announced")];
    let floor = floor_draft().with("pin_sets", json!([set(&[HOST, other], &old)]));
    let ground = Ground::on(
        notafter::announce::PinFloor::from_json(&floor.payload()).unwrap(),
        None,
        NOW,
    );
    let split = json!([set(&[HOST], &both), set(&[other], &old)]);
    ground
        .apply(&Draft::new(11, NOW, &[]).with("pin_sets", split), NOW)
        .unwrap();
    let joined = json!([set(&[HOST, other], &both)]);
    ground
        .apply(
            &Draft::new(12, day(10), &[]).with("pin_sets", joined),
            day(10),
        )
        .unwrap();
    let from = |host: &str| ground.pins_of(host)[1].acceptance;
    assert_eq!(
        (from(HOST), from(other)),
        (Acceptance::From(day(30)), Acceptance::From(day(40)))
    );
}

/// RFC 5011, 2.4.1: a trust anchor counts once it was seen again after its hold-down.
#[test]
fn a_store_can_ask_that_a_successor_is_listed_again_after_its_hold_down() {
    let folder = tempfile::tempdir().unwrap();
    let open = |now| {
        let algorithms = super::ground::algorithms();
        let builder = PinStore::builder(floor(), ExpiryRule::FailClosed, algorithms);
        let builder = builder.with_successor_rule(SuccessorRule::ListedAgain);
        let builder = builder.with_storage(Arc::new(PinFolder::new(folder.path())));
        let (store, notices) = builder.open(now).unwrap();
        Ground { store, notices }
    };
    let ground = open(NOW);
    let listing = |version, issued| {
        let pins = [listed(b'O', "current"), listed(b'P', "announced")];
        Draft::new(version, issued, &pins)
    };
    let applied = ground.apply(&listing(11, NOW), NOW).unwrap();
    assert_eq!(
        codes(&applied.notices),
        [
            "announcement_applied",
            "pin_successor_awaits_listing",
            "pin_only_one_usable"
        ]
    );
    assert_eq!(ground.from(b'P'), Acceptance::Never);
    assert_eq!(ground.accepted(day(365)), "O");
    // Issued a second before the end, it says nothing about afterwards.
    let early = second(30 * DAY - 1);
    ground.apply(&listing(12, early), day(40)).unwrap();
    assert_eq!(ground.accepted(day(365)), "O");
    let applied = ground.apply(&listing(13, day(30)), day(41)).unwrap();
    assert_eq!(
        codes(&applied.notices),
        ["announcement_applied", "pin_successor_due"]
    );
    assert_eq!(ground.from(b'P'), Acceptance::From(day(30)));
    let ground = open(day(42));
    assert_eq!(
        (ground.notices.len(), ground.accepted(day(42))),
        (0, "OP".to_owned())
    );
    // What is compiled in, or an emergency lists, waits for nothing.
    let emergency = Draft::new(
        14,
        day(42),
        &[listed(b'B', "current"), listed(b'N', "current")],
    );
    ground.emergency(&emergency, day(42)).unwrap();
    assert_eq!(ground.accepted(day(42)), "BN");
}
