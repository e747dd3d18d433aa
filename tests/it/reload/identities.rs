//! Identities that rotate: which one a peer is shown after a swap, on full and on resumed
//! connections.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;

use notafter::outlook::Usage;
use notafter::renewal::IdentityInForce as _;
use notafter::{
    Certificate, PinnedClientConfigs, ReloadingKey, SessionGuard, WatchingServerVerifier,
};
use rustls::client::{ClientSessionMemoryCache, Resumption, WebPkiServerVerifier};
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, Error, RootCertStore, ServerConfig, SupportedProtocolVersion,
};

use super::scene::{Scene, at};
use crate::endpoints::OpensslServer;
use crate::support::pki::{self, Leaf};
use crate::support::tls::{FixedTime, MINUTE, Met, VERSIONS, meet, pump, ring};

const NAME: &str = "service.example";
const OTHER_NAME: &str = "other.example";

/// A client's identity on disk, and the server that it is shown to.
struct Rotation {
    scene: Scene,
    key: Arc<ReloadingKey>,
    server_leaf: Leaf,
    now: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Sessions {
    /// As rustls has them.
    Unguarded,
    /// One configuration, whose store follows the identity.
    Guard,
    /// A configuration for each epoch.
    Configs,
}

enum Client {
    One(Arc<ClientConfig>),
    Configs(PinnedClientConfigs<Error>),
}

impl Client {
    fn current(&self) -> Arc<ClientConfig> {
        match self {
            Self::One(config) => config.clone(),
            Self::Configs(configs) => configs.current().unwrap(),
        }
    }
}

impl Rotation {
    fn new() -> Self {
        let scene = Scene::new();
        scene.deploy(&scene.leaf(-10, 80));
        Self {
            key: scene.with(|builder| builder.with_usage(Usage::ClientAuth)),
            server_leaf: scene.issuer.leaf(&[NAME, OTHER_NAME], -10, 80),
            scene,
            now: 0,
        }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        Arc::new(RootCertStore::from(&pki::anchors([&self.scene.root])))
    }

    /// Renews the identity on disk and looks at it.
    fn renew(&mut self) -> Leaf {
        self.now += 1;
        let renewed = self.scene.leaf(-1, 80 + self.now);
        self.scene.deploy(&renewed);
        assert_eq!(self.key.poll(at(self.now)).swapped, 1);
        renewed
    }

    fn server(
        &self,
        version: &'static SupportedProtocolVersion,
        tickets: bool,
    ) -> Arc<ServerConfig> {
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots(), ring());
        let chain = vec![self.server_leaf.der.clone(), self.scene.issuer.der.clone()];
        let mut config = ServerConfig::builder_with_details(ring(), fixed())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(chain, self.server_leaf.key.clone_key())
            .unwrap();
        if tickets {
            config.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
        }
        Arc::new(config)
    }

    fn client(&self, version: &'static SupportedProtocolVersion, sessions: Sessions) -> Client {
        let inner = WebPkiServerVerifier::builder_with_provider(self.roots(), ring());
        let verifier = WatchingServerVerifier::builder(inner.build().unwrap())
            .with_trust_age(MINUTE)
            .with_provider(ring())
            .build()
            .unwrap();
        let key = self.key.clone();
        let build = move |verifier: Arc<WatchingServerVerifier>| {
            Ok::<_, Error>(
                ClientConfig::builder_with_details(ring(), fixed())
                    .with_protocol_versions(&[version])?
                    .dangerous()
                    .with_custom_certificate_verifier(verifier)
                    .with_client_cert_resolver(key.clone()),
            )
        };
        let store = Arc::new(ClientSessionMemoryCache::new(64));
        let guard = SessionGuard::new(fixed());
        match sessions {
            Sessions::Configs => {
                let configs = PinnedClientConfigs::new(verifier, build);
                Client::Configs(configs.with_identity(self.key.clone()))
            }
            Sessions::Guard => {
                let mut config = build(verifier.clone()).unwrap();
                let guarded = guard.client_with_identity(&verifier, self.key.clone(), store);
                config.resumption = Resumption::store(guarded);
                Client::One(Arc::new(config))
            }
            Sessions::Unguarded => {
                let mut config = build(verifier.clone()).unwrap();
                // What is decided about servers is followed, and who we are is not.
                config.resumption = Resumption::store(guard.client(&verifier, store));
                Client::One(Arc::new(config))
            }
        }
    }
}

fn fixed() -> Arc<FixedTime> {
    Arc::new(FixedTime(pki::now()))
}

/// The leaf that the server was shown.
fn shown(met: Met) -> CertificateDer<'static> {
    let chain = met.server.unwrap();
    chain.peer_certificates().unwrap()[0].clone()
}

#[test]
fn a_rotated_client_certificate_is_shown_on_every_connection_after_the_swap() {
    for sessions in [Sessions::Unguarded, Sessions::Guard, Sessions::Configs] {
        for (version, tickets) in VERSIONS.into_iter().flat_map(|v| [(v, false), (v, true)]) {
            let label = format!("{sessions:?}, {:?}, tickets: {tickets}", version.version);
            let mut rotation = Rotation::new();
            let server = rotation.server(version, tickets);
            let client = rotation.client(version, sessions);
            assert!(!meet(&client.current(), &server, NAME).resumed(), "{label}");
            let before = meet(&client.current(), &server, NAME);
            assert!(before.resumed(), "{label}");
            let before = shown(before);
            for _ in 0..2 {
                let renewed = rotation.renew();
                for connection in 0..4 {
                    let met = meet(&client.current(), &server, NAME);
                    let resumes = match sessions {
                        Sessions::Unguarded => true,
                        Sessions::Guard => false,
                        // Once it has sessions of the new one.
                        Sessions::Configs => connection > 0,
                    };
                    assert_eq!(met.resumed(), resumes, "{label}, {connection}");
                    let expected = match sessions {
                        Sessions::Unguarded => &before,
                        Sessions::Guard | Sessions::Configs => &renewed.der,
                    };
                    assert_eq!(shown(met), *expected, "{label}, {connection}");
                }
            }
        }
    }
}

#[test]
fn a_guarded_store_resumes_under_names_that_were_first_met_after_the_swap() {
    for version in VERSIONS {
        let mut rotation = Rotation::new();
        let server = rotation.server(version, false);
        let client = rotation.client(version, Sessions::Guard).current();
        assert!(meet(&client, &server, NAME).client.is_ok());
        let renewed = rotation.renew();
        for resumes in [false, true] {
            let met = meet(&client, &server, OTHER_NAME);
            assert_eq!(met.resumed(), resumes);
            assert_eq!(shown(met), renewed.der);
            let met = meet(&client, &server, &NAME.to_uppercase());
            assert!(!met.resumed());
            assert_eq!(shown(met), renewed.der);
        }
    }
}

/// Wherever in a handshake the swap comes: before the client's certificate is chosen, before its
/// session or its ticket arrives, or long after.
#[test]
fn a_session_that_comes_late_is_not_offered_either() {
    for sessions in [Sessions::Guard, Sessions::Configs] {
        for version in VERSIONS {
            let mut rotation = Rotation::new();
            let server = rotation.server(version, false);
            for swap_before in 0.. {
                let label = format!("{sessions:?}, {:?}, {swap_before}", version.version);
                let client = rotation.client(version, sessions);
                let mut renewed = None;
                let met = pump(&client.current(), &server, NAME, |record| {
                    if record == swap_before {
                        renewed = Some(rotation.renew());
                    }
                });
                met.client.unwrap();
                let Some(renewed) = renewed else {
                    // The handshake has no more records.
                    assert!(swap_before > 6, "{label}");
                    break;
                };
                for connection in 0..4 {
                    let met = meet(&client.current(), &server, NAME);
                    assert_eq!(shown(met), renewed.der, "{label}, {connection}");
                }
            }
        }
    }
}

#[test]
fn the_epoch_of_an_identity_counts_swaps_and_nothing_else() {
    let mut rotation = Rotation::new();
    let key = rotation.key.clone();
    assert_eq!(key.epoch(), 0);
    key.poll(at(1));
    key.reload_now();
    assert_eq!(key.epoch(), 0);
    rotation.renew();
    assert_eq!(key.epoch(), 1);
    rotation.scene.write("tls.crt", "");
    key.reload_now();
    assert_eq!(key.epoch(), 1);
}

/// In TLS a server shows no certificate when it resumes: a client knows the one of the session's
/// first handshake, whatever is served since.
#[test]
fn a_resumed_session_knows_the_certificate_that_its_server_showed_at_first() {
    for version in VERSIONS {
        let scene = Scene::new();
        let old = scene.leaf(-10, 80);
        scene.deploy(&old);
        let key = scene.key();
        let server = ServerConfig::builder_with_details(ring(), fixed())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(key.clone());
        let server = Arc::new(server);
        let roots = RootCertStore::from(&pki::anchors([&scene.root]));
        let client = || {
            let config = ClientConfig::builder_with_details(ring(), fixed())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            Arc::new(config)
        };
        let returning = client();
        let knows =
            |met: &Met| met.client.as_ref().unwrap().peer_certificates().unwrap()[0].clone();
        assert_eq!(knows(&meet(&returning, &server, "a.example")), old.der);
        let new = scene.leaf(-1, 89);
        scene.deploy(&new);
        assert_eq!(key.poll(at(1)).swapped, 1);
        let met = meet(&returning, &server, "a.example");
        assert!(met.resumed());
        assert_eq!(knows(&met), old.der);
        assert_eq!(knows(&meet(&client(), &server, "a.example")), new.der);
    }
}

/// The page of `openssl s_server -www`, as this client gets it.
fn page(config: Arc<ClientConfig>, server: &OpensslServer) -> String {
    let name = NAME.try_into().unwrap();
    let mut connection = ClientConnection::new(config, name).unwrap();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    let mut stream = rustls::Stream::new(&mut connection, &mut stream);
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = Vec::new();
    // It may close without a word.
    let _ = stream.read_to_end(&mut page);
    String::from_utf8_lossy(&page).into_owned()
}

#[test]
fn openssl_sees_the_new_identity_on_the_first_connection_after_the_swap() {
    for (version, more) in VERSIONS
        .into_iter()
        .flat_map(|v| [(v, None), (v, Some("-no_ticket"))])
    {
        let mut rotation = Rotation::new();
        rotation
            .scene
            .write("root.pem", pki::pem_bundle([&rotation.scene.root.der]));
        let root = rotation.scene.path("root.pem").display().to_string();
        let now = pki::NOW.as_unix_seconds().to_string();
        let mut options = vec!["-Verify", "3", "-verify_return_error", "-CAfile", &root];
        options.extend(["-attime", &now]);
        options.extend(more);
        let issuer = &rotation.scene.issuer;
        let Some(server) = OpensslServer::start_with(&rotation.server_leaf, &[issuer], &options)
        else {
            return;
        };
        for sessions in [Sessions::Unguarded, Sessions::Guard, Sessions::Configs] {
            let label = format!("{sessions:?}, {:?}, {more:?}", version.version);
            let client = rotation.client(version, sessions);
            let first = page(client.current(), &server);
            assert!(first.contains("New, TLSv1"), "{label}: {first}");
            let second = page(client.current(), &server);
            assert!(second.contains("Reused, TLSv1"), "{label}: {second}");
            let renewed = rotation.renew();
            let saw = |page: &str| page.contains(&pki::pem("CERTIFICATE", &renewed.der));
            assert!(!saw(&first) && !saw(&second), "{label}");
            for connection in 0..4 {
                let page = page(client.current(), &server);
                assert!(page.contains("Client certificate"), "{label}: {page}");
                let expected = sessions != Sessions::Unguarded;
                assert_eq!(saw(&page), expected, "{label}, {connection}: {page}");
            }
        }
    }
}

#[test]
fn anchors_are_held_against_the_chain_that_a_key_serves_at_that_moment() {
    use notafter::reload::ReloadingAnchors;
    let scene = Scene::new();
    let other = pki::root("Other root", -1000, 3000);
    let other_issuer = other.intermediate("Other CA", -300, 1500);
    scene.deploy(&scene.leaf(-10, 80));
    let key = scene.key();
    let bundle = |roots: &[&pki::Ca]| pki::pem_bundle(roots.iter().map(|root| &root.der));
    let anchors = ReloadingAnchors::builder()
        .with_bytes("roots", bundle(&[&scene.root, &other]))
        .with_least_share(0)
        .with_own_key(key.clone())
        .with_provider(ring())
        .with_clock(scene.clock.clone())
        .build()
        .unwrap();
    let set = |roots: &[&pki::Ca], now| {
        let set = anchors.set_bytes("roots", bundle(roots).as_bytes(), at(now));
        set.map(|summary| summary.is_swapped)
            .map_err(|error| error.code())
    };
    assert_eq!(set(&[&other], 1), Err("own_chain_fails"));
    // The key moves to the other root: now that one is held.
    let moved = other_issuer.leaf(&["a.example"], -1, 89);
    scene.write("tls.crt", pki::pem_bundle([&moved.der, &other_issuer.der]));
    scene.write("tls.key", moved.key_pair.serialize_pem());
    assert_eq!(key.poll(at(2)).swapped, 1);
    assert_eq!(set(&[&scene.root], 3), Err("own_chain_fails"));
    assert_eq!(set(&[&other], 4), Ok(true));
    let held = Certificate::from_der(&other.der).unwrap();
    assert!(anchors.anchors().certificates().any(|root| *root == held));
}
