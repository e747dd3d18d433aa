//! What can go wrong between the command line and the answer.

use std::io;

use datafusion::error::DataFusionError;
use thiserror::Error;

use crate::generate::GenerateError;

/// Why something could not be asked or answered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShellError {
    /// A table could not be read.
    #[error("the table '{table}' cannot be read from {path}: {reason}")]
    Table {
        /// Its name.
        table: String,
        /// Its file or folder.
        path: String,
        /// What the engine says.
        reason: String,
    },
    /// A query could not be planned or run.
    #[error("the query failed: {}", said(.0))]
    Query(#[source] Box<DataFusionError>),
    /// A question was asked by its name, and there is no table for it, or several.
    #[error("'--ask' is asked of one table, and there are {count}: say which with '--of NAME'")]
    WhichTable {
        /// How many there are.
        count: usize,
    },
    /// The session could not be made.
    #[error("the session cannot be made: {}", said(.0))]
    Session(#[source] Box<DataFusionError>),
    /// The cluster could not be reached or started.
    #[error("the cluster cannot be had: {reason}")]
    Cluster {
        /// What Ballista says.
        reason: String,
    },
    /// No threads.
    #[error("no threads can be started: {0}")]
    Runtime(#[source] io::Error),
    /// Standard input could not be read.
    #[error("standard input cannot be read: {0}")]
    Input(#[source] io::Error),
    /// The answer could not be written.
    #[error("the answer cannot be written: {0}")]
    Output(#[from] io::Error),
    /// No line can be read from the terminal.
    #[error("the terminal cannot be read: {reason}")]
    Terminal {
        /// What the editor says.
        reason: String,
    },
    /// A file could not be generated.
    #[error(transparent)]
    Generate(#[from] GenerateError),
}

impl ShellError {
    pub(super) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<DataFusionError> for ShellError {
    fn from(error: DataFusionError) -> Self {
        Self::Query(Box::new(error))
    }
}

/// Without the traces of where in the engine it came from; what ran out of memory says what to do.
fn said(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => {
            format!("{text}\nGive it more with '--memory SIZE'.")
        }
        _ => text,
    }
}
