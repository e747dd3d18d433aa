//! Both sides by SPIFFE IDs: full and resumed, in both versions.

use notafter::event::PeerReach;
use notafter::verifier::{
    SpiffeClientVerifier, SpiffePeerError, SpiffeServerVerifier, SpiffeVerifierError, spiffe_error,
};
use notafter::{EventCode, WatchingClientVerifier, WatchingServerVerifier};
use rustls::{CertificateError, Error};

use super::scene::{NAME, Scene, Sessions, at, id, id_of_peer, svid, svid_until};
use crate::support::pki::{NOW, days};
use crate::support::tls::{MINUTE, VERSIONS, meet, ring};

/// The CAs of both domains have one name, so it is the signature that does not fit.
const FOREIGN: Error = Error::InvalidCertificate(CertificateError::BadSignature);

#[test]
fn both_sides_are_known_by_their_spiffe_ids_full_and_resumed() {
    let scene = Scene::new();
    let (web, db) = ("spiffe://prod.example/web", "spiffe://partner.example/db");
    for version in VERSIONS {
        for sessions in [Sessions::Stored, Sessions::Tickets] {
            let context = format!("{version:?}, {sessions:?}");
            let clients = scene.clients().build().unwrap();
            let servers = scene.servers().build().unwrap();
            let server =
                scene.asking_server(version, &svid(&scene.partner, db), &clients, sessions);
            let client = scene.client(version, servers.clone(), Some(&svid(&scene.prod, web)));
            for resumed in [false, true, true] {
                let met = meet(&client.current().unwrap(), &server, NAME);
                assert_eq!(met.resumed(), resumed, "{context}");
                let (by_client, by_server) = (met.client.unwrap(), met.server.unwrap());
                assert_eq!(id_of_peer(&by_client), db, "{context}");
                assert_eq!(id_of_peer(&by_server), web, "{context}");
                let name = NAME.try_into().unwrap();
                assert_eq!(servers.recheck(&by_client, &name, NOW), Ok(()));
                assert_eq!(clients.recheck(&by_server, NOW), Ok(()));
            }
        }
    }
}

#[test]
fn a_leaf_verifies_under_the_bundle_of_its_own_domain_alone() {
    let scene = Scene::new();
    let no_bundle = |text: &str| SpiffePeerError::NoBundle { id: id(text) };
    // Who says that it is of a domain, and who vouches for it.
    let cases = [
        ("spiffe://prod.example/db", &scene.prod, None),
        ("spiffe://partner.example/db", &scene.partner, None),
        ("spiffe://prod.example/db", &scene.partner, Some(None)),
        ("spiffe://partner.example/db", &scene.prod, Some(None)),
        (
            "spiffe://evil.example/db",
            &scene.prod,
            Some(Some(no_bundle("spiffe://evil.example/db"))),
        ),
        (
            "spiffe://prod.example.evil/db",
            &scene.prod,
            Some(Some(no_bundle("spiffe://prod.example.evil/db"))),
        ),
    ];
    let own = svid(&scene.prod, "spiffe://prod.example/own");
    for version in VERSIONS {
        let clients = scene.clients().build().unwrap();
        let server = scene.asking_server(version, &own, &clients, Sessions::Stored);
        let client = scene.client(version, scene.servers().build().unwrap(), None);
        for (text, ca, expected) in &cases {
            let leaf = svid(ca, text);
            let shown = scene.server(version, &leaf, &[]);
            let by_client = meet(&client.current().unwrap(), &shown, NAME).client.err();
            let shown = scene.client(version, scene.servers().build().unwrap(), Some(&leaf));
            let by_server = meet(&shown.current().unwrap(), &server, NAME).server.err();
            for refused in [by_client, by_server] {
                match expected {
                    None => assert_eq!(refused, None, "{text}"),
                    Some(None) => assert_eq!(refused, Some(FOREIGN), "{text}"),
                    Some(error) => {
                        assert_eq!(refused.as_ref().and_then(spiffe_error), error.as_ref());
                    }
                }
            }
        }
    }
}

#[test]
fn only_whom_the_caller_accepts_is_spoken_to() {
    let scene = Scene::new();
    let inner = |accept: fn(&str) -> bool| {
        let servers = SpiffeServerVerifier::builder(scene.bundles.clone())
            .with_provider(ring())
            .with_accepted_id(id("spiffe://prod.example/db"))
            .with_accepted_domain("partner.example".parse().unwrap())
            .with_accepted_by(move |peer| accept(peer.id.path()))
            .build()
            .unwrap();
        let clients = SpiffeClientVerifier::builder(scene.bundles.clone())
            .with_provider(ring())
            .with_accepted_id(id("spiffe://prod.example/db"))
            .with_accepted_domain("partner.example".parse().unwrap())
            .with_accepted_by(move |peer| {
                assert_eq!(peer.server_name, None);
                accept(peer.id.path())
            })
            .build()
            .unwrap();
        (servers, clients)
    };
    let (servers, clients) = inner(|path| path == "/web");
    let clients = WatchingClientVerifier::builder(clients)
        .with_trust_age(MINUTE)
        .build()
        .unwrap();
    let servers = WatchingServerVerifier::builder(servers)
        .with_trust_age(MINUTE)
        .build()
        .unwrap();
    let own = svid(&scene.prod, "spiffe://prod.example/own");
    let cases = [
        ("spiffe://prod.example/db", true),
        ("spiffe://prod.example/db/replica", false),
        ("spiffe://prod.example/web", true),
        ("spiffe://prod.example/cache", false),
        ("spiffe://partner.example/cache", true),
    ];
    for (text, accepted) in cases {
        let ca = if text.contains("partner") {
            &scene.partner
        } else {
            &scene.prod
        };
        let leaf = svid(ca, text);
        let client = scene.client(VERSIONS[1], servers.clone(), None);
        let shown = scene.server(VERSIONS[1], &leaf, &[]);
        let by_client = meet(&client.current().unwrap(), &shown, NAME).client.err();
        let server = scene.asking_server(VERSIONS[1], &own, &clients, Sessions::Stored);
        let shown = scene.client(VERSIONS[1], scene.servers().build().unwrap(), Some(&leaf));
        let by_server = meet(&shown.current().unwrap(), &server, NAME).server.err();
        let expected = (!accepted).then(|| SpiffePeerError::NotAccepted { id: id(text) });
        for refused in [by_client, by_server] {
            assert_eq!(
                refused.as_ref().and_then(spiffe_error),
                expected.as_ref(),
                "{text}"
            );
            assert_eq!(refused.is_none(), accepted, "{text}");
        }
    }
}

#[test]
fn a_function_may_ask_for_another_id_at_each_server_name() {
    let scene = Scene::new();
    let servers = SpiffeServerVerifier::builder(scene.bundles.clone())
        .with_provider(ring())
        .with_accepted_by(|peer| {
            let name = peer.server_name.unwrap().to_str();
            let service = name.strip_suffix(".internal").unwrap();
            peer.id.path().strip_prefix('/') == Some(service)
        })
        .build()
        .unwrap();
    let servers = WatchingServerVerifier::builder(servers)
        .with_trust_age(MINUTE)
        .build()
        .unwrap();
    let client = scene.client(VERSIONS[1], servers, None);
    let db = scene.server(
        VERSIONS[1],
        &svid(&scene.prod, "spiffe://prod.example/db"),
        &[],
    );
    for (name, accepted) in [("db.internal", true), ("web.internal", false)] {
        let met = meet(&client.current().unwrap(), &db, name);
        assert_eq!(met.client.is_ok(), accepted, "{name}");
    }
}

/// A session rests on whom a function accepts, too: it is asked again a minute later.
#[test]
fn a_peer_that_is_accepted_no_more_resumes_no_session_after_a_minute() {
    use std::sync::atomic::{AtomicBool, Ordering};
    for version in VERSIONS {
        let scene = Scene::new();
        let accepts = std::sync::Arc::new(AtomicBool::new(true));
        let asked = accepts.clone();
        let inner = SpiffeServerVerifier::builder(scene.bundles.clone())
            .with_provider(ring())
            .with_accepted_by(move |_| asked.load(Ordering::Relaxed))
            .build()
            .unwrap();
        let servers = WatchingServerVerifier::builder(inner)
            .with_trust_age(MINUTE)
            .build()
            .unwrap();
        let client = scene.client(version, servers, None);
        let db = scene.server(version, &svid(&scene.prod, "spiffe://prod.example/db"), &[]);
        assert!(meet(&client.current().unwrap(), &db, NAME).client.is_ok());
        assert!(meet(&client.current().unwrap(), &db, NAME).resumed());
        accepts.store(false, Ordering::Relaxed);
        scene.clock.set(at(60));
        let refused = meet(&client.current().unwrap(), &db, NAME)
            .client
            .unwrap_err();
        assert!(matches!(
            spiffe_error(&refused),
            Some(SpiffePeerError::NotAccepted { .. })
        ));
    }
}

/// The intermediate of an SVID is cross-signed by the partner's root, which lasts longer: that path
/// is none of its own domain.
#[test]
fn the_outlook_of_a_peer_is_judged_under_its_own_domains_anchors() {
    let scene = Scene::new();
    let issuing = scene.prod.intermediate("issuing", -345, 20);
    let crossed = scene.partner.cross_sign(&issuing, -345, 300);
    let leaf = svid(&issuing, "spiffe://prod.example/db");
    for version in VERSIONS {
        let client = scene.client(version, scene.servers().build().unwrap(), None);
        let server = scene.server(version, &leaf, &[&issuing.der, &crossed]);
        assert!(
            meet(&client.current().unwrap(), &server, NAME)
                .client
                .is_ok()
        );
        let told = scene.events.take();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].code, EventCode::PeerExpiring);
        assert_eq!(told[0].reach, Some(PeerReach::Until(days(20))));
        // By either root it would last as long as the leaf.
        scene.clock.set(at(21 * 86_400));
        let refused = meet(&client.current().unwrap(), &server, NAME)
            .client
            .unwrap_err();
        assert!(
            matches!(refused, Error::InvalidCertificate(_)),
            "{refused:?}"
        );
        scene.clock.set(NOW);
        scene.events.take();
    }
}

#[test]
fn an_expired_svid_is_refused_as_expired_and_a_known_one_is_told_of_by_its_id() {
    let scene = Scene::new();
    let text = "spiffe://prod.example/db";
    let leaf = svid_until(&scene.prod, text, 1);
    let client = scene.client(VERSIONS[1], scene.servers().build().unwrap(), None);
    let server = scene.server(VERSIONS[1], &leaf, &[]);
    assert!(
        meet(&client.current().unwrap(), &server, NAME)
            .client
            .is_ok()
    );
    scene.events.take();
    scene.clock.set(at(86_401));
    let refused = meet(&client.current().unwrap(), &server, NAME)
        .client
        .unwrap_err();
    let is_expired = matches!(
        refused,
        Error::InvalidCertificate(CertificateError::ExpiredContext { .. })
    );
    assert!(is_expired, "{refused:?}");
    let told = scene.events.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].code, EventCode::PeerExpired);
    assert_eq!(told[0].identity.as_ref().unwrap().as_str(), text);
    assert!(
        told[0]
            .message
            .starts_with(&format!("{text} at {NAME} was refused"))
    );
}

#[test]
fn a_verifier_that_could_accept_nobody_is_not_built() {
    let scene = Scene::new();
    let builder = || SpiffeServerVerifier::builder(scene.bundles.clone()).with_provider(ring());
    assert_eq!(
        builder().build().err(),
        Some(SpiffeVerifierError::NobodyAccepted)
    );
    let none = std::sync::Arc::new(notafter::verifier::SpiffeBundles::new());
    let builder = SpiffeClientVerifier::builder(none).with_provider(ring());
    let error = builder.with_accepted_by(|_| true).build().err();
    assert_eq!(error, Some(SpiffeVerifierError::NoBundle));
}

#[test]
fn a_verifier_of_svids_answers_all_else_as_its_provider_does() {
    let scene = Scene::new();
    let schemes = ring().signature_verification_algorithms.supported_schemes();
    let (servers, clients) = (scene.inner_of_servers(), scene.inner_of_clients());
    assert_eq!(servers.supported_verify_schemes(), schemes);
    assert_eq!(clients.supported_verify_schemes(), schemes);
    assert!(!servers.requires_raw_public_keys() && !clients.requires_raw_public_keys());
    assert!(servers.root_hint_subjects().is_none());
    // The names of CAs are the same in many a domain: clients send what they have.
    assert!(clients.root_hint_subjects().is_empty());
    assert!(clients.offer_client_auth() && clients.client_auth_mandatory());
}

#[test]
fn anonymous_clients_are_let_in_only_where_asked_for() {
    let scene = Scene::new();
    let own = svid(&scene.prod, "spiffe://prod.example/own");
    for anonymous in [false, true] {
        let mut inner = SpiffeClientVerifier::builder(scene.bundles.clone())
            .with_provider(ring())
            .with_accepted_by(|_| true);
        if anonymous {
            inner = inner.with_anonymous_clients();
        }
        let clients =
            WatchingClientVerifier::builder(inner.build().unwrap()).with_trust_age(MINUTE);
        let clients = clients.build().unwrap();
        let server = scene.asking_server(VERSIONS[1], &own, &clients, Sessions::Stored);
        let client = scene.client(VERSIONS[1], scene.servers().build().unwrap(), None);
        let met = meet(&client.current().unwrap(), &server, NAME);
        assert_eq!(met.server.is_ok(), anonymous);
    }
}

/// A web certificate of a public name is worth nothing to a verifier of SVIDs.
#[test]
fn the_name_of_a_connection_vouches_for_nobody() {
    let scene = Scene::new();
    let client = scene.client(VERSIONS[1], scene.servers().build().unwrap(), None);
    let web = scene.prod.leaf(&[NAME], -1, 90);
    let server = scene.server(VERSIONS[1], &web, &[]);
    let refused = meet(&client.current().unwrap(), &server, NAME)
        .client
        .unwrap_err();
    assert!(
        matches!(spiffe_error(&refused), Some(SpiffePeerError::Svid(_))),
        "{refused:?}"
    );
}
