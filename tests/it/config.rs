//! One line in rustls's builders gives what would else be several: over real handshakes.

use std::sync::Arc;

use notafter::config::{ClientConfigBuilderExt as _, ServerConfigBuilderExt as _};
use notafter::pin::SwappablePins;
use notafter::verifier::VerifierBuildError;
use notafter::{
    PinSet, SpkiPin, TrustAnchors, WatchingClientVerifier, WatchingServerVerifier, pin_error,
};
use rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion};

use crate::support::pki::{self, Ca, Leaf, NOW, days};
use crate::support::tls::{SetTime, VERSIONS, meet, ring};

const NAME: &str = "host.example";

struct World {
    root: Ca,
    anchors: TrustAnchors,
    server: Leaf,
    client: Leaf,
    clock: Arc<SetTime>,
}

fn world() -> World {
    let root = pki::root("root", -100, 3650);
    World {
        anchors: pki::anchors([&root]),
        server: root.leaf(&[NAME], -1, 300),
        client: root.leaf(&["client.example"], -1, 300),
        root,
        clock: SetTime::at(NOW),
    }
}

fn pin_of(leaf: &Leaf) -> SpkiPin {
    SpkiPin::from_certificate(&leaf.certificate())
}

fn only(pin: SpkiPin) -> PinSet {
    PinSet::builder().with_current(pin).build().unwrap()
}

impl World {
    fn pinned_client(
        &self,
        version: &'static SupportedProtocolVersion,
        pins: Arc<SwappablePins>,
    ) -> Arc<ClientConfig> {
        let anchors = self.anchors.clone();
        let verifier = WatchingServerVerifier::for_anchors_with_provider(anchors, ring())
            .unwrap()
            .with_pins(pins)
            .build()
            .unwrap();
        Arc::new(
            ClientConfig::builder_with_details(ring(), self.clock.clone())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_watching_verifier(&verifier)
                .with_client_auth_cert(vec![self.client.der.clone()], self.client.key.clone_key())
                .unwrap(),
        )
    }

    fn pinning_server(
        &self,
        version: &'static SupportedProtocolVersion,
        pins: Arc<SwappablePins>,
    ) -> Arc<ServerConfig> {
        let anchors = self.anchors.clone();
        let verifier = WatchingClientVerifier::for_anchors_with_provider(anchors, ring())
            .unwrap()
            .with_pins(pins)
            .build()
            .unwrap();
        Arc::new(
            ServerConfig::builder_with_details(ring(), self.clock.clone())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_watching_client_verifier(&verifier)
                .with_single_cert(vec![self.server.der.clone()], self.server.key.clone_key())
                .unwrap(),
        )
    }
}

#[test]
fn neither_side_resumes_what_its_swapped_pins_refuse() {
    for version in VERSIONS {
        let world = world();
        let of_servers = Arc::new(SwappablePins::new(only(pin_of(&world.server))));
        let of_clients = Arc::new(SwappablePins::new(only(pin_of(&world.client))));
        let client = world.pinned_client(version, of_servers.clone());
        let server = world.pinning_server(version, of_clients.clone());
        assert!(!meet(&client, &server, NAME).resumed());
        assert!(meet(&client, &server, NAME).resumed());

        let somebody = pin_of(&world.root.leaf(&["somebody.example"], -1, 1));
        of_servers.replace(only(somebody));
        let refused = meet(&client, &server, NAME).client;
        assert!(refused.is_err_and(|error| pin_error(&error).is_some()));

        of_servers.replace(only(pin_of(&world.server)));
        assert!(meet(&client, &server, NAME).client.is_ok());
        of_clients.replace(only(somebody));
        let refused = meet(&client, &server, NAME).server;
        assert!(refused.is_err_and(|error| pin_error(&error).is_some()));
    }
}

#[test]
fn a_client_that_has_ended_is_not_resumed() {
    for version in VERSIONS {
        let mut world = world();
        world.client = world.root.leaf(&["client.example"], -1, 1);
        let of_servers = Arc::new(SwappablePins::new(only(pin_of(&world.server))));
        let of_clients = Arc::new(SwappablePins::new(only(pin_of(&world.client))));
        let client = world.pinned_client(version, of_servers);
        let server = world.pinning_server(version, of_clients);
        world.clock.set(days(1).saturating_add(-60));
        assert!(!meet(&client, &server, NAME).resumed());
        assert!(meet(&client, &server, NAME).resumed());
        world.clock.set(days(1).saturating_add(1));
        assert!(meet(&client, &server, NAME).server.is_err());
    }
}

#[test]
fn no_anchors_are_an_error_at_once() {
    let none = || TrustAnchors::builder().build();
    let servers = WatchingServerVerifier::for_anchors_with_provider(none(), ring());
    let clients = WatchingClientVerifier::for_anchors_with_provider(none(), ring());
    let expected = Some(VerifierBuildError::NoTrustAnchors);
    assert_eq!(servers.err(), expected);
    assert_eq!(clients.err(), expected);
}

/// `Other(OtherError(..))` is what most clients show of it.
#[test]
fn a_refused_pin_reads_as_a_sentence_wherever_a_client_prints_the_error() {
    let world = world();
    let somebody = pin_of(&world.root.leaf(&["somebody.example"], -1, 1));
    let pins = Arc::new(SwappablePins::new(only(somebody)));
    let client = world.pinned_client(VERSIONS[0], pins);
    let of_clients = Arc::new(SwappablePins::new(only(pin_of(&world.client))));
    let server = world.pinning_server(VERSIONS[0], of_clients);
    let error = meet(&client, &server, NAME).client.err().unwrap();
    let sentence = pin_error(&error).unwrap().to_string();
    assert!(
        sentence.starts_with("host.example showed sha256/"),
        "{sentence}"
    );
    for shown in [format!("{error}"), format!("{error:?}")] {
        assert!(shown.contains(&sentence), "{shown}");
    }
}
