//! Where a pair lies.

use std::path::PathBuf;

use crate::source::passphrase::Passphrase;

/// Where one certificate chain, its private key and (feature `ocsp`) its staple lie.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct KeyFiles {
    pub(super) certificates: PathBuf,
    pub(super) key: PathBuf,
    pub(super) passphrase: Option<Passphrase>,
    #[cfg(feature = "ocsp")]
    pub(super) staple: Option<PathBuf>,
}

impl KeyFiles {
    /// A file with the chain, leaf first (PEM, or the DER of a leaf alone), and one with the
    /// key, unencrypted unless there is a passphrase; it may be the same file.
    pub fn new(certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificates: certificates.into(),
            key: key.into(),
            passphrase: None,
            #[cfg(feature = "ocsp")]
            staple: None,
        }
    }

    /// Opens the key with this passphrase, where it is encrypted: PKCS#8 with PBES2, under the feature
    /// `encrypted-keys`. A key that is not encrypted is taken as it is.
    ///
    /// Under the feature `containers` both files may be PKCS#12 or a Java keystore, and the same one: its first key is
    /// served with the chain of that key, and whatever certificates lie beside it come after them.
    #[cfg(any(feature = "containers", feature = "encrypted-keys"))]
    pub fn with_passphrase(mut self, passphrase: Passphrase) -> Self {
        self.passphrase = Some(passphrase);
        self
    }

    /// A file with the OCSP response to staple, in DER. It may be missing.
    #[cfg(feature = "ocsp")]
    pub fn with_staple(mut self, file: impl Into<PathBuf>) -> Self {
        self.staple = Some(file.into());
        self
    }
}
