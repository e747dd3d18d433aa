//! Where a pair lies.

use std::path::PathBuf;

/// Where one certificate chain, its private key and (feature `ocsp`) its staple lie.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct KeyFiles {
    pub(super) certificates: PathBuf,
    pub(super) key: PathBuf,
    #[cfg(feature = "ocsp")]
    pub(super) staple: Option<PathBuf>,
}

impl KeyFiles {
    /// A file with the chain, leaf first (PEM, or the DER of a leaf alone), and one with the
    /// unencrypted key; it may be the same file.
    pub fn new(certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificates: certificates.into(),
            key: key.into(),
            #[cfg(feature = "ocsp")]
            staple: None,
        }
    }

    /// A file with the OCSP response to staple, in DER. It may be missing.
    #[cfg(feature = "ocsp")]
    pub fn with_staple(mut self, file: impl Into<PathBuf>) -> Self {
        self.staple = Some(file.into());
        self
    }
}
