//! Why a container, or something in it, was not read.

use pkcs8::ObjectIdentifier;
use thiserror::Error;

use super::ber::Damaged;
use crate::source::FailureReason;
use crate::source::kdf_cost::TooCostly;

/// What was wrong, said of `the PKCS#12 file` or the like, which stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum ContainerFault {
    #[error("is encrypted, and there is no passphrase for it")]
    PassphraseMissing,
    #[error("needs a passphrase, and whoever was asked for it (`Passphrase::from_fn`) gave none")]
    NobodyKnowsPassphrase,
    #[error("does not open with this passphrase, or was changed since it was written")]
    WrongPassphrase,
    #[error("does not open with any of its {0} passphrases, or was changed since it was written")]
    WrongPassphrases(usize),
    #[error("is damaged: {0}")]
    Damaged(&'static str),
    #[error("stretches its passphrase beyond 10,000,000 iterations in all, or 256 MiB of scrypt")]
    TooCostly,
    #[error("is encrypted with {0}, which is not opened")]
    UnknownEncryption(ObjectIdentifier),
    #[error("has a check of its integrity by {0}, which is not verified")]
    UnknownCheck(ObjectIdentifier),
    #[error(
        "has a check of its integrity (PBMAC1) by a key of {0} bytes, where 20 to 64 keep others from making one"
    )]
    CheckKey(u32),
    #[error("holds {0}")]
    NotRead(&'static str),
}

impl ContainerFault {
    /// An encryption by an algorithm that is not known.
    pub(super) fn unknown_encryption(oid: &[u8]) -> Self {
        ObjectIdentifier::from_bytes(oid).map_or_else(|_| Damaged.into(), Self::UnknownEncryption)
    }

    /// A check by one.
    pub(super) fn unknown_check(oid: &[u8]) -> Self {
        ObjectIdentifier::from_bytes(oid).map_or_else(|_| Damaged.into(), Self::UnknownCheck)
    }

    /// The same of so many passphrases that were tried.
    pub(super) const fn by_none_of(self, passphrases: usize) -> Self {
        match self {
            Self::WrongPassphrase => Self::WrongPassphrases(passphrases),
            other => other,
        }
    }

    pub(crate) const fn reason(self) -> FailureReason {
        match self {
            Self::PassphraseMissing | Self::NobodyKnowsPassphrase => {
                FailureReason::PassphraseMissing
            }
            Self::WrongPassphrase | Self::WrongPassphrases(_) => FailureReason::WrongPassphrase,
            Self::Damaged(_) | Self::CheckKey(_) => FailureReason::BadContainer,
            Self::TooCostly => FailureReason::TooCostly,
            Self::UnknownEncryption(_) | Self::UnknownCheck(_) | Self::NotRead(_) => {
                FailureReason::OtherFormat
            }
        }
    }
}

impl From<TooCostly> for ContainerFault {
    fn from(_: TooCostly) -> Self {
        Self::TooCostly
    }
}

impl From<Damaged> for ContainerFault {
    fn from(_: Damaged) -> Self {
        Self::Damaged("an element is cut short, or another one stands where it belongs")
    }
}
