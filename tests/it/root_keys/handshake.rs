//! A real client before and after the hold-down of the next root.

use std::sync::Arc;

use notafter::announce::RootOutcome;
use notafter::pin::Pin;
use notafter::pin::{PinError, PinPosition, PinState, PinsInForce};
use notafter::verifier::UnguardedSessions;
use notafter::{SpkiPin, WatchingServerVerifier, pin_error};
use rustls::client::WebPkiServerVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::{around, extension, set, value_of};
use crate::support::pki::{self, Leaf, NOW, days};
use crate::support::tls::{SetTime, handshake, ring};
use notafter::cert::{NextRootKey, RootKeyHash};

const NAME: &str = "service.example";

#[test]
fn a_server_under_the_next_root_is_refused_until_its_hold_down_is_over() {
    let second = pki::root("Root 2", -100, 3000);
    let second_certificate = second.certificate();
    let stated = NextRootKey::of_spki(RootKeyHash::Sha256, second_certificate.facts().spki_der());
    let first = pki::root_with("Root 1", -100, 3000, |params| {
        params.custom_extensions = vec![extension(value_of(&stated))];
    });
    let stranger = pki::root("Root 3", -100, 3000);
    let current = SpkiPin::from_certificate(&first.certificate());
    let current = Pin::new(current, PinState::Current).with_position(PinPosition::Anchor);
    let pins = around(set([current]), NOW);
    let anchors = pki::anchors([&first, &second, &stranger]);
    let clock = SetTime::at(NOW);
    let roots = Arc::new(RootCertStore::from(&anchors));
    let webpki = WebPkiServerVerifier::builder_with_provider(roots, ring())
        .build()
        .unwrap();
    let in_force: Arc<dyn PinsInForce> = pins.clone();
    let verifier = WatchingServerVerifier::builder(webpki)
        .with_provider(ring())
        .with_trust_anchors(anchors)
        .with_pins(in_force)
        .with_unguarded_sessions(UnguardedSessions::Accept)
        .build()
        .unwrap();
    let meet = |leaf: &Leaf| {
        let client = ClientConfig::builder_with_details(ring(), clock.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        let server = ServerConfig::builder_with_details(ring(), clock.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der.clone()], leaf.key.clone_key())
            .unwrap();
        handshake(client, server, NAME).client
    };
    let [of_first, of_second, of_stranger] =
        [&first, &second, &stranger].map(|root| root.leaf(&[NAME], -1, 300));
    let refusal = |leaf: &Leaf| pin_error(&meet(leaf).unwrap_err()).cloned().unwrap();

    assert_eq!(meet(&of_first), Ok(()));
    assert!(matches!(refusal(&of_second), PinError::Mismatch { .. }));
    let observed = pins.observe(&first.certificate(), NOW).unwrap();
    assert_eq!(observed.outcome, RootOutcome::Announced);
    for (at, second_counts) in [
        (NOW, false),
        (days(30).saturating_add(-1), false),
        (days(30), true),
        (days(60), true),
    ] {
        clock.set(at);
        assert_eq!(meet(&of_first), Ok(()), "{at}");
        assert_eq!(meet(&of_second).is_ok(), second_counts, "{at}");
        assert!(matches!(refusal(&of_stranger), PinError::Mismatch { .. }));
    }
    clock.set(days(1));
    let PinError::Mismatch { near_misses, .. } = refusal(&of_second) else {
        panic!("it is announced, and does not count yet");
    };
    assert_eq!(
        near_misses[0].pin.key,
        SpkiPin::from_certificate(&second_certificate)
    );
}
