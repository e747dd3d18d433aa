use super::*;
use crate::cert::Sha256Digest;
use crate::identity::PeerIdentity;
use crate::time::Timestamp;

fn key(n: u8) -> SpkiPin {
    SpkiPin::from_digest(Sha256Digest::of(&[n]))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn name(name: &str) -> pki_types::ServerName<'_> {
    name.try_into().unwrap()
}

#[test]
fn scopes_cover_what_they_say() {
    let cases = [
        ("a.example", "a.example", true),
        ("a.example", "A.Example.", true),
        ("A.EXAMPLE.", "a.example", true),
        ("a.example", "b.a.example", false),
        ("a.example", "ba.example", false),
        ("*.example.com", "www.example.com", true),
        ("*.example.com", "example.com", false),
        ("*.example.com", "a.b.example.com", false),
        ("*.example.com", "wwwexample.com", false),
        ("**.example.com", "example.com", true),
        ("**.example.com", "a.b.example.com", true),
        ("**.example.com", "badexample.com", false),
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false),
        ("2001:db8::1", "2001:db8:0::1", true),
        ("2001:db8::1", "a.example", false),
        ("a.example", "192.0.2.7", false),
    ];
    for (scope, host, expected) in cases {
        let parsed: PinScope = scope.parse().unwrap();
        assert_eq!(parsed.covers(&name(host)), expected, "{scope} and {host}");
        assert_eq!(parsed.to_string().parse(), Ok(parsed), "{scope}");
    }
    for bad in [
        "",
        "*",
        "*.",
        "**",
        "*.*.a",
        "a b",
        "bücher.example",
        "a..b",
        "*a.example",
    ] {
        assert!(bad.parse::<PinScope>().is_err(), "{bad}");
    }
}

#[test]
fn the_most_specific_scope_counts_alone() {
    let set = |scope: &str, n| {
        let builder = PinSet::builder().with_current(key(n));
        builder.with_scope(scope.parse().unwrap()).build().unwrap()
    };
    let everybody = PinSet::builder().with_current(key(9)).build().unwrap();
    let sets = [
        set("**.example.com", 1),
        set("*.example.com", 2),
        set("www.example.com", 3),
        set("**.deep.example.com", 4),
        everybody,
    ];
    let sets = PinSets::new(sets).unwrap();
    let cases = [
        ("www.example.com", 3),
        ("api.example.com", 2),
        ("example.com", 1),
        ("a.b.example.com", 1),
        // Both `*.example.com` and `**.deep.example.com` cover it: the longer domain wins.
        ("deep.example.com", 4),
        ("elsewhere.example", 9),
    ];
    for (host, expected) in cases {
        let set = sets.for_server(&name(host)).unwrap();
        assert_eq!(set.pins()[0].key, key(expected), "{host}");
    }
}

#[test]
fn scopes_of_identities_cover_whole_segments_byte_by_byte() {
    let cases = [
        ("spiffe://a.example/db", "spiffe://a.example/db", true),
        ("spiffe://a.example/db", "spiffe://a.example/DB", false),
        ("spiffe://a.example/db", "spiffe://a.example/db/1", false),
        ("spiffe://a.example/db", "spiffe://b.example/db", false),
        ("spiffe://a.example/ns/**", "spiffe://a.example/ns", true),
        ("spiffe://a.example/ns/**", "spiffe://a.example/ns/db", true),
        ("spiffe://a.example/ns/**", "spiffe://a.example/nsdb", false),
        ("spiffe://a.example/ns/**", "spiffe://a.example/n", false),
        ("spiffe://a.example/**", "spiffe://a.example/ns/db", true),
        ("spiffe://a.example", "spiffe://a.example/ns/db", true),
        ("spiffe://a.example", "spiffe://a.example.evil/db", false),
        ("spiffe://a.example", "spiffe://b.a.example/db", false),
        // What is no SPIFFE ID is below none.
        ("spiffe://a.example", "spiffe://a.example/../db", false),
        ("spiffe://a.example", "spiffe://a.example/a//b", false),
        ("**.example", "spiffe://a.example/db", false),
    ];
    for (scope, identity, expected) in cases {
        let scope: PinScope = scope.parse().unwrap();
        let identity = PeerIdentity::new(identity).unwrap();
        assert_eq!(
            scope.covers_identity(&identity),
            expected,
            "{scope}, {identity}"
        );
        assert!(!scope.is_of_identities() || !scope.covers(&name("a.example")));
        assert_eq!(scope.to_string().parse(), Ok(scope));
    }
    let own = PeerIdentity::new("anna@a.example").unwrap();
    let scope = PinScope::from(&own);
    assert!(scope.covers_identity(&own) && scope.is_of_identities());
    assert_eq!(scope.wildcard_domain(), None);
    let no_ids = [
        "spiffe://",
        "spiffe://A.example/db",
        "spiffe://a.example/db/",
        "spiffe://a.example/*",
        "spiffe://*.example/db",
        "spiffe://a.example/**/db",
        "spiffe://a.example//**",
        "https://a.example/db",
    ];
    for text in no_ids {
        let error = text.parse::<PinScope>().unwrap_err();
        assert_eq!(error.text, text);
    }
}

#[test]
fn the_most_specific_scope_of_an_identity_counts_before_any_of_a_host() {
    let set = |n: u8, scopes: &[&str]| {
        let set = PinSet::builder().with_current(key(n)).with_backup(key(99));
        let scopes = scopes.iter().map(|scope| scope.parse().unwrap());
        scopes.fold(set, PinSetBuilder::with_scope).build().unwrap()
    };
    let sets = PinSets::new([
        set(1, &["spiffe://a.example", "a.example"]),
        set(2, &["spiffe://a.example/ns/**"]),
        set(3, &["spiffe://a.example/ns/db"]),
        set(4, &["spiffe://a.example/ns/payments/**"]),
        set(5, &[]),
    ])
    .unwrap();
    let cases = [
        ("spiffe://a.example/ns/db", Some(3)),
        ("spiffe://a.example/ns/db/1", Some(2)),
        ("spiffe://a.example/ns/payments", Some(4)),
        ("spiffe://a.example/ns/payments/1", Some(4)),
        ("spiffe://a.example/web", Some(1)),
        ("spiffe://b.example/web", None),
        ("anna@a.example", None),
    ];
    for (identity, expected) in cases {
        let found = sets.for_identity(&PeerIdentity::new(identity).unwrap());
        let found = found.map(|set| set.pins()[0].key);
        assert_eq!(found, expected.map(key), "{identity}");
    }
    assert!(sets.need_identities());
    assert_eq!(
        sets.for_server(&name("a.example")).unwrap().pins()[0].key,
        key(1)
    );
    assert!(!PinSets::from(set(1, &["a.example"])).need_identities());
    // Two ways to write a whole trust domain are one scope.
    let twice = PinSets::new([
        set(1, &["spiffe://a.example"]),
        set(2, &["spiffe://a.example/**"]),
    ]);
    assert!(matches!(twice, Err(PinSetError::RepeatedScope { .. })));
}

#[test]
fn contradictions_are_errors_and_the_rest_is_lint() {
    let builder = PinSet::builder;
    let states = [PinState::Current, PinState::Retired];
    let contradiction = builder()
        .with_current(key(1))
        .with_pin(Pin::new(key(1), PinState::Retired));
    let expected = PinSetError::Contradiction {
        pin: key(1),
        states,
    };
    assert_eq!(contradiction.build(), Err(expected));
    assert_eq!(builder().build(), Err(PinSetError::NoUsablePin));
    let rejected_only = builder().with_rejected(key(1)).build();
    assert_eq!(rejected_only, Err(PinSetError::NoUsablePin));
    let void = builder().with_current(key(1)).with_rejected(key(1)).build();
    assert_eq!(void, Err(PinSetError::NoUsablePin));

    let placeholder: SpkiPin = "sha256/BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBE="
        .parse()
        .unwrap();
    let zeros: SpkiPin = "0".repeat(64).parse().unwrap();
    let twice = [PinState::Current, PinState::Backup];
    let scope: PinScope = "**.com".parse().unwrap();
    let cases = [
        (builder().with_current(key(1)).with_backup(key(2)), vec![]),
        (builder().with_current(key(1)), vec![PinLint::OnlyOnePin]),
        (
            builder().with_current(key(1)).with_current_ca(key(1)),
            vec![PinLint::OnlyOnePin],
        ),
        (
            builder()
                .with_current(key(1))
                .with_backup(placeholder)
                .with_backup(zeros),
            vec![
                PinLint::Placeholder { pin: placeholder },
                PinLint::Placeholder { pin: zeros },
            ],
        ),
        (
            builder()
                .with_current(key(1))
                .with_backup(key(1))
                .with_backup(key(2)),
            vec![PinLint::Repeated {
                pin: key(1),
                states: twice,
            }],
        ),
        (
            builder()
                .with_current(key(1))
                .with_backup(key(2))
                .with_scope(scope.clone()),
            vec![PinLint::PublicSuffix { scope }],
        ),
        (
            builder()
                .with_current(key(1))
                .with_backup(key(2))
                .with_backup(key(3))
                .with_rejected(key(3)),
            vec![PinLint::RejectedElsewhere { pin: key(3) }],
        ),
    ];
    for (builder, expected) in cases {
        assert_eq!(builder.build().unwrap().lints(), expected);
    }
}

#[cfg(feature = "public-suffix")]
#[test]
fn scopes_over_public_suffixes_are_lint() {
    for (scope, wide) in [
        ("*.co.uk", true),
        ("**.github.io", true),
        ("*.example.co.uk", false),
        ("co.uk", false),
    ] {
        let builder = PinSet::builder().with_current(key(1)).with_backup(key(2));
        let set = builder.with_scope(scope.parse().unwrap()).build().unwrap();
        assert_eq!(!set.lints().is_empty(), wide, "{scope}");
    }
}

#[test]
fn a_set_past_its_date_follows_its_rule() {
    let set = |rule| {
        let builder = PinSet::builder().with_current(key(1));
        builder.with_expiry(at(100), rule).build().unwrap()
    };
    let grace = ExpiryRule::GraceThenClosed { seconds: 10 };
    let in_grace = PinSetStanding::InGrace { until: at(110) };
    let cases = [
        (ExpiryRule::FailClosed, 100, PinSetStanding::InForce, 101),
        (ExpiryRule::FailClosed, 101, PinSetStanding::Closed, 0),
        (grace, 100, PinSetStanding::InForce, 101),
        (grace, 101, in_grace, 111),
        (grace, 110, in_grace, 111),
        (grace, 111, PinSetStanding::Closed, 0),
        (
            ExpiryRule::FailOpenLoudly,
            100,
            PinSetStanding::InForce,
            101,
        ),
        (ExpiryRule::FailOpenLoudly, 101, PinSetStanding::Open, 0),
    ];
    for (rule, now, expected, change) in cases {
        let set = set(rule);
        assert_eq!(set.standing(at(now)), expected, "{rule:?} at {now}");
        let next = (change != 0).then(|| at(change));
        assert_eq!(set.next_change(at(now)), next, "{rule:?} at {now}");
    }
    let ends = set(grace).assert_live_for(60, at(41));
    assert!(
        matches!(ends, Err(PinSetEndsError::TooSoon { left: 59, .. })),
        "{ends:?}"
    );
    assert_eq!(set(grace).assert_live_for(60, at(40)), Ok(()));
}

#[test]
fn a_successor_counts_from_its_second_on_and_a_rejected_key_never() {
    let set = PinSet::builder()
        .with_current(key(1))
        .with_successor_from(key(2), at(50))
        .with_pin(Pin::new(key(3), PinState::Retired))
        .with_backup(key(4))
        .with_rejected(key(4))
        .build()
        .unwrap();
    let accepted = |now| -> Vec<_> { set.accepted(at(now)).map(|pin| pin.key).collect() };
    assert_eq!(accepted(49), [key(1)]);
    assert_eq!(accepted(50), [key(1), key(2)]);
    assert_eq!(set.next_change(at(49)), Some(at(50)));
    assert_eq!(set.next_change(at(50)), None);
}

#[test]
fn hosts_that_are_left_out_have_no_set_unless_a_more_specific_scope_names_them() {
    let of = |number, host: Option<&str>| {
        let set = PinSet::builder().with_current(key(number));
        let set = match host {
            Some(host) => set.with_scope(host.parse().unwrap()),
            None => set,
        };
        set.build().unwrap()
    };
    let all = [
        of(1, None),
        of(2, Some("**.a.example")),
        of(3, Some("in.out.a.example")),
    ];
    let sets = PinSets::new(all).unwrap();
    let scope = |text: &str| -> PinScope { text.parse().unwrap() };
    let out = [scope("**.out.a.example"), scope("b.example")];
    let sets = sets.with_unpinned(out.clone()).unwrap();
    assert_eq!(sets.unpinned(), out);
    for (host, expected) in [
        ("a.example", Some(2)),
        ("www.a.example", Some(2)),
        ("out.a.example", None),
        ("www.out.a.example", None),
        ("in.out.a.example", Some(3)),
        // Nor does the set for every peer count.
        ("b.example", None),
        ("c.example", Some(1)),
    ] {
        let set = sets.for_server(&name(host));
        assert_eq!(
            set.map(|set| set.pins()[0].key),
            expected.map(key),
            "{host}"
        );
    }
    let repeated = scope("b.example");
    let error = PinSetError::RepeatedScope {
        scope: repeated.clone(),
    };
    assert_eq!(sets.clone().with_unpinned([repeated]), Err(error));
    let repeated = scope("**.a.example");
    let error = PinSetError::RepeatedScope {
        scope: repeated.clone(),
    };
    assert_eq!(sets.clone().with_unpinned([repeated]), Err(error));
    let identity = scope("spiffe://a.example/b");
    let error = PinSetError::UnpinnedIdentity {
        scope: identity.clone(),
    };
    assert_eq!(sets.with_unpinned([identity]), Err(error));
}
