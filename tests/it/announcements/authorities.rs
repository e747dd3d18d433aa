//! Who announces, and who follows.

use notafter::announce::StoreNotice;

use super::ground::{DAY, Draft, Ground, authority, day, listed, second};
use crate::support::pki::NOW;

fn draft(version: u64, issued: notafter::Timestamp) -> Draft {
    let pins = [listed(b'O', "current"), listed(b'B', "backup")];
    Draft::new(version, issued, &pins)
}

fn handing_over(version: u64, issued: notafter::Timestamp, keys: &[u8]) -> Draft {
    draft(version, issued).with("authority", authority(keys, 2, Some(3)))
}

fn codes(notices: &[StoreNotice]) -> Vec<&'static str> {
    notices.iter().map(StoreNotice::as_str).collect()
}

fn refusal(ground: &Ground, draft: &Draft, keys: &[u8], now: notafter::Timestamp) -> &'static str {
    let refused = ground.by(keys, draft, now);
    refused.unwrap_err().code()
}

#[test]
fn the_next_authority_rules_once_its_hold_down_is_over_and_the_old_one_until_then() {
    let ground = Ground::new();
    let next = handing_over(11, NOW, &[5, 6, 7]);
    let applied = ground.by(&[1, 2, 5, 6], &next, NOW).unwrap();
    assert_eq!(
        codes(&applied.notices),
        ["announcement_applied", "authority_pending"]
    );
    // A second before, to the second:
    let before = second(30 * DAY - 1);
    assert_eq!(
        refusal(&ground, &draft(12, NOW), &[5, 6], before),
        "bad_signature"
    );
    assert_eq!(
        refusal(&ground, &draft(12, NOW), &[1, 2], day(30)),
        "bad_signature"
    );
    assert_eq!(codes(&ground.store.tick(day(30))), ["authority_changed"]);
    ground.by(&[5, 6], &draft(12, day(30)), day(30)).unwrap();
    // It needs no confirmation, and the old one is gone for good, whatever the clock says.
    assert_eq!(
        refusal(&ground, &draft(13, NOW), &[1, 2], NOW),
        "bad_signature"
    );
    ground.by(&[6, 7], &draft(13, NOW), NOW).unwrap();
}

#[test]
fn a_later_announcement_withdraws_it_and_another_one_starts_anew() {
    let ground = Ground::new();
    let next = |version, at, keys: &[u8], signers: &[u8]| {
        let draft = handing_over(version, at, keys);
        ground.by(signers, &draft, at).unwrap()
    };
    next(11, NOW, &[5, 6, 7], &[1, 2, 5, 6]);
    // Carried on, it goes on.
    next(12, day(5), &[7, 6, 5], &[1, 2, 5, 6]);
    let applied = ground.by(&[1, 2], &draft(13, day(10)), day(10)).unwrap();
    assert_eq!(
        codes(&applied.notices),
        ["announcement_applied", "authority_withdrawn"]
    );
    assert_eq!(
        refusal(&ground, &draft(14, day(40)), &[5, 6], day(40)),
        "bad_signature"
    );
    next(14, day(40), &[5, 6, 7], &[1, 2, 5, 6]);
    next(15, day(60), &[5, 6, 8], &[1, 2, 5, 6]);
    assert_eq!(
        refusal(&ground, &draft(16, day(70)), &[5, 6], day(70)),
        "bad_signature"
    );
    next(16, day(70), &[5, 6, 8], &[1, 2, 5, 6]);
    assert_eq!(
        refusal(&ground, &draft(17, day(90)), &[1, 2], day(90)),
        "bad_signature"
    );
    ground.by(&[6, 8], &draft(17, day(90)), day(90)).unwrap();
}

#[test]
fn freezing_does_not_ripen_an_authority_past_the_end_of_its_announcement() {
    let ground = Ground::new();
    let next = handing_over(11, NOW, &[5, 6, 7]).expiring(second(30 * DAY - 1));
    ground.by(&[1, 2, 5, 6], &next, NOW).unwrap();
    assert_eq!(
        refusal(&ground, &draft(12, day(40)), &[5, 6], day(40)),
        "bad_signature"
    );
    ground.by(&[1, 2], &draft(12, day(40)), day(40)).unwrap();
}

#[test]
fn the_old_emergency_threshold_hands_over_at_once() {
    let ground = Ground::new();
    let next = handing_over(11, NOW, &[5, 6, 7]).with("emergency", true);
    let applied = ground.by(&[1, 2, 3, 5, 6], &next, NOW).unwrap();
    assert_eq!(
        codes(&applied.notices),
        [
            "announcement_applied",
            "announcement_emergency",
            "authority_changed"
        ]
    );
    assert_eq!(
        refusal(&ground, &draft(12, NOW), &[1, 2, 3], NOW),
        "bad_signature"
    );
    ground.by(&[5, 6], &draft(12, NOW), NOW).unwrap();
}

/// During the change some devices follow the old keys and some the new ones: sign with both.
#[test]
fn an_announcement_signed_by_both_authorities_is_taken_before_and_after() {
    let both = |version, at| draft(version, at).signed(&[1, 2, 5, 6]);
    let ground = Ground::new();
    let next = handing_over(11, NOW, &[5, 6, 7]);
    ground.by(&[1, 2, 5, 6], &next, NOW).unwrap();
    assert!(ground.store.apply(&both(12, day(29)), day(29)).is_ok());
    let ground = Ground::new();
    ground.by(&[1, 2, 5, 6], &next, NOW).unwrap();
    assert!(ground.store.apply(&both(12, day(30)), day(30)).is_ok());
}

#[test]
fn an_authority_without_emergency_threshold_is_stronger_and_one_that_gains_it_weaker() {
    let ground = Ground::new();
    let without = draft(11, NOW).with("authority", authority(&[5, 6, 7], 2, None));
    ground.by(&[1, 2, 5, 6], &without, NOW).unwrap();
    let floor = super::ground::floor_draft().with("authority", authority(&[1, 2, 3], 2, None));
    let floor = notafter::announce::PinFloor::from_json(&floor.payload()).unwrap();
    let ground = Ground::on(floor, None, NOW);
    let with = handing_over(11, NOW, &[5, 6, 7]).signed(&[1, 2, 5, 6]);
    assert_eq!(
        ground.store.apply(&with, NOW).unwrap_err().code(),
        "authority"
    );
}
