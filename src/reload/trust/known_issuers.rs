//! The keys that sign revocation lists, as far as they are known.

use std::sync::Arc;

use crate::cert::{Certificate, IssuerSignature, SignatureAlgorithms, in_sequence, signature_by};
use crate::outlook::TrustInForce;

/// Anchors in force, and certificates of CAs below them.
#[derive(Debug, Default)]
pub(super) struct KnownIssuers {
    pub(super) trust: Option<Arc<dyn TrustInForce>>,
    pub(super) certificates: Vec<Certificate>,
    /// Needed where there are any.
    pub(super) algorithms: Option<SignatureAlgorithms>,
}

impl KnownIssuers {
    pub(super) fn is_empty(&self) -> bool {
        self.trust.is_none() && self.certificates.is_empty()
    }

    /// Whether a known key of this issuer signed the list, or none of its keys is known.
    pub(super) fn vouch_for(&self, issuer: &[u8], list: &[u8]) -> bool {
        let Some(algorithms) = self.algorithms else {
            return true;
        };
        let mut keys: Vec<Vec<u8>> = Vec::new();
        if let Some(trust) = &self.trust {
            let generation = trust.generation();
            let anchors = generation.anchors.as_slice().iter();
            let of_issuer = anchors.filter(|anchor| anchor.subject.as_ref() == issuer);
            keys.extend(of_issuer.map(|anchor| in_sequence(&anchor.subject_public_key_info)));
        }
        let certificates = self.certificates.iter().map(Certificate::facts);
        let of_issuer = certificates.filter(|facts| facts.subject_der() == issuer);
        keys.extend(of_issuer.map(|facts| facts.spki_der().to_vec()));
        let mut signers = keys.iter();
        keys.is_empty()
            || signers.any(|key| signature_by(list, key, algorithms) == IssuerSignature::Made)
    }
}
