//! An announcement in force that is over: silence is not health.

use std::sync::Arc;

use notafter::announce::{PinFolder, StoreNotice};
use notafter::pin::PinsInForce as _;
use notafter::{Monitor, Severity, Target};

use super::ground::{DAY, Draft, Ground, day, floor, listed, second};
use crate::monitor::told;
use crate::support::pki::{self, NOW};
use crate::support::tls::{Recorder, ring};

fn codes(notices: &[StoreNotice]) -> Vec<&'static str> {
    notices.iter().map(StoreNotice::as_str).collect()
}

fn lasting(version: u64, issued: i64, days: i64) -> Draft {
    let pins = [listed(b'O', "current"), listed(b'B', "backup")];
    Draft::new(version, day(issued), &pins).expiring(day(days))
}

#[test]
fn it_is_told_once_it_is_over_every_day_and_at_each_opening_until_another_comes() {
    let folder = tempfile::tempdir().unwrap();
    let open = |now| {
        let storage = Arc::new(PinFolder::new(folder.path()));
        Ground::on(floor(), Some(storage), now)
    };
    let ground = open(NOW);
    // The floor alone has its own date, and its own alarm.
    assert_eq!(ground.store.tick(day(900)), []);
    let ground = open(NOW);
    ground.apply(&lasting(11, 0, 10), NOW).unwrap();
    assert_eq!(ground.store.tick(day(10)), []);
    let told = ground.store.tick(second(10 * DAY + 1));
    assert_eq!(
        told,
        [StoreNotice::AnnouncementStale {
            version: 11,
            expires: day(10)
        }]
    );
    let event = told[0].to_event(second(10 * DAY + 1));
    assert_eq!(
        (event.code.as_str(), event.severity),
        ("announcement_stale", Severity::Warning)
    );
    assert_eq!(ground.store.tick(second(10 * DAY + 2)), []);
    assert_eq!(ground.store.tick(day(11)), []);
    assert_eq!(
        codes(&ground.store.tick(second(11 * DAY + 1))),
        ["announcement_stale"]
    );
    assert_eq!(codes(&ground.store.tick(day(40))), ["announcement_stale"]);
    let ground = open(day(40));
    assert_eq!(codes(&ground.notices), ["announcement_stale"]);
    assert_eq!(ground.store.tick(day(40)), []);
    // Brought again, it is no news.
    let again = ground
        .store
        .apply(&lasting(11, 0, 10).signed(&[1, 2]), day(40))
        .unwrap();
    assert_eq!((again.unchanged, codes(&again.notices)), (true, vec![]));
    let applied = ground.apply(&lasting(12, 40, 90), day(40)).unwrap();
    assert_eq!(codes(&applied.notices), ["announcement_applied"]);
    assert_eq!(ground.store.tick(day(60)), []);
    assert_eq!(open(day(60)).notices, []);
}

#[test]
fn a_monitor_of_the_pins_finds_it_and_shows_its_date() {
    let ground = Ground::new();
    assert_eq!(ground.store.generation().announcement_expires, None);
    ground.apply(&lasting(11, 0, 10), NOW).unwrap();
    assert_eq!(
        ground.store.generation().announcement_expires,
        Some(day(10))
    );
    let recorder = Arc::new(Recorder::default());
    let root = pki::root("root", -10, 3650);
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&root]))
        .with_provider(ring())
        .with_observer(recorder.clone())
        .build()
        .unwrap();
    monitor.watch("pins", Target::from_pins(ground.store.clone()));
    let stale = ("announcement_stale", "warning");
    let steps = [
        (day(10), vec![]),
        (second(10 * DAY + 1), vec![stale]),
        (second(10 * DAY + 60), vec![]),
        (day(12), vec![stale]),
    ];
    for (now, expected) in steps {
        monitor.tick(now);
        assert_eq!(told(&recorder), expected, "{now}");
    }
    let report = monitor.snapshot();
    let findings = report.findings.iter().map(|finding| finding.code.as_str());
    assert_eq!(findings.collect::<Vec<_>>(), ["announcement_stale"]);
    ground.apply(&lasting(12, 12, 90), day(12)).unwrap();
    monitor.refresh("pins");
    monitor.tick(second(12 * DAY + 60));
    assert_eq!(told(&recorder), [("recovered", "info")]);
}
