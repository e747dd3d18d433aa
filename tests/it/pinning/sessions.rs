//! No session that a server resumes outlives a decision, and open connections are judged again: over real
//! handshakes. What a client keeps is in `both_lines::kept_sessions`.

use std::sync::Arc;

use notafter::pin::{PinError, PinsInForce};
use notafter::{
    PinSet, SessionGuard, SpkiPin, Timestamp, TrustAnchors, WatchingClientVerifier,
    WatchingServerVerifier, pin_error,
};
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, Resumption};
use rustls::pki_types::ServerName;
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{
    CertificateError, ClientConfig, Error, RootCertStore, ServerConfig, SupportedProtocolVersion,
};

use super::life::Changing;
use super::{NAME, pin_of, webpki};
use crate::support::pki::{self, Ca, Leaf, NOW, days};
use crate::support::tls::{Met, SetTime, VERSIONS, meet, ring};

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

fn is_pin_refusal<C>(result: &Result<C, Error>) -> bool {
    matches!(result, Err(error) if pin_error(error).is_some())
}

fn is_expired<C>(result: &Result<C, Error>) -> bool {
    use CertificateError::{Expired, ExpiredContext};
    matches!(
        result,
        Err(Error::InvalidCertificate(Expired | ExpiredContext { .. }))
    )
}

/// How a server keeps its sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Keeping {
    Unguarded,
    Store,
    Tickets,
}

struct Mutual {
    server: Arc<ServerConfig>,
    verifier: Arc<WatchingClientVerifier>,
    client: Arc<ClientConfig>,
}

impl World {
    /// A server that pins its clients, and a client with the leaf that ends at NOW.
    fn mutual(
        &self,
        version: &'static SupportedProtocolVersion,
        pins: Arc<dyn PinsInForce>,
        keeping: Keeping,
    ) -> Mutual {
        let roots = Arc::new(RootCertStore::from(&self.anchors));
        let inner = WebPkiClientVerifier::builder_with_provider(roots.clone(), ring());
        let verifier = WatchingClientVerifier::builder(inner.build().unwrap())
            .with_provider(ring())
            .with_trust_anchors(self.anchors.clone())
            .with_pins(pins)
            .build()
            .unwrap();
        let mut server = ServerConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.clone())
            .with_single_cert(vec![self.other.der.clone()], self.other.key.clone_key())
            .unwrap();
        let guard = SessionGuard::new(self.clock.clone());
        let store = ServerSessionMemoryCache::new(32);
        match keeping {
            Keeping::Unguarded => server.session_storage = store,
            Keeping::Store => server.session_storage = guard.server(&verifier, store),
            Keeping::Tickets => {
                let ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
                server.ticketer = guard.tickets(&verifier, ticketer);
                // The instant of the ticket's key is the system's: nothing of it is judged here.
            }
        }
        let client = ClientConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![self.leaf.der.clone()], self.leaf.key.clone_key())
            .unwrap();
        Mutual {
            server: Arc::new(server),
            verifier,
            client: Arc::new(client),
        }
    }
}

impl Mutual {
    fn meet(&self) -> Met {
        meet(&self.client, &self.server, NAME)
    }
}

#[test]
fn a_servers_session_does_not_survive_a_pin_change() {
    let world = world();
    for version in VERSIONS {
        for keeping in [Keeping::Unguarded, Keeping::Store, Keeping::Tickets] {
            let pins = world.pins();
            let mutual = world.mutual(version, pins.clone(), keeping);
            let label = format!("{:?} {keeping:?}", version.version);
            assert!(!mutual.meet().resumed(), "{label}");
            assert!(mutual.meet().resumed(), "{label}");
            pins.change(without(&world));
            let met = mutual.meet();
            match keeping {
                Keeping::Unguarded => {
                    // rustls asked nobody; `recheck` does.
                    assert!(met.resumed(), "{label}");
                    let error = mutual.verifier.recheck(&met.server.unwrap(), BEFORE);
                    assert!(is_pin_refusal(&error), "{label}: {error:?}");
                }
                _ => assert!(is_pin_refusal(&met.server), "{label}"),
            }
        }
    }
}

#[test]
fn a_servers_session_does_not_survive_its_clients_chains_end() {
    for version in VERSIONS {
        for keeping in [Keeping::Unguarded, Keeping::Store, Keeping::Tickets] {
            let world = world();
            let mutual = world.mutual(version, world.pins(), keeping);
            let label = format!("{:?} {keeping:?}", version.version);
            assert!(!mutual.meet().resumed(), "{label}");
            world.clock.set(NOW);
            assert!(mutual.meet().resumed(), "{label}");
            world.clock.set(AFTER);
            let met = mutual.meet();
            match keeping {
                Keeping::Unguarded => {
                    assert!(met.resumed(), "{label}");
                    let connection = met.server.unwrap();
                    assert_eq!(mutual.verifier.recheck(&connection, NOW), Ok(()), "{label}");
                    let error = mutual.verifier.recheck(&connection, AFTER);
                    assert!(is_expired(&error), "{label}: {error:?}");
                }
                _ => assert!(is_expired(&met.server), "{label}"),
            }
        }
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
