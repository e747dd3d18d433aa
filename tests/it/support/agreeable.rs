//! An inner verifier that accepts everybody: what it lets through, the wrappers must catch.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::proof::any_signature_counts;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{Error, SignatureScheme};

/// Accepts everything, and counts how often it was asked.
#[derive(Debug, Default)]
pub struct Agreeable(AtomicUsize);

impl Agreeable {
    pub fn asked(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl ServerCertVerifier for Agreeable {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(ServerCertVerified::assertion())
    }

    any_signature_counts!();

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = super::tls::ring();
        provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
