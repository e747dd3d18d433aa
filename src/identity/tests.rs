use super::*;

#[test]
fn what_is_no_spiffe_id_is_refused_for_its_own_reason() {
    let path = |path: &str| path.to_owned();
    let character = |text: &str, found| SpiffeIdError::TrustDomainCharacter {
        text: text.to_owned(),
        found,
    };
    let in_path = |path: &str, found| SpiffeIdError::PathCharacter {
        path: path.to_owned(),
        found,
    };
    let no_scheme = |text: &str| SpiffeIdError::NoScheme {
        text: text.to_owned(),
    };
    let long = format!("spiffe://a/{}", "x".repeat(2038));
    let domain = format!("spiffe://{}/x", "d".repeat(256));
    let cases = [
        ("", no_scheme("")),
        ("http://a.example/db", no_scheme("http://a.example/db")),
        ("SPIFFE://a.example/db", no_scheme("SPIFFE://a.example/db")),
        ("spiffe:/a.example/db", no_scheme("spiffe:/a.example/db")),
        ("spiffe://", SpiffeIdError::NoTrustDomain),
        ("spiffe:///db", SpiffeIdError::NoTrustDomain),
        ("spiffe://Prod.example/db", character("Prod.example", 'P')),
        (
            "spiffe://a.example:8443/db",
            character("a.example:8443", ':'),
        ),
        ("spiffe://me@a.example/db", character("me@a.example", '@')),
        ("spiffe://a%2eexample/db", character("a%2eexample", '%')),
        (
            "spiffe://bücher.example/db",
            character("bücher.example", 'ü'),
        ),
        ("spiffe://a.example?x", character("a.example?x", '?')),
        (
            "spiffe://a.example/",
            SpiffeIdError::EmptySegment { path: path("/") },
        ),
        (
            "spiffe://a.example/db/",
            SpiffeIdError::EmptySegment { path: path("/db/") },
        ),
        (
            "spiffe://a.example//db",
            SpiffeIdError::EmptySegment { path: path("//db") },
        ),
        (
            "spiffe://a.example/a//db",
            SpiffeIdError::EmptySegment {
                path: path("/a//db"),
            },
        ),
        (
            "spiffe://a.example/./db",
            SpiffeIdError::RelativeSegment {
                path: path("/./db"),
            },
        ),
        (
            "spiffe://a.example/a/..",
            SpiffeIdError::RelativeSegment {
                path: path("/a/.."),
            },
        ),
        ("spiffe://a.example/d%62", in_path("/d%62", '%')),
        ("spiffe://a.example/db?x=1", in_path("/db?x=1", '?')),
        ("spiffe://a.example/db#x", in_path("/db#x", '#')),
        ("spiffe://a.example/d b", in_path("/d b", ' ')),
        ("spiffe://a.example/d\nb", in_path("/d\\nb", '\n')),
        (&long, SpiffeIdError::TooLong { bytes: 2049 }),
        (&domain, SpiffeIdError::TrustDomainTooLong { bytes: 256 }),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<SpiffeId>(), Err(expected), "{text}");
    }
}

#[test]
fn a_spiffe_id_has_2048_bytes_and_its_domain_255_at_the_most() {
    let longest = format!("spiffe://a/{}", "x".repeat(2037));
    assert_eq!(longest.parse::<SpiffeId>().unwrap().to_string(), longest);
    assert_eq!(PeerIdentity::new(&longest).unwrap().as_str(), longest);
    let bytes = longest.len() + 1;
    assert_eq!(
        PeerIdentity::new(&format!("{longest}x")),
        Err(PeerIdentityError::TooLong { bytes })
    );
    let domain = "d".repeat(255);
    assert_eq!(domain.parse::<TrustDomain>().unwrap().as_str(), domain);
}

#[test]
fn what_is_a_spiffe_id_is_printed_as_it_was_read() {
    let cases = [
        ("spiffe://a", "a", ""),
        ("spiffe://a.example/db", "a.example", "/db"),
        ("spiffe://a-b_c.9/Ns/x..y/...", "a-b_c.9", "/Ns/x..y/..."),
        ("spiffe://10.0.0.1/db", "10.0.0.1", "/db"),
    ];
    for (text, domain, path) in cases {
        let id: SpiffeId = text.parse().unwrap();
        assert_eq!((id.trust_domain().as_str(), id.path()), (domain, path));
        assert_eq!(id.to_string(), text);
        assert_eq!(PeerIdentity::from(&id).spiffe_id(), Some(id));
        assert_eq!(
            format!("spiffe://{domain}").parse(),
            domain.parse::<TrustDomain>()
        );
    }
}

#[test]
fn whole_segments_stand_below_an_id() {
    let cases = [
        ("spiffe://a/ns/db", "spiffe://a", true),
        ("spiffe://a/ns/db", "spiffe://a/ns", true),
        ("spiffe://a/ns/db", "spiffe://a/ns/db", true),
        ("spiffe://a/ns/db", "spiffe://a/ns/d", false),
        ("spiffe://a/ns", "spiffe://a/ns/db", false),
        ("spiffe://ab/ns", "spiffe://a", false),
        ("spiffe://a/ns", "spiffe://b", false),
    ];
    for (id, above, expected) in cases {
        let (id, above): (SpiffeId, SpiffeId) = (id.parse().unwrap(), above.parse().unwrap());
        assert_eq!(id.is_at_or_below(&above), expected, "{id} below {above}");
    }
}

#[test]
fn a_text_that_hides_something_identifies_nobody() {
    let hidden = |found| PeerIdentityError::Hidden { found };
    assert_eq!(PeerIdentity::new(""), Err(PeerIdentityError::Empty));
    assert_eq!(PeerIdentity::new("a\nb"), Err(hidden('\n')));
    assert_eq!(PeerIdentity::new("a\u{202e}b"), Err(hidden('\u{202e}')));
    let error = IdentityError::new("a\nb");
    assert_eq!(error.to_string(), "nobody knows who the peer is: a\\nb");
}
