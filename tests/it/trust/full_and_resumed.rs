//! An added root is accepted, a removed one is not: full and resumed handshakes, both sides.

use notafter::Timestamp;
use rustls::server::danger::ClientCertVerifier as _;
use rustls::{CertificateError, Error};

use super::scene::{ClientSessions, NAME, Scene, ServerSessions, at};
use crate::support::pki;
use crate::support::tls::{VERSIONS, meet};

const UNKNOWN: Error = Error::InvalidCertificate(CertificateError::UnknownIssuer);

fn polled(anchors: &notafter::reload::ReloadingAnchors, now: Timestamp) {
    assert!(anchors.poll(now).is_swapped, "{:?}", anchors.failure());
}

#[test]
fn a_server_accepts_clients_of_an_added_root_and_refuses_those_of_a_removed_one() {
    for sessions in [ServerSessions::Stored, ServerSessions::Tickets] {
        for version in VERSIONS {
            let context = format!("{sessions:?}, {version:?}");
            let scene = Scene::new();
            let anchors = scene.anchors(&[&scene.a]);
            let verifier = scene.clients_by(&anchors, None);
            let server = scene.server(version, &verifier, sessions);
            let by_a = scene.client_with(version, &scene.a.leaf(&["a.example"], -10, 90));
            let by_b = scene.client_with(version, &scene.b.leaf(&["b.example"], -10, 90));
            assert!(meet(&by_a, &server, NAME).server.is_ok(), "{context}");
            assert!(meet(&by_a, &server, NAME).resumed(), "{context}");
            let refused = meet(&by_b, &server, NAME).server.unwrap_err();
            assert_eq!(refused, UNKNOWN, "{context}");

            scene.replace("ca.pem", Scene::bundle(&[&scene.a, &scene.b]));
            polled(&anchors, at(10));
            assert!(meet(&by_b, &server, NAME).server.is_ok(), "{context}");
            assert!(meet(&by_b, &server, NAME).resumed(), "{context}");
            // A's session is of the generation before: a full handshake, which is good.
            let met = meet(&by_a, &server, NAME);
            assert!(met.server.is_ok() && !met.resumed(), "{context}");
            assert!(meet(&by_a, &server, NAME).resumed(), "{context}");

            scene.replace("ca.pem", Scene::bundle(&[&scene.b]));
            polled(&anchors, at(20));
            let met = meet(&by_a, &server, NAME);
            assert!(!met.resumed(), "{context}");
            assert_eq!(met.server.unwrap_err(), UNKNOWN, "{context}");
            let full = scene.client_with(version, &scene.a.leaf(&["a.example"], -10, 90));
            assert_eq!(meet(&full, &server, NAME).server.unwrap_err(), UNKNOWN);
            assert!(meet(&by_b, &server, NAME).server.is_ok(), "{context}");
        }
    }
}

#[test]
fn a_client_accepts_servers_of_an_added_root_and_refuses_those_of_a_removed_one() {
    for sessions in [ClientSessions::Guard, ClientSessions::Configs] {
        for version in VERSIONS {
            let context = format!("{sessions:?}, {version:?}");
            let scene = Scene::new();
            let anchors = scene.anchors(&[&scene.a]);
            let verifier = scene.servers_by(&anchors, None);
            let client = scene.client(version, verifier, sessions);
            let by_a = scene.server_with(version, &scene.a.leaf(&[NAME], -10, 90));
            let by_b = scene.server_with(version, &scene.b.leaf(&[NAME], -10, 90));
            assert!(client.meet(&by_a).client.is_ok(), "{context}");
            assert!(client.meet(&by_a).resumed(), "{context}");
            assert_eq!(client.meet(&by_b).client.unwrap_err(), UNKNOWN, "{context}");

            scene.replace("ca.pem", Scene::bundle(&[&scene.a, &scene.b]));
            polled(&anchors, at(10));
            assert!(client.meet(&by_b).client.is_ok(), "{context}");
            assert!(client.meet(&by_a).client.is_ok(), "{context}");

            scene.replace("ca.pem", Scene::bundle(&[&scene.b]));
            polled(&anchors, at(20));
            let met = client.meet(&by_a);
            assert!(!met.resumed(), "{context}");
            assert_eq!(met.client.unwrap_err(), UNKNOWN, "{context}");
            assert!(client.meet(&by_b).client.is_ok(), "{context}");
        }
    }
}

#[test]
fn a_server_asks_for_certificates_of_the_roots_in_force() {
    let scene = Scene::new();
    let anchors = scene.anchors(&[&scene.a]);
    let verifier = scene.clients_by(&anchors, None);
    let asked = || {
        let names = verifier.root_hint_subjects().iter();
        names.map(|name| name.as_ref().to_vec()).collect::<Vec<_>>()
    };
    let only = asked();
    assert_eq!(only.len(), 1);
    scene.replace("ca.pem", Scene::bundle(&[&scene.a, &scene.b]));
    polled(&anchors, at(10));
    assert_eq!(asked().len(), 2);
    scene.replace("ca.pem", Scene::bundle(&[&scene.a]));
    polled(&anchors, at(20));
    assert_eq!(asked(), only);
}

/// Memory, sessions and open connections are of an epoch, so that nothing waits for a minute to pass.
#[test]
fn a_pushed_bundle_counts_at_once_also_for_peers_that_are_remembered() {
    use notafter::reload::ReloadingAnchors;
    for version in VERSIONS {
        let scene = Scene::new();
        let bundle = Scene::bundle(&[&scene.a, &scene.b]);
        let anchors = ReloadingAnchors::builder()
            .with_bytes("pushed", bundle)
            .with_clock(scene.clock.clone())
            .build()
            .unwrap();
        let verifier = scene.clients_by(&anchors, None);
        let server = scene.server(version, &verifier, ServerSessions::Stored);
        let by_a = scene.client_with(version, &scene.a.leaf(&["a.example"], -10, 90));
        let open = meet(&by_a, &server, NAME).server.unwrap();
        assert!(meet(&by_a, &server, NAME).resumed());
        assert_eq!(verifier.recheck(&open, pki::NOW), Ok(()));
        anchors
            .set_bytes("pushed", Scene::bundle(&[&scene.b]).as_bytes(), at(1))
            .unwrap();
        assert_eq!(meet(&by_a, &server, NAME).server.unwrap_err(), UNKNOWN);
        assert_eq!(verifier.recheck(&open, pki::NOW), Err(UNKNOWN));
    }
}
