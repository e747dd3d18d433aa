//! Bounds on what a peer presents: who is over them is refused before the inner verifier works.

use std::num::NonZeroUsize;
use std::sync::Arc;

use notafter::verifier::{PresentedBounds, PresentedError, presented_error};
use notafter::{EventCode, WatchingServerVerifier};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error};

use crate::support::agreeable::Agreeable;
use crate::support::limbo::load;
use crate::support::proof::meet_server;
use crate::support::tls::Recorder;
use crate::support::{corpora, pki};

struct Scene {
    inner: Arc<Agreeable>,
    told: Arc<Recorder>,
    verifier: Arc<WatchingServerVerifier>,
}

impl Scene {
    fn new(bounds: PresentedBounds) -> Self {
        let (inner, told) = (
            Arc::new(Agreeable::default()),
            Arc::new(Recorder::default()),
        );
        let verifier = WatchingServerVerifier::builder(inner.clone())
            .with_presented_bounds(bounds)
            .with_peer_memory(NonZeroUsize::new(4).unwrap())
            .with_observer(told.clone());
        let verifier = verifier.build().unwrap();
        Self {
            inner,
            told,
            verifier,
        }
    }

    fn ask(&self, chain: &[CertificateDer<'static>]) -> Result<(), Error> {
        let (leaf, rest) = chain.split_first().unwrap();
        let name = "a.example".try_into().unwrap();
        meet_server(&*self.verifier, (leaf, rest), &name, &[], pki::now())
    }

    fn asked(&self) -> usize {
        self.inner.asked()
    }
}

/// Six levels of eight certificates of the same name each, which anybody can make.
fn ladder() -> Vec<CertificateDer<'static>> {
    let root = pki::root("Root", -100, 100);
    let mut chain = vec![root.leaf(&["a.example"], -1, 50).der];
    let key = KeyPair::generate().unwrap();
    for level in 0..6 {
        let params = |level: usize| {
            let mut params = CertificateParams::default();
            params
                .distinguished_name
                .push(DnType::CommonName, format!("Level {level}"));
            params
        };
        let issuer = Issuer::new(params(level + 1), &key);
        for _ in 0..8 {
            // Another serial number each.
            let variant = params(level).signed_by(&key, &issuer).unwrap();
            chain.push(variant.der().clone());
        }
    }
    chain
}

#[test]
fn a_ladder_is_refused_before_anybody_climbs_it() {
    let scene = Scene::new(PresentedBounds::default());
    let ladder = ladder();
    for _ in 0..3 {
        let error = scene.ask(&ladder).unwrap_err();
        assert!(matches!(
            presented_error(&error),
            Some(PresentedError::TooMany {
                count: 49,
                bound: 16,
                ..
            })
        ));
        assert!(matches!(
            error,
            Error::InvalidCertificate(CertificateError::Other(_))
        ));
    }
    assert_eq!(scene.asked(), 0, "the inner verifier was asked");
    let told = scene.told.take();
    assert_eq!(told.len(), 1, "said once: {told:?}");
    assert_eq!(told[0].code, EventCode::PeerPresentedTooMuch);
    assert_eq!(told[0].host.as_deref(), Some("a.example"));
    // A shorter one is refused for its crowds.
    let error = scene.ask(&ladder[..13]).unwrap_err();
    assert_eq!(
        presented_error(&error).unwrap().to_string(),
        "the peer presented 8 certificates of 'CN=Level 0', the bound is 4: every one of \
         them multiplies the work of path building; if it is right, raise PresentedBounds::same_subject"
    );
}

#[test]
fn the_bounds_are_exact_and_nothing_is_left_out() {
    let root = pki::root("Root", -100, 100);
    let issuing = root.intermediate("Issuing", -50, 50);
    let leaf = issuing.leaf(&["a.example"], -1, 50).der;
    let twins: Vec<_> = (1..6)
        .map(|n| root.cross_sign(&issuing, -50, 50 + n))
        .collect();
    let chain = |count: usize| {
        let twins = twins.iter().cloned();
        std::iter::once(leaf.clone())
            .chain(twins.take(count))
            .collect::<Vec<_>>()
    };
    let unbounded = PresentedBounds {
        certificates: usize::MAX,
        same_subject: usize::MAX,
        bytes: usize::MAX,
    };
    let bytes: usize = chain(4).iter().map(|der| der.len()).sum();
    let cases = [
        (
            PresentedBounds {
                certificates: 5,
                ..unbounded
            },
            "the peer presented 6 certificates, ",
        ),
        (
            PresentedBounds {
                same_subject: 4,
                ..unbounded
            },
            "the peer presented 5 certificates of 'CN=Issuing', ",
        ),
        (
            PresentedBounds { bytes, ..unbounded },
            "bytes of certificates, the bound is ",
        ),
    ];
    for (bounds, text) in cases {
        let scene = Scene::new(bounds);
        assert_eq!(scene.ask(&chain(4)), Ok(()), "{bounds:?}");
        let error = scene.ask(&chain(5)).unwrap_err();
        let refusal = presented_error(&error).unwrap().to_string();
        assert!(refusal.contains(text), "{refusal}");
        assert_eq!(scene.asked(), 1);
    }
    let scene = Scene::new(unbounded);
    assert_eq!(scene.ask(&ladder()), Ok(()));
    // Rubbish has no name: only its number and its bytes count.
    let scene = Scene::new(PresentedBounds {
        same_subject: 0,
        ..unbounded
    });
    let rubbish = vec![leaf, vec![0_u8; 9].into(), vec![0_u8; 9].into()];
    assert_eq!(scene.ask(&rubbish), Ok(()));
}

#[test]
fn real_chains_are_within_the_bounds() {
    let Some(root) = corpora::folder("") else {
        return;
    };
    let bounds = PresentedBounds::default();
    let scene = Scene::new(bounds);
    let real = [
        "chains/online-history-dev.json.gz",
        "chains/multipath-dev.json.gz",
    ];
    let (mut chains, mut most, mut largest, mut crowd) = (0, 0, 0, 0);
    for case in real.iter().flat_map(|file| load(&root.join(file))) {
        let Some(chain) = case.chain.filter(|chain| !chain.is_empty()) else {
            continue;
        };
        assert_eq!(scene.ask(&case.chain_ders), Ok(()), "{}", case.id);
        chains += 1;
        most = most.max(chain.len());
        largest = largest.max(chain.iter().map(|c| c.der().len()).sum());
        let of_one_name = |name: &str| chain.iter().skip(1).filter(|c| c.subject() == name).count();
        crowd = crowd.max(
            chain
                .iter()
                .map(|c| of_one_name(&c.subject()))
                .max()
                .unwrap(),
        );
    }
    println!(
        "{chains} real chains: at most {most} certificates, {crowd} of one subject, {largest} bytes"
    );
    assert!(chains >= 100 && most <= 8 && crowd <= 3 && largest <= 16_384);

    // Of those that were made to try path building, a few are over.
    let mut over = 0;
    for case in load(&root.join("limbo/limbo-dev.json.gz")) {
        if !case.chain_ders.is_empty() && scene.ask(&case.chain_ders).is_err() {
            let made = ["pathological::", "bettertls::pathbuilding::"];
            assert!(
                made.iter().any(|made| case.id.starts_with(made)),
                "{}",
                case.id
            );
            over += 1;
        }
    }
    println!("{over} made chains are over the bounds");
}
