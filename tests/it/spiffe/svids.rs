//! What is no X.509-SVID is refused for its own reason, on either side.

use std::sync::Arc;

use notafter::identity::{SpiffeIdError, SpiffeIdentities, SvidError};
use notafter::verifier::{SpiffePeerError, spiffe_error};
use notafter::{Certificate, WatchingServerVerifier};
use rcgen::{BasicConstraints, CustomExtension, IsCa, KeyUsagePurpose, SanType};

use super::scene::{NAME, Scene, Sessions, svid, svid_with};
use crate::support::agreeable::Agreeable;
use crate::support::pki::{Ca, Leaf};
use crate::support::tls::{VERSIONS, meet, ring};

fn not_an_id(error: SpiffeIdError) -> SvidError {
    SvidError::NotSpiffeId(error)
}

/// The nearest to a good one, and what each lacks.
fn cases(ca: &Ca) -> Vec<(&'static str, Leaf, SvidError)> {
    let of = |uris: &[&str]| svid_with(ca, uris, 90, |_| {});
    let good = "spiffe://prod.example/db";
    let path = |path: &str| path.to_owned();
    let signs =
        |usage: KeyUsagePurpose| svid_with(ca, &[good], 90, |params| params.key_usages.push(usage));
    let a_ca = svid_with(ca, &[good], 90, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    let bytes = svid_with(ca, &[], 90, |params| {
        // SEQUENCE { [6] of one byte that no UTF-8 has }.
        let names =
            CustomExtension::from_oid_content(&[2, 5, 29, 17], vec![0x30, 3, 0x86, 1, 0xff]);
        params.custom_extensions = vec![names];
    });
    let twice = svid_with(ca, &[good], 90, |params| {
        let name = [&[0x86, 1][..], b"x"].concat();
        let names = [&[0x30, 3][..], &name].concat();
        let names = CustomExtension::from_oid_content(&[2, 5, 29, 17], names);
        params.custom_extensions = vec![names];
    });
    let dns = svid_with(ca, &[], 90, |params| {
        params.subject_alt_names = vec![SanType::DnsName(NAME.try_into().unwrap())];
    });
    let domain = "prod.example".parse().unwrap();
    vec![
        ("no URI", dns, SvidError::NoUri),
        (
            "two URIs",
            of(&[good, "spiffe://prod.example/web"]),
            SvidError::SeveralUris { count: 2 },
        ),
        (
            "the same URI twice",
            of(&[good, good]),
            SvidError::SeveralUris { count: 2 },
        ),
        (
            "a web page too",
            of(&[good, "https://prod.example/"]),
            SvidError::SeveralUris { count: 2 },
        ),
        (
            "a second extension with a URI",
            twice,
            SvidError::SeveralUris { count: 2 },
        ),
        ("bytes", bytes, SvidError::NotAscii),
        (
            "http",
            of(&["http://prod.example/db"]),
            not_an_id(SpiffeIdError::NoScheme {
                text: "http://prod.example/db".to_owned(),
            }),
        ),
        (
            "an upper-case domain",
            of(&["spiffe://PROD.example/db"]),
            not_an_id(SpiffeIdError::TrustDomainCharacter {
                text: "PROD.example".to_owned(),
                found: 'P',
            }),
        ),
        (
            "an empty segment",
            of(&["spiffe://prod.example//db"]),
            not_an_id(SpiffeIdError::EmptySegment { path: path("//db") }),
        ),
        (
            "a slash at the end",
            of(&["spiffe://prod.example/db/"]),
            not_an_id(SpiffeIdError::EmptySegment { path: path("/db/") }),
        ),
        (
            "up and down",
            of(&["spiffe://prod.example/web/../db"]),
            not_an_id(SpiffeIdError::RelativeSegment {
                path: path("/web/../db"),
            }),
        ),
        (
            "a port",
            of(&["spiffe://prod.example:8443/db"]),
            not_an_id(SpiffeIdError::TrustDomainCharacter {
                text: "prod.example:8443".to_owned(),
                found: ':',
            }),
        ),
        (
            "an escape",
            of(&["spiffe://prod.example/d%62"]),
            not_an_id(SpiffeIdError::PathCharacter {
                path: path("/d%62"),
                found: '%',
            }),
        ),
        (
            "no path",
            of(&["spiffe://prod.example"]),
            SvidError::NoPath {
                trust_domain: domain,
            },
        ),
        ("a CA", a_ca, SvidError::IsCa),
        (
            "keyCertSign",
            signs(KeyUsagePurpose::KeyCertSign),
            SvidError::SignsOthers,
        ),
        (
            "cRLSign",
            signs(KeyUsagePurpose::CrlSign),
            SvidError::SignsOthers,
        ),
    ]
}

#[test]
fn each_certificate_that_is_no_svid_is_refused_for_its_own_reason() {
    let scene = Scene::new();
    for (name, leaf, expected) in cases(&scene.prod) {
        assert_eq!(
            SpiffeIdentities::id_of(&leaf.certificate()),
            Err(expected),
            "{name}"
        );
    }
    let good = svid_with(&scene.prod, &["spiffe://prod.example/db"], 90, |params| {
        // A DNS name beside the one URI is allowed.
        let name = SanType::DnsName(NAME.try_into().unwrap());
        params.subject_alt_names.insert(0, name);
    });
    let id = SpiffeIdentities::id_of(&good.certificate()).unwrap();
    assert_eq!(id.to_string(), "spiffe://prod.example/db");
}

#[test]
fn neither_side_speaks_to_who_shows_no_svid() {
    let scene = Scene::new();
    let own = svid(&scene.prod, "spiffe://prod.example/own");
    for version in VERSIONS {
        let servers = scene.servers().build().unwrap();
        let clients = scene.clients().build().unwrap();
        let server = scene.asking_server(version, &own, &clients, Sessions::Stored);
        let client = scene.client(version, servers, None);
        for (name, leaf, expected) in cases(&scene.prod) {
            let expected = SpiffePeerError::Svid(expected);
            let shown = scene.server(version, &leaf, &[]);
            let refused = meet(&client.current().unwrap(), &shown, NAME)
                .client
                .unwrap_err();
            assert_eq!(
                spiffe_error(&refused),
                Some(&expected),
                "{name}: {refused:?}"
            );
            let shown = scene.client(version, scene.servers().build().unwrap(), Some(&leaf));
            let refused = meet(&shown.current().unwrap(), &server, NAME)
                .server
                .unwrap_err();
            assert_eq!(
                spiffe_error(&refused),
                Some(&expected),
                "{name}: {refused:?}"
            );
        }
    }
}

/// Around another inner verifier the wrapper alone asks for an identity, and refuses who has none.
#[test]
fn a_wrapper_refuses_what_is_no_svid_whoever_accepted_it() {
    use notafter::identity::IdentityError;
    use notafter::verifier::identity_error;
    let scene = Scene::new();
    let verifier = WatchingServerVerifier::builder(Arc::new(Agreeable::default()))
        .with_provider(ring())
        .with_peer_identity(Arc::new(SpiffeIdentities))
        .with_observer(scene.events.clone())
        .build()
        .unwrap();
    let client = scene.client(VERSIONS[1], verifier, None);
    for (name, leaf, expected) in cases(&scene.prod) {
        let shown = scene.server(VERSIONS[1], &leaf, &[]);
        let refused = meet(&client.current().unwrap(), &shown, NAME)
            .client
            .unwrap_err();
        let expected = IdentityError::Svid(expected);
        assert_eq!(
            identity_error(&refused),
            Some(&expected),
            "{name}: {refused:?}"
        );
    }
    // A stranger's certificate is told of by number, once a minute.
    let told = scene.events.take();
    let codes: Vec<_> = told.iter().map(|event| event.code.as_str()).collect();
    assert_eq!(codes, ["peer_unidentified"]);
    assert_eq!(
        (&told[0].identity, told[0].host.as_deref()),
        (&None, Some(NAME))
    );
}

#[test]
fn a_leaf_that_cannot_be_read_is_no_svid() {
    let scene = Scene::new();
    let broken = svid_with(&scene.prod, &[], 90, |params| {
        let names = CustomExtension::from_oid_content(&[2, 5, 29, 17], vec![0x30, 9, 0x86]);
        params.custom_extensions = vec![names];
    });
    let leaf: Certificate = broken.certificate();
    assert!(matches!(
        SpiffeIdentities::id_of(&leaf),
        Err(SvidError::Unreadable(_))
    ));
}

#[test]
fn a_spiffe_id_in_a_leaf_has_2048_bytes_and_its_domain_255_at_the_most() {
    let scene = Scene::new();
    let read = |text: &str| {
        let leaf = svid_with(&scene.prod, &[text], 90, |_| {});
        SpiffeIdentities::id_of(&leaf.certificate()).map(|id| id.to_string())
    };
    for (bytes, is_read) in [(2048, true), (2049, false)] {
        let text = format!("spiffe://prod.example/{}", "x".repeat(bytes - 22));
        let expected = match is_read {
            true => Ok(text.clone()),
            false => Err(not_an_id(SpiffeIdError::TooLong { bytes })),
        };
        assert_eq!(read(&text), expected);
    }
    for (bytes, is_read) in [(255, true), (256, false)] {
        let text = format!("spiffe://{}/db", "d".repeat(bytes));
        let expected = match is_read {
            true => Ok(text.clone()),
            false => Err(not_an_id(SpiffeIdError::TrustDomainTooLong { bytes })),
        };
        assert_eq!(read(&text), expected);
    }
}
