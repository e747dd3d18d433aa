//! A wrapper of a verifier of servers, by the traits of rustls 0.24.

use std::hash::Hasher;
use std::sync::Arc;

use rustls::DistinguishedName;
use rustls::client::danger::{
    HandshakeSignatureValid, ServerIdentity, ServerVerifier, SignatureVerificationInput,
};
use rustls::crypto::{SignatureScheme, VerifiedIdentity};
use rustls::enums::CertificateType;
use rustls::error::{CertificateError, Error};

use crate::epoch::{EpochInForce, Instance};

/// What is done with a server's staple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StapleRule {
    /// It is looked at, and decides nothing.
    Observe,
    /// Without one the server is refused.
    Hard,
}

/// Wraps any verifier of servers: it is asked first, and its refusal stands.
#[derive(Debug)]
pub struct WatchingServerVerifier {
    inner: Arc<dyn ServerVerifier>,
    instance: Instance,
    epoch: Arc<EpochInForce>,
    staples: Option<StapleRule>,
}

impl WatchingServerVerifier {
    /// Wraps this verifier; what it rests on besides has this epoch.
    pub fn new(inner: Arc<dyn ServerVerifier>, epoch: Arc<EpochInForce>) -> Self {
        Self {
            inner,
            instance: Instance::new(),
            epoch,
            staples: None,
        }
    }

    /// Looks at staples by this rule.
    #[must_use]
    pub fn with_staple_rule(mut self, rule: StapleRule) -> Self {
        self.staples = Some(rule);
        self
    }
}

impl ServerVerifier for WatchingServerVerifier {
    fn verify_identity<'a>(
        &self,
        identity: &ServerIdentity<'a, '_>,
    ) -> Result<VerifiedIdentity<'a>, Error> {
        let verified = self.inner.verify_identity(identity)?;
        // rustls checks the signature with the key of what is handed back, whoever was asked about.
        if verified != *identity.identity {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        match self.staples {
            Some(StapleRule::Hard) if identity.ocsp_response.is_empty() => {
                Err(CertificateError::InvalidOcspResponse.into())
            }
            _ => Ok(verified),
        }
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

    /// Whoever looks at staples must ask for them: webpki's verifier says no.
    fn request_ocsp_response(&self) -> bool {
        self.staples.is_some() || self.inner.request_ocsp_response()
    }

    fn supported_certificate_types(&self) -> &'static [CertificateType] {
        self.inner.supported_certificate_types()
    }

    fn root_hint_subjects(&self) -> Option<Arc<[DistinguishedName]>> {
        self.inner.root_hint_subjects()
    }

    /// Its own number stands for all that never changes in it, and for the type of the inner verifier,
    /// of which nothing else tells.
    fn hash_config(&self, hasher: &mut dyn Hasher) {
        self.instance.hash_into(hasher);
        self.epoch.hash_into(hasher);
        self.inner.hash_config(hasher);
    }
}
