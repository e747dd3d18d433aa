//! Why a root's certificate announces nothing.

use thiserror::Error;

use crate::cert::{NextRootKey, NextRootKeyError};
use crate::pin::{PinPosition, SpkiPin};
use crate::time::Timestamp;

/// Why nothing was made of a certificate. The pins in force stay as they were.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RootAnnouncementError {
    /// The certificate is larger than any root's needs to be.
    #[error(
        "the certificate has more than {limit} bytes ({bytes}): no root is that large, treat it as an attack"
    )]
    TooLarge {
        /// How many bytes it has.
        bytes: usize,
        /// How many it may have.
        limit: usize,
    },
    /// Somebody else issued it, and only a root announces its own successor.
    #[error(
        "'{subject}' was issued by '{issuer}', and only a root's own certificate tells its next key: give the self-signed one"
    )]
    NotSelfIssued {
        /// What it is called.
        subject: String,
        /// What its issuer is called.
        issuer: String,
    },
    /// Its key is not pinned, or not accepted now.
    #[error(
        "the key {key} of '{subject}' is pinned nowhere as a CA's or an anchor's that is accepted now, so what it says of its successor counts for nothing: pin it, if it is yours"
    )]
    NotPinned {
        /// What it is called.
        subject: String,
        /// Its key.
        key: SpkiPin,
    },
    /// Its key is pinned where no root stands.
    #[error(
        "the key {key} of '{subject}' is pinned at position {position} alone, where no root stands: pin it as an anchor, if it is yours"
    )]
    WrongPosition {
        /// What it is called.
        subject: String,
        /// Its key.
        key: SpkiPin,
        /// Where it is pinned.
        position: PinPosition,
    },
    /// Its own key did not sign it.
    #[error(
        "'{subject}' is not signed by its own key, so anybody could have made it: get it from whoever runs that root, or treat this as an attack"
    )]
    BadSignature {
        /// What it is called.
        subject: String,
    },
    /// The crypto provider cannot tell who signed it.
    #[error(
        "the crypto provider cannot verify the signature of '{subject}' by its own key: take a provider that knows its algorithm, or pin its successor yourself"
    )]
    UnsupportedSignature {
        /// What it is called.
        subject: String,
    },
    /// It was issued in the future.
    #[error(
        "'{subject}' is valid from {not_before} on, which is {} s after {now}: if the clock here is right, show it again later",
        .not_before.seconds_since(*.now)
    )]
    NotYetValid {
        /// What it is called.
        subject: String,
        /// Its first second.
        not_before: Timestamp,
        /// The instant of judgement.
        now: Timestamp,
    },
    /// It is over.
    #[error(
        "'{subject}' ended at {not_after}, {} s before {now}: show the root's newest certificate",
        .now.seconds_since(*.not_after)
    )]
    Expired {
        /// What it is called.
        subject: String,
        /// Its last second.
        not_after: Timestamp,
        /// The instant of judgement.
        now: Timestamp,
    },
    /// It tells no next key, and none was known before.
    #[error("'{subject}' states no next root key (RFC 8649): there is nothing to do")]
    StatesNone {
        /// What it is called.
        subject: String,
    },
    /// What it tells of its next key cannot be relied on.
    #[error("'{subject}': {reason}")]
    NextKey {
        /// What it is called.
        subject: String,
        /// Why not.
        reason: NextRootKeyError,
    },
    /// It names a digest that no key has.
    #[error(
        "'{subject}' names {next} as its next root key, which is a placeholder that no key has: have the root issued again"
    )]
    Placeholder {
        /// What it is called.
        subject: String,
        /// What it names.
        next: NextRootKey,
    },
    /// A newer certificate of the same key is known, and says otherwise.
    #[error(
        "'{subject}' is valid from {not_before} on, and a certificate of the same key from {newest} on says otherwise of the next root key: the newer one counts"
    )]
    Superseded {
        /// What it is called.
        subject: String,
        /// Its first second.
        not_before: Timestamp,
        /// That of the one that is known.
        newest: Timestamp,
    },
    /// Another certificate of the same key and the same instant says otherwise.
    #[error(
        "two certificates of '{subject}' from {not_before} on were signed by the same key and state different next root keys: the one seen first stays held down; \
         find out who made which, and have the root issued again with a later notBefore"
    )]
    Conflict {
        /// What it is called.
        subject: String,
        /// The first second of both.
        not_before: Timestamp,
    },
    /// So many roots are remembered that there is no room for another.
    #[error(
        "{limit} roots are remembered, and this would be one more: pin fewer roots in one place"
    )]
    TooManyRoots {
        /// How many there may be.
        limit: usize,
    },
}

impl RootAnnouncementError {
    /// The stable code, in snake case. The words are those of announcements where they mean the same.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::NotSelfIssued { .. } => "not_self_issued",
            Self::NotPinned { .. } => "not_pinned",
            Self::WrongPosition { .. } => "wrong_position",
            Self::BadSignature { .. } => "bad_signature",
            Self::UnsupportedSignature { .. } => "unsupported_signature",
            Self::NotYetValid { .. } => "not_yet_issued",
            Self::Expired { .. } => "expired",
            Self::StatesNone { .. } => "states_none",
            Self::NextKey { reason, .. } => reason.code(),
            Self::Placeholder { .. } => "placeholder",
            Self::Superseded { .. } => "rollback",
            Self::Conflict { .. } => "forked",
            Self::TooManyRoots { .. } => "too_many_roots",
        }
    }
}
