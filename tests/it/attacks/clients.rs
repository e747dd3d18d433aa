//! Sessions that a client keeps of servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notafter::pin::PinPosition;
use notafter::{PinSet, SpkiPin, WatchingServerVerifier};
use rustls::client::WebPkiServerVerifier;
use rustls::{CertificateError, RootCertStore};

use super::remembered::Crossed;
use super::{Changing, Knowing, NAME, Wire, name, pin_of, pin_of_ca, pinned, webpki};
use crate::support::pki::{self, NOW, days};
use crate::support::tls::{MINUTE, VERSIONS, meet, ring};

#[test]
fn a_session_does_not_outlive_the_pinned_path() {
    for version in VERSIONS {
        let crossed = Crossed::mint((-10, 0));
        let wire = Wire::at(version, NOW.saturating_add(-100));
        let verifier = WatchingServerVerifier::builder(webpki(&crossed.anchors))
            .with_provider(ring())
            .with_trust_anchors(crossed.anchors.clone())
            .with_pin_set(pinned(pin_of_ca(&crossed.pinned_root), PinPosition::Ca))
            .build()
            .unwrap();
        let (client, label) = (wire.client(&verifier), wire.label());
        let server = wire.server(&crossed.chain(), &crossed.leaf);
        assert!(meet(&client, &server, NAME).client.is_ok());
        assert!(meet(&client, &server, NAME).resumed(), "{label}");
        wire.clock.set(NOW);
        assert!(
            meet(&client, &server, NAME).resumed(),
            "{label}: last second"
        );
        wire.clock.set(NOW.saturating_add(1));
        assert!(meet(&client, &server, NAME).client.is_err(), "{label}");
    }
}

/// rustls's stores compare names without case, and so must whoever remembers for them.
#[test]
fn a_name_in_other_case_is_the_same_name_for_sessions() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let ending = root.leaf(&[NAME], -90, 0);
    let lasting = root.leaf(&[NAME], -90, 300);
    for version in VERSIONS {
        let wire = Wire::at(version, NOW.saturating_add(-100));
        let verifier = WatchingServerVerifier::builder(webpki(&anchors)).with_trust_age(MINUTE);
        let configs = wire.configs(&verifier.build().unwrap());
        let current = || configs.current().unwrap();
        let [ending, lasting] = [&ending, &lasting].map(|leaf| wire.server(&[&leaf.der], leaf));
        assert!(meet(&current(), &lasting, NAME).client.is_ok());
        assert!(meet(&current(), &ending, "SERVICE.example").client.is_ok());
        assert!(
            meet(&current(), &ending, NAME).resumed(),
            "{}",
            wire.label()
        );
        wire.clock.set(NOW.saturating_add(1));
        let met = meet(&current(), &ending, NAME);
        assert!(met.client.is_err(), "{}: {}", wire.label(), met.resumed());
    }
}

/// A list whose end counts for the inner verifier; the wrapper does not know of it.
#[test]
fn a_session_does_not_outlive_the_inner_verifiers_revocation_list() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let leaf = root.leaf(&[NAME], -90, 300);
    let end = days(30);
    for version in VERSIONS {
        let roots = Arc::new(RootCertStore::from(&anchors));
        let inner = WebPkiServerVerifier::builder_with_provider(roots, ring())
            .with_crls([pki::crl(&root, &[]).into()])
            .enforce_revocation_expiration()
            .build()
            .unwrap();
        let wire = Wire::at(version, end.saturating_add(-100));
        let verifier = WatchingServerVerifier::builder(inner)
            .with_trust_age(MINUTE)
            .with_provider(ring())
            .with_trust_anchors(anchors.clone())
            .build()
            .unwrap();
        let client = wire.client(&verifier);
        let server = wire.server(&[&leaf.der], &leaf);
        assert!(meet(&client, &server, NAME).client.is_ok());
        assert!(meet(&client, &server, NAME).resumed(), "{}", wire.label());
        wire.clock.set(end.saturating_add(100));
        let met = meet(&client, &server, NAME);
        assert!(met.client.is_err(), "{}: {}", wire.label(), met.resumed());
    }
}

/// The wrapper was given one more anchor than the inner verifier has.
#[test]
fn a_session_does_not_outlive_the_inner_verifiers_path() {
    let (inner_root, other) = (pki::root("a", -100, 3650), pki::root("b", -100, 3650));
    let issuing = inner_root.intermediate("issuing", -100, 0);
    let by_other = other.cross_sign(&issuing, -100, 1000);
    let leaf = issuing.leaf(&[NAME], -90, 300);
    for version in VERSIONS {
        let wire = Wire::at(version, NOW.saturating_add(-100));
        let inner = webpki(&pki::anchors([&inner_root]));
        let verifier = WatchingServerVerifier::builder(inner)
            .with_trust_age(MINUTE)
            .with_provider(ring())
            .with_trust_anchors(pki::anchors([&inner_root, &other]))
            .build()
            .unwrap();
        let client = wire.client(&verifier);
        let server = wire.server(&[&leaf.der, &issuing.der, &by_other], &leaf);
        assert!(meet(&client, &server, NAME).client.is_ok());
        assert!(meet(&client, &server, NAME).resumed(), "{}", wire.label());
        wire.clock.set(NOW.saturating_add(100));
        let met = meet(&client, &server, NAME);
        assert!(met.client.is_err(), "{}: {}", wire.label(), met.resumed());
    }
}

/// A fetched list, a distrusted root: within the minute for which an answer counts.
#[test]
fn a_session_outlives_what_the_inner_verifier_learns_by_a_minute_at_the_most() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let leaf = root.leaf(&[NAME], -90, 300);
    for version in VERSIONS {
        let is_revoked = Arc::new(AtomicBool::new(false));
        let asked = is_revoked.clone();
        let revoked = move |_| {
            let is_revoked = asked.load(Ordering::SeqCst);
            is_revoked.then_some(CertificateError::Revoked)
        };
        let inner = Knowing::around(webpki(&anchors), revoked);
        let verifier = WatchingServerVerifier::builder(inner).with_trust_age(MINUTE);
        let wire = Wire::at(version, NOW);
        let client = wire.client(&verifier.build().unwrap());
        let server = wire.server(&[&leaf.der], &leaf);
        assert!(meet(&client, &server, NAME).client.is_ok());
        is_revoked.store(true, Ordering::SeqCst);
        wire.clock.set(NOW.saturating_add(59));
        assert!(meet(&client, &server, NAME).resumed(), "{}", wire.label());
        wire.clock.set(NOW.saturating_add(60));
        let met = meet(&client, &server, NAME);
        assert!(met.client.is_err(), "{}: {}", wire.label(), met.resumed());
    }
}

/// Under one configuration no session survives a change of pins, not even of a key that both sets
/// accept, for a ticket that comes late says not whose it is; the configurations begin afresh.
#[test]
fn a_new_epoch_ends_resumption_and_configurations_begin_afresh() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let leaf = root.leaf(&[NAME], -90, 300);
    let set = |backup: &[u8]| {
        let pins = PinSet::builder().with_current(pin_of(&leaf));
        pins.with_backup(SpkiPin::from_spki_der(backup))
            .build()
            .unwrap()
    };
    for version in VERSIONS {
        let wire = Wire::at(version, NOW);
        let label = wire.label();
        let pins = Changing::new(set(b"one"));
        let verifier = WatchingServerVerifier::builder(webpki(&anchors)).with_pins(pins.clone());
        let verifier = verifier.build().unwrap();
        let server = wire.server(&[&leaf.der], &leaf);
        let guarded = wire.client(&verifier);
        assert!(!meet(&guarded, &server, NAME).resumed(), "{label}");
        assert!(meet(&guarded, &server, NAME).resumed(), "{label}");
        let configs = wire.configs(&verifier);
        let current = || configs.current().unwrap();
        assert!(!meet(&current(), &server, NAME).resumed(), "{label}");
        assert!(meet(&current(), &server, NAME).resumed(), "{label}");
        pins.change(set(b"other"));
        for _ in 0..3 {
            let met = meet(&guarded, &server, NAME);
            assert!(met.client.is_ok() && !met.resumed(), "{label}");
        }
        let met = meet(&current(), &server, NAME);
        assert!(met.client.is_ok() && !met.resumed(), "{label}: afresh");
        assert!(meet(&current(), &server, NAME).resumed(), "{label}");
    }
}

/// A server that proves itself with ever other chains costs its own name resumption, and no memory.
#[test]
fn a_ninth_proven_chain_ends_resumption_and_configurations_begin_afresh() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let leaf = root.leaf(&[NAME, "other.example"], -90, 300);
    for version in VERSIONS {
        let wire = Wire::at(version, NOW);
        let label = wire.label();
        let verifier = WatchingServerVerifier::builder(webpki(&anchors)).with_trust_age(MINUTE);
        let verifier = verifier.build().unwrap();
        let server = wire.server(&[&leaf.der], &leaf);
        let configs = wire.configs(&verifier);
        let guarded = wire.client(&verifier);
        let before = configs.current().unwrap();
        for config in [&before, &guarded] {
            assert!(!meet(config, &server, "other.example").resumed());
        }
        for chain in 1..=9 {
            let junk = pki::root(&format!("junk {chain}"), -1, 1).der;
            let with_junk = wire.server(&[&leaf.der, &junk], &leaf);
            for config in [&configs.current().unwrap(), &guarded] {
                assert!(meet(config, &with_junk, NAME).client.is_ok());
                let resumed = meet(config, &with_junk, NAME).resumed();
                assert_eq!(resumed, chain < 9, "{label} {chain}");
            }
        }
        assert!(!meet(&guarded, &server, NAME).resumed(), "{label}: barred");
        assert!(meet(&guarded, &server, "other.example").resumed());
        assert!(!Arc::ptr_eq(&before, &configs.current().unwrap()));
        assert!(!meet(&configs.current().unwrap(), &server, NAME).resumed());
        assert!(meet(&configs.current().unwrap(), &server, NAME).resumed());
    }
}

/// An open connection, too, ends with the pinned path, to the second.
#[test]
fn a_connection_is_refused_once_its_pinned_path_has_ended() {
    let crossed = Crossed::mint((-10, 0));
    let wire = Wire::at(VERSIONS[1], NOW.saturating_add(-100));
    let verifier = WatchingServerVerifier::builder(webpki(&crossed.anchors))
        .with_provider(ring())
        .with_trust_anchors(crossed.anchors.clone())
        .with_pin_set(pinned(pin_of_ca(&crossed.pinned_root), PinPosition::Ca))
        .build()
        .unwrap();
    let client = wire.client(&verifier);
    let server = wire.server(&crossed.chain(), &crossed.leaf);
    let connection = meet(&client, &server, NAME).client.unwrap();
    for (now, passes) in [(NOW, true), (NOW.saturating_add(1), false)] {
        let rechecked = verifier.recheck(&connection, &name(NAME), now);
        assert_eq!(rechecked.is_ok(), passes, "{now}");
    }
}
