//! What signature algorithms are called, by the content of their AlgorithmIdentifier (RFC 5280,
//! 4.1.1.2), as pki-types holds it.

use super::der::{Reader, tag};
use super::name::dotted;

pub(super) const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
const SHA_1: &str = "1.3.14.3.2.26";

/// The AlgorithmIdentifier of this SubjectPublicKeyInfo; empty where it cannot be read.
#[cfg(any(feature = "details", feature = "monitor", feature = "reload"))]
pub(crate) fn of_key(spki: &[u8]) -> &[u8] {
    let algorithm = || Reader::new(spki).enter(tag::SEQUENCE)?.enter(tag::SEQUENCE);
    algorithm().map_or(&[], |algorithm| algorithm.content())
}

/// The AlgorithmIdentifier of this certificate's signature; empty where it cannot be read.
#[cfg(any(feature = "details", feature = "reload"))]
pub(crate) fn of_signature(certificate: &[u8]) -> &[u8] {
    let algorithm = || {
        let mut parts = Reader::new(certificate).enter(tag::SEQUENCE)?;
        parts.enter(tag::SEQUENCE)?;
        parts.enter(tag::SEQUENCE)
    };
    algorithm().map_or(&[], |algorithm| algorithm.content())
}

/// The usual name of a signature algorithm, with its hash where the parameters say that; else its
/// OID.
pub(crate) fn signature_name(algorithm: &[u8]) -> String {
    let (oid, parameters) = parts(algorithm);
    let name = match oid.as_str() {
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        RSASSA_PSS => return PssParameters::read(parameters).signature_name(),
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        _ => return oid,
    };
    name.to_owned()
}

/// Whether it signs an MD2, MD5 or SHA-1 hash: md2, md5 and sha1WithRSAEncryption (RFC 3279, 2.2.1),
/// ecdsa-with-SHA1 (2.2.3), and RSASSA-PSS, whose parameters stand for SHA-1 where they name no hash
/// (RFC 4055, 3.1).
#[cfg(feature = "details")]
pub(crate) fn is_forgeable(algorithm: &[u8]) -> bool {
    let (oid, parameters) = parts(algorithm);
    match oid.as_str() {
        "1.2.840.113549.1.1.2"
        | "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.10045.4.1" => true,
        RSASSA_PSS => PssParameters::read(parameters).hash == SHA_1,
        _ => false,
    }
}

/// Whether keys of this kind make signatures of this kind at all, whoever verifies them.
pub(crate) fn makes(key: &[u8], signature: &[u8]) -> bool {
    let ((key, _), (signature, _)) = (parts(key), parts(signature));
    match key.as_str() {
        RSASSA_PSS => signature == RSASSA_PSS,
        "1.2.840.113549.1.1.1" => signature.starts_with("1.2.840.113549.1.1."),
        "1.2.840.10045.2.1" => signature.starts_with("1.2.840.10045.4."),
        // Ed25519, Ed448, ML-DSA: one OID for both (RFC 8410, 3; RFC 9881, 2).
        _ => key == signature,
    }
}

/// Its OID, and what follows that.
pub(super) fn parts(algorithm: &[u8]) -> (String, Reader<'_>) {
    let mut fields = Reader::new(algorithm);
    match fields.enter(tag::OID) {
        Ok(oid) => (dotted(oid.content()), fields),
        Err(_) => ("an unreadable algorithm".to_owned(), fields),
    }
}

/// RSASSA-PSS-params (RFC 4055, 3.1).
pub(super) struct PssParameters {
    /// The OID of its hash.
    hash: String,
    salt_length: u64,
}

impl PssParameters {
    /// What is absent, or cannot be read, has the value that the RFC gives it.
    pub(super) fn read(mut parameters: Reader<'_>) -> Self {
        const HASH_ALGORITHM: u8 = 0xa0;
        const MASK_GEN_ALGORITHM: u8 = 0xa1;
        const SALT_LENGTH: u8 = 0xa2;
        let fields = parameters.enter(tag::SEQUENCE);
        let mut fields = fields.unwrap_or(Reader::new(&[]));
        let mut optional = |tag| match fields.peek() == Some(tag) {
            true => fields.enter(tag).unwrap_or(Reader::new(&[])),
            false => Reader::new(&[]),
        };
        let hash = optional(HASH_ALGORITHM).enter(tag::SEQUENCE);
        let hash = hash.and_then(|mut algorithm| algorithm.enter(tag::OID));
        optional(MASK_GEN_ALGORITHM);
        let salt = optional(SALT_LENGTH).enter(tag::INTEGER);
        Self {
            hash: hash.map_or_else(|_| SHA_1.to_owned(), |oid| dotted(oid.content())),
            salt_length: salt.map_or(20, |length| {
                let octets = length.content().iter();
                octets.fold(0, |number, octet| number << 8 | u64::from(*octet))
            }),
        }
    }

    /// The name of its hash, or its OID.
    pub(super) fn hash_name(&self) -> &str {
        self.known_hash().map_or(&self.hash, |(name, _)| name)
    }

    /// The name of its hash, and its length in octets, which is that of the salt that providers take.
    fn known_hash(&self) -> Option<(&'static str, u64)> {
        Some(match self.hash.as_str() {
            SHA_1 => ("SHA-1", 20),
            "2.16.840.1.101.3.4.2.4" => ("SHA-224", 28),
            "2.16.840.1.101.3.4.2.1" => ("SHA-256", 32),
            "2.16.840.1.101.3.4.2.2" => ("SHA-384", 48),
            "2.16.840.1.101.3.4.2.3" => ("SHA-512", 64),
            _ => return None,
        })
    }

    fn signature_name(&self) -> String {
        let salt = self.salt_length;
        match self.known_hash() {
            Some((hash, length)) if length != salt => {
                format!("rsassaPss with {hash} and a salt of {salt} octets instead of {length}")
            }
            _ => format!("rsassaPss with {}", self.hash_name()),
        }
    }
}
