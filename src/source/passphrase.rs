//! What opens an encrypted private key, or a container.

#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
use std::fmt;
#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
use std::sync::Arc;

#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
use pkcs8::der::zeroize::Zeroizing;

/// The passphrase of an encrypted private key or of a container: never printed, and wiped from memory when dropped.
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
#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
#[derive(Clone)]
pub struct Passphrase(Known);

#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
#[derive(Clone)]
enum Known {
    Now(Zeroizing<Vec<u8>>),
    WhenAsked(Arc<Ask>),
}

#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
type Ask = dyn Fn() -> Option<Vec<u8>> + Send + Sync;

#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
impl Passphrase {
    /// Takes the bytes as they are: without the line end that a file of it may have.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Known::Now(Zeroizing::new(bytes.into())))
    }

    /// Asks for the bytes whenever there is an encrypted key or a container to be opened, and keeps them no longer
    /// than that takes: at the start, at each renewal, and at each look while one cannot be opened. `None` where there
    /// is none to be had; it must not block for long, for nothing else is looked at meanwhile.
    ///
    /// # How do I keep the passphrase out of my process's memory?
    /// ```
    /// use notafter::source::Passphrase;
    /// # fn ask_the_keyring(_: &str) -> Option<Vec<u8>> { None }
    /// let passphrase = Passphrase::from_fn(|| ask_the_keyring("tls/api"));
    /// ```
    pub fn from_fn(ask: impl Fn() -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self(Known::WhenAsked(Arc::new(ask)))
    }

    /// The bytes; `None` where nobody knows them at the moment.
    pub(super) fn bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        match &self.0 {
            Known::Now(bytes) => Some(bytes.clone()),
            Known::WhenAsked(ask) => ask().map(Zeroizing::new),
        }
    }
}

/// Two that are asked for are equal where it is the same function that is asked.
#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Known::Now(bytes), Known::Now(other)) => bytes == other,
            (Known::WhenAsked(ask), Known::WhenAsked(other)) => Arc::ptr_eq(ask, other),
            _ => false,
        }
    }
}

#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
impl Eq for Passphrase {}

#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Without the features `containers` and `encrypted-keys` there is none.
#[cfg(not(any(feature = "containers", feature = "encrypted-keys")))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Passphrase {}
