//! Sessions that a server keeps of its clients.

use std::sync::{Arc, Mutex};

use notafter::pin::PinsInForce as _;
use notafter::verifier::PinnedGrace;
use notafter::{PinSet, TrustAnchors, WatchingClientVerifier};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    ClientConnection, DigitallySignedStruct, DistinguishedName, Error, ServerConnection,
    SignatureScheme,
};

use super::{
    Changing, KEEPINGS, Keeping, NAME, Wire, name, pin_of, watching_clients, webpki_of_clients,
};
use crate::support::pki::{self, Leaf, NOW, days};
use crate::support::tls::{VERSIONS, meet};

pub struct World {
    pub anchors: TrustAnchors,
    pub own: Leaf,
    /// Ends at NOW.
    pub ending: Leaf,
    pub lasting: Leaf,
}

pub fn world() -> World {
    let root = pki::root("root", -100, 3650);
    World {
        anchors: pki::anchors([&root]),
        own: root.leaf(&[NAME], -90, 300),
        ending: root.leaf(&["ending"], -90, 0),
        lasting: root.leaf(&["lasting"], -90, 300),
    }
}

/// A server asks for no age of a stateful session: what ended must be remembered for longer than
/// any week.
#[test]
fn an_ended_client_is_not_resumed_eight_days_later() {
    let world = world();
    for version in VERSIONS {
        for keeping in KEEPINGS {
            let wire = Wire::at(version, NOW.saturating_add(-100));
            let verifier = watching_clients(webpki_of_clients(&world.anchors), None);
            let server = wire.mutual(&verifier, &world.own, keeping);
            let [ending, lasting] = [&world.ending, &world.lasting]
                .map(|leaf| wire.presenting(&world.anchors, Some(leaf), &[]));
            let label = format!("{} {keeping:?}", wire.label());
            assert!(meet(&ending, &server, NAME).server.is_ok());
            assert!(meet(&ending, &server, NAME).resumed(), "{label}");
            wire.clock.set(days(8));
            assert!(meet(&lasting, &server, NAME).server.is_ok());
            assert!(meet(&ending, &server, NAME).server.is_err(), "{label}");
        }
    }
}

/// And who lasts is not made to pay for it.
#[test]
fn a_client_whose_chain_lasts_is_resumed_eight_days_later() {
    let world = world();
    // In TLS 1.3 the client itself lets go of a ticket after a week (RFC 8446, 4.6.1).
    let wire = Wire::at(VERSIONS[0], NOW);
    let verifier = watching_clients(webpki_of_clients(&world.anchors), None);
    let server = wire.mutual(&verifier, &world.own, Keeping::Store);
    let lasting = wire.presenting(&world.anchors, Some(&world.lasting), &[]);
    assert!(!meet(&lasting, &server, NAME).resumed());
    for day in [1, 8, 15, 100] {
        wire.clock.set(days(day));
        assert!(meet(&lasting, &server, NAME).resumed(), "day {day}");
    }
}

#[test]
fn a_clock_that_ran_ahead_for_a_moment_forgets_no_end() {
    let world = world();
    for version in VERSIONS {
        let wire = Wire::at(version, NOW.saturating_add(-100));
        let verifier = watching_clients(webpki_of_clients(&world.anchors), None);
        let server = wire.mutual(&verifier, &world.own, Keeping::Store);
        let [ending, lasting] = [&world.ending, &world.lasting]
            .map(|leaf| wire.presenting(&world.anchors, Some(leaf), &[]));
        assert!(meet(&ending, &server, NAME).server.is_ok());
        // For one handshake of somebody else the clock is ahead.
        wire.clock.set(days(30));
        assert!(meet(&lasting, &server, NAME).server.is_ok());
        wire.clock.set(NOW.saturating_add(100));
        let label = wire.label();
        assert!(meet(&ending, &server, NAME).server.is_err(), "{label}");
        assert!(meet(&lasting, &server, NAME).server.is_ok(), "{label}");
    }
}

/// The pins before and after a key was found to be in wrong hands.
fn before_and_after(stolen: &Leaf, good: &Leaf) -> (PinSet, PinSet) {
    let before = PinSet::builder()
        .with_current(pin_of(stolen))
        .with_backup(pin_of(good));
    let after = PinSet::builder()
        .with_current(pin_of(good))
        .with_rejected(pin_of(stolen));
    (before.build().unwrap(), after.build().unwrap())
}

fn written<D>(connection: &mut rustls::ConnectionCommon<D>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut bytes).unwrap();
    }
    bytes
}

fn read<D>(connection: &mut rustls::ConnectionCommon<D>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        connection.read_tls(&mut bytes).unwrap();
        connection.process_new_packets().unwrap();
    }
}

fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while bytes.len() >= 5 {
        let length = 5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        let (record, rest) = bytes.split_at(length);
        records.push(record);
        bytes = rest;
    }
    records
}

/// A client holds back its last record (its Finished) while the operator rejects its key.
#[test]
fn a_client_rejected_before_its_finished_gets_no_session_of_the_new_epoch() {
    let World {
        anchors,
        own,
        lasting: stolen,
        ..
    } = world();
    for is_rejected in [true, false] {
        let wire = Wire::at(VERSIONS[0], NOW);
        let (before, after) = before_and_after(&stolen, &own);
        let pins = Changing::new(before);
        let verifier = watching_clients(webpki_of_clients(&anchors), Some(pins.clone()));
        let config = wire.mutual(&verifier, &own, Keeping::Store);
        let presenting = wire.presenting(&anchors, Some(&stolen), &[]);
        let mut client = ClientConnection::new(presenting.clone(), name(NAME)).unwrap();
        let mut server = ServerConnection::new(config.clone()).unwrap();
        read(&mut server, &written(&mut client));
        read(&mut client, &written(&mut server));
        let flight = written(&mut client);
        let flight = records(&flight);
        let (finished, others) = flight.split_last().unwrap();
        others.iter().for_each(|record| read(&mut server, record));
        assert!(server.is_handshaking());
        if is_rejected {
            pins.change(after);
        }
        read(&mut server, finished);
        read(&mut client, &written(&mut server));
        assert!(!server.is_handshaking());
        assert_eq!(verifier.recheck(&server, NOW).is_err(), is_rejected);
        // Whenever it likes, for as long as its chain lasts.
        for day in [1, 5, 100] {
            wire.clock.set(days(day));
            let met = meet(&presenting, &config, NAME);
            assert_eq!(met.server.is_err(), is_rejected, "day {day}");
            assert_eq!(met.resumed(), !is_rejected, "day {day}");
        }
    }
}

/// Changes the pins while it looks at a client's signature.
#[derive(Debug)]
struct ChangesMeanwhile {
    inner: Arc<dyn ClientCertVerifier>,
    pins: Arc<Changing>,
    to: Mutex<Option<PinSet>>,
}

impl ChangesMeanwhile {
    fn change(&self) {
        if let Some(set) = self.to.lock().unwrap().take() {
            self.pins.change(set);
        }
    }
}

impl ClientCertVerifier for ChangesMeanwhile {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.inner.verify_client_cert(leaf, rest, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.change();
        self.inner.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.change();
        self.inner.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[test]
fn a_client_rejected_during_its_handshake_is_never_resumed() {
    let World {
        anchors,
        own,
        lasting: stolen,
        ..
    } = world();
    for version in VERSIONS {
        for keeping in KEEPINGS {
            for is_rejected in [true, false] {
                let wire = Wire::at(version, NOW);
                let (before, after) = before_and_after(&stolen, &own);
                let pins = Changing::new(before);
                let inner = Arc::new(ChangesMeanwhile {
                    inner: webpki_of_clients(&anchors),
                    pins: pins.clone(),
                    to: Mutex::new(is_rejected.then_some(after)),
                });
                let verifier = watching_clients(inner, Some(pins.clone()));
                let server = wire.mutual(&verifier, &own, keeping);
                let client = wire.presenting(&anchors, Some(&stolen), &[]);
                let first = meet(&client, &server, NAME);
                assert!(first.server.is_ok() && !first.resumed());
                assert_eq!(pins.generation().epoch, u64::from(is_rejected));
                let again = meet(&client, &server, NAME);
                let label = format!("{} {keeping:?}", wire.label());
                assert_eq!(again.resumed(), !is_rejected, "{label}");
                assert_eq!(again.server.is_err(), is_rejected, "{label}");
            }
        }
    }
}

/// Whoever only shows the certificate of a client within its grace ends nobody else's sessions; nor
/// does who appends an ended certificate to a good client's.
#[test]
fn an_unproven_client_ends_no_others_sessions() {
    let world = world();
    let wire = Wire::at(VERSIONS[0], days(1));
    let pins = PinSet::builder()
        .with_current(pin_of(&world.lasting))
        .with_backup(pin_of(&world.ending))
        .build()
        .unwrap();
    let verifier = WatchingClientVerifier::builder(webpki_of_clients(&world.anchors))
        .with_pin_set(pins)
        .with_grace(PinnedGrace::from_seconds(5 * 86_400).unwrap())
        .build()
        .unwrap();
    let server = wire.mutual(&verifier, &world.own, Keeping::Store);
    let lasting = wire.presenting(&world.anchors, Some(&world.lasting), &[]);
    assert!(!meet(&lasting, &server, NAME).resumed());
    assert!(meet(&lasting, &server, NAME).resumed());
    // What rustls does with a Certificate message, before it looks at the signature.
    let now = days(1).to_unix_time().unwrap();
    let shown = verifier.verify_client_cert(&world.ending.der, &[], now);
    assert!(shown.is_ok());
    wire.clock.set(days(1).saturating_add(1));
    assert!(meet(&lasting, &server, NAME).resumed());
    let junk = pki::root("junk", -10, 0).der;
    let shown = verifier.verify_client_cert(&world.lasting.der, &[junk], now);
    assert!(shown.is_ok());
    assert!(meet(&lasting, &server, NAME).resumed());
}
