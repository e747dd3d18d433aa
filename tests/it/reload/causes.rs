//! What is told of failures: every different one at once, one cause in one line.

use std::fs;

use notafter::{Band, EventCode, Monitor, ReloadingKey, Severity, Target};

use super::scene::{Scene, at, code, serves};
use crate::support::pki;
use crate::support::tls;

const DAY: i64 = 86_400;

#[test]
fn every_different_failure_is_told_at_once_and_each_once() {
    let scene = Scene::new();
    let good = scene.leaf(-10, 80);
    scene.deploy(&good);
    let key = scene.key();
    let (others, expired) = (
        scene.issuer.leaf(&["b.example"], -1, 89),
        scene.leaf(-3, -1),
    );
    scene.deploy(&others);
    key.poll(at(1));
    assert!(
        scene
            .told_once(EventCode::ReloadFailed)
            .message
            .contains("does not cover")
    );
    // A fix that is wrong too.
    scene.deploy(&expired);
    key.poll(at(100));
    let event = scene.told_once(EventCode::ReloadFailed);
    assert!(event.message.contains("expired"), "{event}");
    assert_eq!(
        (event.band_before, event.band),
        (Some(Band::Warning), Some(Band::Warning))
    );
    key.poll(at(101));
    key.poll(at(102));
    assert_eq!(
        scene.told(),
        [""; 0],
        "the seconds since then are no other failure"
    );
    // And one that is wrong in the same way is told once it holds still.
    scene.deploy(&scene.issuer.leaf(&["b.example"], 0, 90));
    for seconds in [200, 209] {
        assert_eq!(code(&key.poll(at(seconds))), "names_lost");
        assert_eq!(scene.told(), [""; 0]);
    }
    key.poll(at(210));
    scene.told_once(EventCode::ReloadFailed);
    // What may be half-written is told once it holds still.
    fs::write(scene.path("tls.key"), "").unwrap();
    for seconds in [300, 309] {
        assert_eq!(code(&key.poll(at(seconds))), "key_unreadable");
        assert_eq!(scene.told(), [""; 0]);
    }
    key.poll(at(310));
    scene.told_once(EventCode::ReloadFailed);
    // Back and forth between known ones is no news.
    for round in 0..20 {
        scene.deploy(if round % 2 == 0 { &others } else { &expired });
        key.poll(at(400 + round * 100));
        key.poll(at(450 + round * 100));
    }
    assert_eq!(scene.told(), [""; 0]);
    // Once it was good again, all are.
    scene.deploy(&good);
    key.poll(at(3_000));
    scene.deploy(&expired);
    key.poll(at(3_001));
    assert_eq!(scene.told(), ["reload_recovered", "reload_failed"]);
    assert!(serves(&key, &good));
}

#[test]
fn a_writer_of_ever_new_failures_is_not_told_of_without_end() {
    let scene = Scene::new();
    scene.deploy(&scene.leaf(-10, 80));
    let key = scene.key();
    for number in 0..40 {
        let name = format!("{number}.example");
        scene.deploy(&scene.issuer.leaf(&[&name], -40 + number, 89));
        key.poll(at(100 * (number + 1)));
    }
    assert_eq!(scene.told().len(), 16);
    key.poll(at(2 * DAY));
    assert_eq!(scene.told(), ["reload_failed"], "at the usual interval");
}

/// Both tell the scene's observer, as a service has it.
fn monitored(scene: &Scene, key: &std::sync::Arc<ReloadingKey>) -> std::sync::Arc<Monitor> {
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&scene.root]))
        .with_provider(tls::ring())
        .with_observer(scene.events.clone())
        .build()
        .unwrap();
    monitor.watch("skew", Target::from_watched(key.clone()));
    monitor
}

#[test]
fn one_cause_gives_one_line_and_no_advice_contradicts_it() {
    let scene = Scene::new();
    let new = scene.leaf(-1, 89);
    let with_bom = format!("\u{feff}{}", scene.chain(&new)).into_bytes();
    let old = scene.issuer.leaf(&["a.example"], -20, 200);
    let other = scene.issuer.leaf(&["b.example"], -1, 89);
    let cases: [(&str, Vec<u8>, _); 4] = [
        ("a byte order mark", with_bom, &new),
        ("an older one", scene.chain(&old).into_bytes(), &old),
        ("another's", scene.chain(&other).into_bytes(), &other),
        ("nothing", Vec::new(), &new),
    ];
    for (what, certificates, leaf) in cases {
        scene.deploy(&scene.leaf(-10, 80));
        let key = scene.key();
        let monitor = monitored(&scene, &key);
        monitor.tick(at(0));
        assert_eq!(scene.told(), [""; 0], "{what}");
        scene.write("tls.crt", &certificates);
        scene.write("tls.key", leaf.key_pair.serialize_pem());
        for seconds in [1, 5, 11, 12, 60] {
            key.poll(at(seconds));
            monitor.refresh("skew");
            monitor.tick(at(seconds));
        }
        let event = scene.told_once(EventCode::ReloadFailed);
        assert!(!event.message.contains("put the later one back") || what == "an older one");
        // When it comes to be due, that is said, with what stands in its way.
        key.poll(at(50 * DAY));
        monitor.refresh("skew");
        monitor.tick(at(50 * DAY));
        let events = scene.events.take();
        let due: Vec<_> = events
            .iter()
            .filter(|e| e.code == EventCode::Skew)
            .collect();
        assert_eq!(due.len(), 1, "{what}: {events:#?}");
        let error = key.served()[0].error.clone().unwrap().to_string();
        let is_explained = due[0].message.ends_with(&error);
        assert_eq!(is_explained, what != "an older one", "{}", due[0]);
        assert!(!due[0].message.contains("put the later one back"));
        scene.deploy(&new);
        key.poll(at(51 * DAY));
        monitor.refresh("skew");
        monitor.tick(at(51 * DAY));
        let told = scene.told();
        assert_eq!(told[..2], ["reload_succeeded", "skew_recovered"], "{what}");
    }
}

#[test]
fn one_expiry_wakes_somebody_once_and_the_other_event_says_what_it_follows_from() {
    let scene = Scene::new();
    scene.deploy(&scene.leaf(-10, 80));
    let key = scene.key();
    let monitor = monitored(&scene, &key);
    let served = key.served();
    let chain = served[0].certificates.iter().map(|c| c.der().clone());
    monitor.watch("served", Target::from_chain(chain));
    // Due, a warning, critical, and expired: 30, 20 and 10 days before its end, and after it.
    let ends = 80 * DAY;
    let cases = [
        (ends - 30 * DAY, "expiring", Severity::Info, Band::Due),
        (
            ends - 20 * DAY,
            "expiring",
            Severity::Warning,
            Band::Warning,
        ),
        (
            ends - 10 * DAY,
            "expiring",
            Severity::Critical,
            Band::Critical,
        ),
        (ends + 1, "expired", Severity::Critical, Band::Expired),
    ];
    for (seconds, code, severity, band) in cases {
        monitor.tick(at(seconds));
        let mut events = scene.events.take();
        events.sort_by_key(|event| event.code);
        let [primary, note] = events.as_slice() else {
            panic!("{events:#?}");
        };
        let short = (primary.code.as_str(), primary.severity, primary.band);
        assert_eq!(short, (code, severity, Some(band)), "{primary}");
        assert_eq!(primary.follows_from, None);
        let short = (note.code, note.severity, note.band);
        assert_eq!(
            short,
            (EventCode::Skew, Severity::Info, Some(band)),
            "{note}"
        );
        assert_eq!(note.follows_from, Some(primary.code));
        assert!(note.message.contains("due_but_not_renewed"), "{note}");
        let said = format!("(as the event {code} says)");
        assert!(note.message.ends_with(&said), "{note}");
        let json: serde_json::Value = serde_json::from_str(&note.to_json()).unwrap();
        assert_eq!(json["follows_from"], code);
        let json: serde_json::Value = serde_json::from_str(&primary.to_json()).unwrap();
        assert_eq!(json.get("follows_from"), None);
    }
    // Alone, it is as loud as its band.
    monitor.remove("served");
    monitor.tick(at(ends + 3_601));
    let event = scene.told_once(EventCode::Skew);
    assert_eq!(
        (event.severity, event.follows_from),
        (Severity::Critical, None)
    );
}
