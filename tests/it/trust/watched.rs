//! A monitor, its readiness and a check follow the anchors and lists in force.

use std::sync::Arc;

use notafter::alert::Condition;
use notafter::monitor::{Evaluation, MonitorBuilder, Watched as _};
use notafter::outlook::TrustInForce;
use notafter::reload::{ReloadingAnchors, ReloadingCrls};
use notafter::revocation::CrlExpiration;
use notafter::self_check::SelfCheckError;
use notafter::session::{ConnectionPhase, OpenConnections, RestsOn};
use notafter::verifier::ReloadingServerVerifier;
use notafter::{Band, Monitor, SelfCheck, Target, Timestamp, TrustAnchors};
use rustls::pki_types::CertificateDer;

use super::scene::{Scene, at};
use crate::monitor::told;
use crate::support::pki::{self, Ca, NOW, days};
use crate::support::tls::{Recorder, ring};

const ROOTS: &str = "roots";

struct Watching {
    monitor: Arc<Monitor>,
    events: Arc<Recorder>,
}

impl Watching {
    /// By anchors of which nothing rests.
    fn new(scene: &Scene) -> Self {
        Self::by(|monitor| monitor.with_trust_anchors(pki::anchors([&scene.a])))
    }

    fn by(trust: impl FnOnce(MonitorBuilder) -> MonitorBuilder) -> Self {
        let events = Arc::new(Recorder::default());
        let builder = Monitor::builder()
            .with_provider(ring())
            .with_observer(events.clone());
        Self {
            monitor: trust(builder).build().unwrap(),
            events,
        }
    }

    /// What is told at this tick.
    fn tick(&self, now: Timestamp) -> Vec<(&'static str, &'static str)> {
        self.monitor.tick(now);
        told(&self.events)
    }

    fn reasons(&self, now: Timestamp) -> (bool, Vec<&'static str>) {
        let health = self.monitor.health_at(now);
        let codes = health.reasons.iter().map(|reason| reason.code);
        (health.ready, codes.collect())
    }
}

fn silent(scene: &Scene, roots: &[&Ca]) -> Arc<ReloadingAnchors> {
    scene.write("ca.pem", Scene::bundle(roots));
    ReloadingAnchors::builder()
        .with_path(scene.path("ca.pem"))
        .with_clock(scene.clock.clone())
        .build()
        .unwrap()
}

#[test]
fn a_monitor_tells_of_anchors_near_their_end_and_of_what_lies_there_in_vain() {
    let scene = Scene::new();
    // An anchor of 400 days is due 400/3 days before its end, a warning half of that before it.
    let ending = pki::root("root E", -100, 300);
    let anchors = silent(&scene, &[&scene.a, &ending]);
    let watching = Watching::new(&scene);
    let target = Target::from_watched(anchors.clone());
    watching.monitor.watch(ROOTS, target);
    assert_eq!(watching.tick(NOW), []);
    assert_eq!(watching.reasons(NOW), (true, vec![]));
    let due = days(300).saturating_add(-86_400 * 400 / 3);
    assert_eq!(watching.tick(due.saturating_add(-1)), []);
    assert_eq!(watching.tick(due), [("expiring", "info")]);
    // It is replaced: noticed within a minute, though nobody said so.
    scene.replace("ca.pem", Scene::bundle(&[&scene.a, &scene.b]));
    assert!(anchors.poll(due).is_swapped);
    let next = watching.monitor.tick(due.saturating_add(1));
    assert_eq!(next, due.saturating_add(60));
    assert_eq!(watching.tick(next), [("recovered", "info")]);

    // Garbled: told once it is not half-written, as long as it lasts.
    let cut = Scene::bundle(&[&scene.a, &scene.b]);
    scene.replace("ca.pem", &cut[..cut.len() - 100]);
    let since = next.saturating_add(30);
    assert!(anchors.poll(since).refused.is_some());
    assert!(watching.monitor.refresh(ROOTS));
    assert_eq!(watching.tick(since), []);
    let settled = watching.monitor.tick(since.saturating_add(1));
    assert_eq!(settled, since.saturating_add(10));
    assert_eq!(watching.tick(settled), [("reload_failed", "warning")]);
    let (ready, codes) = watching.reasons(settled);
    assert_eq!((ready, codes), (true, vec!["reload_failed"]));
    let health = watching.monitor.health_at(settled);
    let message = &health.reasons[0].message;
    assert!(message.contains(&format!("since {since}")), "{message}");
    let report = watching.monitor.snapshot().to_text();
    assert!(report.contains("reload_failed"), "{report}");
    let stale = anchors.evaluate(settled);
    let names: Vec<_> = stale.gauges.iter().map(|gauge| gauge.name).collect();
    let expected = [
        "notafter_anchors",
        "notafter_reload_stale_since_timestamp_seconds",
    ];
    assert_eq!(names, expected);
    scene.replace("ca.pem", &cut);
    anchors.poll(settled);
    let later = settled.saturating_add(60);
    assert_eq!(watching.tick(later), [("reload_recovered", "info")]);
    assert_eq!(watching.reasons(later), (true, vec![]));
}

#[test]
fn what_their_own_observer_hears_of_is_not_told_twice() {
    let scene = Scene::new();
    let anchors = scene.anchors(&[&scene.a]);
    scene.replace("ca.pem", "");
    let over = at(20);
    assert!(anchors.poll(at(5)).refused.is_some());
    anchors.poll(over);
    assert_eq!(scene.events.take().len(), 1);
    let of_reloads = |conditions: &[Condition]| {
        let conditions = conditions.iter().filter(|c| c.band != Band::Ok);
        conditions.count()
    };
    let evaluation = anchors.evaluate(over);
    assert_eq!(of_reloads(&evaluation.conditions), 0);
    // Reports and readiness say it all the same.
    assert_eq!(evaluation.findings.len(), 1);
}

#[test]
fn a_monitor_tells_of_lists_near_their_end_and_over_it() {
    for (expiration, expired) in [
        (CrlExpiration::Ignore, "warning"),
        (CrlExpiration::Enforce, "critical"),
    ] {
        let scene = Scene::new();
        let list = pki::crl_between(&scene.a, NOW, days(9), &[]);
        scene.write("clients.crl", list);
        let lists = ReloadingCrls::builder()
            .with_path(scene.path("clients.crl"))
            .with_clock(scene.clock.clone())
            .with_expiration(expiration)
            .build()
            .unwrap();
        let watching = Watching::new(&scene);
        watching
            .monitor
            .watch("lists", Target::from_watched(lists.clone()));
        assert_eq!(watching.tick(NOW), []);
        let mut told = Vec::new();
        for hour in 0..=9 * 24 {
            told.extend(watching.tick(at(hour * 3_600)));
        }
        let codes: Vec<_> = told.iter().map(|(code, _)| *code).collect();
        let (last, before) = codes.split_last().unwrap();
        assert!(before.len() >= 3 && before.iter().all(|code| *code == "expiring"));
        assert_eq!(*last, "expired");
        let health = watching.monitor.health_at(days(9));
        assert!(health.ready);
        assert_eq!(health.reasons[0].code, "crl_expired");
        let report = watching.monitor.snapshot();
        let severity = report.findings[0].severity.as_str();
        assert_eq!(severity, expired, "{expiration:?}");
        let next = pki::crl_between(&scene.a, days(9), days(18), &[]);
        scene.replace("clients.crl", next);
        assert!(lists.poll(days(9)).is_swapped);
        watching.monitor.refresh("lists");
        assert_eq!(
            watching.tick(days(9).saturating_add(1)),
            [("recovered", "info")]
        );
    }
}

/// A chain in memory, a file and an endpoint.
fn watch_all(scene: &Scene, monitor: &Monitor, chain: &[CertificateDer<'static>]) {
    scene.write("own.pem", pki::pem_bundle(chain));
    monitor.watch("served", Target::from_chain(chain.to_vec()));
    monitor.watch("on disk", Target::from_path(scene.path("own.pem")));
    let peer = Target::from_endpoint("peer.example:443").without_expected_name();
    monitor.watch("peer", peer);
}

#[test]
fn a_monitor_judges_by_the_anchors_and_lists_in_force_from_the_next_tick_on() {
    let scene = Scene::new();
    let leaf = scene.a.leaf(&["own.example"], -10, 90);
    let chain = vec![leaf.der.clone()];
    let anchors = silent(&scene, &[&scene.a, &scene.b]);
    let list = |made, revoked: &[&notafter::Certificate]| {
        pki::crl_between(&scene.a, at(made), days(60), revoked)
    };
    let lists = ReloadingCrls::builder()
        .with_bytes("pushed", list(-100, &[]))
        .with_unknown(notafter::revocation::UnknownRevocation::Accept)
        .with_clock(scene.clock.clone())
        .build()
        .unwrap();
    let verifier = ReloadingServerVerifier::builder(anchors.clone())
        .with_crls(lists.clone())
        .with_provider(ring())
        .build()
        .unwrap();
    let shown = chain.clone();
    let watching = Watching::by(|monitor| {
        monitor
            .with_trust_in_force(verifier)
            .with_connector(Arc::new(move |_: &str| {
                Ok::<_, std::io::Error>(shown.clone())
            }))
    });
    watch_all(&scene, &watching.monitor, &chain);
    assert_eq!(watching.tick(at(0)), []);
    assert_eq!(watching.reasons(at(0)), (true, vec![]));
    // Root A goes, and nothing watched has changed.
    scene.replace("ca.pem", Scene::bundle(&[&scene.b]));
    assert!(anchors.poll(at(1)).is_swapped);
    let broken = ("broken", "critical");
    // Those of one cause and role are told in one event.
    assert_eq!(watching.tick(at(1)), [broken; 2]);
    assert_eq!(watching.reasons(at(1)), (false, vec!["broken"; 3]));
    assert_eq!(watching.tick(at(2)), []);
    scene.replace("ca.pem", Scene::bundle(&[&scene.a, &scene.b]));
    assert!(anchors.poll(at(3)).is_swapped);
    assert_eq!(watching.tick(at(3)), [("recovered", "info"); 2]);
    // A list that revokes it.
    let revoking = list(-50, &[&leaf.certificate()]);
    assert!(
        lists
            .set_bytes("pushed", &revoking, at(4))
            .unwrap()
            .is_swapped
    );
    assert_eq!(watching.tick(at(4)), [broken; 2]);
    assert_eq!(watching.reasons(at(4)), (false, vec!["broken"; 3]));
    let report = watching.monitor.snapshot().to_text();
    assert!(report.contains("revoked"), "{report}");
    let cleared = list(-10, &[]);
    assert!(
        lists
            .set_bytes("pushed", &cleared, at(5))
            .unwrap()
            .is_swapped
    );
    assert_eq!(watching.tick(at(5)), [("recovered", "info"); 2]);
    assert_eq!(watching.reasons(at(5)), (true, vec![]));
}

#[test]
fn a_check_judges_by_what_is_in_force_at_each_run() {
    let scene = Scene::new();
    let leaf = scene.a.leaf(&["own.example"], -10, 90);
    let anchors = silent(&scene, &[&scene.a, &scene.b]);
    let check = SelfCheck::builder()
        .with_chain("served", [leaf.der])
        .with_trust_in_force(anchors.clone())
        .with_provider(ring())
        .at(NOW)
        .build()
        .unwrap();
    assert_eq!(check.run().exit_code(), 0);
    scene.replace("ca.pem", Scene::bundle(&[&scene.b]));
    assert!(anchors.poll(at(1)).is_swapped);
    assert_eq!(check.run().exit_code(), 2);
}

/// As docs/SESSIONS.md has it.
#[test]
fn a_monitor_ticks_open_connections_at_the_second_that_is_due() {
    let scene = Scene::new();
    let anchors = silent(&scene, &[&scene.a, &scene.b]);
    let watching = Watching::new(&scene);
    let open = OpenConnections::new();
    open.follow_anchors(&anchors.anchors(), NOW);
    let ticked = open.clone();
    let tick = move |now: Timestamp| {
        ticked.tick(now);
        Evaluation::new(Vec::new(), ticked.next_due())
    };
    watching
        .monitor
        .watch("connections", Target::from_watched(Arc::new(tick)));
    let root = scene.a.certificate().spki_sha256();
    let rests_on = RestsOn::until(days(30)).with_anchors([root]);
    let connection = open.open_on(rests_on, NOW);
    // It ends in 30 days; the monitor looks at everything twice a day.
    assert!(watching.monitor.tick(NOW) <= at(12 * 3_600));
    assert_eq!(connection.phase(), ConnectionPhase::Open);
    scene.replace("ca.pem", Scene::bundle(&[&scene.b]));
    assert!(anchors.poll(at(1)).is_swapped);
    let removal = open.follow_anchors(&anchors.anchors(), at(1));
    watching.monitor.refresh("connections");
    let due = watching.monitor.tick(at(1));
    assert!(due <= removal.deadline.saturating_add(-10), "{due}");
    let deadline = watching.monitor.tick(due);
    assert_eq!(connection.phase(), ConnectionPhase::Closing);
    assert_eq!(deadline, removal.deadline);
    watching.monitor.tick(deadline);
    assert_eq!(connection.phase(), ConnectionPhase::Overdue);
}

#[test]
fn what_is_judged_by_is_given_once() {
    let scene = Scene::new();
    let anchors: Arc<dyn TrustInForce> = silent(&scene, &[&scene.a]);
    let fixed = Arc::new(TrustAnchors::default());
    let twice = SelfCheck::builder()
        .with_provider(ring())
        .with_trust_in_force(anchors.clone())
        .with_trust_anchors(fixed)
        .build();
    assert_eq!(twice.unwrap_err(), SelfCheckError::TrustTwice);
    let twice = Monitor::builder()
        .with_provider(ring())
        .with_trust_in_force(anchors)
        .with_crls(notafter::revocation::Crls::default())
        .build();
    assert_eq!(twice.unwrap_err(), SelfCheckError::TrustTwice);
    let nothing = Monitor::builder().with_provider(ring()).build();
    assert_eq!(nothing.unwrap_err(), SelfCheckError::NoTrustAnchors);
}
