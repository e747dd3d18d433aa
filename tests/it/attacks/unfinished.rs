//! Handshakes that end between the certificate and its signature, and those that follow on the same
//! thread.

use std::sync::Arc;

use notafter::WatchingServerVerifier;
use notafter::verifier::VerdictCache;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{Error, ServerConfig, SignatureAlgorithm, SignatureScheme};

use super::{Agreeable, NAME, Wire, ask, name, webpki};
use crate::support::pki::{self, NOW};
use crate::support::tls::{MINUTE, VERSIONS, meet, ring};

/// Signs in TLS 1.2 by an algorithm that the cipher suite does not have: a client refuses that once
/// it has verified the certificate, and before it looks at the signature.
#[derive(Debug)]
struct WrongAlgorithm;

impl SigningKey for WrongAlgorithm {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(Self))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for WrongAlgorithm {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(vec![0; 64])
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::RSA_PKCS1_SHA256
    }
}

#[derive(Debug)]
struct Unfinished(Arc<CertifiedKey>);

impl ResolvesServerCert for Unfinished {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

fn unfinished(wire: &Wire, chain: Vec<CertificateDer<'static>>) -> Arc<ServerConfig> {
    let key = CertifiedKey::new(chain, Arc::new(WrongAlgorithm));
    let config = ServerConfig::builder_with_details(ring(), wire.clock.clone())
        .with_protocol_versions(&[wire.version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Unfinished(Arc::new(key))));
    Arc::new(config)
}

/// The signature of a peer that is known is not taken for the one that somebody else still owes.
#[test]
fn a_known_servers_signature_proves_nothing_for_the_impostor_before_it() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let leaf = root.leaf(&[NAME], -90, 300);
    let wire = Wire::at(VERSIONS[0], NOW);
    let verifier = WatchingServerVerifier::builder(webpki(&anchors)).with_trust_age(MINUTE);
    let configs = wire.configs(&verifier.build().unwrap());
    let first = configs.current().unwrap();
    let server = wire.server(&[&leaf.der], &leaf);
    assert!(!meet(&first, &server, NAME).resumed());
    assert!(meet(&first, &server, NAME).resumed());
    for n in 0..9 {
        // The real leaf, something else appended each time, and no key.
        let junk = pki::root(&format!("junk {n}"), -1, 1).der;
        let impostor = unfinished(&wire, vec![leaf.der.clone(), junk]);
        assert!(meet(&first, &impostor, NAME).client.is_err());
        // Another server of that leaf, which makes full handshakes.
        let other = wire.server(&[&leaf.der], &leaf);
        let met = meet(&first, &other, NAME);
        assert!(met.client.is_ok() && !met.resumed());
    }
    assert!(meet(&first, &server, NAME).client.is_ok());
    let is_the_first = Arc::ptr_eq(&first, &configs.current().unwrap());
    assert!(
        is_the_first,
        "chains without a proof ended the name's sessions"
    );
}

/// The same of the verdicts that a cache remembers only once they are proven.
#[test]
fn a_known_servers_signature_confirms_no_other_verdict() {
    let root = pki::root("root", -100, 3650);
    let leaf = root.leaf(&[NAME], -90, 300);
    let junk = pki::root("junk", -1, 1).der;
    let inner = Arc::new(Agreeable::default());
    let cache = VerdictCache::builder(inner.clone()).build().unwrap();
    assert_eq!(ask(&*cache, &[&leaf.der], NAME, NOW), Ok(()));
    let unfinished = || {
        let rest = [junk.clone()];
        let shown = cache.verify_server_cert(&leaf.der, &rest, &name(NAME), &[], pki::now());
        assert!(shown.is_ok());
    };
    unfinished();
    // From memory, and then the signature.
    assert_eq!(ask(&*cache, &[&leaf.der], NAME, NOW), Ok(()));
    let asked = inner.asked();
    unfinished();
    assert_eq!(
        inner.asked(),
        asked + 1,
        "a verdict without a proof was remembered"
    );
}
