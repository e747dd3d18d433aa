//! The wrapper of clients' verifiers: rustls 0.24 asks it, and it asks the verifier of rustls 0.23, for nobody but
//! rustls can ask that of 0.24.

use std::sync::Arc;

use notafter::WatchingClientVerifier;
use rustls::DistinguishedName;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{Identity, SignatureScheme, VerifiedIdentity};
use rustls::error::{CertificateError, Error};
use rustls::server::danger::{ClientIdentity, ClientVerifier, SignatureVerificationInput};
use rustls_0_23::server::danger::ClientCertVerifier;

use super::{signed, to_0_24};

/// The wrapper, as rustls 0.24 meets it.
#[derive(Debug)]
pub struct BridgedOfClients(pub Arc<WatchingClientVerifier>);

impl ClientVerifier for BridgedOfClients {
    fn verify_identity<'a>(
        &self,
        asked: &ClientIdentity<'a, '_>,
    ) -> Result<VerifiedIdentity<'a>, Error> {
        let Identity::X509(shown) = asked.identity else {
            return Err(CertificateError::BadEncoding.into());
        };
        let (leaf, intermediates) = (&shown.end_entity, &shown.intermediates);
        let verdict = self.0.verify_client_cert(leaf, intermediates, asked.now);
        verdict.map_err(to_0_24)?;
        Ok(VerifiedIdentity::assertion(asked.identity.clone()))
    }

    fn verify_tls12_signature(
        &self,
        input: &SignatureVerificationInput<'_>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (leaf, signature) = signed(input)?;
        let checked = (self.0).verify_tls12_signature(input.message, leaf, &signature);
        checked.map_err(to_0_24)?;
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        input: &SignatureVerificationInput<'_>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (leaf, signature) = signed(input)?;
        let checked = (self.0).verify_tls13_signature(input.message, leaf, &signature);
        checked.map_err(to_0_24)?;
        Ok(HandshakeSignatureValid::assertion())
    }

    /// None: then clients show what they have.
    fn root_hint_subjects(&self) -> Arc<[DistinguishedName]> {
        Arc::new([])
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let schemes = self.0.supported_verify_schemes().into_iter();
        schemes
            .map(|scheme| SignatureScheme(u16::from(scheme)))
            .collect()
    }
}
