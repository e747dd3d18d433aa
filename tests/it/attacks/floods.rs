//! Many strangers, and large ones, on a port that asks for client certificates.

use std::sync::Arc;

use notafter::pin::PinSetBuilder;
use notafter::verifier::presented_error;
use notafter::{EventCode, PinSet, Severity, SpkiPin, TrustAnchors, WatchingClientVerifier};
use rcgen::{CertificateParams, DnType, DnValue, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier as _;

use super::{NAME, ask, pin_of, pin_of_ca, watching, webpki, webpki_of_clients};
use crate::support::pki::{self, NOW};
use crate::support::proof::{any_signature_of_clients, meet_client};
use crate::support::tls::{Recorder, ring};

/// Certificates that anybody makes for themselves, valid between these days.
struct Homemade(KeyPair);

impl Homemade {
    fn new() -> Self {
        Self(KeyPair::generate().unwrap())
    }

    fn make(&self, common_name: &str, n: u64, (from, to): (i64, i64)) -> CertificateDer<'static> {
        let mut params = CertificateParams::new([format!("n{n}.example")]).unwrap();
        let value = DnValue::Utf8String(common_name.to_owned());
        params.distinguished_name.push(DnType::CommonName, value);
        pki::validity(&mut params, from, to);
        params.self_signed(&self.0).unwrap().der().clone()
    }
}

fn mutual(anchors: &TrustAnchors, told: &Arc<Recorder>) -> Arc<WatchingClientVerifier> {
    WatchingClientVerifier::builder(any_signature_of_clients(webpki_of_clients(anchors)))
        .with_provider(ring())
        .with_trust_anchors(anchors.clone())
        .with_observer(told.clone())
        .build()
        .unwrap()
}

#[test]
fn strangers_make_no_critical_event_each() {
    let root = pki::root("root", -100, 3650);
    let told = Arc::new(Recorder::default());
    let verifier = mutual(&pki::anchors([&root]), &told);
    let homemade = Homemade::new();
    let too_much = vec![root.der.clone(); 20];
    for n in 0..500_u64 {
        let ended = homemade.make("x", n, (-10, -5));
        let early = homemade.make("x", n, (5, 10));
        let garbage = CertificateDer::from(n.to_be_bytes().to_vec());
        for (leaf, rest) in [
            (&ended, &[][..]),
            (&early, &[]),
            (&garbage, &[]),
            (&garbage, &too_much),
        ] {
            let refused = verifier.verify_client_cert(leaf, rest, pki::now());
            assert!(refused.is_err());
            // The refusal itself is each stranger's own.
            let is_too_much = refused.is_err_and(|error| presented_error(&error).is_some());
            assert_eq!(is_too_much, !rest.is_empty());
        }
    }
    let told = told.take();
    let told: Vec<_> = told
        .iter()
        .map(|event| (event.code, event.severity))
        .collect();
    let expected = [
        EventCode::PeerExpired,
        EventCode::PeerNotYetValid,
        EventCode::PeerPresentedTooMuch,
    ];
    assert_eq!(told, expected.map(|code| (code, Severity::Unproven)));
}

/// Whatever names a certificate has, what is told of it is small.
#[test]
fn a_strangers_name_makes_no_huge_event() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let told = Arc::new(Recorder::default());
    let verifier = mutual(&anchors, &told);
    let homemade = Homemade::new();
    let pinning = watching(webpki(&anchors), &anchors)
        .with_leaf_pin(pin_of(&root.leaf(&[NAME], -1, 10)))
        .with_observer(told.clone())
        .build()
        .unwrap();
    // JSON takes six bytes for each.
    for letter in ["\u{1}", "\\", "\u{2028}", "x"] {
        let name = letter.repeat(25_000 / letter.len());
        let crowded = letter.repeat(10_000 / letter.len());
        let mut events = Vec::new();
        for days in [(-10, -5), (5, 10)] {
            let leaf = homemade.make(&name, 1, days);
            assert!(leaf.len() > 25_000);
            assert!(verifier.verify_client_cert(&leaf, &[], pki::now()).is_err());
            events.extend(told.take());
        }
        let crowd: Vec<_> = (0..5)
            .map(|n| homemade.make(&crowded, n, (-1, 1)))
            .collect();
        let refused = verifier.verify_client_cert(&crowd[0], &crowd, pki::now());
        assert!(refused.is_err_and(|error| presented_error(&error).is_some()));
        events.extend(told.take());
        // Of those who are accepted, what they are called is told too.
        let subject = |params: &mut CertificateParams| {
            let value = DnValue::Utf8String(name.clone());
            params.distinguished_name.push(DnType::CommonName, value);
        };
        let leaf = root.leaf_with(&[NAME], -80, 2, subject);
        assert_eq!(
            meet_client(&*verifier, (&leaf.der, &[]), pki::now()),
            Ok(())
        );
        assert!(ask(&*pinning, &[&leaf.der], NAME, NOW).is_err());
        verifier
            .verify_client_cert(&leaf.der, &[], pki::now())
            .unwrap();
        verifier.flush_events(std::time::Duration::ZERO);
        events.extend(told.take());
        assert!(!events.is_empty());
        for event in events {
            let (json, code) = (event.to_json().len(), event.code);
            assert!(json < 16_384, "{code}: {json} bytes");
        }
    }
}

/// The worst that fits: classes of four of one name, 15 behind the leaf.
fn ladder(
    levels: usize,
    sign: impl Fn(usize, usize) -> CertificateDer<'static>,
) -> Vec<CertificateDer<'static>> {
    let all = (0..levels).flat_map(|level| (0..4).map(move |n| (level, n)));
    all.take(15).map(|(level, n)| sign(level, n)).collect()
}

/// It changes no verdict, whoever may climb it.
#[test]
fn a_ladder_within_the_bounds_changes_no_verdict() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let level = |level| [(); 4].map(|()| pki::root(&format!("L{level}"), -10, 1000));
    let cas: [[pki::Ca; 4]; 5] = [0, 1, 2, 3, 4].map(level);
    // One key of each level, four certificates of it: every way verifies, each ends on another day.
    let good = ladder(4, |level, n| {
        let end = i64::try_from(10 + level * 4 + n).unwrap();
        match level {
            3 => root.cross_sign(&cas[3][0], -5, end),
            _ => cas[level + 1][0].cross_sign(&cas[level][0], -5, end),
        }
    });
    // Up to somebody who only bears the anchor's name.
    let impostor = pki::root("root", -10, 1000);
    let bad = ladder(4, |level, n| {
        let issuer = match level {
            3 => &impostor,
            _ => &cas[level + 1][n],
        };
        issuer.cross_sign(&cas[level][n], -10, 900)
    });
    let leaf = cas[0][0].leaf(&[NAME], -1, 300);
    let nobody = SpkiPin::from_spki_der(b"nobody");
    let unpinned = || watching(webpki(&anchors), &anchors);
    let pinned = |set: PinSetBuilder| unpinned().with_pin_set(set.build().unwrap());
    let own_key = PinSet::builder()
        .with_current(pin_of(&leaf))
        .with_rejected(nobody);
    let own_root = PinSet::builder().with_current_ca(pin_of_ca(&root));
    let cases = [
        ("unpinned", unpinned(), true),
        ("its key", pinned(own_key), true),
        ("its root", pinned(own_root), true),
        (
            "another CA",
            pinned(PinSet::builder().with_current_ca(nobody)),
            false,
        ),
    ];
    for (label, builder, passes) in cases {
        let verifier = builder.build().unwrap();
        for (ladder, verifies) in [(&good, true), (&bad, false)] {
            let chain: Vec<_> = std::iter::once(&leaf.der).chain(ladder).collect();
            let result = ask(&*verifier, &chain, NAME, NOW);
            assert_eq!(result.is_ok(), verifies && passes, "{label}: {result:?}");
        }
    }
}
