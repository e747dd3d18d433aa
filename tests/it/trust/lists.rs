//! Revocation lists: replaced ones count for full and resumed handshakes; bad ones do not.

use std::sync::Arc;

use notafter::reload::{LostIssuers, ReloadingCrls, ReloadingCrlsBuilder};
use notafter::revocation::CrlExpiration;
use notafter::{Band, EventCode, Severity, Timestamp};
use rustls::{CertificateError, Error};

use super::scene::{ClientSessions, NAME, Scene, ServerSessions, at};
use crate::support::pki::{self, Ca, Leaf, NOW, days};
use crate::support::tls::{VERSIONS, meet, ring};

const REVOKED: Error = Error::InvalidCertificate(CertificateError::Revoked);

/// A list made so many hours from now, to be replaced after so many more.
fn list(ca: &Ca, made: i64, lasts: i64, revoked: &[&Leaf]) -> Vec<u8> {
    let revoked: Vec<_> = revoked.iter().map(|leaf| leaf.certificate()).collect();
    let revoked: Vec<_> = revoked.iter().collect();
    pki::crl_between(ca, at(made * 3600), at((made + lasts) * 3600), &revoked)
}

fn builder(scene: &Scene) -> ReloadingCrlsBuilder {
    ReloadingCrls::builder()
        .with_path(scene.path("clients.crl"))
        .with_clock(scene.clock.clone())
        .with_observer(scene.events.clone())
}

fn lists(scene: &Scene, der: Vec<u8>) -> Arc<ReloadingCrls> {
    scene.write("clients.crl", der);
    builder(scene).build().unwrap()
}

#[test]
fn a_replaced_list_refuses_the_next_full_and_resumed_handshake_of_a_client() {
    for sessions in [ServerSessions::Stored, ServerSessions::Tickets] {
        for version in VERSIONS {
            let context = format!("{sessions:?}, {version:?}");
            let scene = Scene::new();
            let anchors = scene.anchors(&[&scene.a]);
            let lists = lists(&scene, list(&scene.a, -2, 48, &[]));
            let verifier = scene.clients_by(&anchors, Some(&lists));
            let server = scene.server(version, &verifier, sessions);
            let (leaf, other) = (
                scene.a.leaf(&["a.example"], -10, 90),
                scene.a.leaf(&["o.example"], -10, 90),
            );
            let client = scene.client_with(version, &leaf);
            let other = scene.client_with(version, &other);
            for client in [&client, &other] {
                assert!(meet(client, &server, NAME).server.is_ok(), "{context}");
                assert!(meet(client, &server, NAME).resumed(), "{context}");
            }
            scene.replace("clients.crl", list(&scene.a, -1, 48, &[&leaf]));
            assert!(lists.poll(at(10)).is_swapped, "{:?}", lists.failure());
            let met = meet(&client, &server, NAME);
            assert!(!met.resumed(), "{context}");
            assert_eq!(met.server.unwrap_err(), REVOKED, "{context}");
            let full = scene.client_with(version, &leaf);
            assert_eq!(meet(&full, &server, NAME).server.unwrap_err(), REVOKED);
            assert!(meet(&other, &server, NAME).server.is_ok(), "{context}");
        }
    }
}

#[test]
fn a_replaced_list_refuses_the_next_full_and_resumed_handshake_with_a_server() {
    for sessions in [ClientSessions::Guard, ClientSessions::Configs] {
        for version in VERSIONS {
            let context = format!("{sessions:?}, {version:?}");
            let scene = Scene::new();
            let anchors = scene.anchors(&[&scene.a]);
            let lists = lists(&scene, list(&scene.a, -2, 48, &[]));
            let verifier = scene.servers_by(&anchors, Some(&lists));
            let client = scene.client(version, verifier, sessions);
            let leaf = scene.a.leaf(&[NAME], -10, 90);
            let server = scene.server_with(version, &leaf);
            assert!(client.meet(&server).client.is_ok(), "{context}");
            assert!(client.meet(&server).resumed(), "{context}");
            scene.replace("clients.crl", list(&scene.a, -1, 48, &[&leaf]));
            assert!(lists.poll(at(10)).is_swapped, "{:?}", lists.failure());
            let met = client.meet(&server);
            assert!(!met.resumed(), "{context}");
            assert_eq!(met.client.unwrap_err(), REVOKED, "{context}");
        }
    }
}

#[test]
fn a_bad_list_keeps_what_is_in_force() {
    let scene = Scene::new();
    let good = list(&scene.a, -1, 48, &[]);
    let pem = pki::pem("X509 CRL", &good);
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("empty", Vec::new(), "no_lists"),
        ("cut", good[..good.len() - 20].to_vec(), "list_unusable"),
        (
            "cut PEM",
            pem.as_bytes()[..pem.len() - 30].to_vec(),
            "list_unusable",
        ),
        (
            "another issuer's",
            list(&scene.b, 0, 48, &[]),
            "issuer_lost",
        ),
        ("an older one", list(&scene.a, -2, 96, &[]), "older_list"),
        ("an error page", b"<html>404</html>".to_vec(), "no_lists"),
    ];
    for (name, bytes, code) in cases {
        let lists = lists(&scene, good.clone());
        scene.replace("clients.crl", bytes);
        scene.events.take();
        lists.poll(at(10));
        let refused = lists.poll(at(20)).refused.unwrap();
        assert_eq!(refused.code(), code, "{name}: {refused}");
        let told = scene.events.take();
        assert_eq!(told.len(), 1, "{name}: {told:?}");
        assert_eq!(told[0].code, EventCode::ReloadFailed, "{name}");
        assert_eq!(lists.generation().epoch, 0, "{name}");
        scene.replace("clients.crl", pem.as_bytes());
        let summary = lists.poll(at(30));
        assert_eq!(
            (summary.is_swapped, summary.refused),
            (false, None),
            "{name}"
        );
    }
}

#[test]
fn an_issuer_may_be_let_go_of_which_is_told_as_a_warning() {
    let scene = Scene::new();
    scene.write("clients.crl", list(&scene.a, -1, 48, &[]));
    let lists = builder(&scene).with_lost_issuers(LostIssuers::Tell).build();
    let lists = lists.unwrap();
    scene.replace("clients.crl", list(&scene.b, 0, 48, &[]));
    assert!(lists.poll(at(10)).is_swapped);
    let told = scene.events.take();
    assert_eq!(told.len(), 1, "{told:?}");
    let event = &told[0];
    assert_eq!(
        (event.code, event.severity),
        (EventCode::ReloadSucceeded, Severity::Warning)
    );
    let warning = "there is no list of 'CN=root A' any more, as there was until now";
    assert!(event.message.contains(warning), "{event}");
    // What is there of an issuer is no older one all the same.
    scene.replace("clients.crl", list(&scene.b, -1, 48, &[]));
    assert_eq!(lists.poll(at(20)).refused.unwrap().code(), "older_list");
}

/// Every bit of it, one at a time: what still reads as a list is not its CA's any more.
#[test]
fn a_list_with_any_bit_flipped_keeps_what_is_in_force_where_its_issuer_is_known() {
    let scene = Scene::new();
    let anchors = scene.anchors(&[&scene.a]);
    let good = list(&scene.a, -1, 48, &[]);
    let build = |first: &[u8]| {
        ReloadingCrls::builder()
            .with_bytes("pushed", first)
            .with_issuers_in_force(anchors.clone())
            .with_provider(ring())
            .build()
    };
    let lists = build(&good).unwrap();
    let mut unsigned = 0;
    for place in 0..good.len() {
        let mut flipped = good.clone();
        flipped[place] ^= 1 << (place % 8);
        let refused = lists.set_bytes("pushed", &flipped, at(1)).unwrap_err();
        unsigned += usize::from(refused.code() == "signature_fails");
        assert_eq!(lists.generation().epoch, 0, "byte {place}: {refused}");
    }
    assert!(unsigned > 64, "{unsigned}");
    let next = list(&scene.a, 0, 48, &[]);
    assert!(lists.set_bytes("pushed", &next, at(2)).unwrap().is_swapped);
    assert!(build(&good[1..]).is_err());
    // A CA below an anchor is named by its certificate.
    let issuing = scene.a.intermediate("issuing CA", -10, 90);
    let impostor = scene.b.intermediate("issuing CA", -10, 90);
    let by_certificate = |signer: &Ca| {
        ReloadingCrls::builder()
            .with_bytes("pushed", list(signer, 0, 48, &[]))
            .with_issuer(issuing.certificate())
            .with_provider(ring())
            .build()
    };
    assert!(by_certificate(&issuing).is_ok());
    assert!(by_certificate(&impostor).is_err());
}

#[test]
fn a_list_past_its_next_update_is_told_before_and_judged_as_the_policy_says() {
    // It lasts for 48 hours.
    let expired: Error = CertificateError::ExpiredRevocationList.into();
    for (expiration, refused) in [
        (CrlExpiration::Ignore, false),
        (CrlExpiration::Enforce, true),
    ] {
        let scene = Scene::new();
        let anchors = scene.anchors(&[&scene.a]);
        scene.write("clients.crl", list(&scene.a, 0, 48, &[]));
        let lists = builder(&scene).with_expiration(expiration).build().unwrap();
        let verifier = scene.clients_by(&anchors, Some(&lists));
        let version = VERSIONS[1];
        let server = scene.server(version, &verifier, ServerSessions::Stored);
        let client = scene.client_with(version, &scene.a.leaf(&["a.example"], -10, 90));
        assert!(meet(&client, &server, NAME).server.is_ok());
        lists.poll(NOW);
        assert!(scene.events.take().is_empty());
        let before_end: Vec<_> = (1..48)
            .flat_map(|hour| {
                lists.poll(at(hour * 3600));
                scene.events.take()
            })
            .collect();
        assert!(!before_end.is_empty());
        assert!(
            before_end
                .iter()
                .all(|event| event.code == EventCode::Expiring)
        );
        assert!(before_end[0].at < days(2));
        let last = days(2).saturating_add(-1);
        scene.clock.set(last);
        assert!(
            meet(&client, &server, NAME).server.is_ok(),
            "its last second"
        );
        let over: Timestamp = days(2);
        scene.clock.set(over);
        let met = meet(&client, &server, NAME).server;
        match refused {
            true => {
                let error = met.unwrap_err();
                let Error::InvalidCertificate(CertificateError::ExpiredRevocationListContext {
                    ..
                }) = &error
                else {
                    panic!("{error:?}, not {expired:?}");
                };
            }
            false => assert!(met.is_ok()),
        }
        lists.poll(over);
        let told = scene.events.take();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].code, EventCode::Expired);
        scene.replace("clients.crl", list(&scene.a, 47, 48, &[]));
        lists.poll(over);
        let told = scene.events.take();
        let codes: Vec<_> = told.iter().map(|event| event.code).collect();
        assert_eq!(codes, [EventCode::ReloadSucceeded, EventCode::Recovered]);
        assert_eq!(told[1].band, Some(Band::Ok));
        assert!(meet(&client, &server, NAME).server.is_ok());
    }
}

#[test]
fn a_list_of_a_time_to_come_counts_once_that_is_near() {
    let scene = Scene::new();
    let lists = lists(&scene, list(&scene.a, -1, 48, &[]));
    // Of five minutes and a second from the first look.
    let ahead = pki::crl_between(&scene.a, at(10 + 301), days(2), &[]);
    scene.replace("clients.crl", &ahead);
    let refused = lists.poll(at(10)).refused.unwrap();
    assert_eq!(refused.code(), "list_not_yet_valid", "{refused}");
    let told = scene.events.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].message.contains("2026-01-01T00:05:11Z"), "{told:?}");
    assert!(lists.poll(at(11)).is_swapped);
    assert_eq!(lists.reload_failures_total(), 1);
    // Nothing starts with one, and a good one is taken after it was refused.
    let years = pki::crl_between(&scene.a, days(400), days(800), &[]);
    let pushed = ReloadingCrls::builder()
        .with_bytes("pushed", years.clone())
        .with_clock(scene.clock.clone());
    assert!(pushed.build().is_err());
    scene.replace("clients.crl", years);
    let refused = lists.poll(at(400)).refused.unwrap();
    assert_eq!(refused.code(), "list_not_yet_valid", "{refused}");
    scene.replace(
        "clients.crl",
        pki::crl_between(&scene.a, at(500), days(2), &[]),
    );
    assert!(lists.poll(at(500)).is_swapped);
}

#[test]
fn a_file_of_lists_has_64_mib_at_the_most() {
    let scene = Scene::new();
    let lists = lists(&scene, list(&scene.a, -1, 48, &[]));
    for (bytes, code) in [(64 << 20, "no_lists"), ((64 << 20) + 1, "too_large")] {
        // Without a byte on disk.
        let file = std::fs::File::create(scene.path("clients.crl")).unwrap();
        file.set_len(bytes).unwrap();
        assert_eq!(lists.poll(at(10)).refused.unwrap().code(), code);
    }
}
