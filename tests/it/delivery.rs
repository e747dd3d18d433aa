//! Observers off the handshake's thread: slow, blocked, panicking, and too many events.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use notafter::alert::RepeatPolicy;
use notafter::event::Role;
use notafter::observer::{ChannelObserver, FilteredObserver, QueuedObserver};
use notafter::{Event, EventCode, Observer, Severity, WatchingServerVerifier};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::ServerName;

use crate::support::pki::{self, NOW};
use crate::support::proof::{any_signature, meet_server};
use crate::support::tls::{Recorder, ring};

const PATIENCE: Duration = Duration::from_secs(20);

/// Events of these severities, made by a verifier as in life: due, warning or critical leaves.
fn events(severities: &[Severity]) -> Vec<Event> {
    let root = pki::root("Root", -1000, 3000);
    let recorder = Arc::new(Recorder::default());
    let roots = Arc::new(RootCertStore::from(&pki::anchors([&root])));
    let inner = WebPkiServerVerifier::builder_with_provider(roots, ring())
        .build()
        .unwrap();
    let builder =
        WatchingServerVerifier::builder(any_signature(inner)).with_observer(recorder.clone());
    let verifier = builder.build().unwrap();
    for severity in severities {
        let left = match severity {
            Severity::Info => 25,
            Severity::Warning => 15,
            _ => 5,
        };
        let leaf = root.leaf(&["a.example"], left - 90, left);
        let name = ServerName::try_from("a.example").unwrap();
        let now = NOW.to_unix_time().unwrap();
        meet_server(&*verifier, (&leaf.der, &[]), &name, &[], now).unwrap();
    }
    let events = recorder.take();
    let made: Vec<_> = events.iter().map(|event| event.severity).collect();
    assert_eq!(made, severities);
    events
}

/// An observer that waits for a permit before each event, and says when it has begun.
struct Gated {
    begun: mpsc::Sender<()>,
    permits: Mutex<mpsc::Receiver<()>>,
    seen: Arc<Recorder>,
}

impl Observer for Gated {
    fn observe(&self, event: &Event) {
        let _ = self.begun.send(());
        let _ = self.permits.lock().unwrap().recv();
        self.seen.observe(event);
    }
}

#[test]
fn a_blocked_observer_blocks_nobody_and_loses_the_mildest_first() {
    use Severity::{Critical, Info, Warning};
    let (begun, has_begun) = mpsc::channel();
    let (permit, permits) = mpsc::channel();
    let seen = Arc::new(Recorder::default());
    let gated = Gated {
        begun,
        permits: Mutex::new(permits),
        seen: seen.clone(),
    };
    let observer = QueuedObserver::spawn(Arc::new(gated), NonZeroUsize::new(3).unwrap()).unwrap();
    let [first, rest @ ..] = &events(&[Critical, Info, Warning, Info, Critical, Warning, Info])[..]
    else {
        panic!("seven events")
    };
    observer.observe(first);
    has_begun.recv_timeout(PATIENCE).unwrap();
    // Blocked now: the rest waits in the queue, which holds three.
    for event in rest {
        observer.observe(event);
    }
    assert!(!observer.flush(Duration::from_millis(20)), "it is blocked");
    for _ in 0..7 {
        let _ = permit.send(());
    }
    assert!(observer.flush(PATIENCE));
    // Info, Warning, Info: Critical takes the first Info's place, Warning the second's; the last
    // Info finds only graver ones.
    let severities: Vec<_> = seen.take().iter().map(|event| event.severity).collect();
    assert_eq!(severities, [Critical, Warning, Critical, Warning]);
    assert_eq!(observer.lost(), 3);
}

#[test]
fn panics_are_counted_and_the_next_event_arrives() {
    let seen = Arc::new(Recorder::default());
    let inner = {
        let seen = seen.clone();
        Arc::new(move |event: &Event| {
            seen.observe(event);
            if event.severity == Severity::Info {
                std::panic::resume_unwind(Box::new("observer"));
            }
        })
    };
    let observer = QueuedObserver::spawn(inner, NonZeroUsize::new(8).unwrap()).unwrap();
    for event in events(&[Severity::Info, Severity::Warning]) {
        observer.observe(&event);
    }
    assert!(observer.flush(PATIENCE));
    assert_eq!(
        (seen.take().len(), observer.panics(), observer.lost()),
        (2, 1, 0)
    );
}

#[test]
fn what_is_queued_is_delivered_after_the_last_owner_is_gone() {
    let (sent, received) = mpsc::channel();
    let sent = Mutex::new(sent);
    let inner = Arc::new(move |event: &Event| {
        std::thread::sleep(Duration::from_millis(5));
        let _ = sent.lock().unwrap().send(event.severity);
    });
    let observer = QueuedObserver::spawn(inner, NonZeroUsize::new(8).unwrap()).unwrap();
    for event in events(&[Severity::Info, Severity::Warning, Severity::Critical]) {
        observer.observe(&event);
    }
    drop(observer);
    for expected in [Severity::Info, Severity::Warning, Severity::Critical] {
        assert_eq!(received.recv_timeout(PATIENCE), Ok(expected));
    }
    // The thread has ended and dropped the observer.
    assert_eq!(
        received.recv_timeout(PATIENCE),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
}

#[test]
fn a_polled_queue_delivers_when_it_is_asked_to() {
    let seen = Arc::new(Recorder::default());
    let observer = QueuedObserver::polled(seen.clone(), NonZeroUsize::new(8).unwrap());
    for event in events(&[Severity::Info, Severity::Warning, Severity::Critical]) {
        observer.observe(&event);
    }
    assert_eq!((seen.take().len(), observer.queued()), (0, 3));
    assert_eq!((observer.poll(2), seen.take().len()), (2, 2));
    assert!(observer.close(Duration::ZERO));
    assert_eq!(seen.take().len(), 1);
    // Closed: what comes now is lost, and counted.
    observer.observe(&events(&[Severity::Info])[0]);
    assert_eq!((observer.poll(1), observer.lost()), (0, 1));
}

#[test]
fn filters_pass_what_meets_all_of_them() {
    let seen = Arc::new(Recorder::default());
    let all = events(&[Severity::Info, Severity::Warning, Severity::Critical]);
    let filter = || FilteredObserver::new(seen.clone());
    let cases = [
        (filter(), 3),
        (filter().with_least_severity(Severity::Warning), 2),
        (filter().with_roles([Role::PeerServer]), 3),
        (filter().with_roles([Role::PeerClient]), 0),
        (filter().with_codes([EventCode::PeerExpiring]), 3),
        (
            filter()
                .with_codes([EventCode::PeerExpiring])
                .with_least_severity(Severity::Critical),
            1,
        ),
        (filter().with_codes([]), 0),
    ];
    for (number, (filter, expected)) in cases.into_iter().enumerate() {
        assert!(filter.is_prompt(), "as what it hands on to");
        all.iter().for_each(|event| filter.observe(event));
        assert_eq!(seen.take().len(), expected, "case {number}");
    }
}

#[test]
fn a_full_channel_counts_what_it_loses() {
    let (observer, received) = ChannelObserver::bounded(NonZeroUsize::new(2).unwrap());
    for event in events(&[Severity::Info, Severity::Warning, Severity::Critical]) {
        observer.observe(&event);
    }
    let severities: Vec<_> = received.try_iter().map(|event| event.severity).collect();
    assert_eq!(severities, [Severity::Info, Severity::Warning]);
    drop(received);
    observer.observe(&events(&[Severity::Info])[0]);
    assert_eq!(observer.lost(), 2);
}

#[test]
fn by_default_a_blocked_observer_does_not_hold_up_a_handshake() {
    let root = pki::root("Root", -1000, 3000);
    let roots = Arc::new(RootCertStore::from(&pki::anchors([&root])));
    let inner = WebPkiServerVerifier::builder_with_provider(roots, ring())
        .build()
        .unwrap();
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let seen = Arc::new(Recorder::default());
    let last = seen.clone();
    let verifier = WatchingServerVerifier::builder(any_signature(inner))
        .with_observer(Arc::new(move |event: &Event| {
            let _ = blocked.lock().unwrap().recv();
            last.observe(event);
        }))
        .build()
        .unwrap();
    let names: Vec<_> = (0..50).map(|n| format!("{n}.example")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let leaf = root.leaf(&names, -85, 5);
    for name in &names {
        // Each name is a matter of its own; each call returns though the first event is stuck.
        let name = ServerName::try_from(*name).unwrap();
        let now = NOW.to_unix_time().unwrap();
        meet_server(&*verifier, (&leaf.der, &[]), &name, &[], now).unwrap();
    }
    assert!(!verifier.flush_events(Duration::from_millis(20)));
    drop(release);
    assert!(verifier.flush_events(PATIENCE));
    assert_eq!((seen.take().len(), verifier.events_lost()), (50, 0));
}

#[test]
fn a_verifier_goes_on_after_a_restart_where_it_was() {
    let root = pki::root("Root", -1000, 3000);
    let recorder = Arc::new(Recorder::default());
    let build = || {
        let roots = Arc::new(RootCertStore::from(&pki::anchors([&root])));
        let inner = WebPkiServerVerifier::builder_with_provider(roots, ring());
        WatchingServerVerifier::builder(any_signature(inner.build().unwrap()))
            .with_observer(recorder.clone())
            .with_repeat(RepeatPolicy::every_minutes(5))
            .with_peer_memory(NonZeroUsize::MIN)
            .build()
            .unwrap()
    };
    let leaf = root.leaf(&["a.example", "b.example"], -85, 5);
    let told = |verifier: &WatchingServerVerifier, name, seconds| {
        let name = ServerName::try_from(name).unwrap();
        let now = NOW.saturating_add(seconds).to_unix_time().unwrap();
        meet_server(verifier, (&leaf.der, &[]), &name, &[], now).unwrap();
        recorder.take().len()
    };
    let before = build();
    assert_eq!(told(&before, "a.example", 0), 1);
    let after = build();
    assert!(after.restore("{").is_err());
    after.restore(&before.save()).unwrap();
    assert_eq!(told(&after, "a.example", 299), 0);
    assert_eq!(told(&after, "a.example", 300), 1);
    assert_eq!(
        (told(&after, "b.example", 301), after.peer_evictions()),
        (1, 1)
    );
}

#[cfg(feature = "metrics")]
#[test]
fn the_metrics_sink_counts_from_zero() {
    let gauges = crate::support::gauges::Gauges::default();
    metrics::with_local_recorder(&gauges, || {
        let observer = notafter::observer::MetricsObserver::new();
        for event in events(&[Severity::Warning, Severity::Warning]) {
            observer.observe(&event);
        }
    });
    let count = |code, severity| {
        gauges.counter(&format!(
            "notafter_events_total{{code={code},severity={severity}}}"
        ))
    };
    assert_eq!(count("peer_expiring", "warning"), Some(2));
    assert_eq!(count("pin_mismatch", "critical"), Some(0));
}

#[cfg(feature = "tracing")]
mod tracing_sink {
    use std::collections::BTreeMap;
    use std::fmt::Debug;
    use std::sync::{Arc, Mutex};

    use notafter::observer::TracingObserver;
    use notafter::{Observer as _, Severity};
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<(Level, BTreeMap<String, String>)>>>);

    struct Fields(BTreeMap<String, String>);

    impl Visit for Fields {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            self.0.insert(field.name().to_owned(), format!("{value:?}"));
        }

        fn record_str(&mut self, field: &Field, value: &str) {
            self.0.insert(field.name().to_owned(), value.to_owned());
        }
    }

    impl Subscriber for Kept {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "notafter"
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            let mut fields = Fields(BTreeMap::new());
            event.record(&mut fields);
            self.0
                .lock()
                .unwrap()
                .push((*event.metadata().level(), fields.0));
        }

        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn fields_have_the_names_of_opentelemetry() {
        let kept = Kept::default();
        let events = super::events(&[Severity::Warning, Severity::Critical]);
        tracing::subscriber::with_default(kept.clone(), || {
            events
                .iter()
                .for_each(|event| TracingObserver::new().observe(event));
        });
        let kept = kept.0.lock().unwrap();
        let levels: Vec<_> = kept.iter().map(|(level, _)| *level).collect();
        assert_eq!(levels, [Level::WARN, Level::ERROR]);
        let fields = &kept[0].1;
        let subject = events[0].subject.as_ref().unwrap();
        let expected = [
            ("notafter.code", "peer_expiring"),
            ("notafter.role", "peer_server"),
            ("notafter.band", "warning"),
            ("notafter.time_left", "1296000"),
            ("server.address", "a.example"),
            (
                "tls.server.subject",
                subject.distinguished_name.as_deref().unwrap(),
            ),
            ("tls.server.issuer", "CN=Root"),
            ("tls.server.not_after", "2026-01-16T00:00:00Z"),
            (
                "tls.server.hash.sha256",
                &subject.sha256.to_string().to_uppercase(),
            ),
        ];
        for (name, value) in expected {
            assert_eq!(fields.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(
            !fields.keys().any(|name| name.starts_with("tls.client")),
            "{fields:?}"
        );
    }
}

mod log_sink {
    use std::sync::Mutex;

    use log::{Level, LevelFilter, Log, Metadata, Record};
    use notafter::observer::LogObserver;
    use notafter::{Observer as _, Severity};

    /// The process's logger: other tests log too, with other targets.
    static KEPT: Kept = Kept(Mutex::new(Vec::new()));

    struct Kept(Mutex<Vec<(Level, String)>>);

    impl Log for Kept {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "notafter"
        }

        fn log(&self, record: &Record<'_>) {
            if self.enabled(record.metadata()) {
                let line = (record.level(), record.args().to_string());
                self.0.lock().unwrap().push(line);
            }
        }

        fn flush(&self) {}
    }

    #[test]
    fn a_record_is_the_line_of_the_event_at_the_level_of_its_severity() {
        log::set_logger(&KEPT).unwrap();
        log::set_max_level(LevelFilter::Info);
        let events = super::events(&[Severity::Info, Severity::Warning, Severity::Critical]);
        for event in &events {
            LogObserver::new().observe(event);
        }
        let levels = [Level::Info, Level::Warn, Level::Error];
        let expected: Vec<_> = (levels.into_iter().zip(&events))
            .map(|(level, event)| (level, event.to_string()))
            .collect();
        assert_eq!(*KEPT.0.lock().unwrap(), expected);
    }
}
