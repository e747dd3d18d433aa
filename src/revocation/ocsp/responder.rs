//! Who answered: the issuer, or a responder that the issuer authorized (RFC 6960, 4.2.2.2).

use der::Encode as _;
use x509_ocsp::ResponderId;

use super::cert_id::sha1;
use super::response::BasicResponse;
use super::signature::{PublicKey, SignedBytes};
use super::{SignatureProblem, StapleStatus};
use crate::cert::der::{Reader, tag};
use crate::cert::{
    Certificate, CertificateFacts, EXTENDED_KEY_USAGE, Extension, SignatureAlgorithms, dotted,
    in_sequence, purposes,
};
use crate::time::{Timestamp, Validity};

/// So many certificates of a response are tried as its responder's: each costs up to two
/// signature verifications.
const MAX_RESPONDERS: usize = 4;

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
    algorithms: SignatureAlgorithms,
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

fn is_named(id: &ResponderId, certificate: &Certificate, key: &PublicKey<'_>) -> bool {
    match id {
        ResponderId::ByName(name) => name
            .to_der()
            .is_ok_and(|name| name == in_sequence(certificate.facts().subject_der())),
        ResponderId::ByKey(hash) => hash.as_bytes() == sha1(key.bits),
    }
}

/// Whether the issuer itself issued this certificate for signing OCSP responses, and it is within
/// its dates.
fn authorized(
    responder: &Certificate,
    issuer: &Issuer<'_>,
    algorithms: SignatureAlgorithms,
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
    let facts = responder.facts();
    if facts.signed_algorithm() != Some(signed.algorithm) {
        return Err(unusable("it names two signature algorithms".to_owned()).into());
    }
    if !may_sign_responses(&facts).map_err(unusable)? {
        return Err(SignatureProblem::ResponderNotAuthorized.into());
    }
    let Validity {
        not_before,
        not_after,
    } = responder.validity();
    if at < not_before {
        return Err(SignatureProblem::ResponderNotYetValid { not_before }.into());
    }
    if at > not_after {
        return Err(SignatureProblem::ResponderExpired { not_after }.into());
    }
    Ok(())
}

/// Whether a responder's extended key usage has id-kp-OCSPSigning (RFC 6960, 4.2.2.2).
///
/// # Errors
/// What of its extensions is critical and not understood, or cannot be read.
fn may_sign_responses(facts: &CertificateFacts<'_>) -> Result<bool, String> {
    let mut may_sign = false;
    for extension in facts.extensions() {
        let extension = extension.map_err(|error| error.to_string())?;
        let understood = match extension.oid {
            EXTENDED_KEY_USAGE => match purposes(extension.value) {
                Some(purposes) => {
                    may_sign = purposes.contains(&OCSP_SIGNING);
                    true
                }
                None => false,
            },
            // They say nothing about signing OCSP responses.
            BASIC_CONSTRAINTS | SUBJECT_ALT_NAME | CERTIFICATE_POLICIES => {
                is_one(tag::SEQUENCE, &extension)
            }
            KEY_USAGE => is_one(tag::BIT_STRING, &extension),
            _ => false,
        };
        if extension.is_critical && !understood {
            let oid = dotted(extension.oid);
            return Err(format!("its critical extension {oid} is not understood"));
        }
    }
    Ok(may_sign)
}

const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];

/// Whether the extension's value is one element with this tag.
fn is_one(tag: u8, extension: &Extension<'_>) -> bool {
    let mut value = Reader::new(extension.value);
    value.enter(tag).is_ok() && value.is_at_end()
}
