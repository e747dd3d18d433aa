//! What no form can say, or not this one, is refused by name.

use notafter::PinSet;
use notafter::pin::forms::hpkp::PublicKeyPins;
use notafter::pin::forms::{
    FormWriteError, Unsayable, android, okhttp, public_key_pinning, ssl_manager, tlsa, trustkit,
    wultra,
};
use notafter::pin::{
    Acceptance, ExpiryRule, Pin, PinMode, PinPosition, PinSetBuilder, PinSets, PinState,
};

use super::{ONE, TWO, anywhere, key, of_hosts, scope, sets, time};

type Write = fn(&PinSets) -> Result<String, FormWriteError>;

/// The forms whose pins count anywhere on a path.
const OF_ANY_POSITION: [(&str, Write); 6] = [
    ("android", android::write),
    ("trustkit", trustkit::write),
    ("okhttp", okhttp::write),
    ("ssl_manager", ssl_manager::write),
    ("public_key_pinning", public_key_pinning::write),
    ("hpkp", |sets| {
        let set = sets.iter().next().unwrap();
        let now = time("2026-11-27T00:00:00Z");
        PublicKeyPins::from_pin_set(set, now).map(|header| header.to_string())
    }),
];

fn refused(name: &str, write: Write, set: &PinSetBuilder) -> Unsayable {
    let error = write(&PinSets::from(set.clone().build().unwrap())).expect_err(name);
    assert_eq!(error.set, (name != "hpkp").then_some(0), "{name}");
    error.thing
}

#[test]
fn states_hold_downs_positions_and_labels_are_refused_by_every_form() {
    let begun = || {
        let set = PinSet::builder()
            .with_pin(anywhere(ONE))
            .with_pin(anywhere(TWO));
        set.with_scope(scope("a.example"))
    };
    let pin = notafter::SpkiPin::from_spki_der(b"three");
    let state = |state| Pin::new(pin, state).with_position(PinPosition::Any);
    let from = time("2027-01-01T00:00:00Z");
    let cases = [
        (
            state(PinState::Announced),
            Unsayable::State {
                pin,
                state: PinState::Announced,
            },
        ),
        (
            state(PinState::Retired),
            Unsayable::State {
                pin,
                state: PinState::Retired,
            },
        ),
        (
            state(PinState::Rejected),
            Unsayable::State {
                pin,
                state: PinState::Rejected,
            },
        ),
        (
            state(PinState::Backup).with_acceptance(Acceptance::From(from)),
            Unsayable::HoldDown { pin, from },
        ),
        (
            state(PinState::Current).with_acceptance(Acceptance::Never),
            Unsayable::NotAccepted { pin },
        ),
        (
            state(PinState::Current).with_label("ours"),
            Unsayable::Label { pin },
        ),
        (
            Pin::new(pin, PinState::Current),
            Unsayable::Position {
                pin,
                position: PinPosition::Leaf,
                said: "any",
            },
        ),
        (
            state(PinState::Current).with_position(PinPosition::Anchor),
            Unsayable::Position {
                pin,
                position: PinPosition::Anchor,
                said: "any",
            },
        ),
    ];
    for (pin, expected) in cases {
        for (name, write) in OF_ANY_POSITION {
            assert_eq!(
                refused(name, write, &begun().with_pin(pin.clone())),
                expected,
                "{name}"
            );
        }
        // TLSA records know leaves and CAs, Wultra's fingerprints leaves.
        let set = PinSet::builder()
            .with_current(key(ONE))
            .with_pin(pin.clone())
            .build()
            .unwrap();
        let of_tlsa = tlsa::write(&PinSets::from(set.clone()), 443);
        let of_wultra = wultra::write(&PinSets::from(set), &[]);
        let is_leaf_alone = pin == Pin::new(pin.key, PinState::Current);
        assert_eq!(of_tlsa.is_ok(), is_leaf_alone, "{of_tlsa:?}");
        assert!(of_wultra.is_err());
    }
    // A backup is a pin like all others to them.
    let backup = begun().with_pin(state(PinState::Backup)).build().unwrap();
    let lines = okhttp::write(&PinSets::from(backup)).unwrap();
    assert_eq!(lines.lines().count(), 3);
}

#[test]
fn hosts_that_a_form_does_not_know_are_refused() {
    let of = |hosts: &[&str]| {
        let set = PinSet::builder()
            .with_pin(anywhere(ONE))
            .with_pin(anywhere(TWO));
        hosts
            .iter()
            .fold(set, |set, host| set.with_scope(scope(host)))
    };
    for (name, write) in OF_ANY_POSITION {
        assert_eq!(
            refused(name, write, &of(&[])),
            Unsayable::EveryPeer,
            "{name}"
        );
        let thing = refused(name, write, &of(&["spiffe://a.example/b"]));
        assert!(matches!(thing, Unsayable::Scope { .. }), "{name}: {thing}");
        if name != "okhttp" {
            let thing = refused(name, write, &of(&["*.a.example"]));
            assert!(matches!(thing, Unsayable::Scope { .. }), "{name}: {thing}");
        }
    }
    for (name, write) in [OF_ANY_POSITION[1], OF_ANY_POSITION[5]] {
        let thing = refused(name, write, &of(&["10.0.0.1"]));
        assert!(matches!(thing, Unsayable::Scope { .. }), "{name}: {thing}");
    }
    let (hpkp, write_hpkp) = OF_ANY_POSITION[5];
    let thing = refused(hpkp, write_hpkp, &of(&["a.example", "b.example"]));
    assert_eq!(thing, Unsayable::Several { count: 2 });
    // One host with and without what is below it.
    let twice = sets([of_hosts(&["**.a.example"]), of_hosts(&["a.example"])]);
    for (name, write) in OF_ANY_POSITION {
        if matches!(name, "okhttp" | "hpkp") {
            continue;
        }
        let thing = write(&twice).expect_err(name).thing;
        let host = "a.example".to_owned();
        assert_eq!(thing, Unsayable::RepeatedHost { host }, "{name}");
    }
    for hosts in [
        "*.a.example",
        "**.a.example",
        "10.0.0.1",
        "spiffe://a.example/b",
    ] {
        let set = PinSet::builder()
            .with_current(key(ONE))
            .with_scope(scope(hosts))
            .build()
            .unwrap();
        let thing = tlsa::write(&PinSets::from(set.clone()), 443)
            .unwrap_err()
            .thing;
        let scope = scope(hosts);
        assert_eq!(
            thing,
            Unsayable::Scope {
                scope: scope.clone(),
                said: "it is of exact names"
            }
        );
        assert_eq!(
            tlsa::to_records(&set).unwrap_err().thing,
            Unsayable::Hosts { scope }
        );
    }
}

#[test]
fn hosts_that_are_left_out_are_refused_where_no_word_is_for_them() {
    let pins = sets([of_hosts(&["**.a.example"])]);
    let pins = pins.with_unpinned([scope("b.a.example")]).unwrap();
    for (name, write) in OF_ANY_POSITION {
        let written = write(&pins);
        match name {
            "android" | "trustkit" => assert!(written.is_ok(), "{name}"),
            // A header is of one set.
            "hpkp" => {}
            _ => {
                let scope = scope("b.a.example");
                assert_eq!(
                    written.unwrap_err().thing,
                    Unsayable::Unpinned { scope },
                    "{name}"
                );
            }
        }
    }
    // What TrustKit excludes, it excludes from something.
    let apart = sets([of_hosts(&["**.a.example"])])
        .with_unpinned([scope("b.example")])
        .unwrap();
    assert!(matches!(
        trustkit::write(&apart).unwrap_err().thing,
        Unsayable::Unpinned { .. }
    ));
}

#[test]
fn modes_dates_and_what_follows_them_are_refused_where_a_form_cannot_say_them() {
    let begun = || {
        let set = PinSet::builder()
            .with_pin(anywhere(ONE))
            .with_pin(anywhere(TWO));
        set.with_scope(scope("a.example"))
    };
    let noon = time("2027-12-31T12:00:00Z");
    let (closed, open) = (ExpiryRule::FailClosed, ExpiryRule::FailOpenLoudly);
    for (name, write) in OF_ANY_POSITION {
        let told = begun().with_mode(PinMode::ReportOnly).build().unwrap();
        let can_say = matches!(name, "trustkit" | "ssl_manager" | "hpkp");
        assert_eq!(write(&PinSets::from(told)).is_ok(), can_say, "{name}");
        let by_day = match name {
            "okhttp" => Unsayable::Date { not_after: noon },
            "ssl_manager" => Unsayable::TimeOfDay {
                not_after: noon,
                said: "23:59:59 UTC",
            },
            _ => Unsayable::TimeOfDay {
                not_after: noon,
                said: "00:00:00 UTC",
            },
        };
        let dated = begun().with_expiry(noon, open);
        match name {
            "hpkp" => assert!(write(&PinSets::from(dated.build().unwrap())).is_ok()),
            _ => assert_eq!(refused(name, write, &dated), by_day, "{name}"),
        }
        let thing = refused(name, write, &begun().with_expiry(noon, closed));
        match name {
            "okhttp" => assert_eq!(thing, Unsayable::Date { not_after: noon }),
            _ => assert_eq!(
                thing,
                Unsayable::ExpiryRule {
                    rule: closed,
                    said: open
                },
                "{name}"
            ),
        }
        let single = PinSet::builder()
            .with_pin(anywhere(ONE))
            .with_scope(scope("a.example"));
        let single = write(&PinSets::from(single.build().unwrap()));
        let too_few = Unsayable::TooFewPins { pins: 1, least: 2 };
        match name {
            "trustkit" | "public_key_pinning" | "hpkp" => {
                assert_eq!(single.unwrap_err().thing, too_few, "{name}");
            }
            _ => assert!(single.is_ok(), "{name}"),
        }
    }
    let (hpkp, write_hpkp) = OF_ANY_POSITION[5];
    assert_eq!(refused(hpkp, write_hpkp, &begun()), Unsayable::NoDate);
    let not_after = time("2026-11-27T00:00:00Z");
    let ended = refused(hpkp, write_hpkp, &begun().with_expiry(not_after, open));
    assert_eq!(ended, Unsayable::Ended { not_after });
    let leaf = PinSet::builder()
        .with_current(key(ONE))
        .with_scope(scope("a.example"));
    let dated = PinSets::from(leaf.clone().with_expiry(noon, open).build().unwrap());
    assert_eq!(
        tlsa::write(&dated, 443).unwrap_err().thing,
        Unsayable::Date { not_after: noon }
    );
    let thing = wultra::write(&dated, &[]).unwrap_err().thing;
    assert_eq!(
        thing,
        Unsayable::ExpiryRule {
            rule: open,
            said: closed
        }
    );
    let endless = PinSets::from(leaf.build().unwrap());
    assert_eq!(
        wultra::write(&endless, &[]).unwrap_err().thing,
        Unsayable::NoDate
    );
}
