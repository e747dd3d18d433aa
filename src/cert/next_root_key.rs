//! The key that a root says will follow its own (RFC 8649).

use std::fmt;

use base64_simd::STANDARD;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use thiserror::Error;

use super::der::{CertificateParseError, DerProblem, Reader, tag};
use super::name::dotted;

/// id-ce-hashOfRootKey, 1.3.6.1.4.1.51483.2.1 (RFC 8649, 3).
pub(super) const HASH_OF_ROOT_KEY: &[u8] =
    &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0x92, 0x1b, 0x02, 0x01];

/// The hash of the key that a root will have next, as its certificate states it (RFC 8649): printed as
/// `sha512/BASE64`.
///
/// It is computed over the DER SubjectPublicKeyInfo of that key, as SPKI pins are. By itself it is a claim: who
/// vouches for it is whoever signed the certificate that states it.
///
/// # Which key will follow this root, and is it this one?
/// ```
/// use notafter::cert::{NextRootKey, NextRootKeyError, RootKeyHash};
/// # let (root, candidate) = {
/// #     let key = rcgen::KeyPair::generate()?;
/// #     let next = rcgen::KeyPair::generate()?;
/// #     let next_certificate = rcgen::CertificateParams::default().self_signed(&next)?;
/// #     let candidate = notafter::Certificate::from_der(next_certificate.der())?;
/// #     let stated = NextRootKey::of_spki(RootKeyHash::Sha384, candidate.facts().spki_der());
/// #     let sha384 = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
/// #     let value = [&[0x30, 0x3f, 0x30, 0x0b][..], &sha384, &[0x04, 0x30], stated.digest()].concat();
/// #     let oid = [1, 3, 6, 1, 4, 1, 51483, 2, 1];
/// #     let mut params = rcgen::CertificateParams::default();
/// #     params.custom_extensions = vec![rcgen::CustomExtension::from_oid_content(&oid, value)];
/// #     let root = notafter::Certificate::from_der(params.self_signed(&key)?.der())?;
/// #     (root, candidate)
/// # };
/// let next = root.next_root_key()?.ok_or("it states none")?;
/// assert_eq!(next.hash(), RootKeyHash::Sha384);
/// assert!(next.matches(candidate.facts().spki_der()));
/// assert!(!next.matches(root.facts().spki_der()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NextRootKey {
    hash: RootKeyHash,
    digest: Vec<u8>,
}

impl NextRootKey {
    /// Computes it for a key, given as a SubjectPublicKeyInfo with its outer SEQUENCE.
    pub fn of_spki(hash: RootKeyHash, spki_der: &[u8]) -> Self {
        let digest = hash.digest(spki_der);
        Self { hash, digest }
    }

    /// Reads what the extension's OCTET STRING holds: one `HashedRootKey` (RFC 8649, 3).
    ///
    /// # Errors
    /// [`NextRootKeyError`] where it is not DER, or its hash is none that can be relied on.
    pub fn from_extension_value(value: &[u8]) -> Result<Self, NextRootKeyError> {
        let HashedRootKey { algorithm, digest } = HashedRootKey::read(value)?;
        let hash = RootKeyHash::of_oid(&dotted(algorithm))?;
        let (expected, found) = (hash.length(), digest.len());
        if found != expected {
            return Err(NextRootKeyError::WrongLength {
                hash,
                expected,
                found,
            });
        }
        Ok(Self {
            hash,
            digest: digest.to_vec(),
        })
    }

    /// By which hash the key is named.
    pub const fn hash(&self) -> RootKeyHash {
        self.hash
    }

    /// The digest: 32, 48 or 64 octets.
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// Whether this is the key, given as a SubjectPublicKeyInfo with its outer SEQUENCE.
    pub fn matches(&self, spki_der: &[u8]) -> bool {
        self.hash.digest(spki_der) == self.digest
    }
}

impl fmt::Display for NextRootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}",
            self.hash,
            STANDARD.encode_to_string(&self.digest)
        )
    }
}

impl fmt::Debug for NextRootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NextRootKey({self})")
    }
}

/// The hashes by which a root may name its next key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RootKeyHash {
    /// SHA-256: such a hash is an SPKI pin.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl RootKeyHash {
    /// The stable code: `sha256`, `sha384` or `sha512`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    fn of_oid(oid: &str) -> Result<Self, NextRootKeyError> {
        let weak = |hash| Err(NextRootKeyError::WeakHash { hash });
        match oid {
            "2.16.840.1.101.3.4.2.1" => Ok(Self::Sha256),
            "2.16.840.1.101.3.4.2.2" => Ok(Self::Sha384),
            "2.16.840.1.101.3.4.2.3" => Ok(Self::Sha512),
            "1.3.14.3.2.26" => weak("SHA-1"),
            "1.2.840.113549.2.5" => weak("MD5"),
            "1.2.840.113549.2.2" => weak("MD2"),
            // An OID is of any length.
            other => Err(NextRootKeyError::UnknownHash {
                oid: other.chars().take(80).collect(),
            }),
        }
    }
}

impl fmt::Display for RootKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a certificate that has the extension states no next root key that can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NextRootKeyError {
    /// The extension's value is not one `HashedRootKey` in DER.
    #[error(
        "its hash of the next root key cannot be read: {problem} at byte {offset} of the extension's value; have the root issued again"
    )]
    Malformed {
        /// The byte of the extension's value, counted from 0, at which reading stopped.
        offset: usize,
        /// What was wrong there.
        problem: DerProblem,
    },
    /// The extension stands there more than once.
    #[error(
        "it states the hash of its next root key more than once, which RFC 5280 (4.2) forbids: have the root issued again"
    )]
    Repeated,
    /// Another key could be made for the digest.
    #[error(
        "it names its next root key by {hash}, for which other keys could be found: have the root issued again with SHA-256, SHA-384 or SHA-512"
    )]
    WeakHash {
        /// The hash.
        hash: &'static str,
    },
    /// The hash is none that is known here.
    #[error(
        "it names its next root key by the hash {oid}, which is not known here: have the root issued again with SHA-256, SHA-384 or SHA-512"
    )]
    UnknownHash {
        /// Its OID, at most 80 characters of it.
        oid: String,
    },
    /// The digest is none of that hash.
    #[error(
        "its digest of the next root key has {found} octets, and {hash} has {expected}: have the root issued again"
    )]
    WrongLength {
        /// The hash.
        hash: RootKeyHash,
        /// How many octets it has.
        expected: usize,
        /// How many were found.
        found: usize,
    },
}

impl NextRootKeyError {
    /// The stable code, in snake case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::Repeated => "repeated",
            Self::WeakHash { .. } => "weak_hash",
            Self::UnknownHash { .. } => "unknown_hash",
            Self::WrongLength { .. } => "wrong_length",
        }
    }
}

impl From<CertificateParseError> for NextRootKeyError {
    fn from(error: CertificateParseError) -> Self {
        let CertificateParseError { offset, problem } = error;
        Self::Malformed { offset, problem }
    }
}

/// `HashedRootKey ::= SEQUENCE { hashAlg AlgorithmIdentifier, hashValue OCTET STRING }`.
struct HashedRootKey<'a> {
    /// The content octets of its OID.
    algorithm: &'a [u8],
    digest: &'a [u8],
}

impl<'a> HashedRootKey<'a> {
    fn read(value: &'a [u8]) -> Result<Self, CertificateParseError> {
        let mut outer = Reader::new(value);
        let mut hashed = outer.enter(tag::SEQUENCE)?;
        outer.finish()?;
        let mut identifier = hashed.enter(tag::SEQUENCE)?;
        let algorithm = identifier.enter(tag::OID)?.content();
        // Parameters are absent or NULL (RFC 5754, 2).
        if !identifier.is_at_end() {
            identifier.enter(tag::NULL)?.finish()?;
            identifier.finish()?;
        }
        let digest = hashed.enter(tag::OCTET_STRING)?.content();
        hashed.finish()?;
        Ok(Self { algorithm, digest })
    }
}

#[cfg(test)]
#[path = "next_root_key_tests.rs"]
mod tests;
