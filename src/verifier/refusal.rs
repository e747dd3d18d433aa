//! What a rustls error says about why a peer is refused, its twin variants made one.

use rustls::{CertificateError, Error};

use super::bounds::PresentedError;
use super::refusal_reason::RefusalReason;
use crate::pin::PinError;

/// The reason of a refusal that a verifier returned.
pub(crate) fn reason_of(error: &Error) -> RefusalReason {
    match error {
        Error::InvalidCertificate(error) => reason_of_certificate_error(error),
        _ => RefusalReason::NotJudged,
    }
}

/// The same, of what is inside of it.
#[allow(deprecated)] // Verifiers may still return `UnsupportedSignatureAlgorithm`.
pub(crate) fn reason_of_certificate_error(error: &CertificateError) -> RefusalReason {
    match error {
        CertificateError::BadEncoding => RefusalReason::BadEncoding,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            RefusalReason::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            RefusalReason::NotYetValid
        }
        CertificateError::Revoked => RefusalReason::Revoked,
        CertificateError::UnhandledCriticalExtension => RefusalReason::CriticalExtension,
        CertificateError::UnknownIssuer => RefusalReason::UnknownIssuer,
        CertificateError::UnknownRevocationStatus => RefusalReason::RevocationUnknown,
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => RefusalReason::CrlExpired,
        CertificateError::BadSignature => RefusalReason::BadSignature,
        CertificateError::UnsupportedSignatureAlgorithm
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            RefusalReason::UnsupportedAlgorithm
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            RefusalReason::NameNotCovered
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            RefusalReason::WrongUsage
        }
        CertificateError::InvalidOcspResponse => RefusalReason::StapleNotGood,
        CertificateError::ApplicationVerificationFailure => RefusalReason::Application,
        CertificateError::Other(other) => {
            if let Some(refusal) = other.0.downcast_ref::<PinError>() {
                RefusalReason::of_pins(refusal)
            } else if other.0.is::<PresentedError>() {
                RefusalReason::PresentedTooMuch
            } else {
                RefusalReason::DoesNotVerify
            }
        }
        // rustls may learn to say more.
        _ => RefusalReason::DoesNotVerify,
    }
}
