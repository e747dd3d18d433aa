//! The wrapper of servers' verifiers: rustls 0.24 asks it, and it asks the verifier of rustls 0.24.

use std::hash::{BuildHasher as _, Hasher, RandomState};
use std::sync::Arc;

use notafter::WatchingServerVerifier;
use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::client::danger::{
    HandshakeSignatureValid, ServerIdentity, ServerVerifier, SignatureVerificationInput,
};
use rustls::crypto::{CertificateIdentity, Identity, SignatureScheme, VerifiedIdentity};
use rustls::error::{CertificateError, Error};
use rustls_0_23::client::danger::{
    HandshakeSignatureValid as SignatureValid023, ServerCertVerified, ServerCertVerifier,
};
use rustls_0_23::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls_0_23::{DigitallySignedStruct, Error as Error023};

use super::{provider, signed, to_0_23, to_0_24};

/// The wrapper, as rustls 0.24 meets it.
#[derive(Debug)]
pub struct Bridged {
    watching: Arc<WatchingServerVerifier>,
    instance: u64,
}

impl Bridged {
    pub fn new(watching: Arc<WatchingServerVerifier>) -> Self {
        Self {
            watching,
            instance: RandomState::new().build_hasher().finish(),
        }
    }
}

impl ServerVerifier for Bridged {
    fn verify_identity<'a>(
        &self,
        asked: &ServerIdentity<'a, '_>,
    ) -> Result<VerifiedIdentity<'a>, Error> {
        let Identity::X509(shown) = asked.identity else {
            return Err(CertificateError::BadEncoding.into());
        };
        let verdict = self.watching.verify_server_cert(
            &shown.end_entity,
            &shown.intermediates,
            asked.server_name,
            asked.ocsp_response,
            asked.now,
        );
        verdict.map_err(to_0_24)?;
        Ok(VerifiedIdentity::assertion(asked.identity.clone()))
    }

    fn verify_tls12_signature(
        &self,
        input: &SignatureVerificationInput<'_>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (leaf, signature) = signed(input)?;
        let checked = (self.watching).verify_tls12_signature(input.message, leaf, &signature);
        checked.map_err(to_0_24)?;
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        input: &SignatureVerificationInput<'_>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (leaf, signature) = signed(input)?;
        let checked = (self.watching).verify_tls13_signature(input.message, leaf, &signature);
        checked.map_err(to_0_24)?;
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let schemes = self.watching.supported_verify_schemes().into_iter();
        schemes
            .map(|scheme| SignatureScheme(u16::from(scheme)))
            .collect()
    }

    /// rustls 0.23 always asks.
    fn request_ocsp_response(&self) -> bool {
        true
    }

    fn hash_config(&self, hasher: &mut dyn Hasher) {
        hasher.write_u64(self.instance);
    }
}

/// A verifier of rustls 0.24, as the wrapper asks it.
#[derive(Debug)]
pub struct Inner(pub Arc<dyn ServerVerifier>);

impl ServerCertVerifier for Inner {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error023> {
        let shown = CertificateIdentity::new(end_entity.clone(), intermediates.to_vec());
        let identity = Identity::X509(shown);
        let mut asked = ServerIdentity::new(&identity, server_name, now);
        asked.ocsp_response = ocsp_response;
        let verified = self.0.verify_identity(&asked).map_err(|e| to_0_23(&e))?;
        assert_eq!(verified, identity, "somebody else was verified");
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<SignatureValid023, Error023> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<SignatureValid023, Error023> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls_0_23::SignatureScheme> {
        let schemes = self.0.supported_verify_schemes().into_iter();
        schemes.map(|scheme| scheme.0.into()).collect()
    }
}
