//! Every method of the verifier traits reaches the inner verifier as it was called, and its answer
//! comes back as it was given.

use std::collections::BTreeSet;
use std::sync::Arc;

use notafter::verifier::VerdictCache;
use rustls::client::danger::ServerCertVerifier;
use rustls::internal::msgs::codec::Codec as _;
use rustls::pki_types::ServerName;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::options::{self, Bounds, NAME, Scene};
use super::rustls_source::{CLIENT_METHODS, SERVER_METHODS};
use super::scripted::{Call, Features, Scripted};
use crate::support::pki::now;

/// Every combination of what an inner verifier may answer.
fn all_features() -> Vec<Features> {
    let name = DistinguishedName::in_sequence(b"name");
    let hints = [None, Some(vec![]), Some(vec![name.clone(), name])];
    let schemes = [
        vec![],
        vec![SignatureScheme::ED448, SignatureScheme::ED25519],
    ];
    let bad = Error::InvalidCertificate(CertificateError::BadSignature);
    let mut all = Vec::new();
    for hints in hints {
        for schemes in &schemes {
            for bits in 0..16 {
                let bit = |n: u32| bits >> n & 1 == 1;
                all.push(Features {
                    raw_public_keys: bit(0),
                    hints: hints.clone(),
                    schemes: schemes.clone(),
                    offers: bit(1),
                    mandatory: bit(2),
                    signature: if bit(3) { Ok(()) } else { Err(bad.clone()) },
                });
            }
        }
    }
    all
}

/// A handshake signature of these bytes.
fn signed() -> DigitallySignedStruct {
    DigitallySignedStruct::read_bytes(&[8, 7, 0, 3, 1, 2, 3]).unwrap()
}

fn names(hints: Option<&[DistinguishedName]>) -> Option<Vec<Vec<u8>>> {
    hints.map(|hints| hints.iter().map(|name| name.as_ref().to_vec()).collect())
}

/// That the inner verifier was asked exactly this, among other things.
fn heard(inner: &Scripted, call: &Call, seen: &mut BTreeSet<&'static str>) {
    let calls = inner.take();
    assert!(calls.contains(call), "{call:?} is not among {calls:?}");
    seen.insert(call.method);
}

fn servers_are_forwarded(
    verifier: &dyn ServerCertVerifier,
    inner: &Scripted,
    scene: &Scene,
    asks: bool,
) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    let (features, leaf) = (&inner.features, &scene.healthy.der);
    inner.take();
    assert_eq!(verifier.supported_verify_schemes(), features.schemes);
    heard(inner, &Call::of("supported_verify_schemes"), &mut seen);
    assert_eq!(
        verifier.requires_raw_public_keys(),
        features.raw_public_keys
    );
    heard(inner, &Call::of("requires_raw_public_keys"), &mut seen);
    assert_eq!(
        names(verifier.root_hint_subjects()),
        names(features.hints.as_deref())
    );
    heard(inner, &Call::of("root_hint_subjects"), &mut seen);
    let name = ServerName::try_from(NAME).unwrap();
    let rest = [scene.issuing.der.clone()];
    let _ = verifier.verify_server_cert(leaf, &rest, &name, b"staple", now());
    if asks {
        let call = Call::of("verify_server_cert").with_chain(leaf, &rest);
        heard(
            inner,
            &call.with_bytes(b"staple").to(&name).at(now()),
            &mut seen,
        );
    }
    let call = |method| {
        Call::of(method)
            .with_bytes(b"m")
            .with_bytes(leaf)
            .with_bytes(&[1, 2, 3])
    };
    let answer = verifier.verify_tls12_signature(b"m", leaf, &signed());
    assert_eq!(answer.map(drop), features.signature);
    heard(inner, &call("verify_tls12_signature"), &mut seen);
    let answer = verifier.verify_tls13_signature(b"m", leaf, &signed());
    assert_eq!(answer.map(drop), features.signature);
    heard(inner, &call("verify_tls13_signature"), &mut seen);
    seen
}

fn clients_are_forwarded(
    verifier: &dyn ClientCertVerifier,
    inner: &Scripted,
    scene: &Scene,
    asks: bool,
) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    let (features, leaf) = (&inner.features, &scene.healthy.der);
    inner.take();
    assert_eq!(verifier.offer_client_auth(), features.offers);
    heard(inner, &Call::of("offer_client_auth"), &mut seen);
    assert_eq!(verifier.client_auth_mandatory(), features.mandatory);
    heard(inner, &Call::of("client_auth_mandatory"), &mut seen);
    assert_eq!(verifier.supported_verify_schemes(), features.schemes);
    heard(inner, &Call::of("supported_verify_schemes"), &mut seen);
    assert_eq!(
        verifier.requires_raw_public_keys(),
        features.raw_public_keys
    );
    heard(inner, &Call::of("requires_raw_public_keys"), &mut seen);
    let hints = features.hints.as_deref().unwrap_or_default();
    assert_eq!(
        names(Some(verifier.root_hint_subjects())),
        names(Some(hints))
    );
    heard(inner, &Call::of("root_hint_subjects"), &mut seen);
    let rest = [scene.issuing.der.clone()];
    let _ = verifier.verify_client_cert(leaf, &rest, now());
    if asks {
        let call = Call::of("verify_client_cert").with_chain(leaf, &rest);
        heard(inner, &call.at(now()), &mut seen);
    }
    let call = |method| {
        Call::of(method)
            .with_bytes(b"m")
            .with_bytes(leaf)
            .with_bytes(&[1, 2, 3])
    };
    let answer = verifier.verify_tls12_signature(b"m", leaf, &signed());
    assert_eq!(answer.map(drop), features.signature);
    heard(inner, &call("verify_tls12_signature"), &mut seen);
    let answer = verifier.verify_tls13_signature(b"m", leaf, &signed());
    assert_eq!(answer.map(drop), features.signature);
    heard(inner, &call("verify_tls13_signature"), &mut seen);
    seen
}

/// Each set of features with some of the options: all pairs of both would say nothing more.
fn options_for(index: usize, of_servers: bool) -> impl Iterator<Item = options::Options> {
    let all = options::all(of_servers);
    let some = all.into_iter().enumerate();
    some.filter(move |(n, _)| n % 31 == index % 31)
        .map(|(_, options)| options)
}

#[test]
fn a_wrapper_of_servers_forwards_every_method() {
    let scene = Scene::new();
    let mut seen = BTreeSet::new();
    for (n, features) in all_features().into_iter().enumerate() {
        for options in options_for(n, true) {
            let inner = Arc::new(Scripted::new(features.clone()));
            let Ok(verifier) = options.servers(&scene, inner.clone()) else {
                continue;
            };
            // Who presents too much is not even asked about.
            let asks = options.bounds != Bounds::One;
            seen.extend(servers_are_forwarded(&*verifier, &inner, &scene, asks));
            if !options.cached {
                let renewed = verifier.renewed();
                seen.extend(servers_are_forwarded(&*renewed, &inner, &scene, asks));
            }
        }
    }
    assert_eq!(seen, BTreeSet::from(SERVER_METHODS));
}

#[test]
fn a_verdict_cache_forwards_every_method() {
    let scene = Scene::new();
    for features in all_features() {
        let inner = Arc::new(Scripted::new(features));
        let cache = VerdictCache::builder(inner.clone()).build().unwrap();
        let seen = servers_are_forwarded(&*cache, &inner, &scene, true);
        assert_eq!(seen, BTreeSet::from(SERVER_METHODS));
    }
}

#[test]
fn a_wrapper_of_clients_forwards_every_method() {
    let scene = Scene::new();
    let mut seen = BTreeSet::new();
    for (n, features) in all_features().into_iter().enumerate() {
        for options in options_for(n, false) {
            let inner = Arc::new(Scripted::new(features.clone()));
            let Ok(verifier) = options.clients(&scene, inner.clone()) else {
                continue;
            };
            let asks = options.bounds != Bounds::One;
            seen.extend(clients_are_forwarded(&*verifier, &inner, &scene, asks));
        }
    }
    assert_eq!(seen, BTreeSet::from(CLIENT_METHODS));
}
