//! Pins match keys of paths that verified, never keys that were merely sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use notafter::outlook::Position;
use notafter::pin::{ExpiryRule, PinError, PinPosition};
use notafter::verifier::{PresentedBounds, VerifierBuildError};
use notafter::{PinSet, SpkiPin, WatchingServerVerifier};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, SignatureScheme};

use super::{Agreeable, NAME, Scene, pin_of, pin_of_ca, pinned, refusal, webpki};
use crate::support::pki::{self, NOW, days};
use crate::support::proof::any_signature_counts;
use crate::support::tls::ring;

fn positions(error: &PinError) -> Vec<Position> {
    match error {
        PinError::Mismatch { presented, .. } => presented.iter().map(|key| key.position).collect(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_pin_counts_at_its_position_only() {
    let root = pki::root("root", -10, 3650);
    let upper = root.intermediate("upper", -10, 1000);
    let lower = upper.intermediate("lower", -10, 500);
    let leaf = lower.leaf(&[NAME], -1, 90);
    let anchors = pki::anchors([&root]);
    let chain = [&leaf.der, &lower.der, &upper.der];
    let keys = [
        pin_of(&leaf),
        pin_of_ca(&lower),
        pin_of_ca(&upper),
        pin_of_ca(&root),
    ];
    let cases = [
        (PinPosition::Leaf, [true, false, false, false]),
        (PinPosition::Ca, [false, true, true, true]),
        (PinPosition::Anchor, [false, false, false, true]),
        (PinPosition::Any, [true, true, true, true]),
    ];
    for (position, expected) in cases {
        for (key, expected) in keys.iter().zip(expected) {
            let scene = Scene::pinned(&anchors, pinned(*key, position));
            let result = scene.verify(&chain, NOW);
            assert_eq!(result.is_ok(), expected, "{position} {key}: {result:?}");
            if let Some(error @ PinError::Mismatch { .. }) = refusal(&result) {
                let all = [
                    Position::Leaf,
                    Position::Intermediate(0),
                    Position::Intermediate(1),
                    Position::Anchor,
                ];
                let compared = match position {
                    PinPosition::Leaf => &all[..1],
                    _ => &all[..],
                };
                assert_eq!(positions(error), compared, "{position}");
            }
        }
    }
}

/// CVE-2016-2402: the attacker has a good certificate of another trusted CA, and sends the pinned
/// ones along.
#[test]
fn pinned_certificates_that_are_merely_sent_do_not_count() {
    let (good, bad) = (pki::root("good", -10, 3650), pki::root("bad", -10, 3650));
    let pinned_ca = good.intermediate("pinned", -10, 1000);
    let genuine = pinned_ca.leaf(&[NAME], -1, 90);
    let attacker = bad.leaf(&[NAME], -1, 90);
    let anchors = pki::anchors([&good, &bad]);
    let cases = [
        ("leaf", pinned(pin_of(&genuine), PinPosition::Any)),
        ("leaf", pinned(pin_of(&genuine), PinPosition::Leaf)),
        (
            "intermediate",
            pinned(pin_of_ca(&pinned_ca), PinPosition::Ca),
        ),
        ("root", pinned(pin_of_ca(&good), PinPosition::Anchor)),
        ("root", pinned(pin_of_ca(&good), PinPosition::Any)),
    ];
    let everything = [&attacker.der, &genuine.der, &pinned_ca.der, &good.der];
    for (label, set) in cases {
        let scene = Scene::pinned(&anchors, set);
        assert_eq!(scene.verify(&[&genuine.der, &pinned_ca.der], NOW), Ok(()));
        for chain in [&everything[..], &everything[..1]] {
            let result = scene.verify(chain, NOW);
            let error = refusal(&result);
            assert!(
                matches!(error, Some(PinError::Mismatch { .. })),
                "{label}: {result:?}"
            );
        }
    }
}

/// The attacker holds a genuine, but not a CA's, certificate below the pinned CA, and signs with
/// its key. A verifier that forgets the CA bit would find the pinned CA on the path.
#[test]
fn an_issuer_that_is_no_ca_leads_to_no_pinned_path() {
    let (good, compromised) = (
        pki::root("good", -10, 3650),
        pki::root("compromised", -10, 3650),
    );
    let pinned_ca = good.intermediate("pinned", -10, 1000);
    let switch = pinned_ca.leaf_with(&["attacker.example"], -1, 90, |params| {
        params
            .distinguished_name
            .push(DnType::CommonName, "attacker.example");
    });
    // What the compromised CA signs for the same name and key, as a CA.
    let mut twin = CertificateParams::default();
    twin.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    twin.distinguished_name
        .push(DnType::CommonName, "attacker.example");
    pki::validity(&mut twin, -1, 90);
    let twin_der = twin
        .signed_by(&switch.key_pair, &compromised.issuer())
        .unwrap()
        .der()
        .clone();
    let mut phony = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    pki::validity(&mut phony, -1, 90);
    let phony_key = KeyPair::generate().unwrap();
    let issuer = Issuer::from_params(&twin, &switch.key_pair);
    let phony = phony.signed_by(&phony_key, &issuer).unwrap().der().clone();

    let anchors = pki::anchors([&good, &compromised]);
    let set = || pinned(pin_of_ca(&pinned_ca), PinPosition::Ca);
    // Without the twin, webpki itself refuses.
    let chain = [&phony, &switch.der, &pinned_ca.der];
    let result = Scene::pinned(&anchors, set()).verify(&chain, NOW);
    assert!(result.is_err() && refusal(&result).is_none(), "{result:?}");
    // And where the inner verifier lets everything through, the pins still do not.
    let inner = Arc::new(Agreeable::default());
    let lenient = Scene::new(inner, &anchors, |builder| builder.with_pin_set(set()));
    let result = lenient.verify(&chain, NOW);
    assert!(
        matches!(refusal(&result), Some(PinError::NoPath { .. })),
        "{result:?}"
    );
    // With it, the path by the compromised CA verifies, and the pinned CA is not on it.
    let chain = [&phony, &switch.der, &twin_der, &pinned_ca.der];
    let strict = Scene::pinned(&anchors, set());
    let inner = webpki(&anchors);
    let unpinned = Scene::new(inner, &anchors, |builder| builder);
    assert_eq!(unpinned.verify(&chain, NOW), Ok(()));
    for scene in [strict, lenient] {
        let result = scene.verify(&chain, NOW);
        let error = refusal(&result).unwrap();
        let path = [Position::Leaf, Position::Intermediate(0), Position::Anchor];
        assert_eq!(positions(error), path);
    }
}

#[test]
fn a_pinned_root_needs_not_be_sent_and_is_not_enough_when_sent() {
    let (pinned_root, other) = (
        pki::root("pinned", -10, 3650),
        pki::root("other", -10, 3650),
    );
    let (genuine, attacker) = (
        pinned_root.leaf(&[NAME], -1, 90),
        other.leaf(&[NAME], -1, 90),
    );
    let set = || pinned(pin_of_ca(&pinned_root), PinPosition::Ca);
    let anchors = pki::anchors([&pinned_root, &other]);
    let scene = Scene::pinned(&anchors, set());
    assert_eq!(scene.verify(&[&genuine.der], NOW), Ok(()));
    let result = scene.verify(&[&attacker.der, &pinned_root.der], NOW);
    assert!(refusal(&result).is_some(), "{result:?}");
    // A pinned root that is not trusted here vouches for nobody.
    let untrusted = Scene::pinned(&pki::anchors([&other]), set());
    let result = untrusted.verify(&[&genuine.der, &pinned_root.der], NOW);
    let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
    assert_eq!(result, Err(unknown));
}

/// Cross-signs: one path is pinned and another verifies first; in whichever order they are sent.
#[test]
fn a_pinned_path_is_found_behind_one_that_is_not() {
    let roots = [pki::root("a", -10, 3650), pki::root("b", -10, 3650)];
    let issuing = roots[0].intermediate("issuing", -10, 1000);
    let crossed = roots[1].cross_sign(&issuing, -10, 800);
    let leaf = issuing.leaf(&[NAME], -1, 90);
    for order in [[0, 1], [1, 0]] {
        let anchors = pki::anchors(order.map(|n| &roots[n]));
        for chain in [
            [&leaf.der, &issuing.der, &crossed],
            [&leaf.der, &crossed, &issuing.der],
        ] {
            for root in &roots {
                for position in [PinPosition::Anchor, PinPosition::Ca] {
                    let scene = Scene::pinned(&anchors, pinned(pin_of_ca(root), position));
                    assert_eq!(scene.verify(&chain, NOW), Ok(()));
                }
            }
            let elsewhere = pki::root("c", -10, 3650);
            let set = pinned(pin_of_ca(&elsewhere), PinPosition::Ca);
            let result = Scene::pinned(&anchors, set).verify(&chain, NOW);
            assert!(refusal(&result).is_some(), "{result:?}");
        }
    }
}

#[test]
fn a_rejected_ca_is_refused_unless_a_path_leads_around_it() {
    let roots = [pki::root("a", -10, 3650), pki::root("b", -10, 3650)];
    let issuing = roots[0].intermediate("issuing", -10, 1000);
    let crossed = roots[1].cross_sign(&issuing, -10, 800);
    let leaf = issuing.leaf(&[NAME], -1, 90);
    let anchors = pki::anchors(&roots);
    let set = |rejected| {
        let builder = PinSet::builder().with_current(pin_of(&leaf));
        builder.with_rejected(rejected).build().unwrap()
    };
    let around = Scene::pinned(&anchors, set(pin_of_ca(&roots[0])));
    assert_eq!(
        around.verify(&[&leaf.der, &issuing.der, &crossed], NOW),
        Ok(())
    );
    let result = around.verify(&[&leaf.der, &issuing.der], NOW);
    assert!(refusal(&result).is_some(), "{result:?}");
    let through = Scene::pinned(&anchors, set(pin_of_ca(&issuing)));
    let result = through.verify(&[&leaf.der, &issuing.der, &crossed], NOW);
    assert!(refusal(&result).is_some(), "{result:?}");
}

#[test]
fn pins_of_cas_without_anchors_are_an_error_that_says_why() {
    let root = pki::root("root", -10, 3650);
    let set = || pinned(pin_of_ca(&root), PinPosition::Ca);
    let opaque = || WatchingServerVerifier::builder(Arc::new(Agreeable::default()));
    let error = opaque().with_provider(ring()).with_pin_set(set()).build();
    assert_eq!(error.err(), Some(VerifierBuildError::PinsNeedTrustAnchors));
    let both = opaque()
        .with_leaf_pin(pin_of_ca(&root))
        .with_pin_set(set())
        .with_trust_anchors(pki::anchors([&root]))
        .with_provider(ring());
    assert_eq!(both.build().err(), Some(VerifierBuildError::PinsTwice));
}

/// Accepts what is presented as a whole, and no part of it.
#[derive(Debug)]
struct Whole(usize, AtomicUsize);

impl ServerCertVerifier for Whole {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.1.fetch_add(1, Ordering::Relaxed);
        match intermediates.len() == self.0 {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Error::InvalidCertificate(CertificateError::Revoked)),
        }
    }

    any_signature_counts!();

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

#[test]
fn the_judges_budget_bounds_how_often_the_inner_verifier_is_asked_about_a_path() {
    let root = pki::root("root", -100, 3650);
    let issuing = root.intermediate("issuing", -10, 1000);
    let twins: Vec<_> = (0..40)
        .map(|n| root.cross_sign(&issuing, -10, 500 + n))
        .collect();
    let leaf = issuing.leaf(&[NAME], -1, 300);
    let inner = Arc::new(Whole(twins.len(), AtomicUsize::new(0)));
    let set = pinned(pin_of_ca(&root), PinPosition::Ca);
    let scene = Scene::new(inner.clone(), &pki::anchors([&root]), |builder| {
        let bounds = PresentedBounds {
            certificates: 100,
            same_subject: 100,
            ..PresentedBounds::default()
        };
        builder.with_presented_bounds(bounds).with_pin_set(set)
    });
    let chain: Vec<_> = std::iter::once(&leaf.der).chain(&twins).collect();
    assert!(refusal(&scene.verify(&chain, NOW)).is_some());
    let asked = inner.1.load(Ordering::Relaxed);
    assert!(
        (2..=17).contains(&asked),
        "asked {asked} times about 40 paths"
    );
}

#[test]
fn a_leaf_that_cannot_be_read_is_refused_where_keys_are_rejected_though_the_set_is_open() {
    let root = pki::root("root", -100, 3650);
    let pin = pin_of(&root.leaf(&[NAME], -1, 300));
    let garbage = CertificateDer::from(vec![0x30, 0x03, 0x02, 0x01, 0x01]);
    for (rejected, is_refused) in [
        (Some(SpkiPin::from_spki_der(b"stolen")), true),
        (None, false),
    ] {
        let set = PinSet::builder().with_current(pin);
        let set = match rejected {
            Some(key) => set.with_rejected(key),
            None => set,
        };
        let set = set.with_expiry(days(-1), ExpiryRule::FailOpenLoudly);
        let scene = Scene::new(
            Arc::new(Agreeable::default()),
            &pki::anchors([&root]),
            |builder| builder.with_pin_set(set.build().unwrap()),
        );
        let result = scene.verify(&[&garbage], NOW);
        let unreadable = matches!(refusal(&result), Some(PinError::Unreadable { .. }));
        assert_eq!(unreadable, is_refused, "{result:?}");
    }
}
