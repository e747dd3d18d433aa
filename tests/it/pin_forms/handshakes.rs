//! Pins of a file for phones, in real handshakes.

use std::sync::Arc;

use notafter::pin::PinSets;
use notafter::pin::forms::android;
use notafter::verifier::UnguardedSessions;
use notafter::{EventCode, SpkiPin, WatchingServerVerifier};
use rustls::client::WebPkiServerVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::support::pki::{self, Ca, NOW};
use crate::support::tls::{FixedTime, Recorder, handshake, ring};

/// Two CAs that the client trusts, of which the file pins one, until the day after `NOW`'s.
struct Scene {
    pinned: Ca,
    other: Ca,
    pins: PinSets,
}

impl Scene {
    fn new() -> Self {
        let (pinned, other) = (pki::root("pinned", -10, 100), pki::root("other", -10, 100));
        let pin = SpkiPin::from_certificate(&pinned.certificate());
        let pin = pin.digest().to_base64();
        let tomorrow = NOW.saturating_add(86_400).to_string();
        let (day, _) = tomorrow.split_once('T').unwrap();
        let pins = android::read(&format!(
            "<network-security-config><domain-config><domain includeSubdomains='true'>a.example</domain>\
             <pin-set expiration='{day}'><pin digest='SHA-256'>{pin}</pin></pin-set>\
             <domain-config><domain>free.a.example</domain><pin-set/></domain-config>\
             </domain-config></network-security-config>"
        ));
        let pins = pins.unwrap();
        Self {
            pinned,
            other,
            pins,
        }
    }

    /// Whether the client accepts a server with a certificate of this CA, and what it is told.
    fn meet(&self, ca: &Ca, name: &str, days: i64) -> (bool, Vec<EventCode>) {
        let anchors = pki::anchors([&self.pinned, &self.other]);
        let roots = Arc::new(RootCertStore::from(&anchors));
        let inner = WebPkiServerVerifier::builder_with_provider(roots, ring());
        let recorder = Arc::new(Recorder::default());
        let verifier = WatchingServerVerifier::builder(inner.build().unwrap())
            .with_provider(ring())
            .with_trust_anchors(anchors)
            .with_pins(self.pins.clone().into())
            .with_observer(recorder.clone())
            .with_unguarded_sessions(UnguardedSessions::Accept)
            .build()
            .unwrap();
        let leaf = ca.leaf(&[name], -1, 90);
        let now = NOW.saturating_add(days * 86_400).to_unix_time().unwrap();
        let clock = Arc::new(FixedTime(now));
        let client = ClientConfig::builder_with_details(ring(), clock.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        let server = ServerConfig::builder_with_details(ring(), clock)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der.clone()], leaf.key.clone_key())
            .unwrap();
        let outcome = handshake(client, server, name);
        let events = recorder.take();
        (
            outcome.client.is_ok(),
            events.iter().map(|event| event.code).collect(),
        )
    }
}

#[test]
fn androids_pins_count_on_the_path_until_their_day_and_not_for_a_host_that_is_left_out() {
    let scene = Scene::new();
    for name in ["a.example", "www.a.example", "b.www.a.example"] {
        let (accepted, told) = scene.meet(&scene.pinned, name, 0);
        assert!(accepted, "{name}: {told:?}");
        let (accepted, told) = scene.meet(&scene.other, name, 0);
        assert!(
            !accepted && told.contains(&EventCode::PinMismatch),
            "{name}: {told:?}"
        );
    }
    for name in ["free.a.example", "b.example"] {
        let (accepted, told) = scene.meet(&scene.other, name, 0);
        assert!(accepted, "{name}: {told:?}");
    }
    // After the day the pins decide no more, and that is said loudly.
    let (accepted, told) = scene.meet(&scene.other, "www.a.example", 2);
    assert!(
        accepted && told.contains(&EventCode::PinSetExpired),
        "{told:?}"
    );
}
