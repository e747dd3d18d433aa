//! The real types under threads, as often as these happen to meet: what `tests/models` shows of miniatures
//! in every order. (Reloads have a storm of their own in `reload/storm.rs`.)

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use notafter::event::Role;
use notafter::observer::QueuedObserver;
use notafter::pin::PinsInForce as _;
use notafter::{
    Event, EventCode, Observer as _, PinSet, SessionGuard, Severity, SpkiPin,
    WatchingClientVerifier,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ServerSessionMemoryCache;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DistinguishedName, Error, SignatureScheme};

use crate::announcements::ground::{Draft, Ground, listed};
use crate::pinning::life::Changing;
use crate::support::pki::{self, Leaf, NOW};
use crate::support::proof::any_signature_counts;
use crate::support::proof::meet_client;
use crate::support::tls::FixedTime;

const THREADS: usize = 4;

/// Each version announces a letter of its own.
const LETTERS: &[u8] = b"ghijklmnopqrstu";

#[test]
fn generations_of_a_pin_store_are_whole_and_never_go_back() {
    let ground = Ground::new();
    let (done, seen) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let (mut epoch, mut version) = (0, 0);
                while !done.load(Ordering::Acquire) {
                    let generation = ground.store.generation();
                    let sets: Vec<_> = generation.sets.iter().collect();
                    let letter = |pin: &notafter::pin::Pin| pin.key.digest().as_bytes()[0];
                    let mut letters = sets[0].pins().iter().map(letter);
                    let announced =
                        letters.find_map(|letter| LETTERS.iter().position(|l| *l == letter));
                    let now = announced.map_or(0, |place| place + 1);
                    assert!(generation.epoch >= epoch && now >= version, "it went back");
                    assert!(
                        generation.epoch != epoch || epoch == 0 || now == version,
                        "two of one epoch"
                    );
                    (epoch, version) = (generation.epoch, now);
                    seen.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let writers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    for (place, letter) in LETTERS.iter().enumerate() {
                        let pins = [
                            listed(b'O', "current"),
                            listed(b'B', "backup"),
                            listed(*letter, "announced"),
                        ];
                        let version = 11 + u64::try_from(place).unwrap();
                        // Another one may have been faster.
                        let _ = ground.apply(&Draft::new(version, NOW, &pins), NOW);
                    }
                })
            })
            .collect();
        writers
            .into_iter()
            .for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Release);
    });
    assert_eq!(
        ground.store.version(),
        10 + u64::try_from(LETTERS.len()).unwrap()
    );
    assert_eq!(
        ground.store.generation().epoch,
        u64::try_from(LETTERS.len()).unwrap()
    );
    println!("{} generations looked at", seen.load(Ordering::Relaxed));
}

#[test]
fn every_event_of_many_threads_is_delivered_or_counted_as_lost() {
    const EACH: usize = 5_000;
    let delivered = Arc::new(AtomicUsize::new(0));
    let count = {
        let delivered = delivered.clone();
        move |_: &Event| {
            delivered.fetch_add(1, Ordering::Relaxed);
        }
    };
    let room = NonZeroUsize::new(16).unwrap();
    let queue = QueuedObserver::spawn(Arc::new(count), room).unwrap();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let queue = &queue;
            scope.spawn(move || {
                for n in 0..EACH {
                    let severity = Severity::ALL[(n + number) % Severity::ALL.len()];
                    let event = Event::new(NOW, EventCode::Broken, severity, Role::PeerClient, "x");
                    queue.observe(&event);
                    if n % 1_000 == 0 {
                        queue.flush(Duration::from_secs(60));
                    }
                }
            });
        }
    });
    assert!(queue.close(Duration::from_secs(60)));
    let lost = usize::try_from(queue.lost()).unwrap();
    assert_eq!(delivered.load(Ordering::Relaxed) + lost, THREADS * EACH);
    assert_eq!((queue.queued(), queue.panics()), (0, 0));
}

/// Lets every client in, and takes any signature for a proof.
#[derive(Debug)]
struct Everybody;

impl ClientCertVerifier for Everybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    any_signature_counts!();

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Vec::new()
    }
}

/// A session as rustls's server stores it, as far as a guard looks at it.
fn session(leaf: &CertificateDer<'_>) -> Vec<u8> {
    let opaque = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length[1..], bytes].concat()
    };
    [b"session ".as_slice(), &opaque(&opaque(leaf))].concat()
}

#[test]
fn no_session_of_a_client_that_is_pinned_no_more_is_handed_out() {
    let root = pki::root("root", -10, 3650);
    let leaves = [(); 2].map(|()| root.leaf(&["client.example"], -1, 300));
    let pin = |leaf: &Leaf| SpkiPin::from_certificate(&leaf.certificate());
    let spare = SpkiPin::from_spki_der(b"kept offline");
    let only = |leaf: &Leaf| {
        PinSet::builder()
            .with_current(pin(leaf))
            .with_backup(spare)
            .build()
            .unwrap()
    };
    let pins = Changing::new(only(&leaves[0]));
    let verifier = WatchingClientVerifier::builder(Arc::new(Everybody)).with_pins(pins.clone());
    let verifier = verifier.build().unwrap();
    let guard = SessionGuard::new(Arc::new(FixedTime(pki::now())));
    let sessions = guard.server(&verifier, ServerSessionMemoryCache::new(64));
    let (done, handed_out) = (AtomicBool::new(false), Mutex::new([0; 2]));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (leaf, leaves) = (&leaves[number % 2].der, &leaves);
            let (verifier, sessions, pins) = (&verifier, &sessions, &pins);
            let (done, handed_out) = (&done, &handed_out);
            scope.spawn(move || {
                let key = vec![u8::try_from(number).unwrap()];
                while !done.load(Ordering::Acquire) {
                    let _ = meet_client(&**verifier, (leaf, &[]), pki::now());
                    sessions.put(key.clone(), session(leaf));
                    let before = pins.generation();
                    let Some(found) = sessions.get(&key) else {
                        continue;
                    };
                    assert_eq!(found, session(leaf));
                    // Pinned at some instant of the question: in this epoch, or in one that came meanwhile.
                    let is_pinned = before.sets.iter().any(|set| {
                        set.pins()
                            .iter()
                            .any(|known| known.key == pin(&leaves[number % 2]))
                    });
                    assert!(is_pinned || pins.generation().epoch > before.epoch);
                    handed_out.lock().unwrap()[number % 2] += 1;
                }
            });
        }
        for round in 0..400 {
            pins.change(only(&leaves[round % 2]));
            thread::yield_now();
            thread::sleep(Duration::from_micros(500));
        }
        done.store(true, Ordering::Release);
    });
    let handed_out = handed_out.lock().unwrap();
    println!("{handed_out:?} sessions handed out");
    assert!(handed_out.iter().all(|count| *count > 0));
    // No thread is at it any more: what is pinned no more is refused for good.
    pins.change(only(&leaves[0]));
    for number in 0..u8::try_from(THREADS).unwrap() {
        assert_eq!(sessions.get(&[number]), None, "of another epoch");
    }
}
