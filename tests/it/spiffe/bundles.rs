//! Bundles that change: a domain's anchors are reloaded, federations come and go.

use std::sync::Arc;

use notafter::outlook::TrustInForce;
use notafter::reload::ReloadingAnchors;
use notafter::verifier::{SpiffePeerError, VerdictCache, spiffe_error};
use notafter::{TrustAnchors, WatchingServerVerifier};
use rustls::client::danger::ServerCertVerifier as _;
use rustls::{CertificateError, Error};

use super::scene::{NAME, Scene, Sessions, at, id, svid};
use crate::support::pki::{self, Ca, NOW, now};
use crate::support::proof::meet_server;
use crate::support::tls::{VERSIONS, meet, ring};

/// All CAs have one name, so it is the signature that does not fit.
const FOREIGN: Error = Error::InvalidCertificate(CertificateError::BadSignature);

fn bundle(roots: &[&Ca]) -> Vec<u8> {
    pki::pem_bundle(roots.iter().map(|root| &root.der)).into_bytes()
}

/// The partner's bundle as it is pushed: it counts from the next handshake on, resumed ones too.
#[test]
fn a_reloaded_bundle_counts_for_full_and_resumed_handshakes_of_its_domain() {
    for version in VERSIONS {
        for sessions in [Sessions::Stored, Sessions::Tickets] {
            let context = format!("{version:?}, {sessions:?}");
            let scene = Scene::new();
            let next = pki::root("SPIFFE", -1, 3650);
            let partners = ReloadingAnchors::builder()
                .with_bytes("pushed", bundle(&[&scene.partner]))
                .with_clock(scene.clock.clone())
                .build()
                .unwrap();
            let domain = "partner.example".parse().unwrap();
            scene.bundles.set_bundle_in_force(domain, partners.clone());
            let own = svid(&scene.prod, "spiffe://prod.example/own");
            let clients = scene.clients().build().unwrap();
            let server = scene.asking_server(version, &own, &clients, sessions);
            let any = || scene.servers().build().unwrap();
            let of = |ca: &Ca, text: &str| scene.client(version, any(), Some(&svid(ca, text)));
            let old = of(&scene.partner, "spiffe://partner.example/web");
            let new = of(&next, "spiffe://partner.example/web");
            let home = of(&scene.prod, "spiffe://prod.example/web");
            // And a client that meets servers of both domains.
            let client = scene.client(version, any(), None);
            let abroad = scene.server(
                version,
                &svid(&scene.partner, "spiffe://partner.example/db"),
                &[],
            );
            let at_home =
                scene.server(version, &svid(&scene.prod, "spiffe://prod.example/db"), &[]);
            for config in [&old, &home] {
                let config = config.current().unwrap();
                assert!(meet(&config, &server, NAME).server.is_ok(), "{context}");
                assert!(meet(&config, &server, NAME).resumed(), "{context}");
            }
            assert_eq!(
                meet(&new.current().unwrap(), &server, NAME).server.err(),
                Some(FOREIGN)
            );
            for (peer, name) in [(&abroad, "abroad.internal"), (&at_home, "home.internal")] {
                assert!(meet(&client.current().unwrap(), peer, name).client.is_ok());
                assert!(meet(&client.current().unwrap(), peer, name).resumed());
            }

            partners
                .set_bytes("pushed", &bundle(&[&next]), at(1))
                .unwrap();
            let met = meet(&old.current().unwrap(), &server, NAME);
            assert_eq!(
                (met.resumed(), met.server.err()),
                (false, Some(FOREIGN)),
                "{context}"
            );
            assert!(
                meet(&new.current().unwrap(), &server, NAME).server.is_ok(),
                "{context}"
            );
            assert!(
                meet(&new.current().unwrap(), &server, NAME).resumed(),
                "{context}"
            );
            let met = meet(&home.current().unwrap(), &server, NAME);
            assert!(
                met.server.is_ok(),
                "the other domain's clients go on: {context}"
            );
            let met = meet(&client.current().unwrap(), &abroad, "abroad.internal");
            assert_eq!(
                (met.resumed(), met.client.err()),
                (false, Some(FOREIGN)),
                "{context}"
            );
            let met = meet(&client.current().unwrap(), &at_home, "home.internal");
            assert!(met.client.is_ok(), "{context}");
        }
    }
}

#[test]
fn a_federation_that_ends_ends_the_sessions_of_its_peers() {
    for version in VERSIONS {
        let scene = Scene::new();
        let own = svid(&scene.prod, "spiffe://prod.example/own");
        let clients = scene.clients().build().unwrap();
        let server = scene.asking_server(version, &own, &clients, Sessions::Stored);
        let text = "spiffe://partner.example/web";
        let any = || scene.servers().build().unwrap();
        let partner = scene.client(version, any(), Some(&svid(&scene.partner, text)));
        let open = meet(&partner.current().unwrap(), &server, NAME)
            .server
            .unwrap();
        assert!(meet(&partner.current().unwrap(), &server, NAME).resumed());
        let domain = "partner.example".parse().unwrap();
        assert!(scene.bundles.remove_bundle(&domain));
        assert!(!scene.bundles.remove_bundle(&domain));
        let expected = SpiffePeerError::NoBundle { id: id(text) };
        let refused = meet(&partner.current().unwrap(), &server, NAME)
            .server
            .unwrap_err();
        assert_eq!(spiffe_error(&refused), Some(&expected), "{refused:?}");
        let refused = clients.recheck(&open, NOW).unwrap_err();
        assert_eq!(spiffe_error(&refused), Some(&expected), "{refused:?}");
        // An empty bundle vouches for nobody either.
        scene
            .bundles
            .set_bundle(domain.clone(), TrustAnchors::default());
        let refused = meet(&partner.current().unwrap(), &server, NAME)
            .server
            .unwrap_err();
        assert_eq!(spiffe_error(&refused), Some(&expected), "{refused:?}");
        scene
            .bundles
            .set_bundle(domain, pki::anchors([&scene.partner]));
        assert!(
            meet(&partner.current().unwrap(), &server, NAME)
                .server
                .is_ok()
        );
    }
}

#[test]
fn every_change_of_any_bundle_is_another_epoch_of_all() {
    let scene = Scene::new();
    let (prod, partner): (_, notafter::identity::TrustDomain) = (
        "prod.example".parse().unwrap(),
        "partner.example".parse().unwrap(),
    );
    let epoch = || {
        let whole = scene.bundles.generation();
        let of = |text| scene.bundles.generation_for(&(&id(text)).into());
        let parts = [
            of("spiffe://prod.example/db"),
            of("spiffe://evil.example/db"),
        ];
        assert!(parts.iter().all(|part| part.epoch == whole.epoch));
        assert!(parts[1].anchors.is_empty());
        (whole.epoch, whole.anchors.len(), parts[0].anchors.len())
    };
    let (first, all, of_prod) = epoch();
    assert_eq!((all, of_prod), (2, 1));
    assert_eq!(epoch().0, first, "nothing changed");
    assert!(Arc::ptr_eq(
        &scene.bundles.generation(),
        &scene.bundles.generation()
    ));
    scene
        .bundles
        .set_bundle(partner.clone(), pki::anchors([&scene.prod]));
    let (second, all, _) = epoch();
    assert!(second > first);
    assert_eq!(all, 1, "one anchor in two bundles is one of all");
    scene.bundles.remove_bundle(&partner);
    assert!(epoch().0 > second);
    assert_eq!(scene.bundles.trust_domains(), [prod]);
}

/// The cache keys by name and all bytes: two SVIDs under one name have a verdict each, which counts in
/// one epoch of the bundles.
#[test]
fn a_remembered_verdict_is_of_one_svid_and_of_one_epoch_of_the_bundles() {
    let scene = Scene::new();
    let trust: Arc<dyn TrustInForce> = scene.bundles.clone();
    let inner = crate::support::proof::any_signature(scene.inner_of_servers());
    let cache = VerdictCache::builder(inner)
        .with_trust_in_force(trust)
        .build()
        .unwrap();
    let name = NAME.try_into().unwrap();
    let [db, web] = ["spiffe://prod.example/db", "spiffe://partner.example/web"];
    let (db, web) = (svid(&scene.prod, db), svid(&scene.partner, web));
    for leaf in [&db, &web, &db, &web] {
        meet_server(&*cache, (&leaf.der, &[]), &name, &[], now()).unwrap();
    }
    scene
        .bundles
        .remove_bundle(&"partner.example".parse().unwrap());
    let verify = |der| {
        cache
            .verify_server_cert(der, &[], &name, &[], now())
            .map(drop)
    };
    assert_eq!(verify(&db.der), Ok(()));
    assert!(verify(&web.der).is_err());
}

/// In a wrapper that was told nothing of the bundles a session still ends, a minute later.
#[test]
fn without_the_bundles_in_force_a_removed_domain_is_asked_about_again_within_a_minute() {
    let scene = Scene::new();
    let verifier = WatchingServerVerifier::builder(scene.inner_of_servers())
        .with_provider(ring())
        .with_peer_identity(Arc::new(notafter::identity::SpiffeIdentities))
        .build()
        .unwrap();
    let client = scene.client(VERSIONS[1], verifier, None);
    let server = scene.server(
        VERSIONS[1],
        &svid(&scene.prod, "spiffe://prod.example/db"),
        &[],
    );
    assert!(
        meet(&client.current().unwrap(), &server, NAME)
            .client
            .is_ok()
    );
    scene
        .bundles
        .remove_bundle(&"prod.example".parse().unwrap());
    scene.clock.set(at(60));
    let met = meet(&client.current().unwrap(), &server, NAME);
    assert!(!met.resumed() && met.client.is_err());
}

/// Good ones pass all the while, bad ones never, and who comes and goes is judged by what is in force.
#[test]
fn a_thousand_changes_under_load_refuse_no_good_peer_and_accept_no_bad_one() {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    let scene = Scene::new();
    let inner = crate::support::proof::any_signature(scene.inner_of_servers());
    let trust: Arc<dyn TrustInForce> = scene.bundles.clone();
    let verifier = WatchingServerVerifier::builder(inner)
        .with_provider(ring())
        .with_peer_identity(Arc::new(notafter::identity::SpiffeIdentities))
        .with_trust_in_force(trust)
        .build()
        .unwrap();
    let good = svid(&scene.prod, "spiffe://prod.example/db");
    let bad = svid(&scene.partner, "spiffe://prod.example/db");
    let comes_and_goes = svid(&scene.partner, "spiffe://partner.example/db");
    let domain: notafter::identity::TrustDomain = "partner.example".parse().unwrap();
    let (done, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                let name = NAME.try_into().unwrap();
                let ask = |der| meet_server(&*verifier, (der, &[]), &name, &[], now());
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(ask(&good.der), Ok(()));
                    assert!(ask(&bad.der).is_err());
                    let _ = ask(&comes_and_goes.der);
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let name = NAME.try_into().unwrap();
        let ask = || meet_server(&*verifier, (&comes_and_goes.der, &[]), &name, &[], now());
        let anchors = Arc::new(pki::anchors([&scene.partner]));
        for _ in 0..500 {
            scene.bundles.remove_bundle(&domain);
            assert!(ask().is_err());
            scene.bundles.set_bundle(domain.clone(), anchors.clone());
            assert_eq!(ask(), Ok(()));
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(asked.load(Ordering::Relaxed) > 0);
}
