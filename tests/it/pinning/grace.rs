//! The grace for a pinned leaf: what it lets in, and above all what it does not.

use std::sync::Arc;

use notafter::pin::PinPosition;
use notafter::revocation::Crls;
use notafter::verifier::{PinnedGrace, VerifierBuildError};
use notafter::{EventCode, PinSet, SpkiPin, WatchingServerVerifier};
use rustls::client::WebPkiServerVerifier;
use rustls::{CertificateError, Error, RootCertStore};

use super::{Agreeable, NAME, Scene, pin_of, pin_of_ca, pinned, webpki};
use crate::support::pki::{self, NOW, days};
use crate::support::tls::ring;

const DAY: u32 = 86_400;

fn is_expired(result: &Result<(), Error>) -> bool {
    matches!(
        result,
        Err(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
        ))
    )
}

fn graceful(anchors: &notafter::TrustAnchors, set: PinSet) -> Scene {
    let grace = PinnedGrace::from_seconds(3 * DAY).unwrap();
    Scene::new(webpki(anchors), anchors, |builder| {
        builder.with_pin_set(set).with_grace(grace)
    })
}

#[test]
fn a_pinned_leaf_is_let_in_for_exactly_its_grace() {
    let root = pki::root("root", -10, 3650);
    let issuing = root.intermediate("issuing", -10, 1000);
    let leaf = issuing.leaf(&[NAME], -90, 0);
    let chain = [&leaf.der, &issuing.der];
    let anchors = pki::anchors([&root]);
    let scene = graceful(&anchors, pinned(pin_of(&leaf), PinPosition::Leaf));
    assert_eq!(scene.verify(&chain, NOW), Ok(()));
    assert!(!scene.codes().contains(&EventCode::PinGraceUsed));
    for now in [NOW.saturating_add(1), NOW.saturating_add(2), days(3)] {
        assert_eq!(scene.verify(&chain, now), Ok(()), "{now}");
        // Each time, not once a day.
        assert_eq!(scene.codes(), [EventCode::PinGraceUsed], "{now}");
    }
    let result = scene.verify(&chain, days(3).saturating_add(1));
    assert!(is_expired(&result), "{result:?}");
    assert_eq!(scene.codes(), [EventCode::PeerExpired]);
}

#[test]
fn nothing_but_the_leafs_own_expiry_is_forgiven() {
    let (root, other) = (pki::root("root", -10, 3650), pki::root("other", -10, 3650));
    let anchors = pki::anchors([&root]);
    let now = days(1);
    let fresh = root.intermediate("fresh", -10, 1000);
    let ended = root.intermediate("ended", -10, 0);
    let leaf = fresh.leaf(&[NAME], -90, 0);
    let twice = ended.leaf(&[NAME], -90, 0);
    let elsewhere = fresh.leaf(&["elsewhere.example"], -90, 0);
    let unknown = other.leaf(&[NAME], -90, 0);
    let unborn = fresh.leaf(&[NAME], 2, 90);
    let good = fresh.leaf(&[NAME], -90, 90);
    let set = |leaf| pinned(pin_of(leaf), PinPosition::Leaf);
    let cases = [
        (
            "another key",
            pinned(pin_of(&good), PinPosition::Leaf),
            vec![&leaf.der, &fresh.der],
        ),
        (
            "only its CA pinned",
            pinned(pin_of_ca(&fresh), PinPosition::Ca),
            vec![&leaf.der, &fresh.der],
        ),
        (
            "its issuer ended too",
            set(&twice),
            vec![&twice.der, &ended.der],
        ),
        (
            "another name",
            set(&elsewhere),
            vec![&elsewhere.der, &fresh.der],
        ),
        ("an unknown issuer", set(&unknown), vec![&unknown.der]),
        ("a missing issuer", set(&leaf), vec![&leaf.der]),
        ("not yet valid", set(&unborn), vec![&unborn.der, &fresh.der]),
    ];
    for (label, set, chain) in cases {
        let scene = graceful(&anchors, set);
        assert!(scene.verify(&chain, now).is_err(), "{label}");
        let codes = scene.codes();
        assert!(
            !codes.contains(&EventCode::PinGraceUsed),
            "{label}: {codes:?}"
        );
    }
    // A path around an ended issuer is as good as any.
    let again = root.cross_sign(&ended, -10, 500);
    let scene = graceful(&anchors, set(&twice));
    assert_eq!(scene.verify(&[&twice.der, &again], now), Ok(()));
    // The pinned leaf, rejected since.
    let rejected = PinSet::builder()
        .with_current(pin_of(&good))
        .with_rejected(pin_of(&leaf))
        .build()
        .unwrap();
    let scene = graceful(&anchors, rejected);
    assert!(is_expired(&scene.verify(&[&leaf.der, &fresh.der], now)));
    // Anyhow not by default.
    let strict = Scene::pinned(&anchors, set(&leaf));
    assert!(is_expired(&strict.verify(&[&leaf.der, &fresh.der], now)));
}

/// The inner verifier is asked at the leaf's last good second, with everything that it knows.
#[test]
fn a_revoked_leaf_has_no_grace() {
    let root = pki::root("root", -10, 3650);
    let leaf = root.leaf(&[NAME], -90, 0);
    let crl = pki::crl(&root, &[&leaf.certificate()]);
    let anchors = pki::anchors([&root]);
    let inner = |crls: Vec<_>| {
        let roots = Arc::new(RootCertStore::from(&anchors));
        let inner = WebPkiServerVerifier::builder_with_provider(roots, ring());
        inner.with_crls(crls).build().unwrap()
    };
    let verifier = |inner, crls| {
        Scene::new(inner, &anchors, |builder| {
            builder
                .with_pin_set(pinned(pin_of(&leaf), PinPosition::Leaf))
                .with_grace(PinnedGrace::from_seconds(3 * DAY).unwrap())
                .with_crls(crls)
        })
    };
    let ours = || Crls::builder().with_der(&crl).unwrap().build();
    let now = days(1);
    let revoked_within = verifier(inner(vec![crl.clone().into()]), Crls::default());
    assert!(revoked_within.verify(&[&leaf.der], now).is_err());
    // Lists given to the wrapper alone count for the path that a grace rests on.
    let revoked_without = verifier(inner(vec![]), ours());
    assert!(revoked_without.verify(&[&leaf.der], now).is_err());
    let known_good = verifier(inner(vec![]), Crls::default());
    assert_eq!(known_good.verify(&[&leaf.der], now), Ok(()));
}

#[test]
fn without_anchors_everything_that_was_sent_must_be_within_its_dates() {
    let root = pki::root("root", -10, 3650);
    let (fresh, ended) = (
        root.intermediate("fresh", -10, 1000),
        root.intermediate("ended", -10, 0),
    );
    let now = days(1).to_unix_time().unwrap();
    for (issuer, expected) in [(&fresh, true), (&ended, false)] {
        let leaf = issuer.leaf(&[NAME], -90, 0);
        let anchors = pki::anchors([&root]);
        let verifier = WatchingServerVerifier::builder(webpki(&anchors))
            .with_leaf_pin(pin_of(&leaf))
            .with_grace(PinnedGrace::from_seconds(3 * DAY).unwrap())
            .build()
            .unwrap();
        use rustls::client::danger::ServerCertVerifier as _;
        let name = NAME.try_into().unwrap();
        let rest = [issuer.der.clone()];
        let result = verifier.verify_server_cert(&leaf.der, &rest, &name, &[], now);
        assert_eq!(result.is_ok(), expected);
    }
}

#[test]
fn a_grace_is_bounded_and_for_pinned_peers_only() {
    let over = PinnedGrace::from_seconds(PinnedGrace::MAX_SECONDS + 1).unwrap_err();
    assert_eq!(
        over.to_string(),
        "a grace of 2592001 s is over the bound of 2592000 s: renew the certificate instead"
    );
    let grace = PinnedGrace::from_seconds(PinnedGrace::MAX_SECONDS).unwrap();
    let unpinned =
        WatchingServerVerifier::builder(Arc::new(Agreeable::default())).with_grace(grace);
    let error = unpinned.build().err();
    assert_eq!(error, Some(VerifierBuildError::GraceWithoutPins));
    let pin: SpkiPin = "0b".repeat(32).parse().unwrap();
    let pinned = WatchingServerVerifier::builder(Arc::new(Agreeable::default())).with_leaf_pin(pin);
    assert!(pinned.with_grace(grace).build().is_ok());
}
