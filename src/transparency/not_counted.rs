//! SCTs that do not count, and why.

use thiserror::Error;

use super::LogState;
use crate::cert::Sha256Digest;
use crate::text::visible;
use crate::time::Timestamp;

/// An SCT that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("that of {}, of {timestamp}, does not count: {reason}", visible(.log))]
#[non_exhaustive]
pub struct NotCounted {
    /// Whose it claims to be.
    pub log_id: Sha256Digest,
    /// What people call that log; its id in base64 where it is not in the list.
    pub log: String,
    /// When it claims to be given, to the second.
    pub timestamp: Timestamp,
    /// Why it does not count.
    pub reason: NotCountedReason,
}

/// Why an SCT does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotCountedReason {
    /// Its log is not in the list.
    #[error("the log is not in the list")]
    UnknownLog,
    /// The list does not say how its log stands.
    #[error("the list does not say how the log stands")]
    NoState,
    /// Its log was never included, or is not yet.
    #[error("the log is {state}")]
    NotIncluded {
        /// How it stands.
        state: LogState,
    },
    /// Its log was retired before it gave it, or, for what is not embedded, at all.
    #[error("the log was retired at {since}")]
    Retired {
        /// Since when.
        since: Timestamp,
    },
    /// It is of the same log as another one.
    #[error("another one is of the same log")]
    SameLog,
    /// It is of a later second than the one that was asked about.
    #[error("it is of the future")]
    OfTheFuture,
}
