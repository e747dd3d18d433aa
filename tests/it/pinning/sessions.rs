//! No resumed session outlives a decision: over real handshakes that do resume before.

use std::sync::Arc;

use notafter::pin::{PinError, PinsInForce};
use notafter::verifier::PinnedGrace;
use notafter::{
    PinSet, PinnedClientConfigs, SessionGuard, SpkiPin, Timestamp, TrustAnchors,
    WatchingClientVerifier, WatchingServerVerifier, pin_error,
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
use crate::support::tls::{MINUTE, Met, SetTime, VERSIONS, meet, ring};

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
        leaf: root.leaf(&[NAME, "other.example"], -90, 0),
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

    /// A client whose sessions are guarded, or not.
    fn guarded(
        &self,
        version: &'static SupportedProtocolVersion,
        pins: Arc<dyn PinsInForce>,
        is_guarded: bool,
    ) -> Arc<ClientConfig> {
        let verifier = self.verifier(pins);
        let store = Arc::new(ClientSessionMemoryCache::new(32));
        let guard = SessionGuard::new(self.clock.clone());
        let store = match is_guarded {
            true => guard.client(&verifier, store),
            false => store,
        };
        self.client(version, verifier, store)
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

#[test]
fn a_clients_session_does_not_survive_a_pin_change() {
    let world = world();
    for version in VERSIONS {
        let server = world.server(version, &world.leaf);
        for is_guarded in [true, false] {
            let pins = world.pins();
            let client = world.guarded(version, pins.clone(), is_guarded);
            assert!(!meet(&client, &server, NAME).resumed());
            assert!(meet(&client, &server, NAME).resumed());
            pins.change(without(&world));
            let met = meet(&client, &server, NAME);
            // Without the guard rustls would have gone on with the key that is pinned no more.
            assert_eq!(met.resumed(), !is_guarded, "{:?}", version.version);
            assert_eq!(is_pin_refusal(&met.client), is_guarded);
        }
    }
}

#[test]
fn a_clients_session_does_not_survive_its_chains_end() {
    for version in VERSIONS {
        for is_guarded in [true, false] {
            let world = world();
            let server = world.server(version, &world.leaf);
            let client = world.guarded(version, world.pins(), is_guarded);
            assert!(!meet(&client, &server, NAME).resumed());
            world.clock.set(NOW);
            assert!(
                meet(&client, &server, NAME).resumed(),
                "the last good second"
            );
            world.clock.set(AFTER);
            let met = meet(&client, &server, NAME);
            assert_eq!(met.resumed(), !is_guarded, "{:?}", version.version);
            assert_eq!(is_expired(&met.client), is_guarded);
        }
    }
}

/// Another leaf of the name that passes does not make up for one that does not: a ticket says not
/// whose it is.
#[test]
fn every_chain_accepted_under_a_name_must_pass() {
    let world = world();
    for version in VERSIONS {
        let pins = world.pins();
        let client = world.guarded(version, pins.clone(), true);
        let servers = [&world.leaf, &world.other].map(|leaf| world.server(version, leaf));
        assert!(meet(&client, &servers[0], NAME).client.is_ok());
        assert!(meet(&client, &servers[1], NAME).client.is_ok());
        pins.change(without(&world));
        // The other leaf is still pinned, and its session is still in the store.
        let met = meet(&client, &servers[1], NAME);
        assert!(met.client.is_ok() && !met.resumed());
        let met = meet(&client, &servers[1], NAME);
        assert!(met.client.is_ok() && !met.resumed(), "barred for good");
    }
}

#[test]
fn nothing_is_resumed_for_a_name_of_which_something_was_forgotten() {
    let world = world();
    for version in VERSIONS {
        let server = world.server(version, &world.leaf);
        let verifier = WatchingServerVerifier::builder(webpki(&world.anchors))
            .with_trust_age(MINUTE)
            .with_peer_memory(std::num::NonZeroUsize::MIN)
            .build()
            .unwrap();
        let guard = SessionGuard::new(world.clock.clone());
        let store = guard.client(&verifier, Arc::new(ClientSessionMemoryCache::new(32)));
        let client = world.client(version, verifier, store);
        assert!(!meet(&client, &server, NAME).resumed());
        assert!(meet(&client, &server, NAME).resumed());
        assert!(!meet(&client, &server, "other.example").resumed());
        assert!(meet(&client, &server, "other.example").resumed());
        for _ in 0..3 {
            assert!(!meet(&client, &server, NAME).resumed());
        }
    }
}

#[test]
fn a_session_within_a_grace_is_never_resumed() {
    for version in VERSIONS {
        let world = world();
        let server = world.server(version, &world.leaf);
        let verifier = WatchingServerVerifier::builder(webpki(&world.anchors))
            .with_leaf_pin(pin_of(&world.leaf))
            .with_grace(PinnedGrace::from_seconds(600).unwrap())
            .build()
            .unwrap();
        let guard = SessionGuard::new(world.clock.clone());
        let store = guard.client(&verifier, Arc::new(ClientSessionMemoryCache::new(32)));
        let client = world.client(version, verifier, store);
        assert!(!meet(&client, &server, NAME).resumed());
        assert!(meet(&client, &server, NAME).resumed());
        world.clock.set(AFTER);
        for _ in 0..3 {
            let met = meet(&client, &server, NAME);
            assert!(met.client.is_ok() && !met.resumed());
        }
    }
}

/// A ticket that is sent late finds another verifier: rustls's own check catches it.
#[test]
fn a_fresh_configuration_for_each_epoch_resumes_again_and_nothing_of_before() {
    for version in VERSIONS {
        let world = world();
        let pins = world.pins();
        let clock = world.clock.clone();
        let configs = PinnedClientConfigs::new(world.verifier(pins.clone()), move |verifier| {
            Ok::<_, Error>(
                ClientConfig::builder_with_details(ring(), clock.clone())
                    .with_protocol_versions(&[version])?
                    .dangerous()
                    .with_custom_certificate_verifier(verifier)
                    .with_no_client_auth(),
            )
        });
        let server = world.server(version, &world.other);
        let before = configs.current().unwrap();
        assert!(!meet(&before, &server, NAME).resumed());
        assert!(meet(&configs.current().unwrap(), &server, NAME).resumed());
        assert!(Arc::ptr_eq(&before, &configs.current().unwrap()));
        pins.change(without(&world));
        let after = configs.current().unwrap();
        assert!(!Arc::ptr_eq(&before, &after));
        let met = meet(&after, &server, NAME);
        assert!(met.client.is_ok() && !met.resumed());
        assert!(meet(&configs.current().unwrap(), &server, NAME).resumed());
        // A chain that came to its end makes a fresh one too.
        let ending = world.server(version, &world.leaf);
        pins.change(set(pin_of(&world.leaf), pin_of(&world.other)));
        assert!(
            meet(&configs.current().unwrap(), &ending, NAME)
                .client
                .is_ok()
        );
        let before = configs.current().unwrap();
        world.clock.set(AFTER);
        assert!(is_expired(&meet(&before, &ending, NAME).client));
        let after = configs.current().unwrap();
        assert!(!Arc::ptr_eq(&before, &after));
        assert!(meet(&after, &server, NAME).client.is_ok());
        assert!(meet(&configs.current().unwrap(), &server, NAME).resumed());
    }
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
