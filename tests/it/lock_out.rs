//! A server to which nothing gets through any more is told of, though none of the refused proved
//! anything.

use std::sync::Arc;

use notafter::{Band, Event, EventCode, PinSet, Severity, SpkiPin, WatchingServerVerifier};
use rustls::pki_types::ServerName;

use crate::support::agreeable::Agreeable;
use crate::support::pki::{self, NOW};
use crate::support::proof::meet_server;
use crate::support::tls::Recorder;

#[test]
fn a_server_that_changed_its_key_unannounced_is_told_of_at_critical_until_it_gets_through() {
    let root = pki::root("Root", -100, 3650);
    let [pinned, other] = [(); 2].map(|()| root.leaf(&["a.example"], -1, 300));
    let pin = SpkiPin::of_certificate(&pinned.certificate());
    let set = PinSet::builder().current(pin).build().unwrap();
    let recorder = Arc::new(Recorder::default());
    let verifier = WatchingServerVerifier::builder(Arc::new(Agreeable::default()))
        .with_pin_set(set)
        .with_observer(recorder.clone())
        .build()
        .unwrap();
    let told = |leaf: &pki::Leaf, name: &str, second: i64| -> Vec<Event> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let now = NOW.saturating_add(second).to_unix_time().unwrap();
        let _ = meet_server(&*verifier, (&leaf.der, &[]), &name, &[], now);
        recorder.take()
    };
    let codes = |events: &[Event]| -> Vec<_> {
        let events = events.iter();
        events.map(|event| (event.code, event.severity)).collect()
    };
    // It worked before.
    assert_eq!(codes(&told(&pinned, "a.example", 0)), []);
    let by_number = (EventCode::PinMismatch, Severity::Unproven);
    assert_eq!(codes(&told(&other, "a.example", 10)), [by_number]);
    assert_eq!(codes(&told(&other, "A.example", 40)), []);
    // Five minutes after the first refusal, to the second; another server's are its own matter.
    assert_eq!(codes(&told(&other, "a.example", 309)), [by_number]);
    assert_eq!(codes(&told(&other, "b.example", 310)), []);
    let lock_out = told(&other, "a.example", 310);
    assert_eq!(
        codes(&lock_out),
        [(EventCode::PeerLockedOut, Severity::Critical)]
    );
    let message = &lock_out[0].message;
    let expected = "no handshake with a.example was accepted for 5 min: 4 were refused, the last \
                    one because: ";
    assert!(message.starts_with(expected), "{message}");
    assert!(message.contains("deploy its new pin"), "{message}");
    assert_eq!(lock_out[0].host.as_deref(), Some("a.example"));
    // Hourly while it lasts.
    let again = told(&other, "a.example", 310 + 3_599);
    assert_eq!(codes(&again), [by_number]);
    let again = told(&other, "a.example", 310 + 3_600);
    assert_eq!(
        codes(&again),
        [(EventCode::PeerLockedOut, Severity::Critical)]
    );
    // Whoever is accepted ends it, though nothing else is to be told of that server.
    let recovered = told(&pinned, "a.example", 4_000);
    let (before, now) = (recovered[0].band_before, recovered[0].band);
    assert_eq!(recovered[0].code, EventCode::PeerRecovered);
    assert_eq!((before, now), (Some(Band::Broken), Some(Band::Ok)));
    assert_eq!(codes(&told(&pinned, "a.example", 4_001)), []);
    assert_eq!(codes(&told(&other, "a.example", 4_002)).len(), 1);
    assert_eq!(codes(&told(&other, "a.example", 4_303)).len(), 1);
}
