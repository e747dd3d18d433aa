//! The monitor: a certificate's whole life, what is told when, and what it costs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use notafter::alert::{Condition, Matter, RepeatPolicy};
use notafter::event::Role;
use notafter::monitor::{Evaluation, Gauge, MonitorBuilder};
use notafter::observer::InlineObserver;
use notafter::self_check::SelfCheckError;
use notafter::{
    Band, Event, EventCode, Monitor, Observer, Severity, Target, ThresholdPolicy, Timestamp,
    TrustAnchors,
};
use rustls::pki_types::CertificateDer;

use crate::support::pki::{self, Ca, NOW, days};
use crate::support::tls::{FixedTime, Recorder, ring};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
const YEARS: Duration = Duration::from_secs(3_650 * 86_400);
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A root and an intermediate that last, and what makes chains below them.
pub struct Pki {
    pub root: Ca,
    issuing: Ca,
}

impl Pki {
    pub fn new() -> Self {
        let root = pki::root("Root", -1000, 9000);
        let issuing = root.intermediate("Issuing", -1000, 8000);
        Self { root, issuing }
    }

    pub fn chain(&self, from: i64, to: i64) -> Vec<CertificateDer<'static>> {
        self.leaf(from, to).1
    }

    /// A leaf with its key, and its chain.
    pub fn leaf(&self, from: i64, to: i64) -> (pki::Leaf, Vec<CertificateDer<'static>>) {
        let leaf = self.issuing.leaf(&["a.example"], from, to);
        let chain = vec![leaf.der.clone(), self.issuing.der.clone()];
        (leaf, chain)
    }

    pub fn builder(&self, observer: Arc<dyn Observer>) -> MonitorBuilder {
        Monitor::builder()
            .with_trust_anchors(pki::anchors([&self.root]))
            .with_provider(ring())
            .with_observer(observer)
            .with_interval(YEARS)
            .with_jitter_seed(1)
    }
}

/// What an event comes to, in short.
pub fn told(recorder: &Recorder) -> Vec<(&'static str, &'static str)> {
    let events = recorder.take();
    let short = |event: &Event| (event.code.as_str(), event.severity.as_str());
    events.iter().map(short).collect()
}

fn codes(monitor: &Monitor, now: Timestamp) -> (bool, Vec<&'static str>) {
    let health = monitor.health_at(now);
    let codes = health.reasons.iter().map(|reason| reason.code);
    (health.ready, codes.collect())
}

/// One second in the life of a certificate.
struct Step {
    at: Timestamp,
    /// The event's code, severity, band before, band and threshold.
    told: Option<(&'static str, Severity, Option<Band>, Band, Option<i64>)>,
    ready: bool,
    reasons: &'static [&'static str],
    expired: f64,
    /// The effective notAfter is still known.
    verifies: bool,
    /// The seconds until the next tick.
    next: i64,
}

#[test]
fn a_whole_life_second_by_second() {
    use Band::{Critical, Due, Expired, Ok as Fine, Warning};
    let pki = Pki::new();
    // 90 days: due at 30, a warning at 20, critical at 10 days before the end, which is day 80.
    let chain = pki.chain(-10, 80);
    let recorder = Arc::new(Recorder::default());
    let builder = pki.builder(recorder.clone());
    #[cfg(feature = "metrics")]
    let (gauges, builder) = (
        crate::support::gauges::Gauges::default(),
        builder.with_metrics(),
    );
    let monitor = builder.build().unwrap();
    assert_eq!(codes(&monitor, NOW), (false, vec!["nothing_watched"]));
    monitor.watch(
        "served",
        Target::from_chain(chain).with_expected_name("a.example"),
    );
    assert_eq!(codes(&monitor, NOW), (false, vec!["not_evaluated"]));
    let end = days(80);
    let before_end = |seconds: i64| end.saturating_add(-seconds);
    let (due, warning, critical) = (30 * DAY, 20 * DAY, 10 * DAY);
    let expiring = "expiring";
    let step = |at, told, ready, reasons, expired, verifies, next| Step {
        at,
        told,
        ready,
        reasons,
        expired,
        verifies,
        next,
    };
    let steps = [
        step(NOW, None, true, &[][..], 0.0, true, 50 * DAY),
        step(before_end(due + 1), None, true, &[], 0.0, true, 1),
        step(
            before_end(due),
            Some((expiring, Severity::Info, None, Due, Some(due))),
            true,
            &[],
            0.0,
            true,
            10 * DAY,
        ),
        step(before_end(warning + 1), None, true, &[], 0.0, true, 1),
        step(
            before_end(warning),
            Some((
                expiring,
                Severity::Warning,
                Some(Due),
                Warning,
                Some(warning),
            )),
            true,
            &["warning"],
            0.0,
            true,
            DAY,
        ),
        step(
            before_end(warning - DAY + 1),
            None,
            true,
            &["warning"],
            0.0,
            true,
            1,
        ),
        step(
            before_end(warning - DAY),
            Some((
                expiring,
                Severity::Warning,
                Some(Warning),
                Warning,
                Some(warning),
            )),
            true,
            &["warning"],
            0.0,
            true,
            DAY,
        ),
        step(
            before_end(critical),
            Some((
                expiring,
                Severity::Critical,
                Some(Warning),
                Critical,
                Some(critical),
            )),
            true,
            &["critical"],
            0.0,
            true,
            HOUR,
        ),
        step(
            before_end(critical - HOUR),
            Some((
                expiring,
                Severity::Critical,
                Some(Critical),
                Critical,
                Some(critical),
            )),
            true,
            &["critical"],
            0.0,
            true,
            HOUR,
        ),
        step(
            end,
            Some((
                expiring,
                Severity::Critical,
                Some(Critical),
                Critical,
                Some(critical),
            )),
            true,
            &["critical"],
            0.0,
            true,
            1,
        ),
        step(
            end.saturating_add(1),
            Some(("expired", Severity::Critical, Some(Critical), Expired, None)),
            false,
            &["expired"],
            1.0,
            false,
            HOUR,
        ),
        step(
            end.saturating_add(HOUR),
            None,
            false,
            &["expired"],
            1.0,
            false,
            1,
        ),
        step(
            end.saturating_add(HOUR + 1),
            Some(("expired", Severity::Critical, Some(Expired), Expired, None)),
            false,
            &["expired"],
            1.0,
            false,
            HOUR,
        ),
        // Here it is renewed.
        step(
            end.saturating_add(HOUR + 2),
            Some(("recovered", Severity::Info, Some(Expired), Fine, None)),
            true,
            &[],
            0.0,
            true,
            59 * DAY - HOUR - 2,
        ),
    ];
    let last = steps.len() - 1;
    for (number, step) in steps.into_iter().enumerate() {
        let now = step.at;
        let mut end = end;
        if number == last {
            assert!(monitor.replace("served", pki.chain(79, 169)));
            end = days(169);
        }
        let tick = || monitor.tick(now);
        #[cfg(feature = "metrics")]
        let next = metrics::with_local_recorder(&gauges, tick);
        #[cfg(not(feature = "metrics"))]
        let next = tick();
        let events = recorder.take();
        let seen = events.first().map(|event| {
            assert_eq!(event.at, now);
            assert_eq!((event.role, event.affected), (Role::OwnServer, 1));
            assert_eq!(event.source.as_deref(), Some("served"));
            assert_eq!(event.time_left_seconds, Some(end.seconds_since(now)));
            assert_eq!(event.effective_not_after, step.verifies.then_some(end));
            let band = event.band.unwrap();
            let code = event.code.as_str();
            (
                code,
                event.severity,
                event.band_before,
                band,
                event.threshold_seconds,
            )
        });
        assert_eq!(
            (seen, events.len()),
            (step.told, usize::from(step.told.is_some())),
            "{now}"
        );
        let expected = (step.ready, step.reasons.to_vec());
        assert_eq!(codes(&monitor, now), expected, "{now}");
        assert_eq!(next.seconds_since(now), step.next, "{now}");
        assert_eq!(monitor.last_evaluated(), Some(now));
        assert_eq!(monitor.snapshot().at, now);
        #[cfg(feature = "metrics")]
        {
            let seconds = |t: Timestamp| Some(Gauge::from_timestamp("", t).value);
            let series = |name| format!("{name}{{source=served,position=leaf}}");
            assert_eq!(gauges.gauge(&series("x509_cert_not_after")), seconds(end));
            assert_eq!(
                gauges.gauge(&series("x509_cert_expired")),
                Some(step.expired),
                "{now}"
            );
            let effective = "notafter_effective_not_after{source=served,relying_party=rustls}";
            let known = if step.verifies {
                seconds(end)
            } else {
                Some(0.0)
            };
            assert_eq!(gauges.gauge(effective), known, "{now}");
            let heartbeat = "notafter_last_evaluated_timestamp_seconds";
            assert_eq!(gauges.gauge(heartbeat), seconds(now));
        }
        #[cfg(not(feature = "metrics"))]
        assert!(step.expired >= 0.0);
    }
    assert_eq!(recorder.take().len(), 0);
}

#[test]
fn health_ends_with_the_chain_though_no_tick_has_seen_it() {
    let pki = Pki::new();
    let monitor = pki.builder(Arc::new(Recorder::default())).build().unwrap();
    monitor.watch("served", Target::from_chain(pki.chain(-10, 80)));
    monitor.watch(
        "peer",
        Target::from_chain(pki.chain(-90, -1)).with_role(Role::PeerServer),
    );
    monitor.tick(NOW);
    // A peer's expiry is said, and does not make this process not ready.
    assert_eq!(codes(&monitor, NOW), (true, vec!["expired"]));
    let health = monitor.health_at(days(80).saturating_add(1));
    assert!(!health.ready);
    let json: serde_json::Value = serde_json::from_str(&health.to_json()).unwrap();
    assert_eq!(json["ready"], false);
    assert_eq!(json["watched"], 2);
    assert_eq!(json["reasons"][0]["code"], "expired");
    assert_eq!(json["reasons"][0]["source"], "served");
    let codes: Vec<_> = health.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, ["expired", "evaluation_overdue", "expired"]);
}

#[test]
fn fifty_chains_below_one_intermediate_are_one_event() {
    let pki = Pki::new();
    let ending = pki.root.intermediate("Ending", -700, 60);
    let recorder = Arc::new(Recorder::default());
    let monitor = pki.builder(recorder.clone()).build().unwrap();
    for n in 0..50 {
        let leaf = ending.leaf(&["a.example"], -10, 400);
        let chain = [leaf.der, ending.der.clone()];
        monitor.watch(format!("chain {n}"), Target::from_chain(chain));
    }
    monitor.tick(NOW);
    let events = recorder.take();
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];
    assert_eq!((event.affected, event.band), (50, Some(Band::Warning)));
    assert_eq!(event.subject.as_ref().unwrap().name, "Ending");
    assert!(
        event.message.starts_with(
            "50 share this cause: chain 0, chain 1, chain 2 and 47 more; chain 0: intermediate 0 'Ending' ends in 60 d"
        ),
        "{}",
        event.message
    );
}

#[test]
fn fourteen_days_before_every_sixty_minutes() {
    let pki = Pki::new();
    let recorder = Arc::new(Recorder::default());
    let monitor = pki
        .builder(recorder.clone())
        .with_policy(ThresholdPolicy::fixed_days(14, 14, 14).unwrap())
        .with_repeat(RepeatPolicy::every_minutes(60))
        .build()
        .unwrap();
    monitor.watch("served", Target::from_chain(pki.chain(-10, 80)));
    let (mut now, mut times) = (NOW, Vec::new());
    while now <= days(67) {
        now = monitor.tick(now).max(now.saturating_add(1));
        times.extend(recorder.take().iter().map(|event| event.at));
    }
    let expected: Vec<_> = (0..=24)
        .map(|n| days(66).saturating_add(n * HOUR))
        .collect();
    assert_eq!(times, expected);
}

#[test]
fn a_clock_that_jumps_makes_no_storm_and_loses_no_alarm() {
    let pki = Pki::new();
    let recorder = Arc::new(Recorder::default());
    let monitor = pki.builder(recorder.clone()).build().unwrap();
    for n in 0..30 {
        monitor.watch(format!("fine {n}"), Target::from_chain(pki.chain(-10, 80)));
    }
    monitor.watch("critical", Target::from_chain(pki.chain(-85, 5)));
    monitor.tick(NOW);
    assert_eq!(told(&recorder), [("expiring", "critical")]);
    // Back a day: it is critical all the same, and told again an hour later.
    monitor.tick(days(-1));
    assert_eq!(told(&recorder), []);
    monitor.tick(days(-1).saturating_add(HOUR));
    assert_eq!(told(&recorder), [("expiring", "critical")]);
    // A year ahead, and back: what all have in common is said once each.
    monitor.tick(days(365));
    let events = recorder.take();
    let affected: Vec<_> = events.iter().map(|event| event.affected).collect();
    assert_eq!(affected, [31], "{events:?}");
    assert!(!monitor.health_at(days(365)).ready);
    monitor.tick(NOW);
    let events = recorder.take();
    let short: Vec<_> = events
        .iter()
        .map(|event| (event.code.as_str(), event.affected))
        .collect();
    assert_eq!(short, [("recovered", 30), ("expiring", 1)]);
    assert!(monitor.health_at(NOW).ready);
    assert_eq!(monitor.tick(NOW.saturating_add(1)).seconds_since(NOW), HOUR);
}

#[test]
fn a_restart_neither_repeats_nor_forgets() {
    let pki = Pki::new();
    let watch = |monitor: &Monitor| {
        monitor.watch("old", Target::from_chain(pki.chain(-85, 5)));
        monitor.watch("gone", Target::from_chain(pki.chain(-100, -1)));
    };
    let recorder = Arc::new(Recorder::default());
    let monitor = pki.builder(recorder.clone()).build().unwrap();
    watch(&monitor);
    monitor.tick(NOW);
    assert_eq!(recorder.take().len(), 2);
    let saved = monitor.save();

    let builder = pki
        .builder(recorder.clone())
        .with_saved_state(saved.clone());
    let after = builder.build().unwrap();
    watch(&after);
    after.tick(NOW.saturating_add(60));
    assert_eq!(told(&recorder), []);
    after.watch("gone", Target::from_chain(pki.chain(-1, 89)));
    after.tick(NOW.saturating_add(HOUR));
    assert_eq!(
        told(&recorder),
        [("expiring", "critical"), ("recovered", "info")]
    );

    let damaged = &saved[..saved.len() / 2];
    let builder = pki.builder(recorder.clone()).with_saved_state(damaged);
    let fresh = builder.build().unwrap();
    watch(&fresh);
    fresh.tick(NOW);
    let expected = [
        ("saved_state_unreadable", "warning"),
        ("expiring", "critical"),
        ("expired", "critical"),
    ];
    assert_eq!(told(&recorder), expected);
}

#[test]
fn anchors_lists_and_clients_are_judged_as_what_they_are() {
    let pki = Pki::new();
    let old = pki::root("Old Root", -3000, 60);
    let recorder = Arc::new(Recorder::default());
    let monitor = pki.builder(recorder.clone()).build().unwrap();
    monitor.watch(
        "trust",
        Target::from_anchors(pki::anchors([&pki.root, &old])),
    );
    let chain = pki.chain(-10, 80);
    monitor.watch(
        "client",
        Target::from_chain(chain.clone()).with_role(Role::OwnClient),
    );
    let wrong = Target::from_chain(chain).with_expected_name("b.example");
    monitor.watch("wrong name", wrong);
    let next = monitor.tick(NOW);
    let mut events = recorder.take();
    events.sort_by_key(|event| event.code);
    let short: Vec<_> = events
        .iter()
        .map(|event| (event.code.as_str(), event.role, event.source.as_deref()))
        .collect();
    assert_eq!(
        short,
        [
            ("expiring", Role::Anchor, Some("trust")),
            ("broken", Role::OwnServer, Some("wrong name")),
        ]
    );
    assert!(
        events[1].message.contains("b.example"),
        "{}",
        events[1].message
    );
    assert_eq!(next, NOW.saturating_add(HOUR));
    let (ready, reasons) = codes(&monitor, NOW);
    assert_eq!((ready, reasons), (false, vec!["broken", "warning"]));
    assert_eq!(monitor.snapshot().chains.len(), 4);
}

#[test]
fn anything_can_be_watched_and_a_panic_in_it_forgets_nothing() {
    let recorder = Arc::new(Recorder::default());
    let monitor = Pki::new().builder(recorder.clone()).build().unwrap();
    let panics = Arc::new(AtomicUsize::new(0));
    let asked = panics.clone();
    let licence = move |now: Timestamp| {
        if asked.load(Ordering::Relaxed) > 0 {
            std::panic::resume_unwind(Box::new("licence"));
        }
        let matter = Matter::new(EventCode::Expiring, Role::Pin).with_name("licence".to_owned());
        let event = Event::new(
            now,
            EventCode::Expiring,
            Severity::Warning,
            Role::Pin,
            "renew",
        );
        let condition = Condition::new(matter, Band::Warning, event);
        Evaluation::new(vec![condition], Some(days(3))).with_gauge(Gauge::new("licences", 1.0))
    };
    monitor.watch("licence", Target::from_watched(Arc::new(licence)));
    assert_eq!(monitor.tick(NOW), days(1), "a warning is told daily");
    assert_eq!(told(&recorder), [("expiring", "warning")]);
    panics.store(1, Ordering::Relaxed);
    monitor.refresh("licence");
    monitor.tick(NOW.saturating_add(1));
    assert_eq!(told(&recorder), [("source_failed", "critical")]);
    panics.store(0, Ordering::Relaxed);
    monitor.refresh("licence");
    monitor.tick(NOW.saturating_add(2));
    assert_eq!(told(&recorder), [("source_recovered", "info")]);
    assert!(monitor.remove("licence"));
    assert!(!monitor.remove("licence") && !monitor.refresh("licence") && monitor.is_empty());
}

#[test]
fn endpoints_are_asked_at_their_interval_and_judged_by_what_they_last_showed() {
    let pki = Pki::new();
    let recorder = Arc::new(Recorder::default());
    let shown = Arc::new(Mutex::new(Ok(pki.chain(-85, 5))));
    let connector = {
        let shown = shown.clone();
        move |endpoint: &str| {
            assert_eq!(endpoint, "db.example:5432");
            shown.lock().unwrap().clone()
        }
    };
    let monitor = pki
        .builder(recorder.clone())
        .with_connector(Arc::new(connector))
        .with_endpoint_interval(Duration::from_secs(600))
        .build()
        .unwrap();
    let database = Target::from_endpoint("db.example:5432").without_expected_name();
    monitor.watch("database", database);
    let next = monitor.tick(NOW);
    assert!((540..=600).contains(&next.seconds_since(NOW)), "{next}");
    let events = recorder.take();
    assert_eq!(events[0].host.as_deref(), Some("db.example:5432"));
    assert_eq!(
        (events[0].code, events[0].role),
        (EventCode::Expiring, Role::PeerServer)
    );
    *shown.lock().unwrap() = Err("connection refused".to_owned());
    monitor.tick(NOW.saturating_add(HOUR));
    assert_eq!(
        told(&recorder),
        [("expiring", "critical"), ("source_failed", "warning")]
    );
    *shown.lock().unwrap() = Ok(pki.chain(-1, 89));
    monitor.tick(NOW.saturating_add(2 * HOUR));
    assert_eq!(
        told(&recorder),
        [("recovered", "info"), ("source_recovered", "info")]
    );
    let errors = monitor.source_errors();
    let connections = errors
        .iter()
        .find(|(reason, _)| reason.as_str() == "connection");
    assert_eq!(connections.map(|(_, count)| *count), Some(1));
    assert_eq!(errors.len(), 15);
}

#[test]
fn the_thread_wakes_for_what_is_new_and_stops() {
    let pki = Pki::new();
    let (sent, received) = mpsc::channel();
    let observer = InlineObserver(move |event: &Event| sent.send(event.code).unwrap());
    let monitor = pki
        .builder(Arc::new(observer))
        .with_clock(Arc::new(FixedTime(pki::now())))
        .build()
        .unwrap();
    let handle = monitor.spawn().unwrap();
    monitor.watch("served", Target::from_chain(pki.chain(-85, 5)));
    assert_eq!(received.recv_timeout(PATIENCE), Ok(EventCode::Expiring));
    assert!(monitor.replace("served", pki.chain(-1, 89)));
    assert_eq!(received.recv_timeout(PATIENCE), Ok(EventCode::Recovered));
    assert!(!monitor.replace("another", pki.chain(-1, 89)));
    assert!(monitor.health().ready);
    assert!(handle.stop(PATIENCE));
    monitor.watch("late", Target::from_chain(pki.chain(-85, 5)));
    drop(monitor);
    // Nobody ticks any more: the observer is gone with the monitor.
    assert!(received.recv_timeout(PATIENCE).is_err());
}

#[test]
fn an_endpoint_that_never_answers_holds_up_nothing_else() {
    let pki = Pki::new();
    let (sent, received) = mpsc::channel();
    let (release, hanging) = mpsc::channel::<()>();
    let (asked, is_asked) = mpsc::channel();
    let hanging = Mutex::new((hanging, asked));
    let connector = move |_: &str| {
        let (hanging, asked) = &*hanging.lock().unwrap();
        let _ = asked.send(());
        let _ = hanging.recv();
        Err::<Vec<_>, _>("it never answered")
    };
    let observer = InlineObserver(move |event: &Event| {
        let _ = sent.send(event.code);
    });
    let monitor = pki
        .builder(Arc::new(observer))
        .with_clock(Arc::new(FixedTime(pki::now())))
        .with_connector(Arc::new(connector))
        .build()
        .unwrap();
    monitor.watch("peer", Target::from_endpoint("db.example:5432"));
    let handle = monitor.spawn().unwrap();
    is_asked.recv_timeout(PATIENCE).unwrap();
    monitor.watch("served", Target::from_chain(pki.chain(-85, 5)));
    assert_eq!(received.recv_timeout(PATIENCE), Ok(EventCode::Expiring));
    assert!(monitor.health().ready);
    assert_eq!(monitor.last_evaluated(), Some(NOW));
    assert!(
        !handle.stop(Duration::from_millis(50)),
        "one is still waiting"
    );
    drop(release);
    assert_eq!(received.recv_timeout(PATIENCE), Ok(EventCode::SourceFailed));
}

#[test]
fn a_monitor_that_could_not_judge_is_not_built() {
    let without_anchors = Monitor::builder().with_provider(ring()).build();
    assert_eq!(without_anchors.unwrap_err(), SelfCheckError::NoTrustAnchors);
    let builder = Monitor::builder().with_trust_anchors(TrustAnchors::builder().build());
    assert!(builder.with_provider(ring()).build().is_ok());
}

#[test]
fn ten_thousand_quiet_things_cost_a_tick_nothing() {
    let evaluations = Arc::new(AtomicUsize::new(0));
    let monitor = Pki::new()
        .builder(Arc::new(Recorder::default()))
        .build()
        .unwrap();
    for n in 0..10_000_i64 {
        let count = evaluations.clone();
        let quiet = move |_: Timestamp| {
            count.fetch_add(1, Ordering::Relaxed);
            Evaluation::new(Vec::new(), Some(days(1 + n)))
        };
        monitor.watch(format!("{n}"), Target::from_watched(Arc::new(quiet)));
    }
    assert_eq!(monitor.tick(NOW), days(1));
    assert_eq!(evaluations.swap(0, Ordering::Relaxed), 10_000);
    // Looked at a thousand times, and replaced a thousand times: only what is due is evaluated.
    for second in 1..=1_000 {
        monitor.tick(NOW.saturating_add(second));
    }
    assert_eq!(evaluations.load(Ordering::Relaxed), 0);
    for _ in 0..1_000 {
        monitor.refresh("77");
    }
    assert_eq!(monitor.tick(NOW.saturating_add(1_001)), days(1));
    assert_eq!(evaluations.swap(0, Ordering::Relaxed), 1);
    monitor.tick(days(1));
    assert_eq!(evaluations.load(Ordering::Relaxed), 1);
}

#[test]
fn a_blocked_observer_holds_up_neither_ticks_nor_the_others() {
    let pki = Pki::new();
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let stuck = Arc::new(move |_: &Event| {
        let _ = blocked.lock().unwrap().recv();
    });
    let recorder = Arc::new(Recorder::default());
    let panicking = Arc::new(|_: &Event| std::panic::resume_unwind(Box::new("observer")));
    let monitor = pki
        .builder(stuck)
        .with_observer(panicking)
        .with_observer(recorder.clone())
        .build()
        .unwrap();
    monitor.watch("served", Target::from_chain(pki.chain(-85, 5)));
    let mut now = NOW;
    for _ in 0..2_000 {
        now = monitor.tick(now);
    }
    // Five days hourly, then expired hourly.
    assert_eq!(recorder.take().len(), 2_000);
    assert!(monitor.events_lost() >= 900, "{}", monitor.events_lost());
    assert!(!monitor.flush_events(Duration::from_millis(50)));
    drop(release);
    assert!(monitor.flush_events(PATIENCE));
    let panicked = monitor.observer_panics();
    assert!(panicked > 0 && panicked <= 2_000, "{panicked}");
}

#[test]
fn of_two_certificates_of_one_name_each_speaks_for_itself() {
    // CA certificates of ten years: a warning at 90 days before the end, critical at 30.
    let [first, second] = [20, 60].map(|end| pki::root("Twin", -3000, end));
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle.pem");
    std::fs::write(&bundle, pki::pem_bundle([&first.der, &second.der])).unwrap();
    let recorder = Arc::new(Recorder::default());
    let monitor = Pki::new().builder(recorder.clone()).build().unwrap();
    monitor.watch("bundle", Target::from_path(&bundle).with_role(Role::Anchor));
    monitor.tick(NOW);
    let events = recorder.take();
    assert_eq!(events.len(), 2, "{events:?}");
    for (event, ca) in events.iter().zip([&first, &second]) {
        let certificate = ca.certificate();
        let subject = event.subject.as_ref().unwrap();
        assert_eq!(subject.sha256, certificate.fingerprint());
        let end = format!("at {}", certificate.not_after());
        assert!(event.message.contains(&end), "{}", event.message);
    }
}
