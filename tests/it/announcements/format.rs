//! What is not exactly the format is refused, with its place.

use std::fmt::Write as _;

use notafter::SpkiPin;
use notafter::announce::{
    Announcement, AnnouncementError, AnnouncementKey, Authority, Envelope, FloorError, PinFloor,
};
use notafter::pin::{Pin, PinState};
use serde_json::json;

use super::ground::{
    Draft, Ground, authority, envelope, floor_draft, listed, pem, pin, seal, sign,
};
use crate::support::pki::NOW;

fn place(error: AnnouncementError) -> String {
    match error {
        AnnouncementError::Malformed { place, reason } => format!("{place}: {reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn payloads_that_two_readers_could_read_differently_are_refused() {
    let good = Draft::new(11, NOW, &[listed(b'O', "current")])
        .0
        .to_string();
    assert!(Announcement::from_json(good.as_bytes()).is_ok());
    let with = |field: &str| good.replacen('{', &format!("{{{field},"), 1);
    let nested = |levels: usize| format!("\"x\":{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(Announcement::from_json(with(&nested(15)).as_bytes()).is_ok());
    assert!(Announcement::from_json(with("\"x\":[true,null,-3,\"\"]").as_bytes()).is_ok());
    assert!(Announcement::from_json((good.clone() + " \n").as_bytes()).is_ok());
    let cases = [
        (with("\"version\":12"), "the key \"version\" stands twice"),
        (
            with("\"\\u0076ersion\":12"),
            "the key \"version\" stands twice",
        ),
        (
            with("\"x\":{\"y\":[{\"z\":1,\"z\":1}]}"),
            "the key \"z\" stands twice",
        ),
        (with(&nested(16)), "nested more than 16 deep"),
        (with(&nested(5000)), "nested more than 16 deep"),
        (
            with(
                "\"x\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}}}}}}}",
            ),
            "nested more than 16 deep",
        ),
        (with("\"x\":1.0"), "not an integer"),
        (with("\"x\":1e3"), "not an integer"),
        (with("\"x\":-0"), "not an integer"),
        (with("\"x\":18446744073709551616"), "not an integer"),
        (with("\"x\":01"), "invalid number"),
        (with("\"x\":NaN"), "expected"),
        (with("\"x\":\"\\ud800\""), "hex escape"),
        (good.clone() + "{}", "trailing characters"),
        (good.clone() + "\0", "trailing characters"),
        (format!("\u{feff}{good}"), "expected value"),
        (String::new(), "EOF"),
    ];
    for (json, reason) in cases {
        let error = place(Announcement::from_json(json.as_bytes()).unwrap_err());
        assert!(
            error.starts_with("payload: ") && error.contains(reason),
            "{error}"
        );
    }
    let mut bytes = with("\"x\":\"?\"").into_bytes();
    let index = bytes.iter().position(|b| *b == b'?').unwrap();
    bytes[index] = 0xff;
    assert!(place(Announcement::from_json(&bytes).unwrap_err()).contains("invalid unicode"));
}

#[test]
fn every_field_of_a_payload_is_read_strictly_and_named_when_it_is_wrong() {
    let draft = |field: &str, value| Draft::new(11, NOW, &[]).with(field, value);
    let set = |set| Draft::new(11, NOW, &[]).with("pin_sets", json!([set]));
    let one = |pin| set(json!({ "hosts": ["a.example"], "pins": [pin] }));
    let p = pin(b'P');
    let cases = [
        (
            draft("product", json!(null)),
            "payload.product: expected a text, found null",
        ),
        (draft("product", json!("")), "payload.product: empty"),
        (
            draft("product", json!("a".repeat(129))),
            "payload.product: empty, over 128 bytes",
        ),
        (
            draft("product", json!("app\u{202e}")),
            "payload.product: empty, over 128 bytes, or with invisible",
        ),
        (
            draft("emergency", json!("true")),
            "payload.emergency: expected true or false, found a text",
        ),
        (
            draft("unbroken_since", json!(12)),
            "payload.unbroken_since: it is above 'version'",
        ),
        (
            draft("previous", json!({ "version": 10 })),
            "payload.previous: the field 'sha256' is missing",
        ),
        (
            draft(
                "previous",
                json!({ "version": 10, "sha256": "AB".repeat(32) }),
            ),
            "payload.previous.sha256: a digest is written in 64 lower-case",
        ),
        (
            draft(
                "previous",
                json!({ "version": 10, "sha256": "ab".repeat(31) }),
            ),
            "payload.previous.sha256: a digest is written in 64 lower-case",
        ),
        (
            draft(
                "previous",
                json!({ "version": 12, "sha256": "ab".repeat(32) }),
            ),
            "payload.previous.version: it is above 'version'",
        ),
        (
            draft("version", json!("11")),
            "payload.version: expected a whole number",
        ),
        (
            draft("version", json!(-1)),
            "payload.version: expected a whole number",
        ),
        (
            draft("version", json!(null)),
            "payload.version: expected a whole number",
        ),
        (
            draft("issued", json!(1_767_225_600)),
            "payload.issued: expected a text, found a number",
        ),
        (
            draft("issued", json!("2026-01-01T00:00:00+00:00")),
            "payload.issued: a time is written",
        ),
        (
            draft("issued", json!("2026-01-01T00:00:00.0Z")),
            "payload.issued: a time is written",
        ),
        (
            draft("issued", json!("2026-01-01t00:00:00z")),
            "payload.issued: a time is written",
        ),
        (
            draft("issued", json!("2026-02-30T00:00:00Z")),
            "payload.issued: a time is written",
        ),
        (
            draft("issued", json!("2026-01-01T00:00:60Z")),
            "payload.issued: a time is written",
        ),
        (
            draft("issued", json!("1767225600")),
            "payload.issued: a time is written",
        ),
        (
            draft("expires", json!("2025-12-31T23:59:59Z")),
            "payload.expires: it lies before 'issued'",
        ),
        (
            draft("pin_sets", json!({})),
            "payload.pin_sets: expected a list, found an object",
        ),
        (
            set(json!([])),
            "payload.pin_sets[0]: expected an object, found a list",
        ),
        (
            set(json!({ "pins": [] })),
            "payload.pin_sets[0]: the field 'hosts' is missing",
        ),
        (
            set(json!({ "hosts": [], "pins": [] })),
            "payload.pin_sets[0]: it is for no hosts",
        ),
        (
            set(json!({ "hosts": ["a b"], "pins": [] })),
            "payload.pin_sets[0].hosts[0]: 'a b' names no hosts",
        ),
        (
            one(json!({ "state": "current" })),
            "payload.pin_sets[0].pins[0]: the field 'pin' is missing",
        ),
        (
            one(json!({ "pin": p })),
            "payload.pin_sets[0].pins[0]: the field 'state' is missing",
        ),
        (
            one(json!({ "pin": p, "state": "Current" })),
            "payload.pin_sets[0].pins[0].state: 'Current' is no state",
        ),
        (
            one(json!({ "pin": p, "state": "current", "position": "root" })),
            "payload.pin_sets[0].pins[0].position: 'root'",
        ),
        (
            one(json!({ "pin": p.replace("sha256/", "sha256//"), "state": "current" })),
            "payload.pin_sets[0].pins[0].pin: a pin is written",
        ),
        (
            one(json!({ "pin": p.trim_end_matches('='), "state": "current" })),
            "payload.pin_sets[0].pins[0].pin: a pin is written",
        ),
        (
            one(json!({ "pin": "sha1/AAAA", "state": "current" })),
            "payload.pin_sets[0].pins[0].pin: a pin is written",
        ),
        (
            one(json!({ "pin": p, "state": "current", "accept_after": "2026-01-01T00:00:00Z" })),
            "payload.pin_sets[0].pins[0].accept_after: a pin that is current has none",
        ),
        (
            one(json!({ "pin": p, "state": "current", "label": "a\nb" })),
            "payload.pin_sets[0].pins[0].label: over 256 bytes",
        ),
        (
            set(json!({ "hosts": ["a.example"], "pins": [
            { "pin": p, "state": "current" }, { "pin": p, "state": "retired", "position": "leaf" }
        ] })),
            "payload.pin_sets[0].pins[1]: this pin stands there twice",
        ),
        (
            draft("authority", json!([])),
            "payload.authority: expected an object",
        ),
        (
            draft("authority", json!({ "threshold": 1, "keys": [7] })),
            "payload.authority.keys[0]: expected a text",
        ),
    ];
    for (draft, expected) in cases {
        let error = place(Announcement::from_json(&draft.payload()).unwrap_err());
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
    // Signed, it is refused for the same reason; unsigned, for the signature alone.
    let bad = draft("version", json!("11")).payload();
    let refused = |envelope: Vec<u8>| Ground::new().store.apply(&envelope, NOW).unwrap_err();
    assert!(place(refused(seal(&bad, &[1, 2]))).starts_with("payload.version"));
    assert_eq!(refused(seal(&bad, &[9])).code(), "bad_signature");
    assert_eq!(refused(seal(&bad, &[])).code(), "threshold");
}

/// What the commands of a runbook print when they were given no key, and what stands in examples.
#[test]
fn placeholders_are_pins_of_no_floor_and_no_announcement() {
    let of = |bytes: &[u8]| SpkiPin::from_spki_der(bytes).to_string();
    let repeated = |byte: u8| format!("sha256/{}", data_encoding::BASE64.encode(&[byte; 32]));
    let placeholders = [
        of(b""),
        of(b"\n"),
        of(&[0x30, 0x00]),
        of(&[0x30, 0x05, 0x30, 0x00, 0x03, 0x01, 0x00]),
        repeated(0),
        repeated(0xff),
        repeated(0x11),
        format!("sha256/{}=", "B".repeat(42) + "A"),
    ];
    for placeholder in placeholders {
        for state in ["current", "announced", "rejected"] {
            let pins = [
                listed(b'O', "current"),
                json!({ "pin": placeholder, "state": state }),
            ];
            let sets = json!([{ "hosts": ["a.example"], "pins": pins }]);
            let expected = "payload.pin_sets[0].pins[1].pin: ";
            let error = place(refused(&Draft::new(11, NOW, &pins)));
            assert!(error.starts_with(expected), "{error}");
            let floor = floor_draft().with("pin_sets", sets);
            let Err(FloorError::Payload(error)) = PinFloor::from_json(&floor.payload()) else {
                panic!("{placeholder} {state}");
            };
            let error = place(error);
            assert!(
                error.starts_with(expected) && error.contains("placeholder"),
                "{error}"
            );
        }
    }
    // Also made in code.
    let nothing: SpkiPin = of(b"").parse().unwrap();
    let floor = Announcement::new("app", 1, NOW, NOW)
        .with_pins(
            ["a.example".parse().unwrap()],
            [Pin::new(nothing, PinState::Current)],
        )
        .with_authority(
            Authority::new([AnnouncementKey::from_pem(&pem(1)).unwrap()], 1, None).unwrap(),
        );
    assert!(
        PinFloor::new(floor)
            .unwrap_err()
            .to_string()
            .contains("placeholder")
    );
    // What is no placeholder: a digest of a key.
    assert!(
        Ground::new()
            .apply(&Draft::new(11, NOW, &[listed(b'O', "current")]), NOW)
            .is_ok()
    );
}

fn refused(draft: &Draft) -> AnnouncementError {
    Ground::new().apply(draft, NOW).unwrap_err()
}

#[test]
fn an_announcement_for_another_product_is_refused_though_its_keys_are_ours() {
    let draft = Draft::new(11, NOW, &[listed(b'O', "current")]).with("product", "App");
    for keys in [&[1, 2][..], &[1, 2, 3]] {
        assert_eq!(
            Ground::new().by(keys, &draft, NOW),
            Err(AnnouncementError::OtherProduct {
                announced: "App".to_owned(),
                product: "app".to_owned()
            })
        );
    }
    let floor = PinFloor::from_json(&floor_draft().with("product", "App").payload()).unwrap();
    assert_eq!(floor.product(), "App");
    assert!(Ground::on(floor, None, NOW).apply(&draft, NOW).is_ok());
}

/// What an announcement says goes into logs and onto terminals.
#[test]
fn no_error_carries_control_characters_on() {
    let evil = "\u{1b}[2J\r\nok\u{202e}";
    let pins = |pin: serde_json::Value| {
        Draft::new(11, NOW, &[]).with(
            "pin_sets",
            json!([{ "hosts": ["a.example"], "pins": [pin] }]),
        )
    };
    let p = pin(b'P');
    let drafts = [
        Draft::new(11, NOW, &[]).with("pin_sets", json!([{ "hosts": [evil], "pins": [] }])),
        pins(json!({ "pin": p, "state": evil })),
        pins(json!({ "pin": p, "state": "current", "position": evil })),
        pins(json!({ "pin": evil, "state": "current" })),
        pins(json!({ "pin": p, "state": "current", "label": evil })),
        Draft::new(11, NOW, &[]).with("product", evil),
        Draft::new(11, NOW, &[]).with("issued", evil),
        Draft::new(11, NOW, &[]).with("authority", json!({ "threshold": 1, "keys": [evil] })),
    ];
    let payloads = drafts.iter().map(Draft::payload);
    let twice = json!({ evil: 1 }).to_string();
    let (fields, _) = twice[1..].split_once('}').unwrap();
    let twice = format!("{{{fields},{fields}}}").into_bytes();
    for payload in payloads.chain([twice]) {
        let error = Announcement::from_json(&payload).unwrap_err().to_string();
        let shown = error.chars().all(|c| !c.is_control() && c != '\u{202e}');
        assert!(shown, "{error:?}");
    }
    let mut envelope = seal(b"{}", &[1]);
    envelope = String::from_utf8(envelope)
        .unwrap()
        .replace("vnd", "v\\u001bd")
        .into_bytes();
    let error = Envelope::parse(&envelope).unwrap_err().to_string();
    assert!(!error.contains('\u{1b}'), "{error:?}");
}

#[test]
fn null_is_as_good_as_nothing_where_a_field_may_be_missing() {
    let pin = json!({ "pin": pin(b'O'), "state": "announced", "position": null, "accept_after": null, "label": null });
    let draft = Draft::new(11, NOW, &[pin])
        .with("authority", json!(null))
        .with("previous", json!(null))
        .with("emergency", json!(null))
        .with("unbroken_since", json!(null));
    let plain = Draft::new(11, NOW, &[listed(b'O', "announced")]);
    let read = |draft: &Draft| Announcement::from_json(&draft.payload()).unwrap();
    assert_eq!(read(&draft), read(&plain));
}

#[test]
fn envelopes_are_read_strictly() {
    let payload = Draft::new(11, NOW, &[listed(b'O', "current")]).payload();
    let good = String::from_utf8(seal(&payload, &[1, 2])).unwrap();
    let value: serde_json::Value = serde_json::from_str(&good).unwrap();
    let field = |name: &str, new: serde_json::Value| {
        let mut value = value.clone();
        value[name] = new;
        value.to_string()
    };
    let base64 = value["payload"].as_str().unwrap();
    let sig = |sig: &str| field("signatures", json!([{ "sig": sig }]));
    let cases = [
        (
            field("payload", json!(base64.trim_end_matches('='))),
            "envelope.payload: not standard base64",
        ),
        (
            field("payload", json!(format!("{base64}\n"))),
            "envelope.payload: not standard base64",
        ),
        (
            field("payload", json!("_-8=")),
            "envelope.payload: not standard base64",
        ),
        (
            field("payload", json!("AB==")),
            "envelope.payload: not standard base64",
        ),
        (
            field("payload", json!(7)),
            "envelope.payload: expected a text",
        ),
        (
            field("payloadType", json!(null)),
            "envelope.payloadType: expected a text",
        ),
        (
            field("signatures", json!({})),
            "envelope.signatures: expected a list",
        ),
        (
            field("signatures", json!([{}])),
            "envelope.signatures[0]: the field 'sig' is missing",
        ),
        (
            field("signatures", json!([{ "keyid": 7, "sig": "" }])),
            "envelope.signatures[0].keyid: expected a text",
        ),
        (
            sig("_-8="),
            "envelope.signatures[0].sig: not standard base64",
        ),
        (
            good.replacen('{', "{\"payload\":\"\",", 1),
            "envelope: the key \"payload\" stands twice",
        ),
        (
            good.replacen('{', "{\"x\":{\"y\":1,\"y\":1},", 1),
            "envelope: the key \"y\" stands twice",
        ),
        (
            good.replacen('{', "{\"x\":0.5,", 1),
            "envelope: a number is not an integer",
        ),
        (good.clone() + "x", "envelope: trailing characters"),
    ];
    for (envelope, expected) in cases {
        let error = place(Envelope::parse(envelope.as_bytes()).unwrap_err());
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
    // Key ids may be missing, and unknown fields decide nothing.
    let mut signatures = [sign(&payload, 1), sign(&payload, 2)];
    signatures[0].as_object_mut().unwrap().remove("keyid");
    signatures[1]["cert"] = json!({ "threshold": 0 });
    assert!(
        Ground::new()
            .store
            .apply(&envelope(&payload, &signatures), NOW)
            .is_ok()
    );
}

#[test]
fn an_envelope_may_have_64_kib_and_no_byte_more() {
    let payload = Draft::new(11, NOW, &[listed(b'O', "current")]).payload();
    let mut envelope = seal(&payload, &[1, 2]);
    envelope.resize(64 * 1024, b' ');
    assert!(Ground::new().store.apply(&envelope, NOW).is_ok());
    envelope.push(b' ');
    assert_eq!(
        Ground::new().store.apply(&envelope, NOW),
        Err(AnnouncementError::TooLarge {
            bytes: 65_537,
            limit: 65_536
        })
    );
}

#[test]
fn only_the_two_kinds_of_keys_are_taken_in_their_one_form() {
    let key = AnnouncementKey::from_pem(&pem(1)).unwrap();
    assert_eq!(
        AnnouncementKey::from_spki_der(&key.spki_der()),
        Ok(key.clone())
    );
    let p256 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let spki = rcgen::PublicKeyData::subject_public_key_info(&p256);
    assert_eq!(
        AnnouncementKey::from_spki_der(&spki).unwrap().spki_der(),
        spki
    );
    let mut compressed = spki.clone();
    compressed[26] = 0x02;
    let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let p384 = rcgen::PublicKeyData::subject_public_key_info(&p384);
    let longer = [key.spki_der(), vec![0]].concat();
    for bad in [&compressed, &p384, &longer, &spki[..90].to_vec(), &vec![]] {
        assert_eq!(
            AnnouncementKey::from_spki_der(bad).unwrap_err().code(),
            "authority"
        );
    }
    assert_eq!(
        AnnouncementKey::from_pem("key").unwrap_err().code(),
        "authority"
    );
    assert_eq!(
        AnnouncementKey::from_pem(&p256.serialize_pem())
            .unwrap_err()
            .code(),
        "authority"
    );
}

/// The eight points of low order and all encodings that are no point's, with both signs of x.
#[test]
fn keys_that_anyone_could_sign_for_and_keys_that_are_none_are_refused() {
    let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
    let zeros = "00".repeat(31);
    let ff = "ff".repeat(30);
    let low = [
        format!("00{zeros}"),
        format!("01{zeros}"),
        format!("ec{ff}7f"),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".to_owned(),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a".to_owned(),
    ];
    // p to 2^255 - 1: p is another 0, p + 1 another 1.
    let beyond = (0xed..=0xff).map(|lowest| format!("{lowest:x}{ff}7f"));
    let spki = |key: &[u8]| [hex("302a300506032b6570032100").as_slice(), key].concat();
    for key in low.into_iter().chain(beyond) {
        for sign in [0, 0x80] {
            let mut key = hex(&key);
            key[31] |= sign;
            let error = AnnouncementKey::from_spki_der(&spki(&key)).unwrap_err();
            assert!(
                error.to_string().contains("of low order"),
                "{key:x?}: {error}"
            );
        }
    }
    for n in 0..=255 {
        assert!(AnnouncementKey::from_pem(&pem(n)).is_ok(), "{n}");
    }

    for _ in 0..20 {
        let good = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let good = rcgen::PublicKeyData::subject_public_key_info(&good);
        assert!(AnnouncementKey::from_spki_der(&good).is_ok());
        for index in [27, 58, 59, 90] {
            let mut off = good.clone();
            off[index] ^= 1;
            let error = AnnouncementKey::from_spki_der(&off).unwrap_err();
            assert!(error.to_string().contains("no point of P-256"), "{error}");
        }
    }
    let head = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let head = rcgen::PublicKeyData::subject_public_key_info(&head)[..27].to_vec();
    let p = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    // x = 0 and sqrt(b): a point; with p, or p + 0 in the place of 0, none.
    let y = "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4";
    let point = |x: &str, y: &str| [head.clone(), hex(x), hex(y)].concat();
    let zero = "00".repeat(32);
    assert!(AnnouncementKey::from_spki_der(&point(&zero, y)).is_ok());
    for (x, y) in [
        (p, y),
        (&zero, &zero),
        (&zero, p),
        (p, p),
        ("ff".repeat(32).as_str(), y),
    ] {
        assert!(
            AnnouncementKey::from_spki_der(&point(x, y)).is_err(),
            "{x} {y}"
        );
    }
}

#[test]
fn a_floor_that_contradicts_itself_is_refused() {
    let payload = |draft: Draft| PinFloor::from_json(&draft.payload()).unwrap_err();
    let sets = |sets| floor_draft().with("pin_sets", sets);
    let set =
        |hosts: &[&str], state: &str| json!({ "hosts": hosts, "pins": [listed(b'O', state)] });
    let host = |host: &str| host.to_owned();
    let cases = [
        (
            floor_draft().with("authority", json!(null)),
            FloorError::NoAuthority,
        ),
        (floor_draft().with("emergency", true), FloorError::Emergency),
        (sets(json!([])), FloorError::NoHosts),
        (
            sets(json!([
                set(&["a.example"], "current"),
                set(&["A.example."], "current")
            ])),
            FloorError::DuplicateHost {
                host: host("a.example"),
            },
        ),
        (
            sets(json!([set(&["a.example"], "retired")])),
            FloorError::NoAcceptedPin {
                host: host("a.example"),
            },
        ),
        (
            sets(json!([
                set(&["a.example"], "current"),
                set(&["b.example"], "rejected")
            ])),
            FloorError::NoAcceptedPin {
                host: host("a.example"),
            },
        ),
    ];
    for (draft, error) in cases {
        assert_eq!(payload(draft), error);
    }
    let weak = floor_draft().with("authority", authority(&[1, 2, 3], 2, Some(2)));
    assert!(matches!(
        payload(weak),
        FloorError::Payload(AnnouncementError::Authority { .. })
    ));
    let mut said = String::new();
    write!(said, "{}", payload(sets(json!([])))).unwrap();
    assert_eq!(
        said,
        "the floor has no pin sets: name the hosts that are pinned"
    );
}
