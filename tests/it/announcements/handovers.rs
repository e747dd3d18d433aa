//! A device that was offline while the announcing keys changed, once or more.

use std::sync::Arc;

use notafter::announce::{AnnouncementError, PinFolder, StoreNotice};
use notafter::pin::Acceptance;

use super::ground::{Draft, Ground, authority, bringing, day, floor, listed};
use crate::support::pki::NOW;

fn draft(version: u64, days: i64) -> Draft {
    let pins = [
        listed(b'O', "current"),
        listed(b'B', "backup"),
        listed(b'E', "rejected"),
        listed(b'P', "announced"),
    ];
    Draft::new(version, day(days), &pins)
}

/// Version 20, long over: 1 to 4 hand over to 5, 6, 7.
fn first() -> Draft {
    draft(20, 10).with("authority", authority(&[5, 6, 7], 2, Some(3)))
}

/// Version 30, long over: 5, 6, 7 hand over to 8, 9, 10.
fn second() -> Draft {
    draft(30, 200).with("authority", authority(&[8, 9, 10], 2, Some(3)))
}

fn both() -> Vec<Vec<u8>> {
    vec![
        first().signed(&[1, 2, 5, 6]),
        second().signed(&[6, 7, 8, 9]),
    ]
}

/// By the third authority alone.
fn newest(version: u64, days: i64) -> Vec<u8> {
    draft(version, days)
        .following(&draft(39, 0))
        .signed(&[8, 10])
}

fn code(ground: &Ground, envelope: &[u8], days: i64) -> &'static str {
    let applied = ground.store.apply(envelope, day(days));
    applied
        .as_ref()
        .map_or_else(AnnouncementError::code, |_| "applied")
}

#[test]
fn one_that_missed_two_handovers_follows_them_and_holds_the_last_authority_down() {
    let folder = tempfile::tempdir().unwrap();
    let open = |days| {
        let storage = Arc::new(PinFolder::new(folder.path()));
        Ground::on(floor(), Some(storage), day(days))
    };
    let ground = open(0);
    ground
        .apply(&Draft::new(11, NOW, &[listed(b'O', "current")]), NOW)
        .unwrap();
    assert_eq!(code(&ground, &newest(40, 400), 400), "bad_signature");
    let applied = ground
        .store
        .apply(&bringing(&newest(40, 400), &both()), day(400));
    let notices = applied.unwrap().notices;
    let codes: Vec<_> = notices.iter().map(StoreNotice::as_str).collect();
    assert_eq!(
        codes,
        [
            "announcement_applied",
            "announcement_missed",
            "pin_successor_pending",
            "pin_successor_pending",
            "authority_pending"
        ]
    );
    assert!(matches!(notices[4], StoreNotice::AuthorityPending { from } if from == day(430)));
    // What is rejected is so at once; what is new waits.
    assert_eq!(ground.accepted(day(400)), "O");
    assert_eq!(ground.from(b'P'), Acceptance::From(day(430)));
    let rejected = ground
        .pins()
        .iter()
        .filter(|p| p.state.as_str() == "rejected")
        .count();
    assert_eq!(rejected, 2);
    // Until then the newest authority still needs to show where it comes from, and goes on.
    assert_eq!(code(&ground, &newest(41, 410), 410), "bad_signature");
    assert_eq!(
        code(&ground, &bringing(&newest(41, 410), &both()), 410),
        "threshold"
    );
    let ground = open(411);
    assert_eq!((ground.notices.len(), ground.store.version()), (0, 40));
    assert_eq!(code(&ground, &newest(41, 429), 430), "applied");
}

#[test]
fn each_step_must_be_signed_by_both_and_none_may_be_missing() {
    let weak = draft(30, 200).with("authority", authority(&[8, 9, 10], 1, Some(3)));
    let [one, two] = both().try_into().unwrap();
    let cases: [(&str, Vec<Vec<u8>>, &str); 9] = [
        ("in order", vec![one.clone(), two.clone()], "applied"),
        (
            "with others in between",
            vec![one.clone(), one.clone(), newest(15, 0), two.clone()],
            "applied",
        ),
        (
            "the wrong way round",
            vec![two.clone(), one.clone()],
            "bad_signature",
        ),
        ("the first alone", vec![one.clone()], "bad_signature"),
        ("the second alone", vec![two.clone()], "bad_signature"),
        (
            "one key of the old authority",
            vec![first().signed(&[1, 5, 6]), two.clone()],
            "bad_signature",
        ),
        (
            "one key of the new authority",
            vec![first().signed(&[1, 2, 5]), two.clone()],
            "bad_signature",
        ),
        (
            "another product's",
            vec![
                first().with("product", "other").signed(&[1, 2, 5, 6]),
                two.clone(),
            ],
            "threshold",
        ),
        (
            "weaker than compiled in",
            vec![one.clone(), weak.signed(&[6, 7, 8, 9])],
            "threshold",
        ),
    ];
    for (name, handovers, expected) in cases {
        let ground = Ground::new();
        let envelope = bringing(&newest(40, 400), &handovers);
        assert_eq!(code(&ground, &envelope, 400), expected, "{name}");
        assert_eq!(
            ground.store.version() == 40,
            expected == "applied",
            "{name}"
        );
    }
    // A handover above the announcement itself is none that came before it.
    let later = bringing(&draft(30, 400).signed(&[8, 10]), &both());
    assert_eq!(code(&Ground::new(), &later, 400), "threshold");
}

/// Keys 5 to 7 were stolen before they ruled, so the owners withdrew them.
#[test]
fn a_handover_that_was_withdrawn_leads_nowhere() {
    let ground = Ground::new();
    ground.by(&[1, 2, 5, 6], &first(), day(10)).unwrap();
    ground.apply(&draft(21, 15), day(15)).unwrap();
    let stolen = bringing(&draft(22, 20).signed(&[5, 6]), &both()[..1]);
    assert_eq!(code(&ground, &stolen, 20), "threshold");
    assert_eq!(code(&ground, &stolen, 60), "threshold");
}

/// It has the handover, but that ended before its hold-down did.
#[test]
fn the_handover_in_force_counts() {
    let ground = Ground::new();
    let short = first().expiring(day(20));
    ground.by(&[1, 2, 5, 6], &short, day(10)).unwrap();
    let envelope = short.signed(&[1, 2, 5, 6]);
    let next = draft(21, 60).following(&short).signed(&[5, 7]);
    assert_eq!(code(&ground, &next, 60), "bad_signature");
    assert_eq!(code(&ground, &bringing(&next, &[envelope]), 60), "applied");
    let after = draft(22, 90).signed(&[5, 6]);
    assert_eq!(code(&ground, &after, 89), "not_yet_issued");
    assert_eq!(code(&ground, &after, 90), "applied");
}

#[test]
fn emergencies_all_the_way_are_followed_at_once_and_a_plain_step_makes_no_emergency() {
    let emergency = first().with("emergency", true).signed(&[1, 2, 3, 5, 6]);
    let pins = [listed(b'O', "rejected"), listed(b'N', "current")];
    let next = Draft::new(21, day(100), &pins).with("emergency", true);
    let next = next.signed(&[5, 6, 7]);
    let ground = Ground::new();
    let followed = bringing(&next, std::slice::from_ref(&emergency));
    assert_eq!(code(&ground, &followed, 100), "applied");
    assert_eq!(ground.accepted(day(100)), "N");
    assert_eq!(
        code(&ground, &draft(22, 100).signed(&[5, 6]), 100),
        "empty_set"
    );
    assert_eq!(
        code(&ground, &draft(22, 100).signed(&[1, 2, 3]), 100),
        "bad_signature"
    );

    let ground = Ground::new();
    let plain = bringing(&next, &[first().signed(&[1, 2, 3, 5, 6])]);
    assert_eq!(
        ground.store.apply(&plain, day(100)),
        Err(AnnouncementError::EmergencyThreshold {
            found: 0,
            needed: Some(3)
        })
    );
    // One plain step among emergencies is enough to be held down.
    let ground = Ground::new();
    let newest = newest(40, 400);
    let mixed = bringing(&newest, &[emergency, both()[1].clone()]);
    assert_eq!(code(&ground, &mixed, 400), "applied");
    assert_eq!(
        code(&ground, &draft(41, 400).signed(&[8, 9]), 400),
        "bad_signature"
    );
}

#[test]
fn no_more_than_eight_are_read_and_none_within_each_other() {
    let [one, two] = both().try_into().unwrap();
    let many = |count| bringing(&newest(40, 400), &vec![one.clone(); count]);
    assert_eq!(code(&Ground::new(), &many(8), 400), "bad_signature");
    assert_eq!(code(&Ground::new(), &many(9), 400), "malformed");
    let signatures: Vec<u8> = (0..32).map(|n| n % 4 + 1).collect();
    let crowd = first().signed(&signatures);
    let crowded = |count| bringing(&newest(40, 400), &vec![crowd.clone(); count]);
    assert_eq!(code(&Ground::new(), &crowded(2), 400), "bad_signature");
    assert_eq!(code(&Ground::new(), &crowded(3), 400), "malformed");
    let nested = bringing(&newest(40, 400), &[bringing(&two, &[one])]);
    assert_eq!(code(&Ground::new(), &nested, 400), "bad_signature");
}
