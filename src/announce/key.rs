//! A key that may sign announcements, read strictly and verified with the provider's algorithms.

use std::fmt;

use pki_types::pem::PemObject as _;
use pki_types::{AlgorithmIdentifier, SubjectPublicKeyInfoDer, alg_id};

use super::AnnouncementError;
use super::key_points::{is_low_order_ed25519, is_on_p256};
use crate::cert::{Sha256Digest, SignatureAlgorithms, fitting_algorithms};

/// SubjectPublicKeyInfo up to the key's own bytes. There is one DER form of each (RFC 8410, 4;
/// RFC 5480, 2), so nothing else needs to be read.
const ED25519_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// Ends with the sign of an uncompressed point (SEC 1, 2.3.3).
const P256_PREFIX: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// A key that may sign announcements.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnnouncementKey {
    algorithm: KeyAlgorithm,
    /// The content of subjectPublicKey.
    bits: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum KeyAlgorithm {
    Ed25519,
    EcdsaP256,
}

impl AnnouncementKey {
    /// Reads a public key as `openssl pkey -pubout` writes it: Ed25519, or ECDSA over P-256 with
    /// an uncompressed point.
    ///
    /// Ed25519 keys of low order, for which anyone could sign, and points off the curve are refused.
    ///
    /// # Errors
    /// [`AnnouncementError::Authority`] for anything else.
    pub fn from_pem(pem: &str) -> Result<Self, AnnouncementError> {
        let unreadable = |error| format!("a key is not the PEM text of a public key ({error})");
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes());
        let spki = spki.map_err(|error| AnnouncementError::authority(unreadable(error)))?;
        Self::from_spki_der(&spki)
    }

    /// Reads a DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// As [`AnnouncementKey::from_pem`].
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, AnnouncementError> {
        let ed25519 = spki.strip_prefix(&ED25519_PREFIX).filter(|k| k.len() == 32);
        if let Some(key) = ed25519 {
            if is_low_order_ed25519(key) {
                return Err(AnnouncementError::authority(
                    "an Ed25519 key is of low order, so that anyone could sign for it: \
                     no key is made like that, find out who put it there",
                ));
            }
            return Ok(Self {
                algorithm: KeyAlgorithm::Ed25519,
                bits: key.to_vec(),
            });
        }
        let p256 = spki.strip_prefix(&P256_PREFIX).filter(|k| k.len() == 64);
        if let Some(point) = p256 {
            if !is_on_p256(point) {
                return Err(AnnouncementError::authority(
                    "an ECDSA key is no point of P-256: copy it again from where it was made",
                ));
            }
            return Ok(Self {
                algorithm: KeyAlgorithm::EcdsaP256,
                bits: [&[0x04], point].concat(),
            });
        }
        Err(AnnouncementError::authority(
            "a key is neither Ed25519 nor ECDSA over P-256 with an uncompressed point: \
             make it with openssl genpkey -algorithm ed25519",
        ))
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> Vec<u8> {
        match self.algorithm {
            KeyAlgorithm::Ed25519 => [ED25519_PREFIX.as_slice(), &self.bits].concat(),
            KeyAlgorithm::EcdsaP256 => {
                let point = self.bits.get(1..).unwrap_or_default();
                [P256_PREFIX.as_slice(), point].concat()
            }
        }
    }

    /// Whether this key made the signature over the message; never where the provider cannot verify
    /// its kind.
    pub(super) fn made(
        &self,
        signature: &[u8],
        message: &[u8],
        algorithms: SignatureAlgorithms,
    ) -> bool {
        let (key, with) = self.algorithm.identifiers();
        fitting_algorithms(algorithms, &key, &with).any(|fitting| {
            fitting
                .verify_signature(&self.bits, message, signature)
                .is_ok()
        })
    }

    /// Whether the provider can verify what this key signs.
    pub(super) fn is_usable(&self, algorithms: SignatureAlgorithms) -> bool {
        let (key, with) = self.algorithm.identifiers();
        fitting_algorithms(algorithms, &key, &with).next().is_some()
    }
}

impl fmt::Debug for AnnouncementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = Sha256Digest::of(&self.spki_der());
        write!(f, "AnnouncementKey({:?}, {digest})", self.algorithm)
    }
}

impl KeyAlgorithm {
    const fn identifiers(self) -> (AlgorithmIdentifier, AlgorithmIdentifier) {
        match self {
            Self::Ed25519 => (alg_id::ED25519, alg_id::ED25519),
            Self::EcdsaP256 => (alg_id::ECDSA_P256, alg_id::ECDSA_SHA256),
        }
    }
}
