//! Bytes into certificates, with the place of everything that was found and of everything that
//! could not be read.
//!
//! Only the [`Loader`] opens files; everything else is given bytes.

mod contents;
mod failure;
mod loader;
mod path_name;
mod pem;
pub(crate) mod private_key;
pub(crate) mod regular_file;
mod scan;

#[cfg(feature = "monitor")]
pub(crate) use path_name::path_name;

pub use contents::{FoundCertificate, OtherBlock, Place, SourceContents};
pub use failure::{FailureReason, SourceFailure};
pub use loader::Loader;
pub use scan::{CertificateScan, Scanned};
