//! Observers that panic in the worst way, come back, and block.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak, mpsc};
use std::time::Duration;

use notafter::observer::InlineObserver;
use notafter::{Event, Observer, WatchingServerVerifier};

use super::{NAME, ask, watching, webpki};
use crate::support::pki::{self, NOW};

const PATIENCE: Duration = Duration::from_secs(20);

/// The payload of a panic that panics when it is dropped.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "the payload is dropped");
    }
}

/// Neither the handshake's thread nor a queue's ends by it, and it is counted.
#[test]
fn a_panic_whose_payload_panics_is_contained() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let observe = |_: &Event| std::panic::panic_any(Payload);
    let observers: [Arc<dyn Observer>; 2] = [Arc::new(InlineObserver(observe)), Arc::new(observe)];
    for observer in observers {
        let verifier = watching(webpki(&anchors), &anchors).with_observer(observer);
        let verifier = verifier.build().unwrap();
        for met in 1..=4 {
            let leaf = root.leaf(&[NAME], -80, 2);
            assert_eq!(ask(&*verifier, &[&leaf.der], NAME, NOW), Ok(()));
            assert!(
                verifier.flush_events(PATIENCE),
                "the queue's thread is gone"
            );
            assert_eq!(verifier.observer_panics(), met);
        }
        assert_eq!(verifier.events_lost(), 0);
    }
}

/// One that is prompt asks the verifier again, flushes and saves; another one blocks for good.
#[test]
fn observers_may_come_back_and_block() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let leaf = Arc::new(root.leaf(&[NAME, "other.example"], -90, 1));
    let slot: Arc<OnceLock<Weak<WatchingServerVerifier>>> = Arc::default();
    let came_back = Arc::new(AtomicUsize::new(0));
    let prompt = {
        let (slot, leaf, came_back) = (slot.clone(), leaf.clone(), came_back.clone());
        InlineObserver(move |_: &Event| {
            let verifier = slot.get().and_then(Weak::upgrade).unwrap();
            if came_back.fetch_add(1, Ordering::SeqCst) < 50 {
                for host in ["other.example", NAME, "unknown.example"] {
                    let _ = ask(&*verifier, &[&leaf.der], host, NOW);
                }
                verifier.flush_events(Duration::from_millis(1));
                let saved = verifier.save();
                assert_eq!(verifier.restore(&saved), Ok(()));
            }
        })
    };
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock().unwrap();
    let blocked = {
        let gate = gate.clone();
        Arc::new(move |_: &Event| drop(gate.lock().unwrap()))
    };
    let verifier = watching(webpki(&anchors), &anchors)
        .with_observer(Arc::new(prompt))
        .with_observer(blocked)
        .build()
        .unwrap();
    slot.set(Arc::downgrade(&verifier)).unwrap();
    let (done, waiting) = mpsc::channel();
    let asking = verifier.clone();
    std::thread::spawn(move || {
        for hour in 0..20 {
            let now = NOW.saturating_add(hour * 3600);
            assert_eq!(ask(&*asking, &[&leaf.der], NAME, now), Ok(()));
        }
        done.send(()).unwrap();
    });
    waiting.recv_timeout(PATIENCE).expect("no deadlock");
    assert!(came_back.load(Ordering::SeqCst) > 1);
    assert_eq!(verifier.observer_panics(), 0);
    drop(verifier);
    drop(held);
}
