//! Why a container, or something in it, was not read.

use pkcs8::ObjectIdentifier;
use thiserror::Error;

use super::ber::Damaged;
use crate::source::FailureReason;

/// What was wrong, said of `the PKCS#12 file` or the like, which stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum ContainerFault {
    #[error("is encrypted, and there is no passphrase for it")]
    PassphraseMissing,
    #[error("needs a passphrase, and whoever was asked for it (`Passphrase::from_fn`) gave none")]
    NobodyKnowsPassphrase,
    #[error("does not open with this passphrase, or was changed since it was written")]
    WrongPassphrase,
    #[error("is damaged: {0}")]
    Damaged(&'static str),
    #[error("stretches its passphrase beyond 10,000,000 iterations in all, or 256 MiB of scrypt")]
    TooCostly,
    #[error("is encrypted with {0}, which is not opened")]
    UnknownEncryption(ObjectIdentifier),
    #[error("has a check of its integrity by {0}, which is not verified")]
    UnknownCheck(ObjectIdentifier),
    #[error("holds {0}")]
    NotRead(&'static str),
}

impl ContainerFault {
    pub(crate) const fn reason(self) -> FailureReason {
        match self {
            Self::PassphraseMissing | Self::NobodyKnowsPassphrase => {
                FailureReason::PassphraseMissing
            }
            Self::WrongPassphrase => FailureReason::WrongPassphrase,
            Self::Damaged(_) => FailureReason::BadContainer,
            Self::TooCostly => FailureReason::TooCostly,
            Self::UnknownEncryption(_) | Self::UnknownCheck(_) | Self::NotRead(_) => {
                FailureReason::OtherFormat
            }
        }
    }
}

impl From<Damaged> for ContainerFault {
    fn from(_: Damaged) -> Self {
        Self::Damaged("an element is cut short, or another one stands where it belongs")
    }
}
