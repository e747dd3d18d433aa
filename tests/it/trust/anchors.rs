//! What may replace the anchors in force, and what is told.

use notafter::outlook::{TrustInForce as _, Usage};
use notafter::reload::{ReloadingAnchors, TrustBuildError};
use notafter::{EventCode, Loader};

use super::scene::{Scene, at};
use crate::support::pki;
use crate::support::tls::ring;

#[test]
fn a_bad_bundle_keeps_what_is_in_force_and_is_told_once() {
    let scene = Scene::new();
    let good = Scene::bundle(&[&scene.a, &scene.b]);
    let cut = &good[..good.len() - 100];
    let garbled = good.replacen("MII", "!!!", 1);
    let leafless = pki::pem("PRIVATE KEY", &[0x30, 0]);
    let cases: [(&str, &[u8], &str); 5] = [
        ("empty", b"", "no_anchors"),
        ("cut", cut.as_bytes(), "damaged"),
        ("garbled", garbled.as_bytes(), "damaged"),
        ("something else", leafless.as_bytes(), "no_anchors"),
        ("text", b"<html>404</html>", "no_anchors"),
    ];
    for (name, bytes, code) in cases {
        let anchors = scene.anchors(&[&scene.a, &scene.b]);
        scene.events.take();
        scene.replace("ca.pem", bytes);
        let summary = anchors.poll(at(10));
        assert_eq!(summary.refused.unwrap().code(), code, "{name}");
        // It may be half-written, and is told once it is not.
        assert!(scene.events.take().is_empty(), "{name}");
        anchors.poll(at(20));
        anchors.poll(at(21));
        let told = scene.events.take();
        assert_eq!(told.len(), 1, "{name}: {told:?}");
        assert_eq!(told[0].code, EventCode::ReloadFailed, "{name}");
        assert_eq!(anchors.stale_since(), Some(at(10)), "{name}");
        assert_eq!(
            (anchors.anchors().len(), anchors.generation().epoch),
            (2, 0)
        );
        assert_eq!(
            (anchors.reloads_total(), anchors.reload_failures_total()),
            (0, 1)
        );
        // And what is good again says so.
        scene.replace("ca.pem", &good);
        anchors.poll(at(30));
        let told = scene.events.take();
        assert_eq!(told.len(), 1, "{name}: {told:?}");
        assert_eq!(told[0].code, EventCode::ReloadRecovered, "{name}");
        assert_eq!(anchors.stale_since(), None, "{name}");
    }
}

#[test]
fn another_failure_is_told_at_once() {
    let scene = Scene::new();
    let anchors = scene.anchors(&[&scene.a, &scene.b]);
    scene.replace("ca.pem", "");
    anchors.poll(at(10));
    anchors.poll(at(20));
    assert_eq!(scene.events.take().len(), 1);
    let cut = Scene::bundle(&[&scene.a, &scene.b]);
    scene.replace("ca.pem", &cut[..cut.len() - 100]);
    anchors.poll(at(21));
    let told = scene.events.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].message.contains("cannot be used"),
        "{}",
        told[0].message
    );
}

#[test]
fn less_than_the_share_of_anchors_is_refused() {
    let scene = Scene::new();
    let roots: Vec<_> = (0..4)
        .map(|n| pki::root(&format!("root {n}"), -100, 3650))
        .collect();
    let all: Vec<_> = roots.iter().collect();
    // (the least share, how many are left, whether they count)
    let cases = [
        (50, 2, true),
        (50, 1, false),
        (75, 2, false),
        (75, 3, true),
        (0, 1, true),
    ];
    for (share, left, counts) in cases {
        scene.write("ca.pem", Scene::bundle(&all));
        let anchors = scene.builder().with_least_share(share).build().unwrap();
        scene.replace("ca.pem", Scene::bundle(&all[..left]));
        let summary = anchors.poll(at(10));
        assert_eq!(summary.is_swapped, counts, "{share} %, {left}");
        if !counts {
            assert_eq!(summary.refused.unwrap().code(), "too_few");
        }
    }
}

#[test]
fn anchors_under_which_the_own_chain_would_fail_are_refused_at_once() {
    let scene = Scene::new();
    let leaf = scene.a.leaf(&["own.example"], -10, 90).certificate();
    scene.write("ca.pem", Scene::bundle(&[&scene.a, &scene.b]));
    let anchors = scene
        .builder()
        .with_own_chain([leaf], Usage::ServerAuth)
        .with_provider(ring())
        .build()
        .unwrap();
    scene.replace("ca.pem", Scene::bundle(&[&scene.b]));
    let refused = anchors.poll(at(10)).refused.unwrap();
    assert_eq!(refused.code(), "own_chain_fails");
    let told = scene.events.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].message.contains("'own.example'"),
        "{}",
        told[0].message
    );
    // What it does not rest on may go.
    scene.replace("ca.pem", Scene::bundle(&[&scene.a]));
    assert!(anchors.poll(at(20)).is_swapped);
}

#[test]
fn the_same_anchors_in_another_file_are_no_new_generation() {
    let scene = Scene::new();
    let anchors = scene.anchors(&[&scene.a, &scene.b]);
    let other = format!(
        "# renewed\n{}",
        Scene::bundle(&[&scene.b, &scene.a, &scene.b])
    );
    scene.replace("ca.pem", other);
    let summary = anchors.poll(at(10));
    assert_eq!((summary.is_swapped, summary.refused), (false, None));
    assert_eq!(anchors.generation().epoch, 0);
}

#[test]
fn without_an_anchor_there_is_no_start() {
    let scene = Scene::new();
    let nothing = ReloadingAnchors::builder().build().unwrap_err();
    assert!(matches!(nothing, TrustBuildError::NoPlace));
    let missing = scene.builder().build().unwrap_err();
    let TrustBuildError::Unusable { error } = missing else {
        panic!("{missing}");
    };
    assert_eq!(error.code(), "no_anchors");
    assert!(error.to_string().contains("ca.pem"), "{error}");
}

#[test]
fn a_damaged_certificate_beside_good_ones_is_told_at_the_start_and_stops_no_later_change() {
    let scene = Scene::new();
    let damaged = pki::pem("CERTIFICATE", &[0x30, 0]);
    scene.write("ca.pem", format!("{damaged}{}", Scene::bundle(&[&scene.a])));
    let anchors = scene.builder().build().unwrap();
    let told = scene.events.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].message.contains("started all the same: 1 "),
        "{}",
        told[0].message
    );
    let both = Scene::bundle(&[&scene.a, &scene.b]);
    scene.replace("ca.pem", format!("{damaged}{both}"));
    assert!(anchors.poll(at(10)).is_swapped);
    scene.replace("ca.pem", format!("{damaged}{damaged}{both}"));
    assert_eq!(anchors.poll(at(20)).refused.unwrap().code(), "damaged");
}

fn codes(scene: &Scene) -> Vec<EventCode> {
    let events = scene.events.take();
    events.iter().map(|event| event.code).collect()
}

#[test]
fn a_refused_push_leaves_what_was_pushed_before_and_counts() {
    let scene = Scene::new();
    let anchors = ReloadingAnchors::builder()
        .with_bytes("vault", Scene::bundle(&[&scene.a]))
        .with_observer(scene.events.clone())
        .with_clock(scene.clock.clone())
        .build()
        .unwrap();
    let refused = anchors.set_bytes("vault", b"", at(1)).unwrap_err();
    assert_eq!(refused.code(), "no_anchors");
    assert_eq!(codes(&scene), [EventCode::ReloadFailed]);
    let summary = anchors.poll(at(2));
    assert_eq!((summary.is_swapped, summary.refused), (false, None));
    // The alert is over, once.
    assert_eq!(codes(&scene), [EventCode::ReloadRecovered]);
    anchors.poll(at(3));
    assert_eq!(codes(&scene), []);
    // Refused again, it is the same content; then what is good is pushed again.
    assert!(anchors.set_bytes("vault", b"", at(3)).is_err());
    assert_eq!(codes(&scene), [EventCode::ReloadFailed]);
    assert!(anchors.set_bytes("vault", b"", at(3)).is_err());
    assert_eq!(codes(&scene), []);
    let before = Scene::bundle(&[&scene.a]);
    let same = anchors.set_bytes("vault", before.as_bytes(), at(3));
    assert!(!same.unwrap().is_swapped);
    assert_eq!(codes(&scene), [EventCode::ReloadRecovered]);
    assert_eq!(
        (anchors.anchors().len(), anchors.reload_failures_total()),
        (1, 1)
    );
    let bundle = Scene::bundle(&[&scene.b]);
    let summary = anchors
        .set_bytes("vault", bundle.as_bytes(), at(4))
        .unwrap();
    assert!(summary.is_swapped);
    assert_eq!(anchors.generation().epoch, 1);
    // Beside other ones it is refused anew, and something else is, too.
    for (bytes, failures) in [(&b""[..], 2), (b"", 2), (b"x", 3)] {
        assert!(anchors.set_bytes("vault", bytes, at(5)).is_err());
        assert_eq!(anchors.reload_failures_total(), failures);
    }
}

#[test]
fn a_file_over_the_limit_keeps_what_is_in_force() {
    let scene = Scene::new();
    scene.write("ca.pem", Scene::bundle(&[&scene.a]));
    let loader = Loader::new().with_max_file_bytes(4096);
    let anchors = scene.builder().with_loader(loader).build().unwrap();
    let long = format!("{}{}", Scene::bundle(&[&scene.a]), "x".repeat(5000));
    scene.replace("ca.pem", long);
    assert!(anchors.poll(at(10)).refused.is_some());
    assert_eq!(anchors.anchors().len(), 1);
}
