//! The operating system's store as a source, in a process of its own: where it lies is said by the
//! environment.

#![cfg(all(unix, not(target_vendor = "apple")))]

use std::path::Path;

use notafter::reload::ReloadingAnchors;

use super::scene::{NAME, Scene, ServerSessions, at};
use crate::support::apart::ran_apart;
use crate::support::pki;
use crate::support::tls::{VERSIONS, meet};

/// Says to the process where its store lies.
const STORE: &str = "NOTAFTER_TEST_OS_STORE";

#[test]
fn a_root_that_comes_into_the_store_counts_from_the_next_look_on_and_one_that_goes_does_not() {
    let store = tempfile::tempdir().unwrap();
    let (file, certs) = (store.path().join("bundle.pem"), store.path().join("certs"));
    let variables = [
        (STORE, store.path().as_os_str()),
        ("SSL_CERT_FILE", file.as_os_str()),
        ("SSL_CERT_DIR", certs.as_os_str()),
    ];
    let name =
        "a_root_that_comes_into_the_store_counts_from_the_next_look_on_and_one_that_goes_does_not";
    if !ran_apart(module_path!(), name, &variables) {
        follow(Path::new(&std::env::var_os(STORE).unwrap()));
    }
}

/// In the other process.
fn follow(store: &Path) {
    let scene = Scene::new();
    let certs = store.join("certs");
    std::fs::create_dir(&certs).unwrap();
    std::fs::write(store.join("bundle.pem"), Scene::bundle(&[&scene.a])).unwrap();
    let anchors = ReloadingAnchors::builder()
        .with_os_anchors()
        .with_least_share(0)
        .with_observer(scene.events.clone())
        .with_clock(scene.clock.clone())
        .build()
        .unwrap();
    assert_eq!(
        anchors.anchors().len(),
        1,
        "nothing but the store of this test"
    );
    let verifier = scene.clients_by(&anchors, None);
    let version = VERSIONS[1];
    let server = scene.server(version, &verifier, ServerSessions::Stored);
    let [by_a, by_b] = [(&scene.a, "a.example"), (&scene.b, "b.example")]
        .map(|(root, name)| scene.client_with(version, &root.leaf(&[name], -10, 90)));
    assert!(meet(&by_a, &server, NAME).server.is_ok());
    assert!(meet(&by_b, &server, NAME).server.is_err());
    // As update-ca-certificates does: a file in the folder.
    let added = pki::pem_bundle([&scene.b.der]);
    std::fs::write(certs.join("b.pem"), added).unwrap();
    anchors.poll(at(59));
    assert!(meet(&by_b, &server, NAME).server.is_err(), "once a minute");
    assert!(anchors.poll(at(60)).is_swapped);
    assert!(meet(&by_b, &server, NAME).server.is_ok());
    assert!(meet(&by_a, &server, NAME).server.is_ok());
    std::fs::write(store.join("bundle.pem"), "").unwrap();
    assert!(anchors.poll(at(120)).is_swapped);
    let met = meet(&by_a, &server, NAME);
    assert!(!met.resumed() && met.server.is_err());
    // An empty store keeps what is in force.
    std::fs::remove_file(certs.join("b.pem")).unwrap();
    anchors.poll(at(180));
    assert_eq!(anchors.poll(at(200)).refused.unwrap().code(), "no_anchors");
    assert!(meet(&by_b, &server, NAME).server.is_ok());
}
