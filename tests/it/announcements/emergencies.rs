//! What an emergency is, and what nobody can make one of.

use std::fs;

use notafter::Severity;
use notafter::announce::{AnnouncementError, AnnouncementFolder, StoreNotice};
use notafter::pin::Acceptance;

use super::ground::{Draft, Ground, authority, day, listed};
use crate::support::pki::NOW;

/// 'O' is in wrong hands, 'N' takes its place.
fn replacing() -> Draft {
    let pins = [
        listed(b'O', "rejected"),
        listed(b'B', "backup"),
        listed(b'N', "current"),
    ];
    Draft::new(11, NOW, &pins)
}

fn emergency() -> Draft {
    replacing().with("emergency", true)
}

#[test]
fn a_mirror_that_takes_a_signature_away_neither_changes_it_nor_keeps_the_genuine_one_out() {
    let ground = Ground::new();
    for keys in [&[1, 2][..], &[2, 3], &[1, 2, 9]] {
        assert_eq!(
            ground.store.apply(&emergency().signed(keys), NOW),
            Err(AnnouncementError::EmergencyThreshold {
                found: 2,
                needed: Some(3)
            })
        );
    }
    let one = ground.store.apply(&emergency().signed(&[1]), NOW);
    assert_eq!(one.unwrap_err().code(), "threshold");
    ground
        .store
        .apply(&emergency().signed(&[1, 2, 3]), NOW)
        .unwrap();
    assert_eq!(ground.accepted(NOW), "BN");
}

#[test]
fn in_a_folder_the_stripped_twin_is_told_and_the_genuine_one_applied() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    put("a.json", &emergency().signed(&[1, 2]));
    put("b.json", &emergency().signed(&[1, 2, 3]));
    let ground = Ground::new();
    let events = AnnouncementFolder::new(ground.store.clone(), folder.path()).check(NOW);
    let codes: Vec<_> = events.iter().map(|event| event.code.as_str()).collect();
    assert_eq!(
        codes[..3],
        [
            "announcement_refused",
            "announcement_applied",
            "announcement_emergency"
        ]
    );
    assert!(events[0].message.contains("(emergency_threshold)"));
    assert_eq!(ground.accepted(NOW), "BN");
}

#[test]
fn a_stolen_signature_added_makes_no_emergency() {
    let ground = Ground::new();
    let applied = ground.by(&[1, 2, 3, 4], &replacing(), NOW).unwrap();
    assert_eq!(ground.accepted(NOW), "B");
    assert_eq!(ground.from(b'N'), Acceptance::From(day(30)));
    let mut codes = applied.notices.iter().map(StoreNotice::as_str);
    assert!(codes.all(|code| code != "announcement_emergency"));
    // And it lifts no rejection.
    let lifting = Draft::new(12, NOW, &[listed(b'O', "current"), listed(b'B', "backup")]);
    ground.by(&[1, 2, 3, 4], &lifting, NOW).unwrap();
    assert_eq!(ground.accepted(day(365)), "B");
    ground.emergency(&lifting.with("version", 13), NOW).unwrap();
    assert_eq!(ground.accepted(NOW), "OB");
}

/// Keys 1 to 4 announce, 3, 4 and 5 shall: signed by a threshold of both, more than the emergency
/// threshold of the old ones signs.
#[test]
fn signing_with_both_at_a_handover_is_no_emergency_by_accident() {
    let ground = Ground::new();
    let pins = [listed(b'O', "current"), listed(b'N', "announced")];
    let draft = Draft::new(11, NOW, &pins).with("authority", authority(&[3, 4, 5], 2, Some(3)));
    let applied = ground.by(&[1, 2, 3, 4, 5], &draft, NOW).unwrap();
    let codes: Vec<_> = applied.notices.iter().map(StoreNotice::as_str).collect();
    assert!(codes.contains(&"authority_pending"), "{codes:?}");
    assert_eq!(ground.from(b'N'), Acceptance::From(day(30)));
}

#[test]
fn it_is_told_as_what_it_is() {
    let ground = Ground::new();
    let applied = ground.emergency(&replacing(), NOW).unwrap();
    let event = applied.notices[1].to_event(NOW);
    assert_eq!(event.code.as_str(), "announcement_emergency");
    assert_eq!(event.severity, Severity::Warning);
    assert!(event.message.contains("version 11"), "{}", event.message);
}
