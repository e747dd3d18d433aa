//! Connections that are open, and resumed ones that nobody was asked about, are judged again: over real handshakes.
//! What is kept of sessions is in `both_lines::kept_sessions`.

use std::sync::Arc;

use notafter::pin::{PinError, PinsInForce};
use notafter::{
    PinSet, SpkiPin, Timestamp, TrustAnchors, WatchingClientVerifier, WatchingServerVerifier,
    pin_error,
};
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, Resumption};
use rustls::pki_types::ServerName;
use rustls::server::WebPkiClientVerifier;
use rustls::{
    CertificateError, ClientConfig, Error, RootCertStore, ServerConfig, SupportedProtocolVersion,
};

use super::life::Changing;
use super::{NAME, pin_of, webpki};
use crate::support::pki::{self, Ca, Leaf, NOW, days};
use crate::support::tls::{SetTime, VERSIONS, meet, ring};

/// Before a leaf's end at NOW: sessions live for hours, not for days.
const BEFORE: Timestamp = NOW.saturating_add(-100);
const AFTER: Timestamp = NOW.saturating_add(1);

struct World {
    root: Ca,
    anchors: TrustAnchors,
    /// Ends at NOW.
    leaf: Leaf,
    other: Leaf,
    clock: Arc<SetTime>,
}

fn world() -> World {
    let root = pki::root("root", -100, 3650);
    World {
        anchors: pki::anchors([&root]),
        leaf: root.leaf(&[NAME], -90, 0),
        other: root.leaf(&[NAME], -90, 90),
        root,
        clock: SetTime::at(BEFORE),
    }
}

impl World {
    fn server(&self, version: &'static SupportedProtocolVersion, leaf: &Leaf) -> Arc<ServerConfig> {
        Arc::new(
            ServerConfig::builder_with_details(ring(), self.clock.clone())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![leaf.der.clone()], leaf.key.clone_key())
                .unwrap(),
        )
    }

    fn verifier(&self, pins: Arc<dyn PinsInForce>) -> Arc<WatchingServerVerifier> {
        WatchingServerVerifier::builder(webpki(&self.anchors))
            .with_provider(ring())
            .with_trust_anchors(self.anchors.clone())
            .with_pins(pins)
            .build()
            .unwrap()
    }

    fn client(
        &self,
        version: &'static SupportedProtocolVersion,
        verifier: Arc<WatchingServerVerifier>,
        store: Arc<dyn ClientSessionStore>,
    ) -> Arc<ClientConfig> {
        let mut config = ClientConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.resumption = Resumption::store(store);
        Arc::new(config)
    }

    fn pins(&self) -> Arc<Changing> {
        Changing::new(set(pin_of(&self.leaf), pin_of(&self.other)))
    }
}

fn set(current: SpkiPin, backup: SpkiPin) -> PinSet {
    PinSet::builder()
        .with_current(current)
        .with_backup(backup)
        .build()
        .unwrap()
}

/// The pins without the key of `leaf`.
fn without(world: &World) -> PinSet {
    let somebody = world.root.leaf(&["somebody.example"], -1, 1);
    set(pin_of(&world.other), pin_of(&somebody))
}

fn is_expired<C>(result: &Result<C, Error>) -> bool {
    use CertificateError::{Expired, ExpiredContext};
    matches!(
        result,
        Err(Error::InvalidCertificate(Expired | ExpiredContext { .. }))
    )
}

#[test]
fn a_client_whose_session_nobody_guarded_is_judged_again() {
    for version in VERSIONS {
        let world = world();
        let pins = world.pins();
        let roots = Arc::new(RootCertStore::from(&world.anchors));
        let inner = WebPkiClientVerifier::builder_with_provider(roots.clone(), ring());
        let verifier = WatchingClientVerifier::builder(inner.build().unwrap())
            .with_provider(ring())
            .with_trust_anchors(world.anchors.clone())
            .with_pins(pins.clone())
            .build()
            .unwrap();
        let server = ServerConfig::builder_with_details(ring(), world.clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.clone())
            .with_single_cert(vec![world.other.der.clone()], world.other.key.clone_key());
        let client = ClientConfig::builder_with_details(ring(), world.clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![world.leaf.der.clone()], world.leaf.key.clone_key());
        let (server, client) = (Arc::new(server.unwrap()), Arc::new(client.unwrap()));
        assert!(!meet(&client, &server, NAME).resumed());
        world.clock.set(AFTER);
        let met = meet(&client, &server, NAME);
        assert!(met.resumed(), "{:?}", version.version);
        let connection = met.server.unwrap();
        assert_eq!(verifier.recheck(&connection, NOW), Ok(()));
        assert!(is_expired(&verifier.recheck(&connection, AFTER)));
        pins.change(without(&world));
        let error = verifier.recheck(&connection, BEFORE).unwrap_err();
        assert!(pin_error(&error).is_some(), "{error:?}");
    }
}

#[test]
fn an_open_connection_is_judged_again_on_both_sides() {
    let world = world();
    let name = ServerName::try_from(NAME).unwrap();
    for version in VERSIONS {
        let pins = world.pins();
        let verifier = world.verifier(pins.clone());
        let store = Arc::new(ClientSessionMemoryCache::new(32));
        let client = world.client(version, verifier.clone(), store);
        let server = world.server(version, &world.leaf);
        // The second one is resumed: its certificates are those of the first.
        for resumed in [false, true] {
            let met = meet(&client, &server, NAME);
            assert_eq!(met.resumed(), resumed);
            let connection = met.client.unwrap();
            let recheck = |now| verifier.recheck(&connection, &name, now);
            assert_eq!(recheck(NOW), Ok(()));
            assert!(is_expired(&recheck(AFTER)));
            pins.change(without(&world));
            let error = recheck(NOW).unwrap_err();
            assert!(matches!(pin_error(&error), Some(PinError::Mismatch { .. })));
            pins.change(set(pin_of(&world.leaf), pin_of(&world.other)));
        }
    }
    // Before any handshake there is nobody to judge.
    let verifier = world.verifier(world.pins());
    let client = world.client(
        VERSIONS[1],
        verifier.clone(),
        Arc::new(ClientSessionMemoryCache::new(1)),
    );
    let unmet = rustls::ClientConnection::new(client, name.clone()).unwrap();
    let error = verifier.recheck(&unmet, &name, days(0));
    assert_eq!(error, Err(Error::NoCertificatesPresented));
}
