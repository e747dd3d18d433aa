//! What opens an encrypted private key.

#[cfg(feature = "encrypted-keys")]
use std::fmt;

#[cfg(feature = "encrypted-keys")]
use pkcs8::der::zeroize::Zeroizing;

/// The passphrase of an encrypted private key: never printed, and wiped from memory when dropped.
///
/// # How do I serve an encrypted key?
/// ```
/// use notafter::reload::{KeyFiles, ReloadingKey};
/// use notafter::source::Passphrase;
/// # fn serve(secret: Vec<u8>) {
/// let files = KeyFiles::new("/etc/service/tls.crt", "/etc/service/tls.key")
///     .with_passphrase(Passphrase::new(secret));
/// let key = ReloadingKey::builder().with_files(files).build();
/// # }
/// ```
#[cfg(feature = "encrypted-keys")]
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

#[cfg(feature = "encrypted-keys")]
impl Passphrase {
    /// Takes the bytes as they are: without the line end that a file of it may have.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(feature = "encrypted-keys")]
impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Without the feature `encrypted-keys` there is none.
#[cfg(not(feature = "encrypted-keys"))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Passphrase {}
