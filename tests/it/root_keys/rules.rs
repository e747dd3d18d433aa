//! From when on a root's next key counts, where, and what ends it.

use std::sync::Arc;
use std::time::Duration;

use notafter::announce::{PinFloor, RootAnnouncedPins, RootAnnouncementError as E, RootOutcome};
use notafter::cert::RootKeyHash;
use notafter::pin::{
    Acceptance, ExpiryRule, PinMode, PinPosition, PinSets, PinState, PinsInForce as _,
    SwappablePins,
};
use notafter::{Certificate, EventCode, PinSet};

use serde_json::{Value, json};

use super::{Root, accepts, algorithms, around, codes, pin_of, pins_of, set};
use crate::announcements::ground::{self, Draft, Ground};
use crate::support::pki::{NOW, days};

const HOLD_DOWN: i64 = 30 * 86_400;

#[test]
fn a_next_key_counts_at_the_second_at_which_its_hold_down_is_over() {
    let (root, next) = (Root::new("Root"), Root::new("Next"));
    let pins = around(set([root.current()]), NOW);
    let seen = NOW.saturating_add(7);
    let observed = pins.observe(&root.naming(&next), seen).unwrap();
    let due = seen.saturating_add(HOLD_DOWN);
    assert_eq!(observed.outcome, RootOutcome::Announced);
    let announced = observed.next.unwrap();
    assert_eq!(announced.pin, Some(next.pin()));
    assert_eq!(
        (announced.first_sight, announced.acceptance),
        (seen, Acceptance::From(due))
    );
    assert_eq!(codes(&observed.notices), ["pin_successor_pending"]);
    let event = observed.notices[0].to_event(seen);
    assert_eq!(event.subject.unwrap().sha256, *next.pin().digest());
    let pin = pin_of(&pins, &next).unwrap();
    assert_eq!(
        (pin.state, pin.position),
        (PinState::Announced, PinPosition::Anchor)
    );
    assert_eq!(pin.label.as_deref(), Some("the next key of 'Root'"));
    for (at, is_accepted) in [(seen, false), (due.saturating_add(-1), false), (due, true)] {
        assert_eq!(accepts(&pins, &next, at), is_accepted, "{at}");
        assert!(accepts(&pins, &root, at));
    }
    assert_eq!(codes(&pins.tick(due.saturating_add(-1))), [""; 0]);
    let told = pins.tick(due);
    assert_eq!(codes(&told), ["pin_successor_due"]);
    assert_eq!(told[0].to_event(due).code, EventCode::PinSuccessorDue);
    assert_eq!(codes(&pins.tick(days(100))), [""; 0]);
    // Shown again, however late, nothing begins anew.
    let again = pins.observe(&root.naming(&next), days(100)).unwrap();
    assert_eq!((again.outcome, again.notices), (RootOutcome::Known, vec![]));
    assert!(accepts(&pins, &next, days(100)));
}

#[test]
fn another_hold_down_can_be_set_and_one_that_outlasts_the_root_ends_nothing() {
    let (root, next) = (Root::new("Root"), Root::new("Next"));
    let open = |hold_down| {
        let builder = RootAnnouncedPins::builder(set([root.current()]), algorithms());
        builder.with_hold_down(hold_down).open(NOW).0
    };
    let at_once = open(Duration::ZERO);
    at_once.observe(&root.naming(&next), NOW).unwrap();
    assert!(accepts(&at_once, &next, NOW));
    assert!(!accepts(&at_once, &next, NOW.saturating_add(-1)));
    // The root ends 3,000 days from now, to the second.
    let exactly = open(Duration::from_secs(3000 * 86_400));
    exactly.observe(&root.naming(&next), NOW).unwrap();
    assert!(accepts(&exactly, &next, days(3000)));
    let longer = open(Duration::from_secs(3000 * 86_400 + 1));
    let observed = longer.observe(&root.naming(&next), NOW).unwrap();
    assert_eq!(codes(&observed.notices), ["pin_successor_outlasts"]);
    assert_eq!(observed.next.unwrap().acceptance, Acceptance::Never);
    assert!(!accepts(&longer, &next, days(9000)));
    assert_eq!(pin_of(&longer, &next), None);
}

#[test]
fn a_newer_certificate_replaces_an_older_one_and_never_the_other_way_round() {
    let [root, next, other] = ["Root", "Next", "Other"].map(Root::new);
    let pins = around(set([root.current()]), NOW);
    let sha256 = RootKeyHash::Sha256;
    pins.observe(&root.naming_from(-10, &next, sha256), NOW)
        .unwrap();
    // The same key in a newer certificate: its hold-down goes on.
    let renewed = root.naming_from(-9, &next, sha256);
    let observed = pins.observe(&renewed, days(5)).unwrap();
    assert_eq!(observed.outcome, RootOutcome::Known);
    assert_eq!(observed.next.unwrap().root, renewed);
    assert!(accepts(&pins, &next, days(30)));
    // Another key: the hold-down begins anew, and the first one is over.
    let observed = pins
        .observe(&root.naming_from(4, &other, sha256), days(29))
        .unwrap();
    assert_eq!(observed.outcome, RootOutcome::Announced);
    let told = ["pin_successor_withdrawn", "pin_successor_pending"];
    assert_eq!(codes(&observed.notices), told);
    assert!(!accepts(&pins, &next, days(400)));
    assert!(!accepts(&pins, &other, days(59).saturating_add(-1)));
    assert!(accepts(&pins, &other, days(59)));
    // The older one again.
    let refused = pins.observe(&renewed, days(30)).unwrap_err();
    let expected = E::Superseded {
        subject: "Root".to_owned(),
        not_before: days(-9),
        newest: days(4),
    };
    assert_eq!((refused.code(), refused), ("rollback", expected));
    // The newest one names none: that withdraws, for good.
    let silent = root.with_values(6, 3000, &[]);
    let observed = pins.observe(&silent, days(31)).unwrap();
    assert_eq!(
        (observed.outcome, observed.next),
        (RootOutcome::Withdrawn, None)
    );
    assert_eq!(codes(&observed.notices), ["pin_successor_withdrawn"]);
    assert_eq!(pins_of(&pins), [root.current()]);
    let again = pins.observe(&root.naming_from(4, &other, sha256), days(32));
    assert_eq!(again.unwrap_err().code(), "rollback");
    // A newer certificate whose time has not come withdraws nothing.
    pins.observe(&root.naming_from(7, &next, sha256), days(33))
        .unwrap();
    let early = pins.observe(&root.with_values(40, 3000, &[]), days(34));
    assert_eq!(early.unwrap_err().code(), "not_yet_issued");
    assert!(accepts(&pins, &next, days(63)));
}

#[test]
fn a_key_named_by_sha384_or_sha512_is_a_pin_once_it_was_seen() {
    for hash in [RootKeyHash::Sha384, RootKeyHash::Sha512] {
        let [root, next, stranger] = ["Root", "Next", "Stranger"].map(Root::new);
        let pins = around(set([root.current()]), NOW);
        let observed = pins
            .observe(&root.naming_from(-10, &next, hash), NOW)
            .unwrap();
        assert_eq!(codes(&observed.notices), ["pin_successor_awaits_key"]);
        assert_eq!(observed.next.unwrap().pin, None);
        assert_eq!(pin_of(&pins, &next), None);
        let not_it = pins.observe(&stranger.plain(), days(1)).unwrap_err();
        assert_eq!(not_it.code(), "not_pinned");
        // Whoever shows it, in whatever certificate: here the one that the root issued for it.
        let cross_sign = next.signed_by(&root, next.params(-5, 500));
        let confirmed = pins.observe(&cross_sign, days(20)).unwrap();
        assert_eq!(confirmed.outcome, RootOutcome::Confirmed);
        assert_eq!(codes(&confirmed.notices), ["pin_successor_pending"]);
        // Held down since the root was first seen to name it.
        assert!(!accepts(&pins, &next, days(30).saturating_add(-1)));
        assert!(accepts(&pins, &next, days(30)));
        let known = pins.observe(&next.plain(), days(21)).unwrap();
        assert_eq!((known.outcome, known.notices), (RootOutcome::Known, vec![]));
    }
}

#[test]
fn a_next_key_is_for_nobody_else_and_nowhere_else_than_its_root() {
    let [root, next, other] = ["Root", "Next", "Other"].map(Root::new);
    let positions = [
        (PinPosition::Anchor, PinPosition::Anchor),
        (PinPosition::Ca, PinPosition::Ca),
        // No leaf has a root's key.
        (PinPosition::Any, PinPosition::Ca),
    ];
    for (pinned, expected) in positions {
        let of_root = PinSet::builder()
            .with_pin(root.pinned(PinState::Current, pinned))
            .with_scope("*.example.com".parse().unwrap())
            .with_expiry(days(700), ExpiryRule::FailOpenLoudly)
            .with_mode(PinMode::ReportOnly)
            .build()
            .unwrap();
        let of_other = PinSet::builder()
            .with_pin(other.current())
            .with_scope("other.example".parse().unwrap())
            .build()
            .unwrap();
        let sets = PinSets::new([of_root.clone(), of_other.clone()]).unwrap();
        let sets = sets
            .with_unpinned(["cdn.example.com".parse().unwrap()])
            .unwrap();
        let pins = around(sets.clone(), NOW);
        pins.observe(&root.naming(&next), NOW).unwrap();
        let generation = pins.generation();
        assert_eq!(generation.sets.unpinned(), sets.unpinned());
        let [one, two] = &generation.sets.iter().collect::<Vec<_>>()[..] else {
            panic!("two sets");
        };
        assert_eq!(*two, &of_other);
        assert_eq!(one.scopes(), of_root.scopes());
        assert_eq!(
            (one.expiry(), one.mode()),
            (of_root.expiry(), of_root.mode())
        );
        let successor = one.pins().iter().find(|pin| pin.key == next.pin());
        assert_eq!(successor.unwrap().position, expected, "{pinned}");
        assert_eq!(one.pins().len(), 2);
    }
}

#[test]
fn announcements_and_roots_stand_beside_each_other() {
    let (root, next) = (Root::new("Root"), Root::new("Next"));
    let listed = |root: &Root, state: &str| {
        let pin = root.pin().to_string();
        json!({ "pin": pin, "state": state, "position": "anchor" })
    };
    let of_root = listed(&root, "current");
    let draft = |version, day: i64, pins: &[Value]| {
        let pins = [&[ground::listed(b'B', "backup")], pins].concat();
        Draft::new(version, days(day), &pins)
    };
    let authority = ground::authority(&[1, 2, 3, 4], 2, Some(3));
    let floor = draft(10, 0, std::slice::from_ref(&of_root)).expiring(days(1000));
    let floor = floor.with("authority", authority).payload();
    let ground = Ground::on(PinFloor::from_json(&floor).unwrap(), None, NOW);
    let inner: Arc<dyn notafter::pin::PinsInForce> = ground.store.clone();
    let pins = around(inner, NOW);
    pins.observe(&root.naming(&next), NOW).unwrap();
    assert!(accepts(&pins, &next, days(30)));
    // An announcement lists it as well, which for the announcement alone is held down until day 61: nobody
    // who goes by it already is refused meanwhile.
    let both = draft(11, 31, &[of_root.clone(), listed(&next, "current")]);
    ground.apply(&both, days(31)).unwrap();
    assert_eq!(pins.generation().announcement_expires, Some(days(31 + 90)));
    assert!(accepts(&pins, &next, days(31)));
    // An announcement that retires the root before: what is left is the announcement's own hold-down.
    let retired = draft(
        12,
        40,
        &[listed(&root, "retired"), listed(&next, "current")],
    );
    ground.apply(&retired, days(40)).unwrap();
    assert!(!accepts(&pins, &next, days(61).saturating_add(-1)));
    assert!(accepts(&pins, &next, days(61)));
    // One that rejects the next key.
    let rejected = draft(13, 70, &[of_root, listed(&next, "rejected")]);
    ground.apply(&rejected, days(70)).unwrap();
    assert!(!accepts(&pins, &next, days(400)));
}

/// Pins that change, with what their roots announce.
fn changing(set: &PinSet) -> (Arc<SwappablePins>, Arc<RootAnnouncedPins>) {
    let swappable = Arc::new(SwappablePins::new(set.clone()));
    let inner: Arc<dyn notafter::pin::PinsInForce> = swappable.clone();
    let pins = around(inner, NOW);
    (swappable, pins)
}

#[test]
fn what_is_rejected_or_retired_stays_so_and_ends_what_it_announced() {
    let [root, next, backup] = ["Root", "Next", "Backup"].map(Root::new);
    let backup = backup.pinned(PinState::Backup, PinPosition::Anchor);
    let with = |pins: Vec<notafter::pin::Pin>| set([vec![backup.clone()], pins].concat());
    // The next key is rejected, or retired: before it counts, or after.
    for state in [PinState::Rejected, PinState::Retired] {
        let (inner, pins) = changing(&with(vec![root.current()]));
        pins.observe(&root.naming(&next), NOW).unwrap();
        assert!(accepts(&pins, &next, days(30)));
        let over = next.pinned(state, PinPosition::Any);
        let epoch = pins.generation().epoch;
        inner.replace(with(vec![root.current(), over.clone()]));
        assert_ne!(pins.generation().epoch, epoch);
        assert!(!accepts(&pins, &next, days(400)), "{state}");
        assert_eq!(
            pins.observe(&root.naming(&next), days(50)).unwrap().outcome,
            RootOutcome::Known
        );
        assert!(!accepts(&pins, &next, days(400)), "{state}");
        // Named for the first time, it is told.
        let pins = around(with(vec![root.current(), over]), NOW);
        let observed = pins.observe(&root.naming(&next), NOW).unwrap();
        assert_eq!(codes(&observed.notices), ["announcement_refused"]);
        assert!(!accepts(&pins, &next, days(400)), "{state}");
    }
    // The root is retired, or rejected: what it announced is over, at once and for good.
    for state in [PinState::Rejected, PinState::Retired] {
        let (inner, pins) = changing(&with(vec![root.current()]));
        pins.observe(&root.naming(&next), NOW).unwrap();
        inner.replace(with(vec![root.pinned(state, PinPosition::Anchor)]));
        assert!(!accepts(&pins, &next, days(400)), "{state}");
        let refused = pins.observe(&root.naming(&next), days(40)).unwrap_err();
        assert_eq!(refused.code(), "not_pinned");
        assert_eq!(codes(&pins.tick(days(41))), ["pin_successor_withdrawn"]);
        inner.replace(with(vec![root.current()]));
        assert!(!accepts(&pins, &next, days(400)), "{state}");
        pins.observe(&root.naming(&next), days(42)).unwrap();
        assert!(!accepts(&pins, &next, days(72).saturating_add(-1)));
        assert!(accepts(&pins, &next, days(72)));
    }
    // Only left out, as by another configuration, it counts nowhere meanwhile, and goes on afterwards.
    let (inner, pins) = changing(&with(vec![root.current()]));
    pins.observe(&root.naming(&next), NOW).unwrap();
    inner.replace(with(vec![]));
    assert!(!accepts(&pins, &next, days(400)));
    assert_eq!(codes(&pins.tick(days(41))), [""; 0]);
    inner.replace(with(vec![root.current()]));
    assert!(accepts(&pins, &next, days(41)));
}

#[test]
fn a_digest_rejected_for_one_host_counts_at_no_other() {
    let [root, next, other] = ["Root", "Next", "Other"].map(Root::new);
    let of = |host: &str, pins: Vec<notafter::pin::Pin>| {
        let set = pins
            .into_iter()
            .fold(PinSet::builder(), notafter::pin::PinSetBuilder::with_pin);
        set.with_scope(host.parse().unwrap()).build().unwrap()
    };
    let rejecting = vec![
        other.current(),
        next.pinned(PinState::Rejected, PinPosition::Any),
    ];
    let sets = [
        of("a.example", vec![root.current()]),
        of("b.example", rejecting),
    ];
    let pins = around(PinSets::new(sets).unwrap(), NOW);
    pins.observe(&root.naming(&next), NOW).unwrap();
    assert!(!accepts(&pins, &next, days(400)));
}

#[test]
fn a_next_root_announces_its_own_once_it_counts_and_no_sooner() {
    let [first, second, third] = ["Root 1", "Root 2", "Root 3"].map(Root::new);
    let (inner, pins) = changing(&set([first.current()]));
    pins.observe(&first.naming(&second), NOW).unwrap();
    let of_second = second.naming(&third);
    // It is known as what the first root names, and what it says is not heard yet.
    assert_eq!(
        pins.observe(&of_second, days(1)).unwrap().outcome,
        RootOutcome::Known
    );
    assert_eq!(pin_of(&pins, &third), None);
    let observed = pins.observe(&of_second, days(30)).unwrap();
    assert_eq!(observed.outcome, RootOutcome::Announced);
    assert!(!accepts(&pins, &third, days(60).saturating_add(-1)));
    assert!(accepts(&pins, &third, days(60)));
    // All of it stands behind the first root's pin.
    let retired = first.pinned(PinState::Retired, PinPosition::Anchor);
    let backup = Root::new("Backup").current();
    inner.replace(set([retired, backup]));
    assert!(!accepts(&pins, &second, days(400)) && !accepts(&pins, &third, days(400)));
    // A release that pins the second root goes on from there.
    inner.replace(set([second.current()]));
    assert!(accepts(&pins, &third, days(60)));
}

#[test]
fn a_key_that_is_listed_too_counts_from_the_earlier_instant() {
    let (root, next) = (Root::new("Root"), Root::new("Next"));
    let listed = |from| {
        let pin = next.pinned(PinState::Announced, PinPosition::Anchor);
        set([root.current(), pin.with_acceptance(from)])
    };
    let cases = [
        (Acceptance::Always, Acceptance::Always),
        (Acceptance::From(days(3)), Acceptance::From(days(3))),
        (Acceptance::From(days(90)), Acceptance::From(days(30))),
        (Acceptance::Never, Acceptance::From(days(30))),
    ];
    for (pinned, expected) in cases {
        let pins = around(listed(pinned), NOW);
        pins.observe(&root.naming(&next), NOW).unwrap();
        assert_eq!(pin_of(&pins, &next).unwrap().acceptance, expected);
        assert_eq!(pins_of(&pins).len(), 2);
    }
    // The root itself is still held down: its next key counts no earlier than it does.
    let coming = root.pinned(PinState::Announced, PinPosition::Anchor);
    let coming = coming.with_acceptance(Acceptance::From(days(50)));
    let (inner, pins) = changing(&set([root.current()]));
    pins.observe(&root.naming(&next), NOW).unwrap();
    inner.replace(set([coming, Root::new("Backup").current()]));
    assert_eq!(
        pin_of(&pins, &next).unwrap().acceptance,
        Acceptance::From(days(50))
    );
}

#[test]
fn pins_beside_a_root_that_names_another_successor_are_told() {
    let [root, next, other] = ["Root", "Next", "Other"].map(Root::new);
    let announced = |root: &Root| root.pinned(PinState::Announced, PinPosition::Anchor);
    let lints = |pins: &PinSet, roots: &[Certificate]| -> Vec<&'static str> {
        let lints = pins.lint_roots(roots);
        lints.iter().map(notafter::pin::PinLint::as_str).collect()
    };
    let alone = set([root.current()]);
    let right = set([root.current(), announced(&next)]);
    let wrong = set([root.current(), announced(&other)]);
    let sha256 = [root.naming(&next)];
    let sha512 = [root.naming_from(-10, &next, RootKeyHash::Sha512)];
    let shown = [sha512[0].clone(), next.plain()];
    for (roots, expected) in [
        (
            &sha256[..],
            ["next_root_key_unpinned", "", "next_root_key_differs"],
        ),
        (&sha512, ["next_root_key_unpinned"; 3]),
        (
            &shown,
            ["next_root_key_unpinned", "", "next_root_key_differs"],
        ),
        (&[root.plain()], [""; 3]),
        (&[other.naming(&next)], ["", "", "next_root_key_unpinned"]),
    ] {
        for (pins, expected) in [&alone, &right, &wrong].into_iter().zip(expected) {
            let expected: Vec<_> = Some(expected)
                .filter(|code| !code.is_empty())
                .into_iter()
                .collect();
            assert_eq!(lints(pins, roots), expected);
        }
    }
    let said = wrong.lint_roots(&sha256)[0].to_string();
    assert!(said.contains(&other.pin().to_string()), "{said}");
}
