//! Whoever tells of what lasts says which matter it is: what it resolves is what it fired.

use std::sync::Arc;

use notafter::outlook::{KnownPeers, Usage};
use notafter::payload::Alertmanager;
use notafter::reload::{AllPeersFail, LostNames, ReloadingAnchors, ReloadingKey};
use notafter::{Event, Monitor, Target, WatchingServerVerifier};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use serde_json::Value;

use crate::support::pki::{self, Ca, NOW};
use crate::support::proof::{any_signature, meet_server};
use crate::support::tls::{Recorder, SetTime, ring};

/// The codes of these events, and of the alerts that they make: the labels of each, and whether it
/// fires.
fn told(events: &[Event]) -> (Vec<&'static str>, Vec<(Value, bool)>) {
    let alertmanager = Alertmanager::builder().build().unwrap();
    let alerts = events.iter().flat_map(|event| {
        let bodies: Vec<_> = alertmanager.bodies(event).collect();
        let fired_at = event.at.to_string();
        let alerts = bodies.into_iter().flat_map(|body| {
            let alerts: Vec<Value> = serde_json::from_str(&body).unwrap();
            alerts
        });
        let alerts = alerts.map(move |alert| {
            let fires = alert["startsAt"] == fired_at.as_str();
            (alert["labels"].clone(), fires)
        });
        alerts.collect::<Vec<_>>()
    });
    let codes = events.iter().map(|event| event.code.as_str());
    (codes.collect(), alerts.collect())
}

/// Two events, the second of which resolves the alert of the first and of nothing else.
fn fires_and_resolves(events: &[Event], codes: [&str; 2], topic: &str) {
    let (told_codes, alerts) = told(events);
    assert_eq!(told_codes, codes);
    let [(first, true), (second, false)] = alerts.as_slice() else {
        panic!("{alerts:?}");
    };
    assert_eq!(first, second);
    assert_eq!(first["alertname"], format!("notafter_{topic}"));
}

#[test]
fn what_a_monitor_cannot_read_fires_and_resolves_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tls.crt");
    let root = pki::root("Root", -1000, 3000);
    let recorder = Arc::new(Recorder::default());
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&root]))
        .with_provider(ring())
        .with_observer(recorder.clone())
        .build()
        .unwrap();
    monitor.watch("on disk", Target::from_path(&file));
    monitor.tick(NOW);
    let leaf = root.leaf(&["a.example"], -10, 80);
    std::fs::write(&file, pki::pem_bundle([&leaf.der])).unwrap();
    monitor.tick(NOW.saturating_add(120));
    let codes = ["source_failed", "source_recovered"];
    fires_and_resolves(&recorder.take(), codes, "source_failed");
}

#[test]
fn a_reload_that_fails_fires_and_the_next_that_succeeds_resolves_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, bytes: &str| {
        std::fs::write(path("new"), bytes).unwrap();
        std::fs::rename(path("new"), path(name)).unwrap();
    };
    let root = pki::root("Root", -1000, 3000);
    let deploy = |ca: &Ca| {
        let leaf = ca.leaf(&["a.example"], -10, 80);
        write("tls.crt", &pki::pem_bundle([&leaf.der]));
        write("tls.key", &leaf.key_pair.serialize_pem());
        write("roots.pem", &pki::pem_bundle([&ca.der]));
    };
    deploy(&root);
    let [keys, roots] = [(); 2].map(|()| Arc::new(Recorder::default()));
    let key = ReloadingKey::builder()
        .with_pair(path("tls.crt"), path("tls.key"))
        .with_provider(ring())
        .with_clock(SetTime::at(NOW))
        .with_settle_seconds(0)
        .with_observer(keys.clone())
        .build()
        .unwrap();
    let anchors = ReloadingAnchors::builder()
        .with_path(path("roots.pem"))
        .with_clock(SetTime::at(NOW))
        .with_settle_seconds(0)
        .with_observer(roots.clone())
        .build()
        .unwrap();
    keys.take();
    roots.take();
    write("tls.key", "nonsense");
    write("roots.pem", "nonsense");
    key.poll(NOW.saturating_add(60));
    anchors.poll(NOW.saturating_add(60));
    deploy(&root);
    key.poll(NOW.saturating_add(120));
    anchors.poll(NOW.saturating_add(120));
    let codes = ["reload_failed", "reload_succeeded"];
    fires_and_resolves(&keys.take(), codes, "reload_failed");
    let codes = ["reload_failed", "reload_recovered"];
    fires_and_resolves(&roots.take(), codes, "reload_failed");
}

/// One event, which fires an alert of its own, for it is said once, and no failure.
fn warns_once_of_a_success(events: &[Event]) {
    let (codes, alerts) = told(events);
    assert_eq!(codes, ["reload_succeeded"]);
    let [(of_failure, false), (of_success, true)] = alerts.as_slice() else {
        panic!("{alerts:?}");
    };
    assert_eq!(of_failure["alertname"], "notafter_reload_failed");
    assert_eq!(of_success["alertname"], "notafter_reload_succeeded");
}

#[test]
fn a_reload_that_succeeds_with_a_warning_fires_as_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let root = pki::root("Root", -1000, 3000);
    let [keys, roots] = [(); 2].map(|()| Arc::new(Recorder::default()));
    let deploy = |names: &[&str]| {
        let leaf = root.leaf(names, -10, 80);
        std::fs::write(path("tls.crt"), pki::pem_bundle([&leaf.der])).unwrap();
        std::fs::write(path("tls.key"), leaf.key_pair.serialize_pem()).unwrap();
        leaf
    };
    let leaf = deploy(&["a.example", "b.example"]);
    let key = ReloadingKey::builder()
        .with_pair(path("tls.crt"), path("tls.key"))
        .with_lost_names(LostNames::Tell)
        .with_provider(ring())
        .with_clock(SetTime::at(NOW))
        .with_settle_seconds(0)
        .with_observer(keys.clone())
        .build()
        .unwrap();
    deploy(&["a.example"]);
    assert_eq!(key.poll(NOW.saturating_add(60)).swapped, 1);
    warns_once_of_a_success(&keys.take());

    let known = Arc::new(KnownPeers::new());
    known.remember([&leaf.der]);
    let anchors = ReloadingAnchors::builder()
        .with_bytes("roots", pki::pem_bundle([&root.der]))
        .with_known_peers(known, Usage::ServerAuth)
        .with_all_peers_fail(AllPeersFail::Tell)
        .with_provider(ring())
        .with_clock(SetTime::at(NOW))
        .with_observer(roots.clone())
        .build()
        .unwrap();
    let other = pki::root("Other root", -1000, 3000);
    let bundle = pki::pem_bundle([&other.der]);
    let pushed = anchors.set_bytes("roots", bundle.as_bytes(), NOW.saturating_add(60));
    assert!(pushed.unwrap().is_swapped);
    warns_once_of_a_success(&roots.take());
}

#[test]
fn what_is_refused_under_a_new_name_is_resolved_when_that_name_is_taken() {
    let root = pki::root("Root", -1000, 3000);
    let roots = Arc::new(Recorder::default());
    let bundle = pki::pem_bundle([&root.der]);
    let anchors = ReloadingAnchors::builder()
        .with_bytes("roots", bundle.as_bytes())
        .with_clock(SetTime::at(NOW))
        .with_observer(roots.clone())
        .build()
        .unwrap();
    let damaged = pki::pem("CERTIFICATE", &[0x30, 0]);
    let push = |bytes: &str, minutes: i64| {
        anchors.set_bytes("more", bytes.as_bytes(), NOW.saturating_add(60 * minutes))
    };
    assert_eq!(push(&damaged, 1).unwrap_err().code(), "damaged");
    let more = pki::root("Another root", -1000, 3000);
    assert!(push(&pki::pem_bundle([&more.der]), 2).unwrap().is_swapped);
    let codes = ["reload_failed", "reload_succeeded"];
    fires_and_resolves(&roots.take(), codes, "reload_failed");
}

#[test]
fn what_a_verifier_says_again_of_a_peer_is_the_same_alert_and_another_peer_is_another() {
    let root = pki::root("Root", -1000, 3000);
    let (near, nearer) = (
        root.leaf(&["a.example"], -80, 5),
        root.leaf(&["a.example"], -80, 4),
    );
    let roots = Arc::new(RootCertStore::from(&pki::anchors([&root])));
    let inner = WebPkiServerVerifier::builder_with_provider(roots, ring());
    let recorder = Arc::new(Recorder::default());
    let verifier = WatchingServerVerifier::builder(any_signature(inner.build().unwrap()))
        .with_observer(recorder.clone())
        .build()
        .unwrap();
    let name = "a.example".try_into().unwrap();
    for (leaf, hours) in [(&near, 0), (&near, 2), (&nearer, 2)] {
        let now = NOW.saturating_add(hours * 3_600).to_unix_time().unwrap();
        meet_server(&*verifier, (&leaf.der, &[]), &name, &[], now).unwrap();
    }
    assert!(verifier.flush_events(crate::support::tools::PATIENCE));
    let events = recorder.take();
    let (codes, alerts) = told(&events);
    assert_eq!(codes, ["peer_expiring"; 3]);
    let [(first, true), (again, true), (other, true)] = alerts.as_slice() else {
        panic!("{alerts:?}");
    };
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert_eq!(first["name"], "a.example");
    assert_eq!(
        first["sha256"],
        near.certificate().fingerprint().to_string()
    );
}
