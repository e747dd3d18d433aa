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
    /// None of them is such a choice itself.
    AnyOf(Arc<[Passphrase]>),
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

    /// One of these, whichever opens what is to be opened: they are tried in this order. A key in a Java keystore may
    /// have another one than its store.
    ///
    /// Each try costs what the file says that one costs, and all of them together no more than one may: 10,000,000
    /// iterations a file. Put first what opens most of the files. Those of [`Passphrase::from_fn`] are asked for when
    /// their turn comes.
    ///
    /// # The keystores of this folder have different passphrases. How do I watch them?
    /// ```
    /// # #[cfg(feature = "containers")]
    /// # {
    /// use notafter::Loader;
    /// use notafter::source::{Containers, Passphrase};
    /// let passphrases = ["changeit", "of the old application"].map(Passphrase::new);
    /// let containers = Containers::new().with_passphrase(Passphrase::any_of(passphrases));
    /// for contents in Loader::new().with_containers(containers).load("/etc/keystores") {
    ///     println!("{}: {} certificates", contents.source, contents.certificates.len());
    /// }
    /// # }
    /// ```
    pub fn any_of(passphrases: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Vec::new();
        for passphrase in passphrases {
            match passphrase.0 {
                Known::AnyOf(several) => all.extend(several.iter().cloned()),
                known => all.push(Self(known)),
            }
        }
        Self(Known::AnyOf(all.into()))
    }

    /// How many may be tried.
    pub(super) fn count(&self) -> usize {
        self.all().len()
    }

    /// The bytes of each, known when its turn comes; `None` where nobody knows them at the moment.
    pub(super) fn each(&self) -> impl Iterator<Item = Option<Zeroizing<Vec<u8>>>> {
        self.all().iter().map(|passphrase| match &passphrase.0 {
            Known::Now(bytes) => Some(bytes.clone()),
            Known::WhenAsked(ask) => ask().map(Zeroizing::new),
            Known::AnyOf(_) => None,
        })
    }

    fn all(&self) -> &[Self] {
        match &self.0 {
            Known::AnyOf(several) => several,
            _ => std::slice::from_ref(self),
        }
    }
}

/// Two that are asked for are equal where it is the same function that is asked; several, where each is, in
/// the same order.
#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Known::Now(bytes), Known::Now(other)) => bytes == other,
            (Known::WhenAsked(ask), Known::WhenAsked(other)) => Arc::ptr_eq(ask, other),
            (Known::AnyOf(several), Known::AnyOf(others)) => several == others,
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
