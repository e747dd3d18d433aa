//! What a server shows, whichever line of rustls it speaks.

use rustls::pki_types::CertificateDer;

use super::pki::Leaf;

/// A chain, a staple, and by whose key is signed: the chain's or not.
pub struct Shown<'s> {
    pub chain: Vec<CertificateDer<'static>>,
    pub staple: Option<Vec<u8>>,
    pub signer: &'s Leaf,
}

impl<'s> Shown<'s> {
    /// This chain, leaf first, signed for by this leaf's key.
    pub fn of(chain: &[&CertificateDer<'static>], signer: &'s Leaf) -> Self {
        Self {
            chain: chain.iter().map(|der| (*der).clone()).collect(),
            staple: None,
            signer,
        }
    }

    pub fn stapling(mut self, staple: &[u8]) -> Self {
        self.staple = Some(staple.to_vec());
        self
    }
}
