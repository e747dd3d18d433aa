//! Which pairs are taken.

use notafter::reload::{AtStart, ChainCheck, LostNames, OlderCertificate, ReloadError};
use notafter::renewal::SkewKind;
use notafter::{EventCode, Severity, ThresholdPolicy};
use rcgen::KeyPair;

use super::scene::{Scene, at, code, error, served, serves};
use crate::support::pki::{self, NOW};

const DAY: i64 = 86_400;

#[test]
fn dates_are_held_to_the_second() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(2, 92));
    scene.deploy(&old);
    let key = scene.key();
    scene.deploy(&new);
    let summary = key.poll(at(2 * DAY - 1));
    assert_eq!(code(&summary), "not_yet_valid");
    assert_eq!(
        error(&summary).to_string(),
        format!(
            "{}: the leaf 'a.example' is not valid before 2026-01-03T00:00:00Z, in 1 s: it will be \
             loaded then; check this machine's clock if that is wrong",
            scene.path("tls.crt").display()
        )
    );
    // A file that is not the writer's doing any more is told at once.
    assert_eq!(scene.told(), ["reload_failed"]);
    assert_eq!(key.poll(at(2 * DAY)).swapped, 1);
    assert_eq!(scene.told(), ["reload_succeeded"]);

    let last = scene.leaf(3, 100);
    scene.deploy(&last);
    assert_eq!(code(&key.poll(at(100 * DAY + 1))), "expired");
    assert_eq!(key.poll(at(100 * DAY)).swapped, 1);
}

#[test]
fn an_issuer_that_is_over_is_as_bad_as_a_leaf_that_is() {
    let scene = Scene::new();
    let old = scene.leaf(-10, 80);
    scene.deploy(&old);
    let key = scene.key();
    let new = scene.leaf(-1, 89);
    let over = scene.root.cross_sign(&scene.issuer, -300, -1);
    scene.write("tls.key", new.key_pair.serialize_pem());
    scene.write("tls.crt", pki::pem_bundle([&new.der, &over]));
    let error = error(&key.poll(at(1)));
    let ReloadError::Expired {
        position, seconds, ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(
        (position.to_string().as_str(), *seconds),
        ("intermediate 0", DAY + 1)
    );
    // With a living twin beside it, it verifies.
    scene.write(
        "tls.crt",
        pki::pem_bundle([&new.der, &over, &scene.issuer.der]),
    );
    assert_eq!(key.poll(at(2)).swapped, 1);
}

#[test]
fn the_leaf_comes_first_and_issuers_follow() {
    let scene = Scene::new();
    let old = scene.leaf(-10, 80);
    let (issuer, root) = (&scene.issuer.der, &scene.root.der);
    let twin = scene.root.cross_sign(&scene.issuer, -300, 900);
    let stranger = pki::root("Stranger", -10, 100);
    let new = scene.leaf(-1, 89);
    let private = new.key_pair.serialize_pem();
    let leaf = &new.der;
    let cases = [
        (vec![leaf, issuer], ""),
        (vec![leaf], "issuer_missing"),
        (vec![leaf, issuer, &twin], ""),
        (vec![leaf, issuer, root], ""),
        (vec![leaf, root, issuer], "out_of_order"),
        (vec![leaf, issuer, &stranger.der], "out_of_order"),
        (vec![leaf, leaf], "out_of_order"),
        (vec![issuer, leaf], "key_mismatch"),
    ];
    for (chain, expected) in cases {
        scene.deploy(&old);
        let key = scene.key();
        scene.write("tls.crt", pki::pem_bundle(chain.iter().copied()));
        scene.write("tls.key", &private);
        assert_eq!(code(&key.poll(at(1))), expected, "{chain:?}");
        assert_eq!(serves(&key, &new), expected.is_empty());
        if expected == "key_mismatch" {
            let error = key.served()[0].error.clone().unwrap().to_string();
            assert!(
                error.ends_with("but to certificate 2 of that file: write the leaf first"),
                "{error}"
            );
        }
    }
    scene.deploy(&old);
    let key = scene.with(|builder| builder.with_chain_check(ChainCheck::Tell));
    scene.events.take();
    scene.write("tls.crt", pki::pem_bundle([leaf, root, issuer]));
    scene.write("tls.key", &private);
    assert_eq!(key.poll(at(1)).swapped, 1);
    let event = scene.told_once(EventCode::ReloadSucceeded);
    assert_eq!(event.severity, Severity::Warning);
    assert!(
        event
            .message
            .contains("certificate 2, 'Root', issued none of those before it"),
        "{event}"
    );
}

#[test]
fn a_dropped_cross_sign_is_served_once_it_cannot_be_a_torn_file() {
    let scene = Scene::new();
    let old_root = pki::root("Old Root", -2000, 500);
    let cross = old_root.cross_sign(&scene.root, -1000, 400);
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    scene.deploy(&old);
    scene.write(
        "tls.crt",
        pki::pem_bundle([&old.der, &scene.issuer.der, &cross]),
    );
    let key = scene.key();
    scene.deploy(&new);
    assert_eq!(code(&key.poll(at(1))), "issuer_missing");
    assert_eq!(code(&key.poll(at(10))), "issuer_missing");
    assert_eq!(key.poll(at(11)).swapped, 1);
    let event = scene.told_once(EventCode::ReloadSucceeded);
    assert!(
        event
            .message
            .contains("lacks its issuer 'Root', which is sent along"),
        "{event}"
    );
    assert_eq!(key.reload_failures_total(), 0);
    // The leaf alone, as with certbot's cert.pem, is refused for good.
    let alone = scene.leaf(0, 90);
    scene.deploy(&alone);
    scene.write("tls.crt", pki::pem_bundle([&alone.der]));
    assert_eq!(code(&key.poll(at(20))), "issuer_missing");
    assert_eq!(code(&key.poll(at(2_000))), "issuer_missing");
    assert_eq!(scene.told(), ["reload_failed"]);
    // Where the one before is over, anything is better.
    assert_eq!(key.poll(at(89 * DAY + 1)).swapped, 1);
}

#[test]
fn lost_names_are_told_or_refused() {
    let scene = Scene::new();
    let names = ["a.svc.example", "b.svc.example", "10.0.0.1"];
    let old = scene.issuer.leaf(&names, -10, 80);
    let fewer = scene.issuer.leaf(&["A.svc.Example"], -2, 88);
    let wild = scene.issuer.leaf(&["*.svc.example", "10.0.0.1"], -1, 89);
    scene.deploy(&old);
    let telling = scene.with(|builder| builder.with_lost_names(LostNames::Tell));
    let refusing = scene.key();
    scene.deploy(&fewer);
    assert_eq!(telling.poll(at(1)).swapped, 1);
    let event = scene.told_once(EventCode::ReloadSucceeded);
    assert_eq!(event.severity, Severity::Warning);
    let what =
        "; it does not cover 'b.svc.example', '10.0.0.1' any more, which the one before covered";
    assert!(event.message.ends_with(what), "{event}");
    let ReloadError::NamesLost { names, .. } = error(&refusing.poll(at(1))) else {
        panic!("{refusing:?}");
    };
    assert_eq!(names, ["b.svc.example", "10.0.0.1"]);
    // A wildcard covers what it covers.
    scene.deploy(&wild);
    assert_eq!(refusing.poll(at(2)).swapped, 1);
    // Where the served one is over, any good one is better.
    scene.deploy(&scene.leaf(0, 200));
    assert_eq!(code(&refusing.poll(at(89 * DAY))), "names_lost");
    assert_eq!(refusing.poll(at(89 * DAY + 1)).swapped, 1);
}

#[test]
fn an_older_certificate_is_no_renewal() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-20, 200), scene.leaf(-10, 80));
    scene.deploy(&new);
    let key = scene.key();
    let accepting = scene.with(|builder| builder.with_older_certificate(OlderCertificate::Accept));
    scene.deploy(&old);
    assert_eq!(code(&key.poll(at(1))), "older_than_served");
    assert!(serves(&key, &new));
    let skew = key.skew(at(1), &ThresholdPolicy::default());
    assert_eq!(skew[0].kind, SkewKind::DiskOlderThanServed);
    assert_eq!(accepting.poll(at(1)).swapped, 1);
    // Until the served one is over.
    assert_eq!(code(&key.poll(at(80 * DAY))), "older_than_served");
    assert_eq!(key.poll(at(80 * DAY + 1)).swapped, 1);
    assert!(serves(&key, &old));
}

#[test]
fn skew_follows_disk_and_due() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    scene.deploy(&old);
    let key = scene.key();
    let policy = ThresholdPolicy::default();
    // 90 days: due 30 days before the end.
    assert_eq!(key.skew(at(50 * DAY - 1), &policy), []);
    let skew = key.skew(at(50 * DAY), &policy);
    assert_eq!(
        (skew[0].kind, skew[0].seconds),
        (SkewKind::DueButNotRenewed, 0)
    );
    assert_eq!(skew[0].due, at(50 * DAY));
    // Renewed, but without its key.
    scene.write("tls.crt", scene.chain(&new));
    key.poll(at(50 * DAY));
    let skew = key.skew(at(50 * DAY), &policy);
    assert_eq!(
        (skew[0].kind, skew[0].seconds),
        (SkewKind::RenewedButNotServed, 30 * DAY)
    );
    assert_eq!(skew[0].on_disk_until, Some(at(89 * DAY)));
    // By the CA's word it is not due before tomorrow.
    let skew = key.skew_by(at(50 * DAY), |_| at(51 * DAY));
    assert_eq!(skew[0].kind, SkewKind::ServedOlderThanDisk);
    let short = scene.leaf(-20, 10);
    scene.deploy(&short);
    key.poll(at(11 * DAY));
    let skew = key.skew(at(11 * DAY), &policy);
    assert_eq!(
        (skew[0].kind, skew[0].seconds),
        (SkewKind::DiskExpiredServingValid, DAY)
    );
}

#[test]
fn an_expired_pair_starts_only_where_told_so() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-90, -1), scene.leaf(-30, 60));
    scene.deploy(&old);
    let key = scene.with(|builder| builder.with_at_start(AtStart::AcceptOutOfDate));
    let event = scene.told_once(EventCode::Expired);
    assert_eq!(event.severity, Severity::Critical);
    assert_eq!(event.at, NOW);
    assert!(serves(&key, &old));
    // Later ones must be good again.
    scene.deploy(&scene.leaf(-80, -2));
    assert_eq!(code(&key.poll(at(1))), "expired");
    scene.deploy(&new);
    assert_eq!(key.poll(at(2)).swapped, 1);
    assert!(serves(&key, &new));
}

#[test]
fn every_kind_of_key_proves_itself() {
    let scene = Scene::new();
    let algorithms = [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ED25519,
    ];
    for algorithm in algorithms {
        let key_pair = KeyPair::generate_for(algorithm).unwrap();
        let mut params = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
        pki::validity(&mut params, -1, 89);
        let leaf = params.signed_by(&key_pair, &scene.issuer.issuer()).unwrap();
        scene.write("tls.crt", leaf.pem());
        scene.write("tls.key", key_pair.serialize_pem());
        for (name, provider) in crate::support::tls::providers() {
            let key = scene.with(|builder| builder.with_provider(provider));
            let fingerprint = notafter::cert::Sha256Digest::of(leaf.der());
            assert_eq!(served(&key), fingerprint, "{name}");
        }
    }
}

#[test]
fn a_monitor_tells_of_skew() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    scene.deploy(&old);
    // Nobody hears the key's own events: then the monitor's say all of it.
    let key = notafter::ReloadingKey::builder()
        .with_provider(crate::support::tls::ring())
        .with_clock(scene.clock.clone())
        .with_pair(scene.path("tls.crt"), scene.path("tls.key"))
        .build()
        .unwrap();
    let monitor = notafter::Monitor::builder()
        .with_trust_anchors(pki::anchors([&scene.root]))
        .with_provider(crate::support::tls::ring())
        .with_observer(scene.events.clone())
        .build()
        .unwrap();
    monitor.watch("skew", notafter::Target::from_watched(key.clone()));
    let next = monitor.tick(NOW);
    assert!(scene.told().is_empty());
    assert!(next <= at(50 * DAY));
    monitor.tick(at(50 * DAY - 1));
    assert!(scene.told().is_empty());
    monitor.tick(at(50 * DAY));
    let event = scene.told_once(EventCode::Skew);
    assert!(
        event
            .message
            .contains("due_but_not_renewed: 'a.example' has been due"),
        "{event}"
    );
    assert_eq!(event.severity, Severity::Info);
    scene.write("tls.crt", scene.chain(&new));
    key.poll(at(50 * DAY + 1));
    monitor.refresh("skew");
    // It may be half-written still.
    assert_eq!(monitor.tick(at(50 * DAY + 1)), at(50 * DAY + 11));
    assert!(scene.told().is_empty());
    monitor.tick(at(50 * DAY + 11));
    let event = scene.told_once(EventCode::Skew);
    assert!(event.message.contains("renewed_but_not_served"), "{event}");
    assert_eq!(event.severity, Severity::Warning);
    scene.deploy(&new);
    key.poll(at(50 * DAY + 12));
    monitor.refresh("skew");
    monitor.tick(at(50 * DAY + 12));
    assert_eq!(scene.told(), ["skew_recovered"]);
}
