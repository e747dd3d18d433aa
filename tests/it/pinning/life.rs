//! A pin set over time: successors, backups, dates, modes, and what is told.

use std::sync::{Arc, Mutex};

use notafter::pin::{
    ExpiryRule, FixedPins, Pin, PinError, PinGeneration, PinMode, PinSets, PinState, PinsInForce,
};
use notafter::{EventCode, PinSet, Severity, SpkiPin};

use super::{NAME, Scene, pin_of, refusal, webpki};
use crate::support::pki::{self, Leaf, NOW, days};

struct World {
    anchors: notafter::TrustAnchors,
    /// The leaves of the key in use, of its successor, and of a key kept offline.
    leaves: [Leaf; 3],
}

fn world() -> World {
    let root = pki::root("root", -10, 3650);
    World {
        anchors: pki::anchors([&root]),
        leaves: [(); 3].map(|()| root.leaf(&[NAME], -1, 300)),
    }
}

impl World {
    fn pins(&self) -> [SpkiPin; 3] {
        self.leaves.each_ref().map(pin_of)
    }
}

#[test]
fn the_simplest_use_is_a_pin_and_its_successor() {
    let World { anchors, leaves } = &world();
    let [current, successor, _] = leaves.each_ref().map(pin_of);
    let from = days(30);
    let scene = Scene::new(webpki(anchors), anchors, |builder| {
        builder
            .with_leaf_pin(current)
            .with_successor_pin_from(successor, from)
    });
    assert_eq!(scene.verify(&[&leaves[0].der], NOW), Ok(()));
    assert_eq!(scene.codes(), []);

    let early = scene.verify(&[&leaves[1].der], from.saturating_add(-1));
    let error = refusal(&early).unwrap();
    assert_eq!(error.accepted_from(), Some(from));
    let expected = format!(
        "{NAME} showed {successor} as its leaf, where {current} at leaf is expected \
         (the key of its leaf is announced, accepted from {from}): \
         if the peer changed its key on purpose, deploy its new pin, else treat this as an attack"
    );
    assert_eq!(error.to_string(), expected);
    let told = scene.recorder.take();
    assert_eq!(told[0].code, EventCode::PinAnnouncedEarly);
    assert_eq!((told.len(), &told[0].message), (1, &expected));

    assert_eq!(scene.verify(&[&leaves[1].der], from), Ok(()));
    assert_eq!(
        scene.verify(&[&leaves[1].der], from.saturating_add(9)),
        Ok(())
    );
    assert_eq!(scene.codes(), [EventCode::PinSuccessorSeen], "told once");
    // Without a date, from the first moment on.
    let at_once = Scene::new(webpki(anchors), anchors, |builder| {
        builder.with_leaf_pin(current).with_successor_pin(successor)
    });
    assert_eq!(at_once.verify(&[&leaves[1].der], NOW), Ok(()));
    let result = at_once.verify(&[&leaves[2].der], NOW);
    assert!(matches!(refusal(&result), Some(PinError::Mismatch { .. })));
}

#[test]
fn a_backup_is_accepted_and_told_about_daily() {
    let world = world();
    let [current, _, backup] = world.pins();
    let set = PinSet::builder().with_current(current).with_backup(backup);
    let scene = Scene::pinned(&world.anchors, set.build().unwrap());
    for (now, expected) in [
        (NOW, vec![EventCode::PinBackupMatched]),
        (days(1).saturating_add(-1), vec![]),
        (days(1), vec![EventCode::PinBackupMatched]),
    ] {
        assert_eq!(scene.verify(&[&world.leaves[2].der], now), Ok(()));
        assert_eq!(scene.codes(), expected, "{now}");
    }
}

#[test]
fn retired_and_rejected_keys_are_refused_with_their_state() {
    let world = world();
    let [current, retired, rejected] = world.pins();
    let set = PinSet::builder()
        .with_current(current)
        .with_pin(Pin::new(retired, PinState::Retired).with_label("spring"))
        .with_pin(Pin::new(rejected, PinState::Rejected))
        .build()
        .unwrap();
    let scene = Scene::pinned(&world.anchors, set);
    let result = scene.verify(&[&world.leaves[1].der], NOW);
    let PinError::Mismatch { near_misses, .. } = refusal(&result).unwrap() else {
        panic!("{result:?}");
    };
    assert_eq!(near_misses[0].to_string(), "the key of its leaf is retired");
    assert_eq!(near_misses[0].pin.label.as_deref(), Some("spring"));
    let result = scene.verify(&[&world.leaves[2].der], NOW);
    let expected = PinError::Rejected {
        host: Some(NAME.to_owned()),
        identity: None,
        key: rejected,
    };
    // Fields may be added: compare what they say.
    assert_eq!(refusal(&result).unwrap().to_string(), expected.to_string());
    // Neither proved that it has its key: they are told of by number.
    let told = scene.recorder.take();
    let told: Vec<_> = told
        .iter()
        .map(|e| (e.code, e.severity, e.affected))
        .collect();
    let expected = [EventCode::PinMismatch, EventCode::PinRejected];
    assert_eq!(told, expected.map(|code| (code, Severity::Unproven, 1)));
    // Of three keys one is usable: said once somebody has proved that it has one.
    assert_eq!(scene.verify(&[&world.leaves[0].der], NOW), Ok(()));
    let codes = scene.codes();
    assert!(codes.contains(&EventCode::PinOnlyOneUsable), "{codes:?}");
}

#[test]
fn report_only_tells_and_accepts() {
    let world = world();
    let [_, other, another] = world.pins();
    let set = PinSet::builder().with_current(other).with_backup(another);
    let set = set.with_mode(PinMode::ReportOnly).build().unwrap();
    let scene = Scene::pinned(&world.anchors, set);
    assert_eq!(scene.verify(&[&world.leaves[0].der], NOW), Ok(()));
    let told = scene.recorder.take();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].code, told[0].severity),
        (EventCode::PinReportOnly, Severity::Warning)
    );
    assert!(
        told[0]
            .message
            .starts_with("not enforced: service.example showed sha256/")
    );
}

#[test]
fn report_only_tells_at_once_of_a_key_in_wrong_hands_that_it_lets_in() {
    let world = world();
    let [stolen, other, another] = world.pins();
    let set = PinSet::builder().with_current(other).with_backup(another);
    let set = set.with_rejected(stolen).with_mode(PinMode::ReportOnly);
    let scene = Scene::pinned(&world.anchors, set.build().unwrap());
    assert_eq!(scene.verify(&[&world.leaves[0].der], NOW), Ok(()));
    let told = scene.recorder.take();
    let told: Vec<_> = told.iter().map(|e| (e.code, e.severity)).collect();
    assert_eq!(told, [(EventCode::PinReportOnly, Severity::Critical)]);
}

#[test]
fn a_set_past_its_date_follows_its_rule_in_handshakes() {
    let world = world();
    let [current, successor, _] = world.pins();
    let end = days(100);
    let after = end.saturating_add(1);
    let scene = |rule| {
        let set = PinSet::builder()
            .with_current(current)
            .with_successor(successor);
        let set = set.with_expiry(end, rule).build().unwrap();
        Scene::pinned(&world.anchors, set)
    };
    let (pinned, other) = (&world.leaves[0].der, &world.leaves[2].der);
    let closed = |result| matches!(refusal(&result), Some(PinError::SetExpired { .. }));

    let fail_closed = scene(ExpiryRule::FailClosed);
    assert_eq!(fail_closed.verify(&[pinned], end), Ok(()));
    // It ends before the certificate does.
    assert_eq!(fail_closed.codes(), [EventCode::PinSetEndsFirst]);
    assert!(closed(fail_closed.verify(&[pinned], after)));
    assert_eq!(fail_closed.codes(), [EventCode::PinSetExpired]);

    let grace = scene(ExpiryRule::GraceThenClosed { seconds: 86_400 });
    assert_eq!(grace.verify(&[pinned], after), Ok(()));
    assert!(grace.codes().contains(&EventCode::PinSetExpired));
    assert!(refusal(&grace.verify(&[other], after)).is_some());
    assert_eq!(grace.verify(&[pinned], days(101)), Ok(()));
    assert!(closed(grace.verify(&[pinned], days(101).saturating_add(1))));

    let open = scene(ExpiryRule::FailOpenLoudly);
    assert!(refusal(&open.verify(&[other], end)).is_some());
    open.recorder.take();
    assert_eq!(open.verify(&[other], after), Ok(()));
    let told = open.recorder.take();
    assert_eq!(told[0].code, EventCode::PinSetExpired);
    assert_eq!(told[0].severity, Severity::Critical);
    assert!(told[0].message.contains("it is NOT pinned"));
}

#[test]
fn a_set_that_ends_before_the_certificate_is_told_of_as_it_comes_near() {
    let world = world();
    let [current, successor, _] = world.pins();
    let set = PinSet::builder()
        .with_current(current)
        .with_successor(successor);
    let set = set.with_expiry(days(100), ExpiryRule::FailClosed);
    let scene = Scene::pinned(&world.anchors, set.build().unwrap());
    let expected = [
        (69, None),
        (71, Some(Severity::Info)),
        (81, Some(Severity::Warning)),
        (91, Some(Severity::Critical)),
    ];
    for (day, severity) in expected {
        assert_eq!(scene.verify(&[&world.leaves[0].der], days(day)), Ok(()));
        let told = scene.recorder.take();
        let told = told
            .iter()
            .find(|event| event.code == EventCode::PinSetEndsFirst);
        assert_eq!(told.map(|event| event.severity), severity, "day {day}");
    }
}

#[test]
fn a_pinned_leaf_near_its_end_without_a_successor_is_told_of() {
    let world = world();
    let [current, successor, backup] = world.pins();
    let builder = || PinSet::builder().with_current(current).with_backup(backup);
    let lonely = Scene::pinned(&world.anchors, builder().build().unwrap());
    let set = builder().with_successor_from(successor, days(299));
    let followed = Scene::pinned(&world.anchors, set.build().unwrap());
    for (scene, expected) in [(lonely, true), (followed, false)] {
        assert_eq!(scene.verify(&[&world.leaves[0].der], days(200)), Ok(()));
        assert!(!scene.codes().contains(&EventCode::PinNoSuccessor));
        assert_eq!(scene.verify(&[&world.leaves[0].der], days(285)), Ok(()));
        assert_eq!(scene.codes().contains(&EventCode::PinNoSuccessor), expected);
    }
}

/// Pins that a test changes.
#[derive(Debug)]
pub struct Changing(Mutex<Arc<PinGeneration>>);

impl Changing {
    pub fn new(set: PinSet) -> Arc<Self> {
        Arc::new(Self(Mutex::new(FixedPins::new(set).generation())))
    }

    pub fn change(&self, set: PinSet) {
        let mut generation = self.0.lock().unwrap();
        let next = PinGeneration::new(generation.epoch + 1, PinSets::from(set));
        *generation = Arc::new(next);
    }
}

impl PinsInForce for Changing {
    fn generation(&self) -> Arc<PinGeneration> {
        self.0.lock().unwrap().clone()
    }
}

#[test]
fn a_chain_seen_before_is_decided_again_in_a_new_epoch() {
    let world = world();
    let [first, second, third] = world.pins();
    let pins = Changing::new(
        PinSet::builder()
            .with_current(first)
            .with_backup(third)
            .build()
            .unwrap(),
    );
    let scene = Scene::new(webpki(&world.anchors), &world.anchors, |builder| {
        builder.with_pins(pins.clone())
    });
    let [old, new, _] = world.leaves.each_ref().map(|leaf| &leaf.der);
    assert_eq!(scene.verify(&[old], NOW), Ok(()));
    assert!(scene.verify(&[new], NOW).is_err());
    pins.change(
        PinSet::builder()
            .with_current(second)
            .with_backup(third)
            .build()
            .unwrap(),
    );
    assert!(scene.verify(&[old], NOW).is_err());
    assert_eq!(scene.verify(&[new], NOW), Ok(()));
}
