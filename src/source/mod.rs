//! Bytes into certificates, with the place of everything that was found and of everything that
//! could not be read.
//!
//! Only the [`Loader`] opens files; everything else is given bytes. What is damaged never hides what is
//! not.
//!
//! # Which certificates are in these bytes, and what is broken?
//! ```
//! use notafter::source::SourceContents;
//! # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
//! let contents = SourceContents::from_bytes("tls.crt", pem);
//! assert_eq!(contents.certificates.len(), 1);
//! assert!(contents.failures.is_empty());
//! ```

#[cfg(feature = "containers")]
mod container;
mod contents;
#[cfg(feature = "encrypted-keys")]
mod encrypted_key;
mod failure;
mod foreign_format;
#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
mod kdf_cost;
mod key_error;
pub(crate) mod key_kind;
pub(crate) mod listed;
pub(crate) mod listing;
pub(crate) mod loader;
mod not_found;
#[cfg(any(feature = "containers", feature = "monitor"))]
pub(crate) mod passphrase;
mod path_name;
mod pem;
mod place;
pub(crate) mod private_key;
pub(crate) mod regular_file;
mod scan;
pub(crate) mod stamp;

#[cfg(feature = "monitor")]
pub(crate) use path_name::path_name;

#[cfg(feature = "containers")]
pub use container::Containers;
pub use contents::SourceContents;
pub use failure::{FailureReason, SourceFailure};
pub use loader::Loader;
#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
pub use passphrase::Passphrase;
pub use place::Place;
pub use scan::{CertificateScan, FoundCertificate, OtherBlock, Scanned};
