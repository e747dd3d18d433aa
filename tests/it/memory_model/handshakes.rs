//! The same over real handshakes of both versions, with pins that change between any two records,
//! and peers that show certificates whose key they do not have.

use std::sync::Arc;

use notafter::{
    Certificate, PinnedClientConfigs, SessionGuard, WatchingClientVerifier, WatchingServerVerifier,
};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientSessionMemoryCache, Resumption, Tls12Resumption};
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, ServerSessionMemoryCache};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, Error, RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::ground::{play, provider};
use super::inner::Knowledge;
use super::known::{Asks, Known, Shown, meet_while_pins_change};
use super::pins::Pinning;
use super::question::{Question, Walk, server_name, unix};
use super::setup::{Setup, Shape};
use crate::support::pki::{self, Leaf};
use crate::support::tls::{SetTime, VERSIONS};
use crate::support::world::{NAMES, Peer};

const STEPS: u32 = 25;
const CASES: [&str; 3] = [NAMES[0], "Service.example", NAMES[1]];

/// Serves these certificates with this key, whether they belong together or not.
#[derive(Debug)]
struct Serve(Arc<CertifiedKey>);

impl ResolvesServerCert for Serve {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

fn chain_of(peer: &Peer) -> Vec<CertificateDer<'static>> {
    let leaf = std::iter::once(&peer.leaf);
    leaf.chain(&peer.chains[0]).cloned().collect()
}

fn server_of(
    version: &'static SupportedProtocolVersion,
    clock: &Arc<SetTime>,
    peer: &Peer,
    has_key: bool,
) -> Arc<ServerConfig> {
    let own = rcgen::KeyPair::generate().unwrap().serialize_der();
    let key = match has_key {
        true => peer.key.clone_key(),
        false => rustls::pki_types::PrivateKeyDer::Pkcs8(own.into()),
    };
    let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    let served = Arc::new(CertifiedKey::new(chain_of(peer), key));
    let server = ServerConfig::builder_with_details(provider(), clock.clone())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Serve(served)));
    Arc::new(server)
}

fn client_by(
    version: &'static SupportedProtocolVersion,
    clock: &Arc<SetTime>,
    verifier: Arc<WatchingServerVerifier>,
) -> ClientConfig {
    ClientConfig::builder_with_details(provider(), clock.clone())
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth()
}

/// Where a client's sessions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeping {
    Guard,
    Configs,
}

fn clients_meet_servers(name: &str, shape: Shape, keeping: Keeping) {
    let findings = play(name, 2, |seed, dice, findings| {
        let setup = Setup::any(seed, dice, shape).with_room();
        let strict = setup.without_grace();
        let version = *dice.pick(&VERSIONS);
        let mut walk = Walk::start(dice, &setup);
        let clock = SetTime::at(walk.now);
        let servers = |has_key| {
            let peers = setup.world.peers.iter();
            let servers = peers.map(|peer| server_of(version, &clock, peer, has_key));
            servers.collect::<Vec<_>>()
        };
        let (servers, impostors) = (servers(true), servers(false));
        let verifier = setup.servers();
        let guarded = {
            let mut client = client_by(version, &clock, verifier.clone());
            let store = Arc::new(ClientSessionMemoryCache::new(256));
            let store = SessionGuard::new(clock.clone()).client(&verifier, store);
            client.resumption = Resumption::store(store);
            Arc::new(client)
        };
        let build_clock = clock.clone();
        let configs = PinnedClientConfigs::new(verifier, move |verifier| {
            Ok::<_, Error>(client_by(version, &build_clock, verifier))
        });
        let mut known = Known::default();
        for step in 0..STEPS {
            let now = walk.step(dice, &setup);
            clock.set(now);
            findings.asked += 1;
            let number = usize::try_from(dice.below(servers.len() as u64)).unwrap();
            let host = *dice.pick(&CASES);
            if setup.knowledge == Knowledge::Learning && dice.below(8) == 0 {
                setup.inner.turn(&setup.world.peers[number].leaf);
            }
            let config = match keeping {
                Keeping::Guard => guarded.clone(),
                Keeping::Configs => configs.current().unwrap(),
            };
            let ask = |verifier: &dyn ServerCertVerifier, chain: &[CertificateDer<'static>]| {
                let asked = verifier.verify_server_cert(
                    &chain[0],
                    &chain[1..],
                    &server_name(host),
                    &[],
                    unix(now),
                );
                asked.map(drop)
            };
            let asks = Asks {
                inner: &|chain| ask(&*setup.inner, chain),
                fresh: &|chain| ask(&*strict.fresh_servers(), chain),
                own: &|chain| ask(&*strict.own_opinion_of_servers(), chain),
            };
            if dice.below(6) == 0 {
                let impostor = &impostors[number];
                let (met, _) = meet_while_pins_change(dice, &setup, &config, impostor, host);
                assert!(met.resumed() || met.client.is_err());
                continue;
            }
            known.note(host, now, &asks);
            let epoch = setup.epoch();
            let server = &servers[number];
            let (met, asked_in) = meet_while_pins_change(dice, &setup, &config, server, host);
            let Ok(client) = &met.client else { continue };
            findings.could += 1;
            let shown = Shown::by(client, host);
            if !met.resumed() {
                known.begin(asked_in, shown);
                known.note(host, now, &asks);
                continue;
            }
            findings.passed += 1;
            // The pins may have changed since it was handed out.
            if setup.epoch() == epoch {
                if let Some(wrong) = known.objection(&setup, &shown, now, &asks) {
                    let context = format!("step {step} at {now}, {:?}, {host}", version.version);
                    findings.wrong(
                        seed,
                        format!("{context}, inner {:?}: {wrong}", setup.knowledge),
                    );
                }
            }
        }
    });
    findings.at_least_one_in(10);
}

/// A server's own certificate, which is not what these tests are about.
struct Own {
    leaf: Leaf,
    roots: RootCertStore,
}

fn own() -> Own {
    let root = pki::root("the server's root", -2_000, 3_650);
    Own {
        leaf: root.leaf(&[NAMES[0]], -2_000, 3_650),
        roots: RootCertStore::from(&pki::anchors([&root])),
    }
}

fn client_of(
    version: &'static SupportedProtocolVersion,
    clock: &Arc<SetTime>,
    own: &Own,
    peer: &Peer,
) -> Arc<ClientConfig> {
    let mut client = ClientConfig::builder_with_details(provider(), clock.clone())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(own.roots.clone())
        .with_client_auth_cert(chain_of(peer), peer.key.clone_key())
        .unwrap();
    client.resumption =
        Resumption::in_memory_sessions(64).tls12_resumption(Tls12Resumption::SessionIdOrTickets);
    Arc::new(client)
}

fn server_by(
    version: &'static SupportedProtocolVersion,
    clock: &Arc<SetTime>,
    own: &Own,
    verifier: &Arc<WatchingClientVerifier>,
    has_tickets: bool,
) -> Arc<ServerConfig> {
    let mut server = ServerConfig::builder_with_details(provider(), clock.clone())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier.clone())
        .with_single_cert(vec![own.leaf.der.clone()], own.leaf.key.clone_key())
        .unwrap();
    let guard = SessionGuard::new(clock.clone());
    match has_tickets {
        true => {
            let tickets = rustls::crypto::ring::Ticketer::new().unwrap();
            server.ticketer = guard.tickets(verifier, tickets);
        }
        false => {
            let store = ServerSessionMemoryCache::new(256);
            server.session_storage = guard.server(verifier, store);
        }
    }
    Arc::new(server)
}

fn servers_meet_clients(name: &str, shape: Shape, has_tickets: bool) {
    let own = own();
    let findings = play(name, 2, |seed, dice, findings| {
        let setup = Setup::any(seed, dice, shape).with_room();
        let strict = setup.without_grace();
        let version = *dice.pick(&VERSIONS);
        let mut walk = Walk::start(dice, &setup);
        let clock = SetTime::at(walk.now);
        let verifier = setup.clients();
        let server = server_by(version, &clock, &own, &verifier, has_tickets);
        let peers = setup.world.peers.iter();
        let clients: Vec<_> = peers
            .map(|peer| client_of(version, &clock, &own, peer))
            .collect();
        let mut known = Known::default();
        for step in 0..STEPS {
            let now = walk.step(dice, &setup);
            clock.set(now);
            findings.asked += 1;
            let number = usize::try_from(dice.below(clients.len() as u64)).unwrap();
            if setup.knowledge == Knowledge::Learning && dice.below(8) == 0 {
                setup.inner.turn(&setup.world.peers[number].leaf);
            }
            if dice.below(6) == 0 {
                // Somebody shows a client's certificates and has no key: rustls stops after this.
                let _ = Question::any(dice, &setup).of_clients(&*verifier, now);
            }
            let ask = |verifier: &dyn ClientCertVerifier, chain: &[CertificateDer<'static>]| {
                let asked = verifier.verify_client_cert(&chain[0], &chain[1..], unix(now));
                asked.map(drop)
            };
            let asks = Asks {
                inner: &|chain| ask(&*setup.inner, chain),
                fresh: &|chain| ask(&*strict.fresh_clients(), chain),
                own: &|chain| ask(&*strict.own_opinion_of_clients(), chain),
            };
            known.note("", now, &asks);
            let epoch = setup.epoch();
            let client = &clients[number];
            let (met, asked_in) = meet_while_pins_change(dice, &setup, client, &server, NAMES[0]);
            let Ok(accepted) = &met.server else { continue };
            findings.could += 1;
            let shown = Shown::by(accepted, "");
            if !met.resumed() {
                known.begin(asked_in, shown);
                known.note("", now, &asks);
                continue;
            }
            findings.passed += 1;
            if setup.epoch() == epoch {
                if let Some(wrong) = known.objection(&setup, &shown, now, &asks) {
                    let leaf = Certificate::from_der(&shown.chain[0]).unwrap().not_after();
                    let context = format!("step {step} at {now}, {:?}", version.version);
                    let inner = setup.knowledge;
                    findings.wrong(
                        seed,
                        format!("{context}, leaf until {leaf}, inner {inner:?}: {wrong}"),
                    );
                }
            }
        }
    });
    findings.at_least_one_in(10);
}

const PINNED: Shape = Shape {
    pinning: Some(Pinning::Paths),
    ..Shape::PLAIN
};

const KNOWING: Shape = Shape {
    pinning: None,
    knowledge: &[
        Knowledge::AnchorDates,
        Knowledge::Lists,
        Knowledge::Learning,
        Knowledge::FewerAnchors,
    ],
    lists_are_given: false,
    ..Shape::PLAIN
};

#[test]
fn a_guarded_client() {
    clients_meet_servers("a guarded client", PINNED, Keeping::Guard);
}

#[test]
fn a_client_of_pinned_configs() {
    clients_meet_servers("pinned configs", PINNED, Keeping::Configs);
}

#[test]
fn a_client_whose_inner_verifier_knows_more() {
    clients_meet_servers("a knowing client", KNOWING, Keeping::Configs);
}

#[test]
fn a_server_with_a_guarded_store() {
    servers_meet_clients("a guarded store", PINNED, false);
}

#[test]
fn a_server_with_guarded_tickets() {
    servers_meet_clients("guarded tickets", PINNED, true);
}

#[test]
fn a_server_whose_inner_verifier_knows_more() {
    servers_meet_clients("a knowing server", KNOWING, false);
}
