//! What follows what: missed announcements, forks, and hold-downs in between.

use std::fs;

use notafter::announce::{AnnouncementError, AnnouncementFolder, PinFloor, StoreNotice};
use notafter::pin::Acceptance;
use serde_json::json;

use super::ground::{Draft, Ground, authority, day, floor_draft, listed};
use crate::support::pki::NOW;

fn draft(version: u64, days: i64, successor: bool) -> Draft {
    let mut pins = vec![listed(b'O', "current"), listed(b'B', "backup")];
    pins.extend(successor.then(|| listed(b'P', "announced")));
    Draft::new(version, day(days), &pins).expiring(day(300))
}

fn told(ground: &Ground, draft: &Draft, days: i64) -> Vec<&'static str> {
    let applied = ground.store.apply(&draft.signed(&[1, 2]), day(days));
    let applied = applied.unwrap();
    let codes = applied.notices.iter().map(StoreNotice::as_str);
    codes
        .filter(|code| code.starts_with("announcement"))
        .collect()
}

#[test]
fn what_an_announcement_follows_is_told_and_never_keeps_it_out() {
    let first = draft(11, 0, false);
    let other = draft(11, 1, false);
    let follows = ["announcement_applied"].as_slice();
    let missed = &["announcement_applied", "announcement_missed"];
    let forked = &["announcement_applied", "announcement_forked"];
    let cases = [
        (
            "the one in force",
            draft(14, 3, false).following(&first),
            follows,
        ),
        (
            "a later one",
            draft(14, 3, false).following(&draft(13, 2, false)),
            missed,
        ),
        (
            "another of its version",
            draft(14, 3, false).following(&other),
            forked,
        ),
        (
            "one before it",
            draft(14, 3, false).following(&draft(10, 0, false)),
            forked,
        ),
        ("none", draft(14, 3, false), forked),
    ];
    for (name, next, expected) in cases {
        let ground = Ground::new();
        assert_eq!(told(&ground, &first, 0), follows);
        assert_eq!(told(&ground, &next, 3), expected, "{name}");
        assert_eq!(ground.store.version(), 14, "{name}");
    }
    let itself = draft(14, 3, false).with(
        "previous",
        json!({ "version": 14, "sha256": "0".repeat(64) }),
    );
    let error = Ground::new().apply(&itself, day(3)).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("payload.previous.version: it is not below"),
        "{error}"
    );
}

#[test]
fn the_first_one_upon_a_floor_follows_what_the_floor_takes_the_place_of() {
    let last = draft(50, 0, false);
    let floor = floor_draft().with("version", 50).following(&last);
    let floor = PinFloor::from_json(&floor.payload()).unwrap();
    let fresh = || Ground::on(floor.clone(), None, day(1));
    assert_eq!(
        told(&fresh(), &draft(51, 1, false).following(&last), 1),
        ["announcement_applied"]
    );
    assert_eq!(
        told(
            &fresh(),
            &draft(53, 1, false).following(&draft(52, 1, false)),
            1
        ),
        ["announcement_applied", "announcement_missed"]
    );
    assert_eq!(
        told(&fresh(), &draft(51, 1, false), 1),
        ["announcement_applied", "announcement_forked"]
    );
    // A floor that does not say can only not know.
    assert_eq!(
        told(&Ground::new(), &draft(51, 1, false).following(&last), 1),
        ["announcement_applied", "announcement_missed"]
    );
}

#[test]
fn a_second_announcement_of_one_version_is_refused_and_not_silently() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, draft: &Draft| {
        fs::write(folder.path().join(name), draft.signed(&[1, 2])).unwrap();
    };
    let ground = Ground::new();
    ground.apply(&draft(11, 0, false), NOW).unwrap();
    ground.apply(&draft(12, 0, false), NOW).unwrap();
    put("older.json", &draft(11, 0, true));
    put("other.json", &draft(12, 0, true));
    let refused = ground.store.apply(&draft(12, 0, true).signed(&[1, 2]), NOW);
    assert_eq!(refused, Err(AnnouncementError::Forked { version: 12 }));
    let folder = AnnouncementFolder::new(ground.store.clone(), folder.path());
    let events = folder.check(NOW);
    let [event] = events.try_into().unwrap();
    assert!(event.message.contains("(forked)"), "{}", event.message);
    assert_eq!(ground.accepted(day(300)), "OB");
}

/// With a threshold of stolen keys, each device is given an announcement of its own. The owners'
/// withdrawal cannot follow them all, and must count all the same.
#[test]
fn a_fork_does_not_keep_a_withdrawal_out() {
    let owners = draft(12, 10, false).following(&draft(11, 0, false));
    for letter in *b"EFG" {
        let ground = Ground::new();
        let stolen = [listed(b'O', "current"), listed(letter, "announced")];
        ground.apply(&Draft::new(11, NOW, &stolen), NOW).unwrap();
        assert_eq!(
            told(&ground, &owners, 10),
            ["announcement_applied", "announcement_forked"]
        );
        assert_eq!(ground.accepted(day(300)), "OB");
    }
}

#[test]
fn a_device_that_was_offline_applies_the_newest_one_and_its_hold_downs_go_on() {
    let [first, second] =
        [draft(11, 0, true), draft(12, 10, true)].map(|draft| draft.expiring(day(90)));
    let third = draft(13, 20, true).following(&second.following(&first));
    let ground = Ground::new();
    ground.apply(&first, NOW).unwrap();
    assert_eq!(
        told(&ground, &third, 20),
        ["announcement_applied", "announcement_missed"]
    );
    assert_eq!(ground.from(b'P'), Acceptance::From(day(30)));
}

/// 'P' was withdrawn with version 12 and is announced again with 13.
#[test]
fn what_comes_back_after_a_withdrawal_that_was_missed_starts_anew_where_it_says_so() {
    let first = draft(11, 0, true);
    let withdrawal = draft(12, 10, false).following(&first);
    let again = draft(13, 20, true).following(&withdrawal);
    let anew = again.clone().with("unbroken_since", 13);
    // Whoever heard of the withdrawal, needs no telling.
    let ground = Ground::new();
    for (draft, at) in [(&first, 0), (&withdrawal, 10), (&again, 20)] {
        ground.apply(draft, day(at)).unwrap();
    }
    assert_eq!(ground.from(b'P'), Acceptance::From(day(50)));
    // Whoever did not, goes by what was signed.
    for (draft, from) in [(&again, 30), (&anew, 50)] {
        let ground = Ground::new();
        ground.apply(&first, NOW).unwrap();
        ground.apply(draft, day(20)).unwrap();
        assert_eq!(ground.from(b'P'), Acceptance::From(day(from)));
        // Carried along, it does not start anew each time.
        let later = self::draft(15, 25, true)
            .with("unbroken_since", 13)
            .following(&self::draft(14, 22, true));
        ground.apply(&later, day(25)).unwrap();
        assert_eq!(ground.from(b'P'), Acceptance::From(day(from)));
    }
    // What is accepted already stays so: devices must not lose a key that is in use.
    let ground = Ground::new();
    ground.apply(&first, NOW).unwrap();
    ground.apply(&anew, day(40)).unwrap();
    assert_eq!(ground.accepted(day(40)), "OBP");
}

#[test]
fn a_next_authority_starts_anew_in_the_same_way() {
    let next = |version, days| {
        draft(version, days, false).with("authority", authority(&[5, 6, 7], 2, Some(3)))
    };
    for (since, rules_at_30) in [(11, true), (12, false)] {
        let ground = Ground::new();
        let keys = [1, 2, 5, 6];
        ground.by(&keys, &next(11, 0), NOW).unwrap();
        let third = next(13, 20)
            .with("unbroken_since", since)
            .following(&next(12, 10));
        ground.by(&keys, &third, day(20)).unwrap();
        let outcome = ground.by(&[5, 6], &draft(14, 30, false), day(30));
        assert_eq!(outcome.is_ok(), rules_at_30, "{since}: {outcome:?}");
    }
}
