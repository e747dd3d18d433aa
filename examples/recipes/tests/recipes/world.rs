//! What every test has: a CA, an identity that can be rotated, and a peer whose certificate ends soon.

use std::sync::Arc;

use notafter::outlook::Usage;
use notafter::pin::SwappablePins;
use notafter::reload::KeyMaterial;
use notafter::testing::{RecordingObserver, TestCa, TestPair};
use notafter::{Certificate, PinSet, ReloadingKey, SpkiPin, Timestamp};
use notafter_recipes::client_configs::{ClientConfigs, client_configs};
use notafter_recipes::server_config::server_config;
use rustls::client::WebPkiServerVerifier;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

const DAY: i64 = 86_400;

/// The names of the identity before and after its rotation, and of the peer.
pub const FIRST: &str = "first.example";
pub const SECOND: &str = "second.example";
pub const PEER: &str = "peer.example";

pub struct World {
    pub ca: TestCa,
    pub peer: TestPair,
    second: TestPair,
    pub own: Arc<ReloadingKey>,
    pub pins: Arc<SwappablePins>,
    pub told: Arc<RecordingObserver>,
}

impl World {
    /// For a recipe that is a client, or a server.
    pub fn of(usage: Usage) -> Self {
        // The stacks ask the system's clock.
        let now = Timestamp::from(std::time::SystemTime::now());
        let at = |days: i64| now.saturating_add(days * DAY);
        let ca = TestCa::root("Recipes CA", at(-100), at(1000)).unwrap();
        let leaf = |names: &[&str], to| {
            let names = [names, &["localhost", "127.0.0.1"]].concat();
            ca.leaf(&names, at(-90), at(to)).unwrap()
        };
        let (first, second, peer) = (
            leaf(&[FIRST], 300),
            leaf(&[SECOND, FIRST], 301),
            leaf(&[PEER], 5),
        );
        let own = ReloadingKey::builder()
            .with_pushed("own", material(&first))
            .with_usage(usage)
            .with_trust_anchors(ca.anchors())
            .build()
            .unwrap();
        Self {
            pins: Arc::new(SwappablePins::new(pinned(&peer))),
            told: Arc::new(RecordingObserver::new()),
            ca,
            peer,
            second,
            own,
        }
    }

    /// What a client's recipe takes.
    pub fn client_configs(&self) -> ClientConfigs {
        let (pins, own, told) = (self.pins.clone(), self.own.clone(), self.told.clone());
        client_configs(self.ca.anchors(), pins, own, told).unwrap()
    }

    /// What a server's recipe takes.
    pub fn server_config(&self) -> ServerConfig {
        let (pins, own, told) = (self.pins.clone(), self.own.clone(), self.told.clone());
        server_config(own, self.ca.anchors(), pins, told).unwrap()
    }

    /// A server that verifies clients, with nothing of notafter.
    pub fn peer_server(&self) -> ServerConfig {
        let verifier = WebPkiClientVerifier::builder(self.roots()).build().unwrap();
        ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.peer.chain(), self.peer.key())
            .unwrap()
    }

    /// A client that shows a certificate, with nothing of notafter.
    pub fn peer_client(&self) -> ClientConfig {
        let verifier = WebPkiServerVerifier::builder(self.roots()).build().unwrap();
        ClientConfig::builder()
            .with_webpki_verifier(verifier)
            .with_client_auth_cert(self.peer.chain(), self.peer.key())
            .unwrap()
    }

    /// Another identity is in force from now on.
    pub fn rotate(&self) {
        self.own.set("own", material(&self.second)).unwrap();
    }

    pub fn pin_another_key(&self) {
        let another = SpkiPin::from_spki_der(b"another");
        let set = PinSet::builder().with_current(another).build().unwrap();
        self.pins.replace(set);
    }

    pub fn pin_the_peer(&self) {
        self.pins.replace(pinned(&self.peer));
    }

    fn roots(&self) -> Arc<RootCertStore> {
        Arc::new(RootCertStore::from(&self.ca.anchors()))
    }
}

/// What a certificate is called.
pub fn name_of(leaf: &[u8]) -> String {
    Certificate::from_der(leaf).unwrap().short_name()
}

fn material(pair: &TestPair) -> KeyMaterial {
    KeyMaterial::new(pair.chain_pem(), pair.key_pem())
}

fn pinned(pair: &TestPair) -> PinSet {
    let leaf = Certificate::from_der(&pair.chain()[0]).unwrap();
    let pin = SpkiPin::from_certificate(&leaf);
    PinSet::builder().with_current(pin).build().unwrap()
}
