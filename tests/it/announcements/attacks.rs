//! The attacks of the design, each with its exact reason and with what is accepted afterwards.

use notafter::Timestamp;
use notafter::announce::AnnouncementError;
use notafter::pin::Acceptance;
use serde_json::{Value, json};

use super::ground::{
    DAY, Draft, Ground, HOST, announced_after, at_position, authority, day, envelope, floor_draft,
    listed, pin, seal, second, sign,
};
use crate::support::pki::NOW;

fn both() -> Vec<Value> {
    vec![listed(b'O', "current"), listed(b'B', "backup")]
}

fn with(more: Value) -> Vec<Value> {
    [both(), vec![more]].concat()
}

/// The successor 'P' announced.
fn announcing() -> Draft {
    Draft::new(11, NOW, &with(listed(b'P', "announced")))
}

fn refused(ground: &Ground, draft: &Draft, now: Timestamp) -> AnnouncementError {
    let before = ground.store.generation_for_tests();
    let error = ground.apply(draft, now).unwrap_err();
    assert_eq!(ground.store.generation_for_tests(), before, "{error}");
    error
}

/// A refusal must not change anything, not even the epoch.
trait GenerationForTests {
    fn generation_for_tests(&self) -> std::sync::Arc<notafter::pin::PinGeneration>;
}

impl GenerationForTests for notafter::PinStore {
    fn generation_for_tests(&self) -> std::sync::Arc<notafter::pin::PinGeneration> {
        notafter::pin::PinsInForce::generation(self)
    }
}

#[test]
fn each_single_announcement_that_must_be_refused_is_refused_for_its_own_reason() {
    let payload = announcing().payload();
    let hosts = |hosts: Value| {
        let sets = json!([{ "hosts": hosts, "pins": both() }]);
        announcing().with("pin_sets", sets)
    };
    let pins = |pins: &[Value]| Draft::new(11, NOW, pins);
    let drafts: [(&str, Draft, &str); 17] = [
        ("rollback", announcing().with("version", 9), "rollback"),
        (
            "the floor's version again",
            announcing().with("version", 10),
            "rollback",
        ),
        (
            "a step of a million and one",
            announcing().with("version", 1_000_011),
            "fast_forward",
        ),
        (
            "fast-forward to 2^63",
            announcing().with("version", 1_u64 << 63),
            "fast_forward",
        ),
        (
            "the last version there is",
            announcing().with("version", u64::MAX),
            "fast_forward",
        ),
        (
            "issued 5 min and 1 s ahead",
            Draft::new(11, second(301), &both()),
            "not_yet_issued",
        ),
        (
            "expired by a second",
            Draft::new(11, second(-DAY), &both()).expiring(second(-1)),
            "expired",
        ),
        (
            "another host instead",
            hosts(json!(["evil.example"])),
            "unknown_host",
        ),
        (
            "another host too",
            hosts(json!([HOST, "evil.example"])),
            "unknown_host",
        ),
        (
            "a wider scope",
            hosts(json!(["*.example.com"])),
            "unknown_host",
        ),
        (
            "the host twice",
            hosts(json!([HOST, HOST])),
            "duplicate_host",
        ),
        (
            "no sets at all",
            announcing().with("pin_sets", json!([])),
            "empty_set",
        ),
        ("an empty set", pins(&[]), "empty_set"),
        (
            "all retired",
            pins(&[listed(b'O', "retired"), listed(b'B', "retired")]),
            "empty_set",
        ),
        (
            "all rejected",
            pins(&[listed(b'O', "rejected"), listed(b'B', "rejected")]),
            "empty_set",
        ),
        (
            "only a successor that is held down",
            pins(&[listed(b'P', "current")]),
            "empty_set",
        ),
        (
            "leaf widened to any",
            pins(&[at_position(b'O', "current", "any"), listed(b'B', "backup")]),
            "widened",
        ),
    ];
    for (name, draft, code) in drafts {
        assert_eq!(refused(&Ground::new(), &draft, NOW).code(), code, "{name}");
    }

    let two = json!([sign(&payload, 1), sign(&payload, 2)]);
    let of = |signatures: &Value| envelope(&payload, signatures.as_array().unwrap());
    let renamed = |mut signature: Value, id: &str| {
        signature["keyid"] = json!(id);
        signature
    };
    let once = sign(&payload, 1);
    let foreign = |typ: &str| {
        let text = String::from_utf8(of(&two)).unwrap();
        text.replace(notafter::announce::Envelope::PAYLOAD_TYPE, typ)
            .into_bytes()
    };
    let padded = [of(&two), vec![b' '; 64 * 1024]].concat();
    let crowd: Vec<_> = (0..33).map(|_| once.clone()).collect();
    let envelopes: [(&str, Vec<u8>, &str); 15] = [
        ("one signer of two", of(&json!([once])), "threshold"),
        ("duplicate signer", of(&json!([once, once])), "threshold"),
        (
            "one signer under the names of two",
            of(&json!([
                renamed(once.clone(), "key 1"),
                renamed(once.clone(), "key 2")
            ])),
            "threshold",
        ),
        ("no signature", of(&json!([])), "threshold"),
        (
            "one good, one foreign",
            of(&json!([once, sign(&payload, 9)])),
            "threshold",
        ),
        (
            "one good, one of another payload",
            of(&json!([once, sign(b"{}", 2)])),
            "threshold",
        ),
        (
            "a compromised server's own key",
            seal(&payload, &[9]),
            "bad_signature",
        ),
        (
            "a foreign key under the name of ours",
            of(&json!([
                renamed(sign(&payload, 9), "key 1"),
                renamed(sign(&payload, 8), "key 2")
            ])),
            "bad_signature",
        ),
        (
            "signatures of another payload",
            of(&json!([sign(b"{}", 1), sign(b"{}", 2)])),
            "bad_signature",
        ),
        (
            "foreign payload type",
            foreign("application/vnd.in-toto+json"),
            "malformed",
        ),
        (
            "another version of the type",
            foreign("application/vnd.notafter.pins.v1+json"),
            "malformed",
        ),
        ("too large", padded, "too_large"),
        ("33 signatures", envelope(&payload, &crowd), "malformed"),
        ("not an envelope", payload.clone(), "malformed"),
        ("nothing", vec![], "malformed"),
    ];
    for (name, bytes, code) in envelopes {
        let ground = Ground::new();
        let error = ground.store.apply(&bytes, NOW).unwrap_err();
        assert_eq!(error.code(), code, "{name}: {error}");
        assert_eq!(ground.accepted(day(365)), "OB", "{name}");
    }
    // What was refused would do in order.
    assert!(Ground::new().store.apply(&of(&two), NOW).is_ok());
    let other_names = json!([renamed(sign(&payload, 2), "x"), renamed(once, "x")]);
    assert!(Ground::new().store.apply(&of(&other_names), NOW).is_ok());
    assert!(
        Ground::new()
            .apply(&announcing().with("version", 1_000_010), NOW)
            .is_ok()
    );
    assert!(
        Ground::new()
            .apply(&Draft::new(11, second(300), &both()), NOW)
            .is_ok()
    );
    let last_second = Draft::new(11, second(-DAY), &both()).expiring(NOW);
    assert!(Ground::new().apply(&last_second, NOW).is_ok());
}

/// At every byte: nothing that differs from what was signed is ever in force.
#[test]
fn an_envelope_with_a_flipped_bit_is_refused_or_says_the_same() {
    let draft = announcing();
    let envelope = draft.signed(&[1, 2]);
    let mut ground = Ground::new();
    let mut same = 0;
    for index in 0..envelope.len() {
        let mut bytes = envelope.clone();
        bytes[index] ^= 1 << (index % 8);
        match ground.store.apply(&bytes, NOW) {
            Ok(_) => {
                same += 1;
                let read = notafter::announce::Envelope::parse(&bytes).unwrap();
                assert_eq!(read.payload(), draft.payload(), "byte {index}");
                ground = Ground::new();
            }
            Err(error) => {
                let known = ["malformed", "bad_signature", "threshold"];
                assert!(known.contains(&error.code()), "byte {index}: {error}");
                assert_eq!(ground.accepted(day(365)), "OB");
            }
        }
    }
    // Key ids are only hints, and the names of fields that nobody reads are free.
    let free = 2 * "keyid".len() + 2 * "key 1".len();
    assert!(same > 0 && same <= free, "{same}");
    assert!(ground.store.apply(&envelope, NOW).is_ok());
}

#[test]
fn a_wider_position_in_two_steps_is_another_pin_only_where_the_floor_does_not_know_the_key() {
    let wide = |letter, position| at_position(letter, "announced", position);
    let cases = [
        // Known at leaf since the announcement before.
        (
            listed(b'P', "announced"),
            wide(b'P', "any"),
            Some("widened"),
        ),
        (listed(b'P', "announced"), wide(b'P', "ca"), Some("widened")),
        (
            listed(b'P', "announced"),
            wide(b'P', "anchor"),
            Some("widened"),
        ),
        (wide(b'P', "anchor"), wide(b'P', "ca"), Some("widened")),
        (wide(b'P', "ca"), wide(b'P', "leaf"), Some("widened")),
        (listed(b'P', "retired"), wide(b'P', "any"), Some("widened")),
        // Narrower is another pin, which starts anew.
        (wide(b'P', "ca"), wide(b'P', "anchor"), None),
        (wide(b'P', "any"), wide(b'P', "leaf"), None),
        // Dropped in between: unknown again.
        (listed(b'Q', "announced"), wide(b'P', "any"), None),
    ];
    for (first, second, code) in cases {
        let ground = Ground::new();
        ground
            .apply(&Draft::new(11, NOW, &with(first.clone())), NOW)
            .unwrap();
        let draft = Draft::new(12, day(10), &with(second.clone()));
        let outcome = ground.apply(&draft, day(10));
        assert_eq!(
            outcome.as_ref().err().map(AnnouncementError::code),
            code,
            "{first} {second}"
        );
        if outcome.is_ok() {
            assert_eq!(
                ground.from(b'P'),
                Acceptance::From(day(40)),
                "{first} {second}"
            );
        }
    }
    // What the floor knows stays as narrow as there, dropped in between or not.
    let ground = Ground::new();
    ground
        .apply(&Draft::new(11, NOW, &[listed(b'B', "backup")]), NOW)
        .unwrap();
    let back = Draft::new(12, NOW, &[listed(b'B', "backup"), wide(b'O', "any")]);
    assert_eq!(refused(&ground, &back, NOW).code(), "widened");
    // Nor does an emergency widen.
    let ground = Ground::new();
    let draft = Draft::new(
        11,
        NOW,
        &[listed(b'B', "backup"), at_position(b'O', "current", "any")],
    );
    assert_eq!(ground.emergency(&draft, NOW).unwrap_err().code(), "widened");
}

#[test]
fn a_replay_after_a_withdrawal_is_a_rollback_and_a_new_listing_starts_anew() {
    let ground = Ground::new();
    let replayed = announcing();
    ground.apply(&replayed, NOW).unwrap();
    ground
        .apply(&Draft::new(12, day(20), &both()), day(20))
        .unwrap();
    assert_eq!(ground.accepted(day(31)), "OB");
    let in_force = ground.store.version();
    assert_eq!(
        refused(&ground, &replayed, day(31)),
        AnnouncementError::Rollback {
            version: 11,
            in_force
        }
    );
    let again = Draft::new(13, day(31), &with(listed(b'P', "announced")));
    ground.apply(&again, day(31)).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(61)));
}

#[test]
fn a_retired_pin_called_current_again_is_held_down() {
    let ground = Ground::new();
    let retiring = [listed(b'O', "retired"), listed(b'B', "current")];
    ground.apply(&Draft::new(11, NOW, &retiring), NOW).unwrap();
    assert_eq!(ground.accepted(NOW), "B");
    ground
        .apply(&Draft::new(12, day(1), &both()), day(1))
        .unwrap();
    assert_eq!(
        (ground.accepted(day(1)), ground.from(b'O')),
        ("B".to_owned(), Acceptance::From(day(31)))
    );
    // And so is one that was dropped without a word.
    let ground = Ground::new();
    ground
        .apply(&Draft::new(11, NOW, &[listed(b'B', "current")]), NOW)
        .unwrap();
    ground
        .apply(&Draft::new(12, day(1), &both()), day(1))
        .unwrap();
    assert_eq!(ground.from(b'O'), Acceptance::From(day(31)));
}

#[test]
fn a_rejected_digest_stays_rejected_at_every_host_and_position_until_an_emergency() {
    let other = "other.example.com";
    let sets = |first: Vec<Value>, second: Vec<Value>| json!([{ "hosts": [HOST], "pins": first }, { "hosts": [other], "pins": second }]);
    let floor = floor_draft().with("pin_sets", sets(both(), both()));
    let floor = notafter::announce::PinFloor::from_json(&floor.payload()).unwrap();
    let ground = Ground::on(floor, None, NOW);
    let rejecting = sets(
        vec![listed(b'O', "rejected"), listed(b'B', "current")],
        both(),
    );
    let draft = |version, sets| Draft::new(version, NOW, &[]).with("pin_sets", sets);
    ground.apply(&draft(11, rejecting), NOW).unwrap();
    let states = |host: &str| -> Vec<String> {
        let pins = ground.pins_of(host);
        pins.iter()
            .map(|pin| pin.to_string().split(' ').skip(1).collect())
            .collect()
    };
    assert_eq!(states(HOST), ["(leaf,rejected)", "(leaf,current)"]);
    assert_eq!(states(other), ["(leaf,rejected)", "(leaf,backup)"]);
    // Not listed any more, listed as current, listed elsewhere: all the same.
    let without = vec![listed(b'B', "current")];
    ground
        .apply(&draft(12, sets(without.clone(), without.clone())), NOW)
        .unwrap();
    ground.apply(&draft(13, sets(both(), both())), NOW).unwrap();
    assert_eq!(states(HOST), ["(leaf,rejected)", "(leaf,backup)"]);
    assert_eq!(ground.accepted(day(365)), "B");
    let only = sets(vec![listed(b'O', "current")], both());
    assert_eq!(
        ground.apply(&draft(14, only), NOW).unwrap_err(),
        AnnouncementError::EmptySet {
            host: HOST.to_owned()
        }
    );
    // An emergency that does not name it lifts nothing; one that does, does.
    ground
        .emergency(&draft(15, sets(without.clone(), without)), NOW)
        .unwrap();
    ground.apply(&draft(16, sets(both(), both())), NOW).unwrap();
    assert_eq!(ground.accepted(day(365)), "B");
    ground
        .emergency(&draft(17, sets(both(), both())), NOW)
        .unwrap();
    assert_eq!(ground.accepted(NOW), "OB");
    assert_eq!(states(other), ["(leaf,current)", "(leaf,backup)"]);
}

#[test]
fn what_the_floor_rejects_is_rejected_under_any_name() {
    let ground = Ground::new();
    ground
        .apply(&Draft::new(11, NOW, &with(listed(b'X', "current"))), NOW)
        .unwrap();
    assert_eq!(ground.accepted(day(365)), "OB");
    assert_eq!(ground.from(b'X'), Acceptance::Never);
}

#[test]
fn a_successor_swapped_during_the_hold_down_starts_anew() {
    let ground = Ground::new();
    ground.apply(&announcing(), NOW).unwrap();
    let swapped = Draft::new(12, day(29), &with(listed(b'Q', "announced")));
    ground.apply(&swapped, day(29)).unwrap();
    assert_eq!(
        (ground.accepted(day(58)), ground.accepted(day(59))),
        ("OB".into(), "OBQ".into())
    );
    // The first one, back again, does not go on where it was.
    let back = Draft::new(13, day(29), &with(listed(b'P', "announced")));
    ground.apply(&back, day(29)).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(59)));
}

/// The owners notice that 'P' was stolen and withdraw it; the attacker keeps the withdrawal from
/// arriving.
#[test]
fn freezing_does_not_ripen_a_successor_past_the_end_of_its_announcement() {
    let ground = Ground::new();
    ground
        .apply(&announcing().expiring(second(30 * DAY - 1)), NOW)
        .unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::Never);
    for days in [29, 30, 31, 3650] {
        assert_eq!(ground.accepted(day(days)), "OB", "{days}");
    }
    // To the second: one that ends when the hold-down does is enough.
    let ground = Ground::new();
    ground.apply(&announcing().expiring(day(30)), NOW).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(30)));
    // What has ripened stays, also after the announcement's end.
    assert_eq!(ground.accepted(day(3650)), "OBP");
    // The owners' next announcement vouches for it again, and its time counts.
    let ground = Ground::new();
    ground.apply(&announcing().expiring(day(10)), NOW).unwrap();
    let refreshed = Draft::new(12, day(9), &with(listed(b'P', "announced")));
    ground.apply(&refreshed, day(9)).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(30)));
}

#[test]
fn a_new_pin_is_held_down_whatever_it_is_called() {
    for state in ["current", "backup", "announced"] {
        let ground = Ground::new();
        ground
            .apply(&Draft::new(11, NOW, &with(listed(b'P', state))), NOW)
            .unwrap();
        assert_eq!(ground.from(b'P'), Acceptance::From(day(30)), "{state}");
        assert_eq!(ground.accepted(second(30 * DAY - 1)), "OB", "{state}");
        assert_eq!(ground.accepted(day(30)), "OBP", "{state}");
    }
    let later = Draft::new(11, NOW, &with(announced_after(b'P', day(50))));
    let ground = Ground::new();
    ground.apply(&later, NOW).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(50)));
    let earlier = Draft::new(11, NOW, &with(announced_after(b'P', day(5))));
    let ground = Ground::new();
    ground.apply(&earlier, NOW).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(30)));
}

#[test]
fn an_announced_authority_that_is_weaker_or_not_willing_is_refused() {
    let cases: [(&str, Value, &[u8]); 9] = [
        (
            "a lower threshold",
            authority(&[5, 6, 7], 1, Some(3)),
            &[1, 2, 5, 6],
        ),
        (
            "a lower emergency threshold",
            authority(&[5, 6, 7], 1, Some(2)),
            &[1, 2, 5, 6],
        ),
        (
            "its emergency is its threshold",
            authority(&[5, 6, 7], 3, Some(3)),
            &[1, 2, 5, 6, 7],
        ),
        (
            "its emergency is below its threshold",
            authority(&[5, 6, 7], 3, Some(2)),
            &[1, 2, 5, 6, 7],
        ),
        (
            "threshold 0",
            authority(&[5, 6, 7], 0, Some(3)),
            &[1, 2, 5, 6],
        ),
        (
            "more signers than keys",
            authority(&[5, 6], 2, Some(3)),
            &[1, 2, 5, 6],
        ),
        (
            "one key three times",
            authority(&[5, 5, 5], 2, Some(3)),
            &[1, 2, 5],
        ),
        (
            "its own keys did not sign",
            authority(&[5, 6, 7], 2, Some(3)),
            &[1, 2, 5],
        ),
        (
            "a key that is none",
            json!({ "threshold": 2, "emergency_threshold": 3, "keys": [pin(b'P')] }),
            &[1, 2, 5, 6],
        ),
    ];
    for (name, next, signers) in cases {
        let ground = Ground::new();
        let draft = Draft::new(11, NOW, &both()).with("authority", next);
        let error = ground.store.apply(&draft.signed(signers), NOW).unwrap_err();
        assert_eq!(error.code(), "authority", "{name}: {error}");
        assert_eq!(ground.store.version(), 10, "{name}");
    }
}
