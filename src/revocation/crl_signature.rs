//! Whether a key signed a revocation list, which webpki says only where a certificate is looked up.

use crate::cert::der::{Reader, tag};
use crate::cert::{CertificateParseError, SignatureAlgorithms, fitting_algorithms, in_sequence};

/// Whether the key of this SubjectPublicKeyInfo signed this `CertificateList` (RFC 5280, 5.1.1.3).
pub(crate) fn crl_is_signed_by(
    der: &[u8],
    issuer_spki: &[u8],
    algorithms: SignatureAlgorithms,
) -> bool {
    let parts = SignedList::parse(der).and_then(|list| Ok((list, PublicKey::parse(issuer_spki)?)));
    parts.is_ok_and(|(list, key)| {
        let mut fitting = fitting_algorithms(algorithms, key.algorithm, list.algorithm);
        fitting.any(|algorithm| {
            let verified = algorithm.verify_signature(key.bits, &list.message, list.signature);
            verified.is_ok()
        })
    })
}

struct SignedList<'a> {
    message: Vec<u8>,
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> SignedList<'a> {
    fn parse(der: &'a [u8]) -> Result<Self, CertificateParseError> {
        let mut list = Reader::new(der).enter(tag::SEQUENCE)?;
        // DER has one header for one content.
        let message = in_sequence(list.enter(tag::SEQUENCE)?.content());
        let algorithm = list.enter(tag::SEQUENCE)?.content();
        Ok(Self {
            message,
            algorithm,
            signature: octets(list.enter(tag::BIT_STRING)?.content()),
        })
    }
}

struct PublicKey<'a> {
    algorithm: &'a [u8],
    bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    fn parse(spki: &'a [u8]) -> Result<Self, CertificateParseError> {
        let mut spki = Reader::new(spki).enter(tag::SEQUENCE)?;
        let algorithm = spki.enter(tag::SEQUENCE)?.content();
        Ok(Self {
            algorithm,
            bits: octets(spki.enter(tag::BIT_STRING)?.content()),
        })
    }
}

/// The octets of a BIT STRING; none where it does not end with one, which no signature or key is.
fn octets(bits: &[u8]) -> &[u8] {
    match bits {
        [0, octets @ ..] => octets,
        _ => &[],
    }
}
