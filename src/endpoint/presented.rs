//! What an endpoint showed.

use pki_types::CertificateDer;

/// What an endpoint shows in a handshake, where it proved that it holds the leaf's private key. Nobody
/// has judged it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresentedChain {
    /// The certificates as they came, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The stapled OCSP response; empty where there was none.
    pub staple: Vec<u8>,
}
