//! One thing that a person should know about what was checked.

use std::fmt;

use crate::cert::{Certificate, Sha256Digest};
use crate::event::Severity;
use crate::outlook::{Position, Refusal};
use crate::source::FailureReason;
use crate::text::visible;

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
    /// SHA-256 over that certificate, where it is at hand.
    pub sha256: Option<Sha256Digest>,
    /// A sentence that says what to do; what could not be seen in foreign names is escaped.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(severity: Severity, code: FindingCode, message: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            source: None,
            position: None,
            sha256: None,
            message: visible(&message.into()),
        }
    }

    /// Whether something does not work now, or could not be read or judged: it is critical, and
    /// more than [`FindingCode::Expiring`].
    pub fn is_failure(&self) -> bool {
        self.severity == Severity::Critical && self.code != FindingCode::Expiring
    }

    pub(crate) fn with_source(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    /// This certificate, which stands there, is at fault.
    pub(super) fn with_certificate(
        mut self,
        position: Position,
        certificate: &Certificate,
    ) -> Self {
        self.sha256 = Some(certificate.fingerprint());
        self.with_position(Some(position))
    }

    /// The certificate at fault, where one is, stands there.
    pub(super) const fn with_position(mut self, position: Option<Position>) -> Self {
        self.position = position;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.severity, self.code)?;
        if let Some(source) = &self.source {
            write!(f, " in {}", visible(source))?;
        }
        if let Some(position) = self.position {
            write!(f, ", {position}")?;
        }
        write!(f, ": {}", visible(&self.message))
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
    /// OpenSSL refuses it, for it settles on a path that does not verify.
    OpensslRefuses,
    /// For OpenSSL it ends earlier, with the path that it settles on.
    OpensslEndsEarlier,
    /// The search for paths was given up before everything was looked at.
    SearchIncomplete,
    /// A certificate is in the chain more than once.
    DuplicateCertificate,
    /// A trust anchor is in the chain, where nobody needs it.
    AnchorSent,
    /// A certificate is on no path to an anchor.
    UnneededCertificate,
    /// The certificates are not each followed by its issuer.
    UnorderedChain,
    /// A presented cross-sign ends before the chain does.
    ExpiringCrossSign,
    /// The leaf of a server has neither a DNS name nor an IP address.
    NoSubjectAltName,
    /// An RSA key of less than 2048 bits.
    WeakKey,
    /// A signature over SHA-1, MD5 or MD2.
    WeakSignature,
    /// The crypto provider verifies nothing with the leaf's kind of key.
    UnsupportedKey,
    /// The leaf lives longer than the CA/Browser Forum allows.
    LifetimeOverLimit,
    /// The leaf was issued after browsers stopped trusting what its root issues.
    IssuedAfterDistrust,
    /// Browsers stop trusting what the root issues: a renewal by it will be refused.
    DistrustAhead,
    /// The leaf is what its CA handed to logs, and no certificate.
    Precertificate,
    /// The leaf embeds no signed certificate timestamp, and browsers want some.
    SctsMissing,
    /// The signed certificate timestamps of the leaf cannot be read.
    SctsUnreadable,
    /// Signed certificate timestamps of too few logs count, or of none that browsers still trust.
    SctsTooFew,
    /// The logs whose signed certificate timestamps count are of too few operators.
    SctsTooFewOperators,
    /// Browsers take the leaf's signed certificate timestamps, and not to its end: a log is retired before.
    SctsEnding,
    /// The list of logs is older than browsers go by.
    LogListStale,
    /// A revocation list names a certificate.
    Revoked,
    /// A revocation list is past its nextUpdate.
    CrlExpired,
    /// A revocation list that must be current ends before the chain does, or one that is watched is near
    /// its nextUpdate.
    CrlExpiring,
    /// The leaf asks for a stapled OCSP response, and none was seen.
    MustStapleWithoutStaple,
    /// The stapled OCSP response is not good.
    StapleNotGood,
    /// The clock is wrong, rather than the certificates.
    ClockSuspect,
    /// The announcement of pins in force could be applied for the last time, and none has come since.
    AnnouncementStale,
    /// What lies on disk cannot be in force: what was loaded before is.
    ReloadFailed,
    /// The private key does not belong to the leaf.
    KeyMismatch,
    /// The private key cannot be used, so it cannot be compared.
    KeyUnusable,
    /// An endpoint showed the leaf and did not prove that it holds its private key.
    KeyUnproven,
    /// A private key lies in a file with certificates.
    PrivateKeyInCertificateFile,
    /// Something could not be read.
    Unreadable,
    /// A container is encrypted, and there is no passphrase for it.
    PassphraseMissing,
    /// A container does not open with the passphrase that there is for it.
    WrongPassphrase,
    /// An expected name is not a DNS name or an IP address.
    UnusableName,
    /// A trust anchor cannot be used.
    UnusableAnchor,
    /// A trust anchor names its next key, and no anchor has that key.
    NextRootKey,
    /// Certificates of one trust anchor name different next keys.
    NextRootKeyConflict,
    /// There are no trust anchors at all.
    NoTrustAnchors,
    /// The list that the trust anchors come from is old: roots that were added or distrusted since are not in it.
    AnchorListOld,
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
            Self::OpensslRefuses => "openssl_refuses",
            Self::OpensslEndsEarlier => "openssl_ends_earlier",
            Self::SearchIncomplete => "search_incomplete",
            Self::DuplicateCertificate => "duplicate_certificate",
            Self::AnchorSent => "anchor_sent",
            Self::UnneededCertificate => "unneeded_certificate",
            Self::UnorderedChain => "unordered_chain",
            Self::ExpiringCrossSign => "expiring_cross_sign",
            Self::NoSubjectAltName => "no_subject_alt_name",
            Self::WeakKey => "weak_key",
            Self::WeakSignature => "weak_signature",
            Self::UnsupportedKey => "unsupported_key",
            Self::LifetimeOverLimit => "lifetime_over_limit",
            Self::IssuedAfterDistrust => "issued_after_distrust",
            Self::DistrustAhead => "distrust_ahead",
            Self::Precertificate => "precertificate",
            Self::SctsMissing => "scts_missing",
            Self::SctsUnreadable => "scts_unreadable",
            Self::SctsTooFew => "scts_too_few",
            Self::SctsTooFewOperators => "scts_too_few_operators",
            Self::SctsEnding => "scts_ending",
            Self::LogListStale => "log_list_stale",
            Self::Revoked => "revoked",
            Self::CrlExpired => "crl_expired",
            Self::CrlExpiring => "crl_expiring",
            Self::MustStapleWithoutStaple => "must_staple_without_staple",
            Self::StapleNotGood => "staple_not_good",
            Self::ClockSuspect => "clock_suspect",
            Self::AnnouncementStale => "announcement_stale",
            Self::ReloadFailed => "reload_failed",
            Self::KeyMismatch => "key_mismatch",
            Self::KeyUnusable => "key_unusable",
            Self::KeyUnproven => "key_unproven",
            Self::PrivateKeyInCertificateFile => "private_key_in_certificate_file",
            Self::Unreadable => "unreadable",
            Self::PassphraseMissing => "passphrase_missing",
            Self::WrongPassphrase => "wrong_passphrase",
            Self::UnusableName => "unusable_name",
            Self::UnusableAnchor => "unusable_anchor",
            Self::NextRootKey => "next_root_key",
            Self::NextRootKeyConflict => "next_root_key_conflict",
            Self::NoTrustAnchors => "no_trust_anchors",
            Self::AnchorListOld => "anchor_list_old",
        }
    }

    /// Whether it says that something could not be read or judged, rather than that something is
    /// wrong: exit code 3.
    pub const fn is_blindness(self) -> bool {
        matches!(
            self,
            Self::KeyUnusable
                | Self::Unreadable
                | Self::PassphraseMissing
                | Self::WrongPassphrase
                | Self::UnusableName
                | Self::UnusableAnchor
                | Self::NoTrustAnchors
        )
    }

    /// What is said of a source that could not be read for this reason.
    pub(crate) const fn of_failure(reason: FailureReason) -> Self {
        match reason {
            FailureReason::PassphraseMissing => Self::PassphraseMissing,
            FailureReason::WrongPassphrase => Self::WrongPassphrase,
            _ => Self::Unreadable,
        }
    }

    /// Whether it is of a source that could not be read.
    pub(super) const fn is_of_failure(self) -> bool {
        matches!(
            self,
            Self::Unreadable | Self::PassphraseMissing | Self::WrongPassphrase
        )
    }

    pub(super) const fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Expired { .. } => Self::Expired,
            Refusal::NotYetValid { .. } => Self::NotYetValid,
            Refusal::UnknownIssuer { .. } => Self::UnknownIssuer,
            Refusal::Revoked { .. } => Self::Revoked,
            Refusal::CrlExpired { .. } => Self::CrlExpired,
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
