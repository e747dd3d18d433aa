use super::*;
use crate::cert::{Certificate, Sha256Digest};
use crate::pin::{ExpiryRule, PinPosition, PinSetBuilder};

fn key(n: u8) -> SpkiPin {
    SpkiPin::from_digest(Sha256Digest::of(&[n]))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn path(leaf: u8, intermediates: &[u8], anchor: u8) -> PathKeys {
    PathKeys {
        leaf: key(leaf),
        intermediates: intermediates.iter().map(|n| key(*n)).collect(),
        anchor: key(anchor),
    }
}

/// Paths that verify, and whether the verifier behind them stands by each of them.
struct TestPaths(Vec<(PathKeys, bool)>);

impl VerifiedPaths for TestPaths {
    fn any(&self, fits: &mut dyn FnMut(&PathKeys) -> bool) -> Result<bool, String> {
        match self.0.as_slice() {
            [] => Err("no path".to_owned()),
            paths => Ok(paths.iter().any(|(keys, vouched)| fits(keys) && *vouched)),
        }
    }
}

fn shown(leaf: u8, above: KeysAbove<'_>) -> ShownKeys<'_> {
    ShownKeys {
        host: Some("a.example"),
        identity: None,
        leaf: Ok(key(leaf)),
        above,
    }
}

/// The pin that matches, or the refusal in one word.
fn outcome(set: &PinSet, shown: &ShownKeys<'_>, now: i64) -> Result<Option<SpkiPin>, &'static str> {
    match judge(set, shown, at(now)) {
        PinVerdict::Matches(pin) => Ok(Some(pin.key)),
        PinVerdict::Undecided => Ok(None),
        PinVerdict::Refused(PinError::Mismatch { .. }) => Err("mismatch"),
        PinVerdict::Refused(PinError::Rejected { .. }) => Err("rejected"),
        PinVerdict::Refused(PinError::SetExpired { .. }) => Err("expired"),
        PinVerdict::Refused(PinError::NoPath { .. }) => Err("no path"),
        PinVerdict::Refused(PinError::NotPinned { .. }) => Err("not pinned"),
        PinVerdict::Refused(PinError::Unreadable { .. }) => Err("unreadable"),
    }
}

#[test]
fn one_verdict_for_what_is_above_the_leaf_and_what_is_not() {
    let leaf_pins = PinSet::builder().with_current(key(1)).with_backup(key(2));
    let leaf_pins = leaf_pins.build().unwrap();
    let ca_pin = Pin::new(key(7), PinState::Current).with_position(PinPosition::Ca);
    let ca_pin = PinSet::builder().with_pin(ca_pin).build().unwrap();
    let rejecting = PinSet::builder().with_current(key(1)).with_rejected(key(9));
    let rejecting = rejecting.build().unwrap();
    let one = |keys, vouched| TestPaths(vec![(keys, vouched)]);
    let good = one(path(1, &[7], 3), true);
    let unvouched = one(path(1, &[7], 3), false);
    let over_rejected = one(path(1, &[9], 3), true);
    let none = TestPaths(vec![]);
    use KeysAbove::{Nothing, Unknown, Verified as V};
    let cases = [
        ("its leaf", &leaf_pins, 1, Nothing, Ok(Some(key(1)))),
        ("needs no path", &leaf_pins, 2, V(&none), Ok(Some(key(2)))),
        ("another leaf", &leaf_pins, 3, V(&good), Err("mismatch")),
        ("its CA", &ca_pin, 1, V(&good), Ok(Some(key(7)))),
        (
            "not by this path",
            &ca_pin,
            1,
            V(&unvouched),
            Err("mismatch"),
        ),
        ("no path", &ca_pin, 1, V(&none), Err("no path")),
        ("no anchors", &ca_pin, 1, Unknown, Err("no path")),
        ("raw keys have no CA", &ca_pin, 7, Nothing, Err("mismatch")),
        ("in wrong hands", &rejecting, 9, Nothing, Err("rejected")),
        (
            "over a clean path",
            &rejecting,
            1,
            V(&good),
            Ok(Some(key(1))),
        ),
        (
            "rejected above",
            &rejecting,
            1,
            V(&over_rejected),
            Err("mismatch"),
        ),
        ("no path to look at", &rejecting, 1, Unknown, Err("no path")),
        ("nothing above", &rejecting, 1, Nothing, Ok(Some(key(1)))),
    ];
    for (name, set, leaf, above, expected) in cases {
        assert_eq!(outcome(set, &shown(leaf, above), 0), expected, "{name}");
    }
}

#[test]
fn a_set_that_decides_no_more_still_refuses_keys_in_wrong_hands() {
    let set = |rule| {
        let set = PinSet::builder().with_current(key(1)).with_rejected(key(9));
        set.with_expiry(at(100), rule).build().unwrap()
    };
    let open = set(ExpiryRule::FailOpenLoudly);
    let clean = TestPaths(vec![(path(2, &[3], 4), true)]);
    let unvouched = TestPaths(vec![(path(2, &[3], 4), false)]);
    let over_rejected = TestPaths(vec![(path(2, &[9], 4), true)]);
    use KeysAbove::{Nothing, Unknown, Verified as V};
    let cases = [
        (2, Nothing, Ok(None)),
        (9, Nothing, Err("rejected")),
        (2, Unknown, Ok(None)),
        (2, V(&clean), Ok(None)),
        (2, V(&over_rejected), Err("rejected")),
        (2, V(&unvouched), Err("no path")),
    ];
    for (index, (leaf, above, expected)) in cases.into_iter().enumerate() {
        let found = outcome(&open, &shown(leaf, above), 101);
        assert_eq!(found, expected, "case {index}");
    }
    for rule in [ExpiryRule::FailClosed, ExpiryRule::FailOpenLoudly] {
        let found = outcome(&set(rule), &shown(1, Nothing), 100);
        assert_eq!(found, Ok(Some(key(1))), "{rule:?}");
    }
    let closed = set(ExpiryRule::FailClosed);
    assert_eq!(outcome(&closed, &shown(1, Nothing), 101), Err("expired"));
    let grace = set(ExpiryRule::GraceThenClosed { seconds: 10 });
    let found = [110, 111].map(|now| outcome(&grace, &shown(1, Nothing), now));
    assert_eq!(found, [Ok(Some(key(1))), Err("expired")]);
}

#[test]
fn a_leaf_that_cannot_be_read_matches_nothing_and_may_be_in_wrong_hands() {
    let error = Certificate::from_der(&[0_u8][..]).unwrap_err();
    let unreadable = || ShownKeys {
        host: None,
        identity: None,
        leaf: Err(&error),
        above: KeysAbove::Nothing,
    };
    let open = |builder: PinSetBuilder| {
        let builder = builder.with_expiry(at(100), ExpiryRule::FailOpenLoudly);
        builder.build().unwrap()
    };
    let plain = open(PinSet::builder().with_current(key(1)));
    let rejecting = open(PinSet::builder().with_current(key(1)).with_rejected(key(9)));
    assert_eq!(outcome(&plain, &unreadable(), 100), Err("unreadable"));
    assert_eq!(outcome(&plain, &unreadable(), 101), Ok(None));
    assert_eq!(outcome(&rejecting, &unreadable(), 101), Err("unreadable"));
}

#[test]
fn pins_match_at_their_position_only() {
    let pinned = |position| {
        let pin = Pin::new(key(7), PinState::Current).with_position(position);
        let other = Pin::new(key(8), PinState::Backup);
        let builder = PinSet::builder().with_pin(pin).with_pin(other);
        builder.build().unwrap()
    };
    let [leaf, middle, anchor] = [path(7, &[1], 2), path(1, &[7, 2], 3), path(1, &[2], 7)];
    let cases = [
        (PinPosition::Leaf, [true, false, false]),
        (PinPosition::Ca, [false, true, true]),
        (PinPosition::Anchor, [false, false, true]),
        (PinPosition::Any, [true, true, true]),
    ];
    for (position, expected) in cases {
        let set = pinned(position);
        let found = [&leaf, &middle, &anchor].map(|p| match_path(&set, p, at(0)).is_some());
        assert_eq!(found, expected, "{position}");
    }
}

#[test]
fn a_path_with_a_rejected_key_matches_nothing() {
    let set = PinSet::builder().with_current(key(1)).with_rejected(key(9));
    let set = set.build().unwrap();
    assert!(match_path(&set, &path(1, &[2], 3), at(0)).is_some());
    assert!(match_path(&set, &path(1, &[9], 3), at(0)).is_none());
    assert!(match_path(&set, &path(1, &[2], 9), at(0)).is_none());
}

#[test]
fn near_misses_say_why_a_known_key_did_not_count() {
    let set = PinSet::builder()
        .with_current(key(1))
        .with_successor_from(key(2), at(50))
        .with_pin(Pin::new(key(3), PinState::Retired))
        .build()
        .unwrap();
    let shown = |n| vec![PresentedKey::leaf(key(n))];
    let misses = near_misses(&set, &shown(2), at(49));
    assert_eq!(misses[0].accepted_from(), Some(at(50)));
    assert_eq!(
        misses[0].to_string(),
        "the key of its leaf is announced, accepted from 1970-01-01T00:00:50Z"
    );
    let misses = near_misses(&set, &shown(3), at(49));
    assert_eq!(misses[0].to_string(), "the key of its leaf is retired");
    assert!(near_misses(&set, &shown(1), at(49)).is_empty());
    assert!(near_misses(&set, &shown(4), at(49)).is_empty());
}
