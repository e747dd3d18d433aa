//! Whom an answer is about: CertID (RFC 6960, 4.1.1).

use der::asn1::ObjectIdentifier;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_ocsp::CertId;

use super::signature::PublicKey;
use crate::cert::{Certificate, in_sequence};

const ID_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const ID_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const ID_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const ID_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// The certificate that is asked about, in the terms of a CertID.
pub(super) struct Asked<'a> {
    /// The issuer's Name as it stands in the leaf, with its SEQUENCE.
    issuer_name: Vec<u8>,
    /// The content of the issuer's subjectPublicKey.
    issuer_key: &'a [u8],
    serial: &'a [u8],
}

impl<'a> Asked<'a> {
    pub(super) fn new(leaf: &'a Certificate, issuer_key: &PublicKey<'a>) -> Self {
        let facts = leaf.facts();
        Self {
            issuer_name: in_sequence(facts.issuer_der()),
            issuer_key: issuer_key.bits,
            serial: facts.serial(),
        }
    }

    /// Whether the answer is about this certificate. A hash that is not known matches nothing.
    pub(super) fn is_subject_of(&self, id: &CertId) -> bool {
        let matches = |of: fn(&[u8]) -> Vec<u8>| {
            id.issuer_name_hash.as_bytes() == of(&self.issuer_name)
                && id.issuer_key_hash.as_bytes() == of(self.issuer_key)
        };
        id.serial_number.as_bytes() == self.serial
            && match id.hash_algorithm.oid {
                ID_SHA1 => matches(sha1),
                ID_SHA256 => matches(|bytes| Sha256::digest(bytes).to_vec()),
                ID_SHA384 => matches(|bytes| Sha384::digest(bytes).to_vec()),
                ID_SHA512 => matches(|bytes| Sha512::digest(bytes).to_vec()),
                _ => false,
            }
    }
}

/// SHA-1 as CertIDs and responderIDs use it: an identifier, nothing is trusted because of it.
pub(super) fn sha1(bytes: &[u8]) -> Vec<u8> {
    Sha1::digest(bytes).to_vec()
}
