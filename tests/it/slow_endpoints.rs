//! Endpoints that hang, drip and refuse, on real sockets: they keep nobody from knowing the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;

use notafter::endpoint::{EndpointAddress, EndpointConnector, EndpointError, EndpointStep};
use notafter::event::Role;
use notafter::monitor::Evaluation;
use notafter::observer::InlineObserver;
use notafter::{Band, Event, EventCode, Monitor, Severity, Target, Timestamp};
use rustls::pki_types::CertificateDer;

use crate::monitor::{PATIENCE, Pki, told};
use crate::support::gauges::Gauges;
use crate::support::peers::Peer;
use crate::support::pki::{self, NOW};
use crate::support::tls::{FixedTime, Recorder, SetTime, ring};
use crate::support::tools::wait_until;

/// Long enough for ten handshakes on the slowest machine.
const LONG: Duration = Duration::from_secs(600);

#[test]
fn one_deadline_is_over_the_whole_look_at_an_endpoint() {
    let pki = Pki::new();
    let (leaf, chain) = pki.leaf(-10, 80);
    let (hanging, dripping) = (Peer::hanging(), Peer::dripping());
    let serving = Peer::serving(&leaf, chain.clone());
    let deadline = Duration::from_millis(500);
    let connector = EndpointConnector::new(ring()).with_deadline(deadline);
    for slow in [&hanging, &dripping] {
        let error = connector.presented(&slow.endpoint()).unwrap_err();
        let EndpointError::DeadlinePassed {
            address,
            step,
            deadline: given,
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!(address.to_string(), slow.endpoint());
        assert_eq!((*step, *given), (EndpointStep::Handshake, deadline));
        let expected = format!(
            "{} accepted the connection, and showed no certificate within 0.5 s",
            slow.endpoint()
        );
        assert_eq!(error.to_string(), expected);
    }
    let refusing = EndpointAddress::new("127.0.0.1", Peer::refusing_port());
    let refused = connector.presented(&refusing.to_string()).unwrap_err();
    let is_so =
        matches!(&refused, EndpointError::NotConnected { address, .. } if *address == refusing);
    assert!(is_so, "{refused}");
    for text in ["a.example", "https://a.example/"] {
        let error = connector.presented(text).unwrap_err();
        assert!(matches!(error, EndpointError::NotHostAndPort(_)), "{error}");
    }
    let patient = connector.with_deadline(LONG);
    // By its address, by a name that is looked up, and by another name.
    let by_name = EndpointAddress::new("localhost", serving.port);
    for presented in [
        patient.presented(&serving.endpoint()),
        patient.presented(&by_name.to_string()),
        patient.presented_as(&by_name, "a.example"),
    ] {
        let presented = presented.unwrap();
        assert_eq!(
            (presented.chain, presented.staple),
            (chain.clone(), Vec::new())
        );
    }
    let unusable = patient.presented_as(&by_name, "no name").unwrap_err();
    assert!(matches!(unusable, EndpointError::UnusableName { ref name } if name == "no name"));
}

#[test]
fn endpoints_that_hang_drip_and_refuse_keep_nobody_from_knowing_ten_others() {
    let pki = Pki::new();
    let (leaf, chain) = pki.leaf(-85, 5);
    let (hanging, dripping) = (Peer::hanging(), Peer::dripping());
    let serving: Vec<_> = (0..10)
        .map(|_| Peer::serving(&leaf, chain.clone()))
        .collect();
    let (sent, received) = mpsc::channel();
    let monitor = pki
        .builder(Arc::new(InlineObserver(move |event: &Event| {
            let _ = sent.send((event.code, event.affected));
        })))
        .with_clock(Arc::new(FixedTime(pki::now())))
        .with_connector(Arc::new(EndpointConnector::new(ring()).with_deadline(LONG)))
        .build()
        .unwrap();
    monitor.watch("hanging", Target::from_endpoint(hanging.endpoint()));
    monitor.watch("dripping", Target::from_endpoint(dripping.endpoint()));
    let refused = format!("127.0.0.1:{}", Peer::refusing_port());
    monitor.watch("refused", Target::from_endpoint(refused));
    for (n, peer) in serving.iter().enumerate() {
        let target = Target::from_endpoint(peer.endpoint()).with_expected_name("a.example");
        monitor.watch(format!("good {n}"), target);
    }
    let handle = monitor.spawn().unwrap();
    // All ten are told of, and the one that refused; those two are still being asked.
    let (mut known, mut failed) = (0, 0);
    while (known, failed) != (10, 1) {
        match received.recv_timeout(LONG).unwrap() {
            (EventCode::Expiring, affected) => known += affected,
            (EventCode::SourceFailed, affected) => failed += affected,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(not_evaluated(&monitor), ["hanging", "dripping"]);
    assert_eq!(monitor.snapshot().chains.len(), 10);
    // Dropped, they hang up: that is their answer.
    drop((hanging, dripping));
    for _ in 0..2 {
        let told = received.recv_timeout(PATIENCE).unwrap();
        assert_eq!(told.0, EventCode::SourceFailed);
        if told.1 == 2 {
            break;
        }
    }
    assert!(handle.stop(PATIENCE));
}

fn not_evaluated(monitor: &Monitor) -> Vec<String> {
    let reasons = monitor.health().reasons;
    let reasons = reasons
        .into_iter()
        .filter(|reason| reason.code == "not_evaluated");
    reasons.filter_map(|reason| reason.source).collect()
}

/// A connector of which a test decides who returns.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl Gate {
    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn wait(&self) {
        let inside = self.inside.fetch_add(1, Ordering::AcqRel) + 1;
        self.most.fetch_max(inside, Ordering::AcqRel);
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
        self.inside.fetch_sub(1, Ordering::AcqRel);
    }
}

/// For whom a gate makes the endpoints wait whose names begin so.
fn gated(
    gate: &Arc<Gate>,
    chain: Vec<CertificateDer<'static>>,
) -> Arc<dyn notafter::monitor::Connector> {
    let gate = Arc::clone(gate);
    Arc::new(move |endpoint: &str| {
        if endpoint.starts_with("hanging") {
            gate.wait();
        }
        Ok::<_, String>(chain.clone())
    })
}

#[test]
fn so_many_are_asked_at_once_and_no_more() {
    let pki = Pki::new();
    let gate = Arc::<Gate>::default();
    let monitor = pki
        .builder(Arc::new(|_: &Event| {}))
        .with_clock(Arc::new(FixedTime(pki::now())))
        .with_connector(gated(&gate, pki.chain(-10, 80)))
        .with_endpoint_deadline(LONG)
        .build()
        .unwrap();
    for n in 0..40 {
        monitor.watch(
            format!("{n}"),
            Target::from_endpoint(format!("hanging {n}")),
        );
    }
    let handle = monitor.spawn().unwrap();
    while gate.inside.load(Ordering::Acquire) < 16 {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Whoever else would be asked had the time to be.
    std::thread::sleep(Duration::from_millis(100));
    gate.open();
    while monitor.snapshot().chains.len() < 40 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(gate.most.load(Ordering::Acquire), 16);
    assert!(handle.stop(PATIENCE));
}

#[test]
fn who_does_not_answer_in_time_is_told_and_judged_by_what_was_shown_last() {
    let pki = Pki::new();
    let (gate, recorder) = (Arc::<Gate>::default(), Arc::<Recorder>::default());
    let chain = pki.chain(-85, 5);
    let asked = AtomicUsize::new(0);
    let connector = {
        let gate = Arc::clone(&gate);
        move |_: &str| {
            if asked.fetch_add(1, Ordering::AcqRel) == 1 {
                gate.wait();
            }
            Ok::<_, String>(chain.clone())
        }
    };
    let monitor = pki
        .builder(recorder.clone())
        .with_connector(Arc::new(connector))
        .with_endpoint_deadline(Duration::from_millis(50))
        .build()
        .unwrap();
    let peer = Target::from_endpoint("db.example:5432").without_expected_name();
    monitor.watch("peer", peer);
    monitor.tick(NOW);
    assert_eq!(told(&recorder), [("expiring", "critical")]);
    // It hangs, and hangs still when it is to be asked the next time: it is not asked once more.
    for hour in 1..=2 {
        monitor.tick(NOW.saturating_add(hour * 3_600));
        let events = recorder.take();
        let failed = events
            .iter()
            .find(|event| event.code == EventCode::SourceFailed);
        assert_eq!(failed.is_some(), hour == 1, "told once a day: {events:?}");
        let expiring = events
            .iter()
            .find(|event| event.code == EventCode::Expiring);
        assert!(expiring.is_some(), "{events:?}");
        if let Some(failed) = failed {
            let said = "it has not answered within 0.05 s";
            assert!(failed.message.contains(said), "{failed}");
            assert!(
                failed.message.contains("what was read last is judged"),
                "{failed}"
            );
        }
        assert_eq!(monitor.snapshot().worst(), Some(Band::Critical));
        assert_eq!(gate.inside.load(Ordering::Acquire), 1);
    }
    gate.open();
    while gate.inside.load(Ordering::Acquire) > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Its thread may need a moment more to say that it has returned.
    let mut hour = 3;
    let recovered = loop {
        monitor.tick(NOW.saturating_add(hour * 3_600));
        let codes: Vec<_> = recorder.take().iter().map(|event| event.code).collect();
        if hour > 20 || codes.contains(&EventCode::SourceRecovered) {
            break codes;
        }
        hour += 1;
    };
    assert!(
        recovered.contains(&EventCode::SourceRecovered),
        "{recovered:?}"
    );
}

#[test]
fn beyond_so_many_that_never_return_the_others_are_told_as_overdue() {
    let pki = Pki::new();
    let (gate, recorder) = (Arc::<Gate>::default(), Arc::<Recorder>::default());
    let gauges = Gauges::default();
    let monitor = pki
        .builder(recorder.clone())
        .with_connector(gated(&gate, pki.chain(-10, 80)))
        .with_endpoint_deadline(Duration::from_millis(20))
        .with_endpoint_interval(Duration::from_secs(1_000_000))
        .with_metrics()
        .build()
        .unwrap();
    for n in 0..64 {
        monitor.watch(
            format!("{n}"),
            Target::from_endpoint(format!("hanging {n}")),
        );
    }
    monitor.watch("good", Target::from_endpoint("good"));
    let mut now = NOW;
    let overdue = |now| {
        let reasons = monitor.health_at(now).reasons.into_iter();
        let overdue = reasons.filter(|reason| reason.code == "evaluation_overdue");
        overdue
            .filter_map(|reason| reason.source)
            .collect::<Vec<_>>()
    };
    let series = "notafter_evaluation_overdue{source=good}";
    metrics::with_local_recorder(&gauges, || {
        // A clock that jumps by a day makes nothing overdue.
        for step in [0, 60, 86_400, 60, 60] {
            now = now.saturating_add(step);
            monitor.tick(now);
            let codes: Vec<_> = recorder.take().iter().map(|event| event.code).collect();
            assert!(!codes.contains(&EventCode::EvaluationOverdue), "{codes:?}");
            assert!(overdue(now).is_empty());
        }
        // Threads may begin later than they are waited for.
        let all = || gate.inside.load(Ordering::Acquire) == 64;
        wait_until("64 threads hang", all);
        let of_another = "notafter_evaluation_overdue{source=63}";
        assert_eq!(
            (gauges.gauge(of_another), gauges.gauge(series)),
            (Some(0.0), None)
        );
        now = now.saturating_add(60);
        monitor.tick(now);
        let events = recorder.take();
        assert_eq!(events.len(), 1, "{events:?}");
        let event = &events[0];
        let short = (event.code, event.severity, event.role, event.affected);
        let expected = (
            EventCode::EvaluationOverdue,
            Severity::Warning,
            Role::PeerServer,
            1,
        );
        assert_eq!(short, expected);
        assert_eq!(
            (event.source.as_deref(), event.host.as_deref()),
            (Some("good"), Some("good"))
        );
        assert!(event.message.contains("nothing is known of it"), "{event}");
        assert_eq!(overdue(now), ["good"]);
        assert_eq!(gauges.gauge(series), Some(1.0));
        // Once a day, as any warning.
        for _ in 0..10 {
            now = now.saturating_add(60);
            monitor.tick(now);
        }
        assert!(recorder.take().is_empty());
        gate.open();
        while gate.inside.load(Ordering::Acquire) > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Their threads may need a moment more to say that they have returned.
        while gauges.gauge(series) != Some(0.0) {
            now = now.saturating_add(1);
            monitor.tick(now);
        }
    });
    assert_eq!(told(&recorder), [("recovered", "info")]);
    assert!(overdue(now).is_empty());
    assert_eq!(monitor.snapshot().chains.len(), 1);
}

#[test]
fn what_blocks_the_evaluation_of_everything_local_is_told_by_itself() {
    let pki = Pki::new();
    let (gate, recorder) = (Arc::<Gate>::default(), Arc::<Recorder>::default());
    let clock = SetTime::at(NOW);
    let monitor = pki
        .builder(recorder.clone())
        .with_clock(clock.clone())
        .with_connector(gated(&gate, pki.chain(-10, 80)))
        .build()
        .unwrap();
    let blocking = {
        let gate = Arc::clone(&gate);
        move |_: Timestamp| {
            gate.wait();
            Evaluation::default()
        }
    };
    monitor.watch("blocking", Target::from_watched(Arc::new(blocking)));
    monitor.watch("peer", Target::from_endpoint("good"));
    let handle = monitor.spawn().unwrap();
    while gate.inside.load(Ordering::Acquire) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut now = NOW;
    let overdue = loop {
        now = now.saturating_add(60);
        clock.set(now);
        // Wakes the thread that asks endpoints.
        monitor.refresh("peer");
        std::thread::sleep(Duration::from_millis(20));
        let mut events = recorder.take();
        if let Some(event) = events.pop() {
            break event;
        }
    };
    assert_eq!(overdue.code, EventCode::EvaluationOverdue, "{overdue}");
    assert_eq!(overdue.source.as_deref(), Some("blocking"));
    gate.open();
    assert!(handle.stop(PATIENCE));
}
