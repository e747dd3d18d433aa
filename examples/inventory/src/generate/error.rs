//! Why a file could not be generated.

use std::io;
use std::path::PathBuf;

use datafusion::arrow::error::ArrowError;
use datafusion::parquet::errors::ParquetError;
use thiserror::Error;

/// What stood in the way.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// There is nothing to make rows of.
    #[error("no leaf and no CA certificate can be read below {}: give a folder with certificates after --corpora", .corpora.display())]
    NoCertificates {
        /// Where they were looked for.
        corpora: PathBuf,
    },
    /// A file or a folder could not be read or written.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// The name of the file says neither Parquet nor CSV.
    #[error("{}: the name must end with .parquet or .csv", .path.display())]
    Format {
        /// Which.
        path: PathBuf,
    },
    /// The rows could not be written.
    #[error("the rows cannot be written: {0}")]
    Parquet(#[from] ParquetError),
    /// The rows could not be put together.
    #[error("the rows cannot be put together: {0}")]
    Arrow(#[from] ArrowError),
}
