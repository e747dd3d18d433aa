//! Many pairs: broken ones at the start, pairs that come and go, and a look at once.

use std::sync::Arc;

use notafter::cert::Sha256Digest;
use notafter::event::Role;
use notafter::reload::{AtStart, KeyFiles, ReloadBuildError, ReloadError};
use notafter::{EventCode, ReloadingKey, Severity};

use super::renewals::accepted;
use super::scene::{SCHEMES, Scene, at, code, print, serves};
use crate::support::pki::{Leaf, NOW};

const DAY: i64 = 86_400;

impl Scene {
    fn files(&self, name: &str) -> KeyFiles {
        let path = |extension: &str| self.path(&format!("{name}.{extension}"));
        KeyFiles::new(path("crt"), path("key"))
    }

    fn deploy_as(&self, name: &str, leaf: &Leaf) {
        self.write(&format!("{name}.crt"), self.chain(leaf));
        self.write(&format!("{name}.key"), leaf.key_pair.serialize_pem());
    }
}

/// What clients are shown that ask for this name.
fn shown(scene: &Scene, key: &Arc<ReloadingKey>, name: &str) -> Option<Sha256Digest> {
    super::names::shown(scene, key, name, &SCHEMES)
}

#[test]
fn one_broken_pair_of_many_need_not_stop_the_start() {
    let scene = Scene::new();
    let leaf = |name: &str| scene.issuer.leaf(&[name], -10, 80);
    let leaves: Vec<_> = (0..5).map(|n| leaf(&format!("{n}.example"))).collect();
    for (number, leaf) in leaves.iter().enumerate() {
        scene.deploy_as(&number.to_string(), leaf);
    }
    // The first one, which would be the default, and one that is over.
    scene.write("0.key", "");
    scene.deploy_as("3", &scene.leaf(-90, -1));
    let builder = |at_start| {
        let builder = scene.builder().with_at_start(at_start);
        (0..5).fold(builder, |b, n| b.with_files(scene.files(&n.to_string())))
    };
    let error = builder(AtStart::RequireValid).build().unwrap_err();
    assert!(matches!(error, ReloadBuildError::Pair { .. }), "{error}");
    scene.events.take();

    let key = builder(AtStart::SkipBroken).build().unwrap();
    let events = scene.events.take();
    assert_eq!(events.len(), 2, "{events:#?}");
    for (event, file) in events.iter().zip(["0", "3"]) {
        assert_eq!(event.code, EventCode::ReloadFailed);
        assert_eq!(
            (event.severity, event.role),
            (Severity::Critical, Role::OwnServer)
        );
        let source = scene.path(&format!("{file}.crt")).display().to_string();
        assert_eq!(event.source.as_deref(), Some(source.as_str()));
        let end = "; nothing is served for it until that is done";
        assert!(event.message.ends_with(end), "{event}");
    }
    let served = key.served();
    assert_eq!(served.len(), 5);
    assert!(served[0].leaf().is_none() && served[0].certificates.is_empty());
    assert_eq!(served[0].error.as_ref().unwrap().code(), "key_unreadable");
    assert_eq!(
        (key.stale_since(), key.reload_failures_total()),
        (Some(NOW), 2)
    );
    assert_eq!(shown(&scene, &key, "1.example"), Some(print(&leaves[1])));
    // The first that is good stands in.
    assert_eq!(shown(&scene, &key, "0.example"), Some(print(&leaves[1])));
    // Once it is whole, it is served.
    assert_eq!(key.poll(at(1)).swapped, 0);
    scene.deploy_as("0", &leaves[0]);
    assert_eq!(key.poll(at(2)).swapped, 1);
    assert_eq!(shown(&scene, &key, "0.example"), Some(print(&leaves[0])));
    assert_eq!(scene.told(), ["reload_succeeded"]);
    assert_eq!(key.poll(at(DAY)).refused.len(), 1);

    // With nothing to serve there is no start.
    for number in 0..5 {
        scene.write(&format!("{number}.key"), "");
    }
    let error = builder(AtStart::SkipBroken).build().unwrap_err();
    assert!(error.to_string().contains("0.key"), "{error}");
}

#[test]
fn pairs_come_and_go_while_it_runs() {
    let scene = Scene::new();
    let (a, b) = (
        scene.leaf(-10, 80),
        scene.issuer.leaf(&["b.example"], -10, 80),
    );
    scene.deploy(&a);
    scene.deploy_as("b", &b);
    let key = scene.key();
    assert_eq!(shown(&scene, &key, "b.example"), Some(print(&a)));
    key.add(scene.files("b")).unwrap();
    key.add(scene.files("b")).unwrap();
    assert_eq!(key.served().len(), 2);
    assert_eq!(shown(&scene, &key, "b.example"), Some(print(&b)));
    // It is looked at like the others.
    let renewed = scene.issuer.leaf(&["b.example"], -1, 89);
    scene.deploy_as("b", &renewed);
    assert_eq!(key.poll(at(1)).swapped, 1);
    assert_eq!(shown(&scene, &key, "b.example"), Some(print(&renewed)));
    assert_eq!(scene.told(), ["reload_succeeded"]);
    // A broken one is not added.
    scene.deploy_as("c", &scene.leaf(-90, -1));
    assert_eq!(key.add(scene.files("c")).unwrap_err().code(), "expired");
    assert_eq!(key.served().len(), 2);

    key.remove(scene.path("tls.crt")).unwrap();
    assert_eq!(shown(&scene, &key, "a.example"), Some(print(&renewed)));
    let error = key.remove(scene.path("tls.crt")).unwrap_err();
    assert!(matches!(error, ReloadError::NoSuchPair { .. }), "{error}");
    let error = key.remove(scene.path("b.crt")).unwrap_err();
    assert!(matches!(error, ReloadError::LastPair { .. }), "{error}");
    assert_eq!(shown(&scene, &key, "b.example"), Some(print(&renewed)));
    // What is gone is not told of.
    scene.write("tls.key", "");
    assert!(key.poll(at(100)).refused.is_empty());
    assert_eq!(scene.told(), [""; 0]);
}

#[test]
fn a_reload_now_reads_everything_and_waits_for_nothing() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    scene.deploy(&old);
    let key = scene.key();
    *scene.clock.0.lock().unwrap() = at(100);
    key.poll(at(100));
    scene.write("tls.crt", scene.chain(&new));
    let summary = key.reload_now();
    assert_eq!((summary.at, code(&summary)), (at(100), "key_mismatch"));
    assert_eq!(
        scene.told(),
        ["reload_failed"],
        "nobody is writing any more"
    );
    scene.write("tls.key", new.key_pair.serialize_pem());
    assert_eq!(key.reload_now().swapped, 1);
    assert!(serves(&key, &new) && accepted(&key, &scene.root));
    assert_eq!(key.reload_now().swapped, 0);
    assert_eq!(key.served()[0].leaf().unwrap().fingerprint(), print(&new));
    assert_eq!(scene.told(), ["reload_succeeded"]);
}
