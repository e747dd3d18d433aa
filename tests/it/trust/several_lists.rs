//! Lists of one issuer beside each other: the latest of them counts, wherever it lies.

use std::sync::Arc;

use notafter::ChainJudge;
use notafter::outlook::{TrustInForce, Usage};
use notafter::reload::{ReloadingAnchors, ReloadingCrls, ReloadingCrlsBuilder};
use notafter::verifier::ReloadingClientVerifier;
use rcgen::{CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope};
use rustls::{CertificateError, Error};

use super::scene::{NAME, Scene, ServerSessions, at};
use crate::support::pki::{self, Ca, Leaf, days};
use crate::support::tls::{VERSIONS, meet, ring};

const REVOKED: Error = Error::InvalidCertificate(CertificateError::Revoked);

/// A list made so many hours from now.
fn list(ca: &Ca, made: i64, revoked: &[&Leaf]) -> Vec<u8> {
    let revoked: Vec<_> = revoked.iter().map(|leaf| leaf.certificate()).collect();
    let revoked: Vec<_> = revoked.iter().collect();
    pki::crl_between(ca, at(made * 3600), days(30), &revoked)
}

/// A list of what one of its CA's distribution points speaks for.
fn partition(ca: &Ca, scope: CrlScope, made: i64) -> Vec<u8> {
    let point = CrlIssuingDistributionPoint {
        distribution_point: CrlDistributionPoint {
            uris: vec!["http://ca.example/list".to_owned()],
        },
        scope: Some(scope),
    };
    pki::crl_of(ca, at(made * 3600), days(30), &[], Some(point))
}

fn builder(scene: &Scene) -> ReloadingCrlsBuilder {
    std::fs::create_dir_all(scene.path("lists")).unwrap();
    ReloadingCrls::builder()
        .with_path(scene.path("lists"))
        .with_clock(scene.clock.clone())
        .with_observer(scene.events.clone())
}

/// A revoked client is refused by a handshake, and by who judges it again.
fn is_shut_out(
    scene: &Scene,
    anchors: &Arc<ReloadingAnchors>,
    lists: &Arc<ReloadingCrls>,
    leaf: &Leaf,
) {
    let in_force = ReloadingClientVerifier::builder(anchors.clone())
        .with_provider(ring())
        .with_crls(lists.clone())
        .build()
        .unwrap();
    let algorithms = ring().signature_verification_algorithms.all;
    let judge = ChainJudge::from_generation(&in_force.generation(), algorithms, Usage::ClientAuth);
    let again = judge.handshake(&[leaf.certificate()], at(0));
    assert!(again.is_err(), "judged again");
    for version in VERSIONS {
        let verifier = scene.clients_by(anchors, Some(lists));
        let server = scene.server(version, &verifier, ServerSessions::Stored);
        let met = meet(&scene.client_with(version, leaf), &server, NAME);
        assert_eq!(met.server.unwrap_err(), REVOKED, "{version:?}");
    }
}

#[test]
fn an_older_list_beside_a_later_one_lets_nobody_in_whom_the_later_one_revokes() {
    // Read before the later one, and after it.
    for name in ["0-old.crl", "z-old.crl"] {
        let scene = Scene::new();
        let anchors = scene.anchors(&[&scene.a]);
        let leaf = scene.a.leaf(&["a.example"], -10, 90);
        let builder = builder(&scene);
        scene.write("lists/b.crl", list(&scene.a, -1, &[&leaf]));
        let lists = builder.build().unwrap();
        is_shut_out(&scene, &anchors, &lists, &leaf);
        let old = format!("lists/{name}");
        scene.write(&old, list(&scene.a, -9, &[]));
        assert_eq!(lists.poll(at(10)).refused, None, "{name}");
        assert_eq!(lists.generation().ders.len(), 2, "{name}");
        is_shut_out(&scene, &anchors, &lists, &leaf);
    }
}

#[test]
fn an_older_list_beside_a_later_one_lets_nobody_in_from_the_start() {
    let scene = Scene::new();
    let anchors = scene.anchors(&[&scene.a]);
    let leaf = scene.a.leaf(&["a.example"], -10, 90);
    let builder = builder(&scene);
    scene.write("lists/0-old.crl", list(&scene.a, -9, &[]));
    scene.write("lists/b.crl", list(&scene.a, -1, &[&leaf]));
    is_shut_out(&scene, &anchors, &builder.build().unwrap(), &leaf);
    // Both in one file.
    let pem = |made, revoked: &[&Leaf]| pki::pem("X509 CRL", &list(&scene.a, made, revoked));
    let both = pem(-9, &[]) + &pem(-1, &[&leaf]);
    let pushed = ReloadingCrls::builder().with_bytes("pushed", both).build();
    is_shut_out(&scene, &anchors, &pushed.unwrap(), &leaf);
}

#[test]
fn a_pushed_list_counts_beside_an_older_file() {
    let scene = Scene::new();
    let anchors = scene.anchors(&[&scene.a]);
    let leaf = scene.a.leaf(&["a.example"], -10, 90);
    let builder = builder(&scene);
    scene.write("lists/clients.crl", list(&scene.a, -9, &[]));
    let lists = builder.build().unwrap();
    let pushed = lists.set_bytes("pushed", &list(&scene.a, -1, &[&leaf]), at(1));
    assert!(pushed.unwrap().is_swapped);
    is_shut_out(&scene, &anchors, &lists, &leaf);
    // The file is renewed, though not beyond what was pushed.
    scene.replace("lists/clients.crl", list(&scene.a, -5, &[]));
    lists.poll(at(10));
    is_shut_out(&scene, &anchors, &lists, &leaf);
    // And then it is.
    scene.replace("lists/clients.crl", list(&scene.a, 0, &[&leaf]));
    assert!(lists.poll(at(20)).is_swapped);
    is_shut_out(&scene, &anchors, &lists, &leaf);
}

#[test]
fn a_list_of_a_part_is_not_replaced_by_an_older_one_of_that_part() {
    let scene = Scene::new();
    let [users, authorities] = [CrlScope::UserCertsOnly, CrlScope::CaCertsOnly]
        .map(|scope| move |scene: &Scene, made| partition(&scene.a, scope, made));
    let builder = builder(&scene);
    scene.write("lists/users.crl", users(&scene, -5));
    scene.write("lists/authorities.crl", authorities(&scene, -1));
    let lists = builder.build().unwrap();
    scene.replace("lists/users.crl", users(&scene, -9));
    let refused = lists.poll(at(10)).refused.unwrap();
    assert_eq!(refused.code(), "older_list", "{refused}");
    scene.replace("lists/users.crl", users(&scene, -4));
    let summary = lists.poll(at(20));
    assert!(summary.is_swapped, "{:?}", summary.refused);
}
