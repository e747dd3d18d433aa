//! Bytes into certificates, with the place of everything that was found and of everything that
//! could not be read.
//!
//! Nothing here opens files; the [`Loader`](crate::Loader) does.

mod contents;
mod failure;
mod pem;
mod scan;

pub use contents::{FoundCertificate, OtherBlock, Place, SourceContents};
pub use failure::{FailureReason, SourceFailure};
pub use scan::{CertificateScan, Scanned};
