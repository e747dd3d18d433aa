//! Why a row is no certificate.

use notafter::cert::{CertificateParseError, DerProblem};
use pki_types::pem;
use thiserror::Error;

/// The longest row that is looked at, in bytes: 16 MiB, as for a PEM block of `notafter::source`.
pub(super) const MAX_ROW: usize = 16 * 1024 * 1024;

/// What is wrong with a row that is there and is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadRow {
    /// No bytes, or nothing but white space.
    #[error("the row is empty: a certificate that is not known should be null")]
    Empty,
    /// Longer than anything that is looked at.
    #[error(
        "the row has {length} bytes, more than the {MAX_ROW} that are looked at: it holds something else"
    )]
    TooLong {
        /// How many.
        length: usize,
    },
    /// Text without PEM that is not base64 either.
    #[error("the text is neither base64 nor PEM: write the certificate's DER as base64")]
    NotBase64,
    /// `\x`, and then something that is not hexadecimal.
    #[error(
        "the text begins with \\x as PostgreSQL writes bytes, and is not hexadecimal after that"
    )]
    NotHex,
    /// PEM without a certificate that can be read.
    #[error("no certificate can be read from the PEM text: {reason}")]
    Pem {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Bytes that are not the DER of one certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateParseError),
}

impl BadRow {
    pub(super) fn of_pem(error: pem::Error) -> Self {
        Self::Pem {
            reason: match error {
                pem::Error::NoItemsFound => "it has no block of that kind",
                pem::Error::MissingSectionEnd { .. } => "its END line is missing",
                pem::Error::IllegalSectionStart { .. } => "its BEGIN line is damaged",
                pem::Error::Base64Decode(_) => "between BEGIN and END stands no base64",
                _ => "it is damaged",
            },
        }
    }

    /// The stable code, in snake case, to group by: the sentence has numbers in it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::NotBase64 => "not_base64",
            Self::NotHex => "not_hex",
            Self::Pem { .. } => "bad_pem",
            Self::Certificate(error) => match error.problem {
                DerProblem::Truncated => "truncated",
                DerProblem::UnexpectedTag { .. } => "unexpected_tag",
                DerProblem::IndefiniteLength => "indefinite_length",
                DerProblem::NonMinimalLength => "non_minimal_length",
                DerProblem::LengthTooLarge => "length_too_large",
                DerProblem::TrailingBytes { .. } => "trailing_bytes",
                DerProblem::BadTime => "bad_time",
                DerProblem::BadVersion => "bad_version",
                _ => "bad_der",
            },
        }
    }
}
