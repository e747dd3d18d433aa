//! One thing that a person should know about what was checked.

use std::fmt;

use crate::event::Severity;
use crate::outlook::{Position, Refusal};

/// Something found by a self-check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it is; stable.
    pub code: FindingCode,
    /// The file, folder or endpoint; `None` for what concerns the whole check.
    pub source: Option<String>,
    /// The certificate at fault, where one is.
    pub position: Option<Position>,
    /// A sentence that says what to do.
    pub message: String,
}

impl Finding {
    pub(super) fn new(severity: Severity, code: FindingCode, message: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            source: None,
            position: None,
            message: message.into(),
        }
    }

    pub(super) fn of_source(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    pub(super) const fn at_position(mut self, position: Option<Position>) -> Self {
        self.position = position;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.severity, self.code)?;
        if let Some(source) = &self.source {
            write!(f, " in {source}")?;
        }
        if let Some(position) = self.position {
            write!(f, ", {position}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// What a finding is about. [`FindingCode::as_str`] is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingCode {
    /// A certificate is due, a warning, or critical; the severity says which.
    Expiring,
    /// A certificate's time is over.
    Expired,
    /// A certificate's time has not come.
    NotYetValid,
    /// An intermediate ends before the leaf does.
    ExpiresBeforeLeaf,
    /// The leaf's issuer is neither presented nor trusted.
    MissingIntermediate,
    /// The chain ends at an issuer that is not a trust anchor.
    UnknownIssuer,
    /// A signature does not fit its issuer's key.
    BadSignature,
    /// The leaf does not cover an expected name.
    NameNotCovered,
    /// The leaf is a CA certificate.
    LeafIsCa,
    /// The extended key usage does not allow the use.
    WrongUsage,
    /// rustls does not accept the chain for another reason.
    DoesNotVerify,
    /// rustls accepts the chain, relying parties that count anchors' dates do not.
    StrictRefuses,
    /// For relying parties that count anchors' dates it ends earlier.
    StrictEndsEarlier,
    /// The search for paths was given up before everything was looked at.
    SearchIncomplete,
    /// The private key does not belong to the leaf.
    KeyMismatch,
    /// The private key cannot be used, so it cannot be compared.
    KeyUnusable,
    /// A private key lies in a file with certificates.
    PrivateKeyInCertificateFile,
    /// Something could not be read.
    Unreadable,
    /// An expected name is not a DNS name or an IP address.
    UnusableName,
    /// A trust anchor cannot be used.
    UnusableAnchor,
    /// There are no trust anchors at all.
    NoTrustAnchors,
}

impl FindingCode {
    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::ExpiresBeforeLeaf => "expires_before_leaf",
            Self::MissingIntermediate => "missing_intermediate",
            Self::UnknownIssuer => "unknown_issuer",
            Self::BadSignature => "bad_signature",
            Self::NameNotCovered => "name_not_covered",
            Self::LeafIsCa => "leaf_is_ca",
            Self::WrongUsage => "wrong_usage",
            Self::DoesNotVerify => "does_not_verify",
            Self::StrictRefuses => "strict_refuses",
            Self::StrictEndsEarlier => "strict_ends_earlier",
            Self::SearchIncomplete => "search_incomplete",
            Self::KeyMismatch => "key_mismatch",
            Self::KeyUnusable => "key_unusable",
            Self::PrivateKeyInCertificateFile => "private_key_in_certificate_file",
            Self::Unreadable => "unreadable",
            Self::UnusableName => "unusable_name",
            Self::UnusableAnchor => "unusable_anchor",
            Self::NoTrustAnchors => "no_trust_anchors",
        }
    }

    /// Whether it says that something could not be read or judged, rather than that something is
    /// wrong: exit code 3.
    pub const fn is_blindness(self) -> bool {
        matches!(
            self,
            Self::KeyUnusable
                | Self::Unreadable
                | Self::UnusableName
                | Self::UnusableAnchor
                | Self::NoTrustAnchors
        )
    }

    pub(super) const fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Expired { .. } => Self::Expired,
            Refusal::NotYetValid { .. } => Self::NotYetValid,
            Refusal::UnknownIssuer { .. } => Self::UnknownIssuer,
            Refusal::BadSignature => Self::BadSignature,
            Refusal::NameNotCovered { .. } => Self::NameNotCovered,
            Refusal::LeafIsCa => Self::LeafIsCa,
            Refusal::WrongUsage => Self::WrongUsage,
            _ => Self::DoesNotVerify,
        }
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
