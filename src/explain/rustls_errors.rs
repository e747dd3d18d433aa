//! What an error of rustls means.

use rustls::{CertificateError, Error, InvalidMessage};

use super::alerts::explain_alert;
use super::explanation::{ClockDoubt, Detail, Explanation, Whose};
use crate::outlook::{Position, readable_name, unsupported_words, webpki_words};
use crate::pin::PinError;
use crate::time::{ClockSuspicion, Timestamp};
use crate::verifier::{PresentedError, RefusalReason, reason_of_certificate_error};

/// What rustls says.
pub(super) fn explain_rustls(error: &Error) -> Explanation {
    let words = || error.to_string();
    match error {
        Error::InvalidCertificate(error) => explain_certificate_error(error),
        Error::AlertReceived(alert) => explain_alert(*alert),
        Error::NoCertificatesPresented => Explanation::new(Whose::Peer, "peer_no_certificate"),
        Error::InconsistentKeys(_) => {
            Explanation::new(Whose::Own, "own_key_mismatch").with_words(words())
        }
        Error::FailedToGetCurrentTime => Explanation::new(Whose::Neither, "clock_unreadable"),
        Error::NoApplicationProtocol => {
            Explanation::new(Whose::Neither, "no_application_protocol").with_words(words())
        }
        Error::PeerIncompatible(_) => {
            Explanation::new(Whose::Neither, "peer_incompatible").with_words(words())
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Explanation::new(Whose::Neither, "not_tls").with_words(words())
        }
        Error::InvalidCertRevocationList(_) => {
            Explanation::new(Whose::Neither, "crl_unusable").with_words(words())
        }
        Error::UnsupportedNameType => {
            Explanation::new(Whose::Neither, "unsupported_name").with_words(words())
        }
        _ => Explanation::new(Whose::Neither, "tls_error").with_words(words()),
    }
}

/// What a verifier says of the peer.
fn explain_certificate_error(error: &CertificateError) -> Explanation {
    let reason = reason_of_certificate_error(error);
    let mut explanation = Explanation::of_peer(reason, detail_of(error));
    explanation.position = match reason {
        RefusalReason::NameNotCovered | RefusalReason::StapleNotGood => Some(Position::Leaf),
        _ => None,
    };
    if let Detail::NotYetValid { at, .. } = explanation.detail {
        explanation.clock = ClockSuspicion::of(at, &[], &[]).map(ClockDoubt::Own);
    }
    explanation
}

fn detail_of(error: &CertificateError) -> Detail {
    match error {
        CertificateError::ExpiredContext { time, not_after } => Detail::Expired {
            not_after: Timestamp::from(*not_after),
            at: Timestamp::from(*time),
        },
        CertificateError::NotValidYetContext { time, not_before } => Detail::NotYetValid {
            not_before: Timestamp::from(*not_before),
            at: Timestamp::from(*time),
        },
        CertificateError::ExpiredRevocationListContext { time, next_update } => {
            Detail::CrlExpired {
                next_update: Timestamp::from(*next_update),
                at: Timestamp::from(*time),
            }
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => Detail::Names {
            expected: expected.to_str().into_owned(),
            presented: presented.iter().map(|name| readable_name(name)).collect(),
        },
        CertificateError::InvalidPurposeContext {
            required,
            presented,
        } => Detail::Usages {
            required: required.to_string(),
            presented: presented.iter().map(ToString::to_string).collect(),
        },
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        } => Detail::Words(unsupported_words(
            "a signature in it",
            signature_algorithm_id,
            None,
        )),
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id,
            public_key_algorithm_id,
        } => Detail::Words(unsupported_words(
            "a signature in it",
            signature_algorithm_id,
            Some(public_key_algorithm_id),
        )),
        CertificateError::Other(other) => detail_of_other(&*other.0),
        _ => Detail::Nothing,
    }
}

/// What an error of ours, or of the inner verifier's own, says besides its reason.
pub(super) fn detail_of_other(error: &(dyn std::error::Error + 'static)) -> Detail {
    if let Some(refusal) = error.downcast_ref::<PinError>() {
        Detail::Pin(refusal.clone())
    } else if let Some(refusal) = error.downcast_ref::<PresentedError>() {
        Detail::Presented(refusal.clone())
    } else if let Some(error) = error.downcast_ref::<webpki::Error>() {
        Detail::Words(webpki_words(error))
    } else {
        Detail::Words(error.to_string())
    }
}
