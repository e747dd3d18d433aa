//! Observers off the handshake's thread: slow, blocked, panicking, and too many events.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use notafter::{Event, Observer, QueuedObserver, Severity, WatchingServerVerifier};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::ServerName;

use crate::support::pki::{self, NOW};
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
    let builder = WatchingServerVerifier::builder(inner).with_observer(recorder.clone());
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
        verifier
            .verify_server_cert(&leaf.der, &[], &name, &[], now)
            .unwrap();
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
