//! Peers that show a certificate and cannot prove that they have its key.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use notafter::event::Role;
use notafter::observer::QueuedObserver;
use notafter::{
    Event, EventCode, Observer as _, Severity, Timestamp, TrustAnchors, WatchingClientVerifier,
    WatchingServerVerifier,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier as _;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::{NAME, Wire, ask, pin_of, watching, webpki, webpki_of_clients};
use crate::support::pki::{self, Leaf, NOW, days};
use crate::support::proof::{any_signature_of_clients, meet_client};
use crate::support::tls::{MINUTE, Recorder, VERSIONS, meet, ring};

/// Serves certificates of which it has not the key.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl ResolvesServerCert for Impostor {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

fn impostor(wire: &Wire, chain: &[&CertificateDer<'static>]) -> Arc<ServerConfig> {
    let key = rcgen::KeyPair::generate().unwrap();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    let chain = chain.iter().map(|der| (*der).clone()).collect();
    let served = Impostor(Arc::new(CertifiedKey::new(chain, key)));
    let config = ServerConfig::builder_with_details(ring(), wire.clock.clone())
        .with_protocol_versions(&[wire.version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(served));
    Arc::new(config)
}

fn codes(events: &[Event]) -> Vec<(EventCode, Severity, usize)> {
    let events = events.iter();
    events
        .map(|event| (event.code, event.severity, event.affected))
        .collect()
}

#[test]
fn an_impostor_without_the_key_shows_no_successor() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let (current, next) = (root.leaf(&[NAME], -90, 300), root.leaf(&[NAME], -1, 300));
    for version in VERSIONS {
        let told = Arc::new(Recorder::default());
        let verifier = WatchingServerVerifier::builder(webpki(&anchors))
            .with_provider(ring())
            .with_trust_anchors(anchors.clone())
            .with_leaf_pin(pin_of(&current))
            .with_successor_pin(pin_of(&next))
            .with_observer(told.clone())
            .build()
            .unwrap();
        let wire = Wire::at(version, NOW);
        let client = wire.client(&verifier);
        let met = meet(&client, &impostor(&wire, &[&next.der]), NAME);
        assert!(met.client.is_err(), "{}", wire.label());
        let unproven = (EventCode::PeerUnproven, Severity::Unproven, 1);
        assert_eq!(codes(&told.take()), [unproven], "{}", wire.label());
        // Its own server, with the same chain, has shown it.
        assert!(
            meet(&client, &wire.server(&[&next.der], &next), NAME)
                .client
                .is_ok()
        );
        let seen = (EventCode::PinSuccessorSeen, Severity::Info, 1);
        assert_eq!(codes(&told.take()), [seen], "{}", wire.label());
    }
}

#[test]
fn an_impostor_without_the_key_ends_no_resumption() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let leaf = root.leaf(&[NAME], -90, 300);
    for version in VERSIONS {
        let wire = Wire::at(version, NOW);
        let verifier = WatchingServerVerifier::builder(webpki(&anchors)).with_trust_age(MINUTE);
        let configs = wire.configs(&verifier.build().unwrap());
        let current = || configs.current().unwrap();
        let server = wire.server(&[&leaf.der], &leaf);
        let first = current();
        assert!(!meet(&first, &server, NAME).resumed());
        assert!(meet(&current(), &server, NAME).resumed());
        // The real leaf, something else appended each time, and no key.
        for n in 0..12 {
            let junk = pki::root(&format!("junk {n}"), -1, 1).der;
            let met = meet(&current(), &impostor(&wire, &[&leaf.der, &junk]), NAME);
            assert!(met.client.is_err());
        }
        // In TLS 1.3 each of them used up a ticket.
        assert!(meet(&current(), &server, NAME).client.is_ok());
        assert!(
            meet(&current(), &server, NAME).resumed(),
            "{}",
            wire.label()
        );
        assert!(Arc::ptr_eq(&first, &current()), "{}", wire.label());
    }
}

/// A server that asks for client certificates, and those that ask it.
struct Mutual {
    verifier: Arc<WatchingClientVerifier>,
    told: Arc<Recorder>,
}

impl Mutual {
    fn new(anchors: &TrustAnchors) -> Self {
        let told = Arc::new(Recorder::default());
        let inner = any_signature_of_clients(webpki_of_clients(anchors));
        let builder = WatchingClientVerifier::builder(inner).with_observer(told.clone());
        Self {
            verifier: builder.build().unwrap(),
            told,
        }
    }

    /// Shows the certificate, and goes away.
    fn show(&self, leaf: &CertificateDer<'_>, now: Timestamp) {
        let now = now.to_unix_time().unwrap();
        let _ = self.verifier.verify_client_cert(leaf, &[], now);
    }

    fn meet(&self, leaf: &Leaf, now: Timestamp) -> Result<(), rustls::Error> {
        let now = now.to_unix_time().unwrap();
        meet_client(&*self.verifier, (&leaf.der, &[]), now)
    }
}

/// One event a minute and kind, with its number, whoever comes.
#[test]
fn strangers_are_told_of_once_a_minute_and_kind_with_their_number() {
    use EventCode::{PeerExpired, PeerPresentedTooMuch, PeerUnproven};
    let root = pki::root("root", -100, 3650);
    let mutual = Mutual::new(&pki::anchors([&root]));
    let (ended, good) = (root.leaf(&["x"], -90, -1), root.leaf(&["y"], -90, 300));
    let too_much = CertificateDer::from(vec![0; 65_537]);
    let shown = [&ended.der, &too_much];
    for n in 0..120 {
        let now = NOW.saturating_add(n / 2);
        shown.iter().for_each(|leaf| mutual.show(leaf, now));
    }
    let first = |code| (code, Severity::Unproven, 1);
    assert_eq!(
        codes(&mutual.told.take()),
        [first(PeerExpired), first(PeerPresentedTooMuch)]
    );
    let now = NOW.saturating_add(60);
    shown.iter().for_each(|leaf| mutual.show(leaf, now));
    let minute = |code| (code, Severity::Unproven, 120);
    let told = mutual.told.take();
    assert_eq!(
        codes(&told),
        [minute(PeerExpired), minute(PeerPresentedTooMuch)]
    );
    let says = "(and 119 more like it since 2026-01-01T00:00:00Z)";
    assert!(told[0].message.ends_with(says), "{}", told[0].message);
    // What was only counted so far is told when it is asked for, and what waits for a proof with it.
    shown.iter().for_each(|leaf| mutual.show(leaf, now));
    (0..7).for_each(|_| mutual.show(&good.der, now));
    assert!(mutual.told.take().is_empty());
    assert!(mutual.verifier.flush_events(Duration::ZERO));
    let mut told = codes(&mutual.told.take());
    told.sort_unstable_by_key(|(code, _, count)| (code.as_str(), *count));
    let six = (PeerUnproven, Severity::Unproven, 6);
    let expected = [
        first(PeerExpired),
        first(PeerPresentedTooMuch),
        first(PeerUnproven),
        six,
    ];
    assert_eq!(told, expected);
    assert!(mutual.verifier.flush_events(Duration::ZERO));
    assert!(mutual.told.take().is_empty(), "nothing is told twice");
}

/// Whoever is known is told of as before: a partner whose certificate ends is an outage.
#[test]
fn a_leaf_that_proved_itself_before_is_told_of_in_full_when_it_expires() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let (partner, stranger) = (root.leaf(&["p"], -90, 60), root.leaf(&["s"], -90, 60));
    let after = days(61);
    let mutual = Mutual::new(&anchors);
    assert_eq!(mutual.meet(&partner, NOW), Ok(()));
    assert!(mutual.told.take().is_empty(), "nothing to tell");
    for (leaf, severity) in [
        (&stranger, Severity::Unproven),
        (&partner, Severity::Critical),
    ] {
        assert!(mutual.meet(leaf, after).is_err());
        let told = mutual.told.take();
        assert_eq!(codes(&told), [(EventCode::PeerExpired, severity, 1)]);
        assert_eq!(
            told[0].subject.as_ref().unwrap().name,
            leaf.certificate().short_name()
        );
    }
    // The same of servers, under the name that it proved itself under.
    let told = Arc::new(Recorder::default());
    let server = root.leaf(&[NAME, "other.example"], -90, 60);
    let verifier = watching(webpki(&anchors), &anchors).with_observer(told.clone());
    let verifier = verifier.build().unwrap();
    assert_eq!(ask(&*verifier, &[&server.der], NAME, NOW), Ok(()));
    for (host, severity) in [
        ("other.example", Severity::Unproven),
        ("SERVICE.example", Severity::Critical),
    ] {
        assert!(ask(&*verifier, &[&server.der], host, after).is_err());
        assert_eq!(codes(&told.take()), [(EventCode::PeerExpired, severity, 1)]);
    }
}

/// A refusal by pins is an alarm where the key is that of a known peer, and a number where it is
/// anybody's.
#[test]
fn a_pin_mismatch_of_a_stranger_is_told_of_by_number() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let [good, other] = [(); 2].map(|()| root.leaf(&[NAME], -90, 300));
    let told = Arc::new(Recorder::default());
    let verifier = watching(webpki(&anchors), &anchors)
        .with_leaf_pin(pin_of(&good))
        .with_observer(told.clone())
        .build()
        .unwrap();
    let mismatch = |count| (EventCode::PinMismatch, Severity::Unproven, count);
    for (seconds, expected) in [
        (0, vec![mismatch(1)]),
        (59, vec![]),
        (60, vec![mismatch(2)]),
    ] {
        let now = NOW.saturating_add(seconds);
        assert!(ask(&*verifier, &[&other.der], NAME, now).is_err());
        assert_eq!(codes(&told.take()), expected);
    }
}

/// In a full queue what strangers cause gives way to everything else, and displaces nothing.
#[test]
fn an_event_about_strangers_displaces_no_other() {
    let event = |severity, n: usize| {
        let message = format!("{severity} {n}");
        Event::new(
            NOW,
            EventCode::PeerExpired,
            severity,
            Role::PeerClient,
            message,
        )
    };
    for severity in [Severity::Info, Severity::Warning, Severity::Critical] {
        let seen = Arc::new(Recorder::default());
        let queue = QueuedObserver::polled(seen.clone(), NonZeroUsize::new(3).unwrap());
        queue.observe(&event(Severity::Unproven, 0));
        (0..3).for_each(|n| queue.observe(&event(severity, n)));
        (1..100).for_each(|n| queue.observe(&event(Severity::Unproven, n)));
        assert_eq!((queue.queued(), queue.lost()), (3, 100));
        queue.poll(usize::MAX);
        let seen: Vec<_> = seen.take().into_iter().map(|event| event.message).collect();
        let expected = [0, 1, 2].map(|n| format!("{severity} {n}"));
        assert_eq!(seen, expected);
    }
}

/// The same from the outside: an observer that is slow for a moment loses nothing of a partner's.
#[test]
fn strangers_displace_no_genuine_event() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let (gate, seen) = (Arc::new(Mutex::new(())), Arc::new(Recorder::default()));
    let slow = {
        let (gate, seen) = (gate.clone(), seen.clone());
        Arc::new(move |event: &Event| {
            drop(gate.lock().unwrap());
            seen.observe(event);
        })
    };
    let inner = any_signature_of_clients(webpki_of_clients(&anchors));
    let verifier = WatchingClientVerifier::builder(inner).with_observer(slow);
    let verifier = verifier.build().unwrap();
    let partner = root.leaf(&["partner"], -90, 1);
    let ended = root.leaf(&["x"], -90, -1);
    let held = gate.lock().unwrap();
    for n in 0..3_000 {
        // A minute between each, so that each is told of.
        let now = NOW.saturating_add(n * 60).to_unix_time().unwrap();
        verifier
            .verify_client_cert(&ended.der, &[], now)
            .unwrap_err();
        if n == 500 {
            meet_client(&*verifier, (&partner.der, &[]), now).unwrap();
        }
    }
    drop(held);
    assert!(verifier.flush_events(Duration::from_secs(20)));
    assert!(verifier.events_lost() > 1_000, "{}", verifier.events_lost());
    let seen = seen.take();
    let of_partner = seen
        .iter()
        .filter(|event| event.message.contains("partner"));
    let severities: Vec<_> = of_partner.map(|event| event.severity).collect();
    assert_eq!(severities, [Severity::Critical]);
}

/// A certificate that is only waited for is counted once, also when its proof comes late.
#[test]
fn a_late_proof_is_a_proof() {
    let root = pki::root("root", -100, 3650);
    let mutual = Mutual::new(&pki::anchors([&root]));
    let leaf = root.leaf(&["late"], -80, 10);
    mutual.show(&leaf.der, NOW);
    assert!(mutual.verifier.flush_events(Duration::ZERO));
    let unproven = (EventCode::PeerUnproven, Severity::Unproven, 1);
    assert_eq!(codes(&mutual.told.take()), [unproven]);
    let signature = crate::support::proof::signature();
    let proven = mutual
        .verifier
        .verify_tls13_signature(b"", &leaf.der, &signature);
    assert!(proven.is_ok());
    let expiring = (EventCode::PeerExpiring, Severity::Critical, 1);
    assert_eq!(codes(&mutual.told.take()), [expiring]);
    // And a signature without a certificate before it is nobody's.
    let proven = mutual
        .verifier
        .verify_tls13_signature(b"", &leaf.der, &signature);
    assert!(proven.is_ok() && mutual.told.take().is_empty());
}
