//! Who signed a certificate: by its name alone anyone can be an issuer.

use super::der::{Reader, tag};
use super::{Certificate, CertificateParseError, SignatureAlgorithms, fitting_algorithms};

/// What a certificate's signature says of one that bears its issuer's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IssuerSignature {
    /// That key made it.
    Made,
    /// Another key made it, or it cannot be read.
    NotMade,
    /// There is no algorithm to tell with.
    Unsupported,
}

/// Whether the key of `issuer` made the signature of `certificate` (RFC 5280, 4.1.1.3), by one of
/// these algorithms. Names are not compared.
pub(crate) fn issuer_signature(
    certificate: &Certificate,
    issuer: &Certificate,
    algorithms: SignatureAlgorithms,
) -> IssuerSignature {
    signature_by(certificate.der(), issuer.facts().spki_der(), algorithms)
}

/// Whether the key of this SubjectPublicKeyInfo made the signature of this certificate, or of this
/// revocation list (RFC 5280, 5.1.1.3), which has the same three parts.
pub(crate) fn signature_by(
    der: &[u8],
    issuer_spki: &[u8],
    algorithms: SignatureAlgorithms,
) -> IssuerSignature {
    let (Ok(signed), Ok(key)) = (SignedParts::of(der), KeyParts::of(issuer_spki)) else {
        return IssuerSignature::NotMade;
    };
    let mut verdict = IssuerSignature::Unsupported;
    for algorithm in fitting_algorithms(algorithms, key.algorithm, signed.algorithm) {
        if (algorithm.verify_signature(key.bits, signed.message, signed.signature)).is_ok() {
            return IssuerSignature::Made;
        }
        verdict = IssuerSignature::NotMade;
    }
    verdict
}

/// Whether the certificate names this issuer and the issuer's key made its signature.
#[cfg(feature = "ocsp")]
pub(crate) fn is_issued_by(
    certificate: &Certificate,
    issuer: &Certificate,
    algorithms: SignatureAlgorithms,
) -> bool {
    certificate.facts().issuer_der() == issuer.facts().subject_der()
        && issuer_signature(certificate, issuer, algorithms) == IssuerSignature::Made
}

/// A certificate, or a revocation list, in its three parts (RFC 5280, 4.1 and 5.1).
struct SignedParts<'a> {
    /// tbsCertificate or tbsCertList, with its header.
    message: &'a [u8],
    /// The content of the AlgorithmIdentifier, as pki-types holds it.
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> SignedParts<'a> {
    fn of(der: &'a [u8]) -> Result<Self, CertificateParseError> {
        let mut certificate = Reader::new(der).enter(tag::SEQUENCE)?;
        let before = certificate.content();
        certificate.enter(tag::SEQUENCE)?;
        let taken = before.len().saturating_sub(certificate.content().len());
        Ok(Self {
            message: before.get(..taken).unwrap_or_default(),
            algorithm: certificate.enter(tag::SEQUENCE)?.content(),
            signature: octets(certificate.enter(tag::BIT_STRING)?),
        })
    }
}

/// A SubjectPublicKeyInfo in its two parts (RFC 5280, 4.1.2.7).
struct KeyParts<'a> {
    algorithm: &'a [u8],
    bits: &'a [u8],
}

impl<'a> KeyParts<'a> {
    fn of(spki: &'a [u8]) -> Result<Self, CertificateParseError> {
        let mut parts = Reader::new(spki).enter(tag::SEQUENCE)?;
        Ok(Self {
            algorithm: parts.enter(tag::SEQUENCE)?.content(),
            bits: octets(parts.enter(tag::BIT_STRING)?),
        })
    }
}

/// What a BIT STRING of whole octets holds; nothing, which no key signs and no signature is, where
/// it is none.
fn octets(bits: Reader<'_>) -> &[u8] {
    match bits.content() {
        [0, octets @ ..] => octets,
        _ => &[],
    }
}
