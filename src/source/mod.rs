//! Bytes into certificates, with the place of everything that was found and of everything that
//! could not be read.
//!
//! Only the [`Loader`] opens files; everything else is given bytes.

mod contents;
mod failure;
pub(crate) mod loader;
mod pem;
mod place;
#[cfg(feature = "monitor")]
pub(crate) mod private_key;
#[cfg(feature = "announcements")]
pub(crate) mod regular_file;
mod scan;

pub use contents::SourceContents;
pub use failure::{FailureReason, SourceFailure};
pub use loader::Loader;
pub use place::Place;
pub use scan::{CertificateScan, FoundCertificate, OtherBlock, Scanned};
