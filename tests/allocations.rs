//! Hot paths do not allocate: a binary of its own, because it counts what the whole process does.
//! One test, so that no other thread counts.
#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::sync::Arc;

use notafter::cert::CertificateFacts;
use notafter::source::SourceContents;
use notafter::verifier::VerdictCache;
use notafter::{SpkiPin, TrustAnchors, WatchingServerVerifier};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::internal::msgs::codec::{Codec as _, Reader};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many allocations a piece of work makes, the second time it is done.
fn allocations(mut work: impl FnMut()) -> usize {
    work();
    let region = Region::new(COUNTING);
    work();
    let change = region.change();
    change.allocations + change.reallocations
}

#[test]
fn facts_and_remembered_verdicts_allocate_nothing() {
    assert!(allocations(|| drop(vec![1])) > 0, "nothing is counted");

    let pem = include_bytes!("data/incidents/dst-root-x3-2021/certs/leaf.pem");
    let contents = SourceContents::from_bytes("leaf.pem", pem);
    let der = contents.certificates.first().unwrap().certificate.der();
    let facts = || {
        let facts = CertificateFacts::parse(der).unwrap();
        assert!(!facts.is_ca() && !facts.is_self_issued() && !facts.spki_der().is_empty());
    };
    assert_eq!(allocations(facts), 0, "facts");

    let [root, issuing, leaf] = chain();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let anchors = TrustAnchors::builder().with_certificates([&root]).build();
    let roots = Arc::new(rustls::RootCertStore::from(&anchors));
    let webpki = WebPkiServerVerifier::builder_with_provider(roots, provider.clone());
    let cache = VerdictCache::builder(Arc::new(AnySignature(webpki.build().unwrap())))
        .build()
        .unwrap();
    let pinned = &SourceContents::from_certificates("", [&leaf]).certificates;
    let pin = SpkiPin::from_certificate(&pinned.first().unwrap().certificate);
    let watching = WatchingServerVerifier::builder(cache.clone())
        .with_trust_anchors(anchors)
        .with_provider(provider)
        .with_leaf_pin(pin)
        .with_successor_pin(SpkiPin::from_spki_der(b"the next key"))
        .build()
        .unwrap();
    let name = ServerName::try_from("a.example").unwrap();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_767_225_600));
    let rest = [issuing];
    let signature = DigitallySignedStruct::read(&mut Reader::init(&[8, 7, 0, 1, 0])).unwrap();
    let ask = |verifier: &dyn ServerCertVerifier| {
        let verified = verifier.verify_server_cert(&leaf, &rest, &name, &[], now);
        verified.unwrap();
        // The first time, the server proves that it has its key.
        let proven = verifier.verify_tls13_signature(b"", &leaf, &signature);
        proven.unwrap();
    };
    assert_eq!(allocations(|| ask(&*cache)), 0, "a remembered verdict");
    assert_eq!(
        allocations(|| ask(&*watching)),
        0,
        "a wrapper around one, pins on"
    );
}

/// Takes any signature for a proof.
#[derive(Debug)]
struct AnySignature(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnySignature {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0.verify_server_cert(leaf, rest, name, staple, now)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Root, issuing CA, leaf: valid for months around 2026.
fn chain() -> [CertificateDer<'static>; 3] {
    let params = |name: &str| {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(2025, 12, 1);
        params.not_after = rcgen::date_time_ymd(2026, 3, 1);
        params
    };
    let ca = |name: &str| {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let keys = [(); 3].map(|()| KeyPair::generate().unwrap());
    let [root_key, issuing_key, leaf_key] = &keys;
    let root = ca("root.example").self_signed(root_key).unwrap();
    let root_issuer = Issuer::new(ca("root.example"), root_key);
    let issuing = ca("issuing.example")
        .signed_by(issuing_key, &root_issuer)
        .unwrap();
    let issuer = Issuer::new(ca("issuing.example"), issuing_key);
    let leaf = params("a.example").signed_by(leaf_key, &issuer).unwrap();
    [root, issuing, leaf].map(|certificate| certificate.der().clone())
}
