//! Lists of logs that cannot be read, as a whole or in part.

use thiserror::Error;

use crate::cert::Sha256Digest;

/// A list of logs that cannot be used as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LogListError {
    /// It is too long.
    #[error("the list of logs has {bytes} bytes, and {limit} are read: take the publisher's own")]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// How many are read.
        limit: usize,
    },
    /// It is not well-formed.
    #[error(
        "the list of logs is no JSON, at line {line}, column {column}: {reason}; download it again"
    )]
    Json {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What the parser says, shortened and escaped.
        reason: String,
    },
    /// It has another form than log_list.json of version 3.
    #[error(
        "the list of logs has no array 'operators': take log_list.json of version 3, as Google and Apple publish it"
    )]
    NoOperators,
    /// There is no log in it that could be read.
    #[error("the list of logs has no log that can be read, so no SCT would count: take another")]
    NoLogs,
    /// One log was given more than once.
    #[error("the log {} is given more than once: give all its states at once", .log_id.to_base64())]
    Repeated {
        /// Which log.
        log_id: Sha256Digest,
    },
}

/// A log of a list that could not be read, or not all of it; the others count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place} of the list of logs: {reason}")]
#[non_exhaustive]
pub struct LogListProblem {
    /// Where it stands, like `operators[3].logs[1].state`.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}
