//! Anchors under which nobody who is known would be accepted any more.

use std::sync::Arc;

use notafter::outlook::{KnownPeers, Usage};
use notafter::reload::{AllPeersFail, ReloadingAnchors, TrustBuildError, TrustReloadError};
use notafter::verifier::{ReloadingClientVerifier, ReloadingServerVerifier};
use notafter::{EventCode, Severity, WatchingClientVerifier, WatchingServerVerifier};
use rustls::server::danger::ClientCertVerifier as _;

use super::scene::{ClientSessions, NAME, Scene, ServerSessions, at};
use crate::support::pki::{self, Ca};
use crate::support::tls::{VERSIONS, meet, ring};

fn anchors(
    scene: &Scene,
    known: &Arc<KnownPeers>,
    usage: Usage,
    all_peers_fail: AllPeersFail,
) -> Arc<ReloadingAnchors> {
    scene.write("ca.pem", Scene::bundle(&[&scene.a, &scene.b]));
    scene
        .builder()
        .with_known_peers(known.clone(), usage)
        .with_all_peers_fail(all_peers_fail)
        .with_provider(ring())
        .build()
        .unwrap()
}

fn clients_by(
    anchors: &Arc<ReloadingAnchors>,
    known: &Arc<KnownPeers>,
) -> Arc<WatchingClientVerifier> {
    let inner = ReloadingClientVerifier::builder(anchors.clone())
        .with_provider(ring())
        .build()
        .unwrap();
    WatchingClientVerifier::builder(inner.clone())
        .with_provider(ring())
        .with_trust_in_force(inner)
        .with_known_peers(known.clone())
        .build()
        .unwrap()
}

/// The code for which a bundle of these is refused.
fn put(scene: &Scene, anchors: &ReloadingAnchors, roots: &[&Ca], now: i64) -> Option<&'static str> {
    scene.replace("ca.pem", Scene::bundle(roots));
    let summary = anchors.poll(at(now));
    assert_ne!(summary.is_swapped, summary.refused.is_some());
    summary.refused.as_ref().map(TrustReloadError::code)
}

#[test]
fn anchors_under_which_all_known_clients_would_fail_are_refused_and_told_at_once() {
    for version in VERSIONS {
        let scene = Scene::new();
        let known = Arc::new(KnownPeers::new());
        let anchors = anchors(&scene, &known, Usage::ClientAuth, AllPeersFail::Refuse);
        let verifier = clients_by(&anchors, &known);
        let server = scene.server(version, &verifier, ServerSessions::Stored);
        let other = pki::root("root C", -100, 3650);
        for (root, name) in [(&scene.a, "a.example"), (&scene.b, "b.example")] {
            let client = scene.client_with(version, &root.leaf(&[name], -10, 90));
            assert!(meet(&client, &server, NAME).server.is_ok());
            assert!(meet(&client, &server, NAME).resumed());
        }
        let stranger = scene.client_with(version, &other.leaf(&["c.example"], -10, 90));
        assert!(meet(&stranger, &server, NAME).server.is_err());
        assert_eq!(known.len(), 2, "each once, and no stranger");
        scene.events.take();
        // As many anchors as before, and none that anybody ends at.
        let next = pki::root("root D", -100, 3650);
        let refused = put(&scene, &anchors, &[&other, &next], 10);
        assert_eq!(refused, Some("all_peers_fail"));
        let told = scene.events.take();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].code, EventCode::ReloadFailed);
        let message = &told[0].message;
        assert!(
            message.starts_with("none of the 2 known peers"),
            "{message}"
        );
        assert!(message.contains("('b.example', 'a.example')"), "{message}");
        assert_eq!(anchors.stale_since(), Some(at(10)));
        // One of them is enough.
        assert_eq!(put(&scene, &anchors, &[&scene.b], 11), None);
        assert_eq!(put(&scene, &anchors, &[&other], 12), Some("all_peers_fail"));
        // It is meant.
        known.forget_all();
        assert_eq!(put(&scene, &anchors, &[&other], 13), None);
    }
}

#[test]
fn anchors_under_which_all_known_servers_would_fail_are_refused() {
    for version in VERSIONS {
        let scene = Scene::new();
        let known = Arc::new(KnownPeers::new());
        let anchors = anchors(&scene, &known, Usage::ServerAuth, AllPeersFail::Refuse);
        let inner = ReloadingServerVerifier::builder(anchors.clone())
            .with_provider(ring())
            .build()
            .unwrap();
        let verifier = WatchingServerVerifier::builder(inner.clone())
            .with_provider(ring())
            .with_trust_in_force(inner)
            .with_known_peers(known.clone())
            .build()
            .unwrap();
        let client = scene.client(version, verifier, ClientSessions::Configs);
        let server = scene.server_with(version, &scene.a.leaf(&[NAME], -10, 90));
        assert!(client.meet(&server).client.is_ok());
        assert_eq!(known.len(), 1);
        let refused = put(&scene, &anchors, &[&scene.b], 10);
        assert_eq!(refused, Some("all_peers_fail"));
        assert!(client.meet(&server).client.is_ok());
        assert_eq!(put(&scene, &anchors, &[&scene.a], 11), None);
    }
}

#[test]
fn where_it_is_to_be_told_they_count_and_are_told_as_a_warning() {
    let scene = Scene::new();
    let known = Arc::new(KnownPeers::new());
    let anchors = anchors(&scene, &known, Usage::ClientAuth, AllPeersFail::Tell);
    let leaf = scene.a.leaf(&["a.example"], -10, 90);
    known.remember([&leaf.der]);
    assert_eq!(put(&scene, &anchors, &[&scene.b], 10), None);
    let told = scene.events.take();
    assert_eq!(told.len(), 1, "{told:?}");
    let event = &told[0];
    assert_eq!(
        (event.code, event.severity),
        (EventCode::ReloadSucceeded, Severity::Warning)
    );
    assert!(event.message.contains("'a.example'"), "{}", event.message);
    // Now nobody known verifies, so nobody is shut out by the next ones.
    assert_eq!(put(&scene, &anchors, &[&scene.a, &scene.b], 20), None);
    assert_eq!(scene.events.take()[0].severity, Severity::Info);
}

#[test]
fn a_refusal_writes_no_lines_of_its_places_name() {
    let scene = Scene::new();
    let known = Arc::new(KnownPeers::new());
    let leaf = scene.a.leaf(&["a.example"], -10, 90);
    known.remember([&leaf.der]);
    let name = "vault\n2026-01-01T00:00:00Z info all is well";
    let anchors = ReloadingAnchors::builder()
        .with_bytes(name, Scene::bundle(&[&scene.a]))
        .with_known_peers(known, Usage::ClientAuth)
        .with_provider(ring())
        .build()
        .unwrap();
    let next = Scene::bundle(&[&scene.b]);
    let refused = anchors
        .set_bytes(name, next.as_bytes(), at(10))
        .unwrap_err();
    assert_eq!(refused.code(), "all_peers_fail");
    assert_eq!(refused.to_string().lines().count(), 1, "{refused}");
}

#[test]
fn who_is_over_or_did_not_prove_itself_or_cannot_be_read_keeps_no_anchor() {
    let scene = Scene::new();
    let known = Arc::new(KnownPeers::new());
    let anchors = anchors(&scene, &known, Usage::ClientAuth, AllPeersFail::Refuse);
    let verifier = clients_by(&anchors, &known);
    // Shown, and never proved.
    let replayed = scene.a.leaf(&["r.example"], -10, 90);
    let shown = verifier.verify_client_cert(&replayed.der, &[], pki::now());
    assert!(shown.is_ok());
    assert!(known.is_empty());
    let over = scene.a.leaf(&["over.example"], -10, -1);
    let for_servers = scene.a.leaf_with(&["s.example"], -10, 90, |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    });
    let unreadable = rustls::pki_types::CertificateDer::from(vec![0x30, 0]);
    known.remember([&over.der]);
    known.remember([&for_servers.der]);
    known.remember([&unreadable]);
    assert_eq!(known.len(), 3);
    assert_eq!(put(&scene, &anchors, &[&scene.b], 10), None);
}

#[test]
fn who_proved_itself_last_counts_when_there_are_too_many() {
    let scene = Scene::new();
    let known = Arc::new(KnownPeers::new());
    let anchors = anchors(&scene, &known, Usage::ClientAuth, AllPeersFail::Refuse);
    let by_b = scene.b.leaf(&["b.example"], -10, 90);
    known.remember([&by_b.der]);
    for n in 0..64 {
        known.remember([&scene.a.leaf(&[&format!("a{n}.example")], -10, 90).der]);
    }
    assert_eq!(known.len(), 64);
    assert_eq!(
        put(&scene, &anchors, &[&scene.b], 10),
        Some("all_peers_fail")
    );
    known.remember([&by_b.der]);
    assert_eq!(put(&scene, &anchors, &[&scene.b], 11), None);
}

#[test]
fn without_a_provider_known_peers_cannot_be_judged() {
    let scene = Scene::new();
    scene.write("ca.pem", Scene::bundle(&[&scene.a]));
    let built = scene
        .builder()
        .with_known_peers(Arc::default(), Usage::ClientAuth)
        .build();
    assert!(matches!(built.unwrap_err(), TrustBuildError::NoProvider));
}
