//! What a staple comes to.

use std::fmt;

use super::{ResponderStatus, RevocationReason, SignatureProblem, UnreadableStaple};
use crate::time::Timestamp;

/// What a staple says, or why it says nothing. Prints as a sentence that says what to do.
///
/// `Good`, `Revoked`, `Unknown`, `Stale` and `NotYetValid` stand on a signature that verified;
/// anyone can cause the others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StapleStatus {
    /// The issuer says that the certificate is not revoked (RFC 6960, 2.2).
    Good {
        /// The last good second: nextUpdate or thisUpdate + maximum age, whichever comes first,
        /// and never after the notAfter of a delegated responder's certificate.
        until: Timestamp,
    },
    /// The issuer says that the certificate is revoked. Revocation is final: this stands after
    /// nextUpdate too, and before thisUpdate. Only `certificateHold` can be lifted, and goes stale.
    Revoked {
        /// revocationTime.
        since: Timestamp,
        /// revocationReason, where it is given.
        reason: Option<RevocationReason>,
    },
    /// The responder does not know the certificate.
    Unknown {
        /// The last second of this answer, as for `Good`.
        until: Timestamp,
    },
    /// The answer is too old.
    Stale {
        /// Its last good second.
        until: Timestamp,
        /// How many seconds that is ago, at least 1.
        seconds: i64,
    },
    /// thisUpdate lies further in the future than the skew tolerance.
    NotYetValid {
        /// thisUpdate.
        this_update: Timestamp,
        /// How many seconds that is away.
        seconds: i64,
    },
    /// No answer in it is for this certificate (CertID, RFC 6960, 4.1.1).
    WrongCertificate {
        /// The leaf's serial number, as [`Certificate::serial_hex`](crate::Certificate) prints it.
        serial: String,
        /// How many answers it holds for others.
        answers: usize,
    },
    /// Neither the issuer nor a responder that the issuer authorized signed it.
    BadSignature {
        /// Why the signature does not count.
        problem: SignatureProblem,
    },
    /// The crypto provider has no such signature algorithm (SHA-1, most often).
    UnsupportedSignature {
        /// The signature algorithm's OID.
        algorithm: String,
        /// What it is called, with its hash where its parameters say that; else its OID.
        name: String,
    },
    /// The responder gave an error instead of an answer.
    Unsuccessful {
        /// Which.
        status: ResponderStatus,
    },
    /// The bytes cannot be judged.
    Unreadable {
        /// Why.
        problem: UnreadableStaple,
    },
    /// There are no bytes.
    Absent,
}

impl StapleStatus {
    /// The stable code, in snake case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Good { .. } => "good",
            Self::Revoked { .. } => "revoked",
            Self::Unknown { .. } => "unknown",
            Self::Stale { .. } => "stale",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::WrongCertificate { .. } => "wrong_certificate",
            Self::BadSignature { .. } => "bad_signature",
            Self::UnsupportedSignature { .. } => "unsupported_signature",
            Self::Unsuccessful { .. } => "unsuccessful",
            Self::Unreadable { .. } => "unreadable",
            Self::Absent => "absent",
        }
    }

    /// Whether a signature that counts verified over what the status says.
    pub const fn is_authentic(&self) -> bool {
        matches!(
            self,
            Self::Good { .. }
                | Self::Revoked { .. }
                | Self::Unknown { .. }
                | Self::Stale { .. }
                | Self::NotYetValid { .. }
        )
    }
}

impl From<UnreadableStaple> for StapleStatus {
    fn from(problem: UnreadableStaple) -> Self {
        Self::Unreadable { problem }
    }
}

impl From<SignatureProblem> for StapleStatus {
    fn from(problem: SignatureProblem) -> Self {
        Self::BadSignature { problem }
    }
}

impl fmt::Display for StapleStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good { until } => {
                write!(
                    f,
                    "the staple is good until {until}: fetch the next one before"
                )
            }
            Self::Revoked { since, reason } => {
                write!(f, "the certificate is revoked since {since}")?;
                if let Some(reason) = reason {
                    write!(f, " ({reason})")?;
                }
                f.write_str(": stop serving it, and order another one with a new key")
            }
            Self::Unknown { until } => write!(
                f,
                "the responder does not know the certificate, and says so until {until}: \
                 ask the CA whether it issued it, a new one may need some minutes"
            ),
            Self::Stale { until, seconds } => write!(
                f,
                "the staple ended at {until}, {seconds} s ago: \
                 fetch a fresh one, and look why that did not happen"
            ),
            Self::NotYetValid {
                this_update,
                seconds,
            } => write!(
                f,
                "the staple is not valid before {this_update}, in {seconds} s: check the clock"
            ),
            Self::WrongCertificate { serial, answers } => write!(
                f,
                "none of the staple's {answers} answers is for the certificate with serial {serial} \
                 of this issuer: fetch the staple of this certificate"
            ),
            Self::BadSignature { problem } => {
                write!(f, "the staple's signature does not count: {problem}")
            }
            Self::UnsupportedSignature { name, .. } => write!(
                f,
                "the staple is signed with {name}, which the crypto provider does not support \
                 for this key: ask the CA for a responder that signs with SHA-256"
            ),
            Self::Unsuccessful { status } => write!(
                f,
                "the responder gave no answer but {status}: {}",
                status.advice()
            ),
            Self::Unreadable { problem } => write!(f, "the staple cannot be judged: {problem}"),
            Self::Absent => {
                f.write_str("there is no staple: fetch one from the responder of the leaf's CA")
            }
        }
    }
}
