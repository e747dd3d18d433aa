//! What a rustls error says about why a peer is refused, its twin variants made one.

use rustls::{CertificateError, Error};

use super::bounds::PresentedError;
use super::refusal_reason::RefusalReason;
use super::spiffe::SpiffePeerError;
use crate::identity::IdentityError;
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
            of_our_own(&*other.0).unwrap_or(RefusalReason::DoesNotVerify)
        }
        // rustls may learn to say more.
        _ => RefusalReason::DoesNotVerify,
    }
}

/// The reason of a refusal that is one of this crate's.
pub(crate) fn of_our_own(refusal: &(dyn std::error::Error + 'static)) -> Option<RefusalReason> {
    if let Some(refusal) = refusal.downcast_ref::<PinError>() {
        Some(RefusalReason::of_pins(refusal))
    } else if refusal.is::<PresentedError>() {
        Some(RefusalReason::PresentedTooMuch)
    } else if refusal.is::<IdentityError>() {
        Some(RefusalReason::Unidentified)
    } else {
        let refusal = refusal.downcast_ref::<SpiffePeerError>()?;
        Some(match refusal {
            SpiffePeerError::Svid(_) => RefusalReason::Unidentified,
            SpiffePeerError::NoBundle { .. } => RefusalReason::UnknownIssuer,
            SpiffePeerError::NotAccepted { .. } => RefusalReason::NotAccepted,
        })
    }
}
