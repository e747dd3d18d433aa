//! The verifier of a look: it accepts whatever certificate comes, and keeps it. An edge, for it
//! is one of rustls's verifiers. Nothing is ever sent on a connection that it accepted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{DigitallySignedStruct, SignatureScheme};

use super::PresentedChain;

#[derive(Debug)]
pub(super) struct Looker {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Seen>,
}

/// What was seen of an endpoint.
#[derive(Debug, Default, Clone)]
pub(super) enum Seen {
    #[default]
    Nothing,
    /// A chain of which anybody could have shown a copy.
    Unproven(PresentedChain),
    /// A chain, and a signature by its leaf's key over this very handshake (RFC 8446, 4.4.3; RFC 5246,
    /// 7.4.3).
    Proven(PresentedChain),
}

impl Looker {
    pub(super) const fn new(provider: Arc<CryptoProvider>) -> Self {
        Self {
            provider,
            seen: Mutex::new(Seen::Nothing),
        }
    }

    /// What was shown, if anything was.
    pub(super) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    /// The key of what was shown is in its hands, if the signature was good.
    fn proof(
        &self,
        outcome: Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let good = outcome?;
        let mut seen = self.lock();
        if let Seen::Unproven(presented) = &mut *seen {
            *seen = Seen::Proven(std::mem::take(presented));
        }
        Ok(good)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for Looker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        let seen = PresentedChain {
            chain: all.map(|der| der.clone().into_owned()).collect(),
            staple: ocsp_response.to_vec(),
        };
        *self.lock() = Seen::Unproven(seen);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.proof(verify_tls12_signature(message, cert, dss, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.proof(verify_tls13_signature(message, cert, dss, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
