//! What could not be read, where, and what to do.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

use super::Place;
use crate::text::visible;

/// Something that could not be read; what was readable beside it still counts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {} ({reason}); {}", visible(.detail), visible(.advice))]
#[non_exhaustive]
pub struct SourceFailure {
    /// File, block, line and byte.
    pub place: Place,
    /// The stable reason.
    pub reason: FailureReason,
    /// What was wrong, in a few words; never any of the bytes.
    pub detail: String,
    advice: Cow<'static, str>,
}

impl SourceFailure {
    /// A failure of the whole source rather than of one block in it.
    pub(crate) fn whole(source: &str, reason: FailureReason, detail: impl Into<String>) -> Self {
        Self::at(Place::whole(source), reason, detail)
    }

    pub(crate) fn at(place: Place, reason: FailureReason, detail: impl Into<String>) -> Self {
        Self {
            place,
            reason,
            detail: detail.into(),
            advice: Cow::Borrowed(reason.advice()),
        }
    }

    /// Something else is to be done about it than its reason says.
    pub(crate) fn with_advice(mut self, advice: impl Into<Cow<'static, str>>) -> Self {
        self.advice = advice.into();
        self
    }

    /// What to do about it, in a few words.
    pub fn advice(&self) -> &str {
        &self.advice
    }
}

/// Why something could not be read. [`FailureReason::as_str`] is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureReason {
    /// A PEM block that does not end, whose lines disagree, or whose base64 is damaged.
    BadPem,
    /// A certificate whose DER is not well-formed.
    BadDer,
    /// Nothing that could hold a certificate.
    NoCertificateFound,
    /// The process may not read it.
    PermissionDenied,
    /// A link to something that does not exist.
    BrokenSymlink,
    /// More bytes, files or folders than the loader's limits.
    TooLarge,
    /// Neither a regular file nor a folder.
    NotAFile,
    /// There is no such file or folder.
    NotFound,
    /// An endpoint could not be reached, or does not speak TLS.
    Connection,
    /// Any other error of the operating system.
    Io,
    /// Certificates in a format that rustls does not load: PKCS#12, PKCS#7.
    OtherFormat,
    /// A container (PKCS#12, a Java keystore) that is encrypted, and there is no passphrase for it.
    PassphraseMissing,
    /// A container that does not open with the passphrase that there is for it.
    WrongPassphrase,
    /// A container whose outline is damaged.
    BadContainer,
    /// A container that asks for more work than it may.
    TooCostly,
}

impl FailureReason {
    /// Every reason, for metrics that want to start at zero.
    pub const ALL: [Self; 15] = [
        Self::BadPem,
        Self::BadDer,
        Self::NoCertificateFound,
        Self::PermissionDenied,
        Self::BrokenSymlink,
        Self::TooLarge,
        Self::NotAFile,
        Self::NotFound,
        Self::Connection,
        Self::Io,
        Self::OtherFormat,
        Self::PassphraseMissing,
        Self::WrongPassphrase,
        Self::BadContainer,
        Self::TooCostly,
    ];

    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadPem => "bad_pem",
            Self::BadDer => "bad_der",
            Self::NoCertificateFound => "no_certificate_found",
            Self::PermissionDenied => "permission_denied",
            Self::BrokenSymlink => "broken_symlink",
            Self::TooLarge => "too_large",
            Self::NotAFile => "not_a_file",
            Self::NotFound => "not_found",
            Self::Connection => "connection",
            Self::Io => "io",
            Self::OtherFormat => "other_format",
            Self::PassphraseMissing => "passphrase_missing",
            Self::WrongPassphrase => "wrong_passphrase",
            Self::BadContainer => "bad_container",
            Self::TooCostly => "too_costly",
        }
    }

    /// What to do about it.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::BadPem => "write the file again from its source: it may have been cut or edited",
            Self::BadDer => {
                "rustls refuses it too: get the certificate again from where it was issued"
            }
            Self::NoCertificateFound => "check the path: a certificate in PEM or DER belongs here",
            Self::PermissionDenied => "let the service's user read it",
            Self::BrokenSymlink => "mend the link or its target",
            Self::TooLarge => "check the path, or raise the loader's limit",
            Self::NotAFile => "name a regular file or a folder",
            Self::NotFound => "check the path",
            Self::Connection => "check that it is up and speaks TLS on this port",
            Self::Io => "check the file system",
            Self::OtherFormat => "convert it to PEM",
            Self::PassphraseMissing => {
                "give the passphrase that it was written with (`Containers::with_passphrase`, `--passphrase-file FILE`)"
            }
            Self::WrongPassphrase => {
                "give the passphrase that this very file was written with, without a line end after it"
            }
            Self::BadContainer => {
                "write the file again from its source: it may have been cut or edited"
            }
            Self::TooCostly => "write the file again with fewer iterations: 10,000 are usual",
        }
    }
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
