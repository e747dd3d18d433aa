//! Who signed: the issuer, or a responder that the issuer authorized (RFC 6960, 4.2.2.2).

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use der::{Decode as _, Encode as _, Reader as _, SliceReader, Tag, Tagged as _};
use pki_types::SignatureVerificationAlgorithm;
use x509_ocsp::ResponderId;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer as _;

use super::cert_id::{name_der, sha1};
use super::response::BasicResponse;
use super::{SignatureProblem, StapleStatus};
use crate::cert::Certificate;
use crate::time::{Timestamp, Validity};

/// Signature algorithms as a crypto provider lists them.
pub(super) type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

/// So many certificates of a response are tried as its responder's: each costs up to two
/// signature verifications.
const MAX_RESPONDERS: usize = 4;

/// The shape that certificates and OCSP responses share: bytes, algorithm, signature.
pub(super) struct SignedBytes<'a> {
    /// Exactly as received, with its own header.
    pub(super) message: &'a [u8],
    /// The content of the AlgorithmIdentifier, as pki-types holds it.
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> SignedBytes<'a> {
    /// Also gives what follows the signature.
    pub(super) fn parse(der: &'a [u8]) -> der::Result<(Self, &'a [u8])> {
        let mut reader = SliceReader::new(sequence(der)?)?;
        let message = reader.tlv_bytes()?;
        let algorithm = sequence(reader.tlv_bytes()?)?;
        let signature = whole_octets(reader.decode()?)?;
        let rest = reader.read_slice(reader.remaining_len())?;
        let signed = Self {
            message,
            algorithm,
            signature,
        };
        Ok((signed, rest))
    }

    /// # Errors
    /// Whether the algorithm is not there, or the signature is not the key's.
    fn verify(&self, key: &PublicKey<'_>, algorithms: Algorithms) -> Result<(), Fault> {
        let mut fault = Fault::Unsupported;
        for algorithm in algorithms {
            let fits = algorithm.signature_alg_id().as_ref() == self.algorithm
                && algorithm.public_key_alg_id().as_ref() == key.algorithm;
            if fits {
                let verified = algorithm.verify_signature(key.bits, self.message, self.signature);
                if verified.is_ok() {
                    return Ok(());
                }
                fault = Fault::Wrong;
            }
        }
        Err(fault)
    }

    fn refusal(&self, fault: Fault, wrong: SignatureProblem) -> StapleStatus {
        match fault {
            Fault::Wrong => wrong.into(),
            Fault::Unsupported => {
                let oid = SliceReader::new(self.algorithm)
                    .and_then(|mut reader| reader.decode::<ObjectIdentifier>());
                let algorithm =
                    oid.map_or_else(|_| "an unreadable algorithm".to_owned(), |o| o.to_string());
                StapleStatus::UnsupportedSignature { algorithm }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Fault {
    Unsupported,
    Wrong,
}

/// A SubjectPublicKeyInfo in its two parts.
pub(super) struct PublicKey<'a> {
    /// The content of the AlgorithmIdentifier.
    algorithm: &'a [u8],
    /// The content of subjectPublicKey.
    pub(super) bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    pub(super) fn of(certificate: &'a Certificate) -> der::Result<Self> {
        let mut reader = SliceReader::new(sequence(certificate.facts().spki_der())?)?;
        let algorithm = sequence(reader.tlv_bytes()?)?;
        let bits = whole_octets(reader.decode()?)?;
        reader.finish(Self { algorithm, bits })
    }
}

fn sequence(der: &[u8]) -> der::Result<&[u8]> {
    let any = AnyRef::from_der(der)?;
    any.tag().assert_eq(Tag::Sequence)?;
    Ok(any.value())
}

fn whole_octets(bits: BitStringRef<'_>) -> der::Result<&[u8]> {
    bits.as_bytes().ok_or(Tag::BitString.value_error())
}

/// The leaf's issuer with its key.
pub(super) struct Issuer<'a> {
    pub(super) certificate: &'a Certificate,
    pub(super) key: PublicKey<'a>,
}

/// Finds the signer that counts; gives the dates that bound it, where it is a delegated one (the
/// issuer's own dates are the chain's business).
///
/// # Errors
/// `BadSignature` or `UnsupportedSignature`.
pub(super) fn find_signer(
    response: &BasicResponse<'_>,
    issuer: &Issuer<'_>,
    algorithms: Algorithms,
    at: Timestamp,
) -> Result<Option<Validity>, StapleStatus> {
    let id = &response.data.responder_id;
    let signed = &response.signed;
    let mut refusal = None;
    if is_named(id, issuer.certificate, &issuer.key) {
        match signed.verify(&issuer.key, algorithms) {
            Ok(()) => return Ok(None),
            Err(fault) => {
                refusal = Some(signed.refusal(fault, SignatureProblem::NotSignedByResponder));
            }
        }
    }
    let mut tried = 0;
    for der in &response.certificates {
        let Ok(responder) = Certificate::from_der(*der) else {
            continue;
        };
        let Ok(key) = PublicKey::of(&responder) else {
            continue;
        };
        if responder == *issuer.certificate || !is_named(id, &responder, &key) {
            continue;
        }
        if tried == MAX_RESPONDERS {
            break;
        }
        tried += 1;
        let delegated = authorized(&responder, issuer, algorithms, at).and_then(|()| {
            let verified = signed.verify(&key, algorithms);
            verified.map_err(|f| signed.refusal(f, SignatureProblem::NotSignedByResponder))
        });
        match delegated {
            Ok(()) => return Ok(Some(responder.validity())),
            Err(problem) => refusal = refusal.or(Some(problem)),
        }
    }
    Err(refusal.unwrap_or_else(|| SignatureProblem::NoResponder.into()))
}

/// Whether the certificate names this issuer and the issuer's key made its signature. By its name
/// alone anyone can be an issuer.
pub(super) fn is_issued_by(
    certificate: &Certificate,
    issuer: &Certificate,
    algorithms: Algorithms,
) -> bool {
    let named = certificate.facts().issuer_der() == issuer.facts().subject_der();
    let parts = SignedBytes::parse(certificate.der()).ok();
    let parts = parts.filter(|_| named).zip(PublicKey::of(issuer).ok());
    parts.is_some_and(|((signed, _), key)| signed.verify(&key, algorithms).is_ok())
}

fn is_named(id: &ResponderId, certificate: &Certificate, key: &PublicKey<'_>) -> bool {
    match id {
        ResponderId::ByName(name) => name
            .to_der()
            .is_ok_and(|name| name == name_der(certificate.facts().subject_der())),
        ResponderId::ByKey(hash) => hash.as_bytes() == sha1(key.bits),
    }
}

/// Whether the issuer itself issued this certificate for signing OCSP responses, and it is within
/// its dates.
fn authorized(
    responder: &Certificate,
    issuer: &Issuer<'_>,
    algorithms: Algorithms,
    at: Timestamp,
) -> Result<(), StapleStatus> {
    let unusable = |reason: String| SignatureProblem::ResponderUnusable { reason };
    if responder.facts().issuer_der() != issuer.certificate.facts().subject_der() {
        return Err(SignatureProblem::ResponderNotIssuedByIssuer.into());
    }
    let (signed, _) =
        SignedBytes::parse(responder.der()).map_err(|error| unusable(error.to_string()))?;
    signed
        .verify(&issuer.key, algorithms)
        .map_err(|f| signed.refusal(f, SignatureProblem::ResponderNotIssuedByIssuer))?;
    let (_, parsed) =
        X509Certificate::from_der(responder.der()).map_err(|error| unusable(error.to_string()))?;
    if parsed.signature_algorithm != parsed.tbs_certificate.signature {
        return Err(unusable("it names two signature algorithms".to_owned()).into());
    }
    let mut may_sign = false;
    for extension in parsed.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::ExtendedKeyUsage(usage) => may_sign = usage.ocsp_signing,
            ParsedExtension::BasicConstraints(_)
            | ParsedExtension::KeyUsage(_)
            | ParsedExtension::SubjectAlternativeName(_)
            | ParsedExtension::CertificatePolicies(_) => {}
            _ if extension.critical => {
                let reason = format!("its critical extension {} is not understood", extension.oid);
                return Err(unusable(reason).into());
            }
            _ => {}
        }
    }
    if !may_sign {
        return Err(SignatureProblem::ResponderNotAuthorized.into());
    }
    let Validity {
        not_before,
        not_after,
        ..
    } = responder.validity();
    if at < not_before {
        return Err(SignatureProblem::ResponderNotYetValid { not_before }.into());
    }
    if at > not_after {
        return Err(SignatureProblem::ResponderExpired { not_after }.into());
    }
    Ok(())
}
