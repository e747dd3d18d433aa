//! Staples come to those that ask for them.

use std::hash::Hasher;
use std::sync::{Arc, Mutex};

use notafter_rustls_0_24::{EpochInForce, StapleRule, WatchingServerVerifier};
use rustls::client::ClientConfig;
use rustls::client::danger::{
    HandshakeSignatureValid, ServerIdentity, ServerVerifier, SignatureVerificationInput,
};
use rustls::crypto::{SignatureScheme, VerifiedIdentity};
use rustls::error::{CertificateError, Error};

use crate::pki::{Pki, connect, versions};

/// Keeps the staples that it is shown, and asks for none, as webpki's verifier does not.
#[derive(Debug)]
struct Keeping {
    inner: Arc<dyn ServerVerifier>,
    staples: Mutex<Vec<Vec<u8>>>,
}

impl ServerVerifier for Keeping {
    fn verify_identity<'a>(
        &self,
        identity: &ServerIdentity<'a, '_>,
    ) -> Result<VerifiedIdentity<'a>, Error> {
        let staple = identity.ocsp_response.to_vec();
        self.staples.lock().unwrap().push(staple);
        self.inner.verify_identity(identity)
    }

    fn verify_tls12_signature(
        &self,
        input: &SignatureVerificationInput<'_>,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(input)
    }

    fn verify_tls13_signature(
        &self,
        input: &SignatureVerificationInput<'_>,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(input)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn request_ocsp_response(&self) -> bool {
        self.inner.request_ocsp_response()
    }

    fn hash_config(&self, hasher: &mut dyn Hasher) {
        self.inner.hash_config(hasher);
    }
}

#[test]
fn a_staple_is_requested_only_where_somebody_looks_at_it() {
    const STAPLE: &[u8] = b"as good as any, for whoever only counts them";
    let none: &[u8] = b"";
    let refused = || Err(Error::from(CertificateError::InvalidOcspResponse));
    // The rule, what the server staples, what the verifier sees of it, and what comes of it.
    let cases = [
        (None, STAPLE, none, Ok(())),
        (Some(StapleRule::Observe), STAPLE, STAPLE, Ok(())),
        (Some(StapleRule::Observe), none, none, Ok(())),
        (Some(StapleRule::Hard), STAPLE, STAPLE, Ok(())),
        (Some(StapleRule::Hard), none, none, refused()),
    ];
    let pki = Pki::new();
    for provider in versions() {
        for (rule, stapled, seen, outcome) in cases.clone() {
            let inner = Arc::new(Keeping {
                inner: pki.webpki(&provider),
                staples: Mutex::default(),
            });
            assert!(!inner.request_ocsp_response(), "webpki's verifier asks");
            let epoch = Arc::new(EpochInForce::default());
            let mut verifier = WatchingServerVerifier::new(inner.clone(), epoch);
            if let Some(rule) = rule {
                verifier = verifier.with_staple_rule(rule);
            }
            let builder = ClientConfig::builder(Arc::clone(&provider)).dangerous();
            let builder = builder.with_custom_certificate_verifier(Arc::new(verifier));
            let client = Arc::new(builder.with_no_client_auth().unwrap());
            let connected = connect(&pki.server(&provider, stapled), &client);
            assert_eq!(connected.map(drop), outcome, "{rule:?}");
            assert_eq!(*inner.staples.lock().unwrap(), [seen], "{rule:?}");
        }
    }
}
