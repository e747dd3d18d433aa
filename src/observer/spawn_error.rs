//! A thread that could not be started.

use std::io;

use thiserror::Error;

/// The operating system has no thread to give: what any `spawn` of this crate fails with.
#[derive(Debug, Error)]
#[error(
    "the operating system gives no thread {purpose}: {error}; look at the limits on processes (ulimit -u, TasksMax=)"
)]
pub struct SpawnError {
    /// What it would have been for.
    purpose: &'static str,
    #[source]
    error: io::Error,
}

impl SpawnError {
    pub(crate) const fn new(purpose: &'static str, error: io::Error) -> Self {
        Self { purpose, error }
    }
}

impl From<SpawnError> for io::Error {
    fn from(error: SpawnError) -> Self {
        Self::new(error.error.kind(), error)
    }
}
