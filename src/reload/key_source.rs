//! Sources of pairs that the caller implements: an edge, for what they give may hold rustls's
//! signers.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::error::ReloadError;
use super::key_material::KeyMaterial;
use crate::text::visible;

/// So many characters of what a source says are told.
const MAX_SAID: usize = 512;

/// Where a pair comes from that lies in no files: a secret store, the SPIFFE Workload API, a token.
///
/// It is asked at the start and at every look ([`ReloadingKey::poll`](super::ReloadingKey::poll), `spawn`,
/// `reload_now`), and what it gives passes the same checks as files. So it answers with what is in force
/// at the moment, and decides itself when to ask further: a pair that was not changed is given again.
/// What it gives counts as whole, and is never waited for.
///
/// It may block: handshakes, files and what is pushed do not wait for it, only other sources do, and the next look. Bound
/// that by a timeout. It must not look at the key that it is asked for. Who hears of new pairs
/// by itself needs no source: [`ReloadingKey::set`](super::ReloadingKey::set).
///
/// # How do I serve the pair that my secret store holds?
/// ```
/// use std::error::Error;
/// use std::sync::Arc;
/// use notafter::reload::{KeyMaterial, KeySource};
/// # #[derive(Debug)]
/// # struct Store;
/// # impl Store {
/// #     fn read(&self, _: &str) -> Result<(String, String), std::io::Error> { Err(std::io::ErrorKind::TimedOut.into()) }
/// # }
/// #[derive(Debug)]
/// struct SecretStore {
///     store: Store, // the client of it, with a timeout
/// }
///
/// impl KeySource for SecretStore {
///     fn name(&self) -> &str {
///         "secret store: tls/api"
///     }
///
///     fn fetch(&self) -> Result<KeyMaterial, Box<dyn Error + Send + Sync>> {
///         let (chain, key) = self.store.read("tls/api")?;
///         Ok(KeyMaterial::new(chain, key))
///     }
/// }
///
/// let key = notafter::ReloadingKey::builder()
/// #   .with_provider(Arc::new(rustls::crypto::ring::default_provider()))
///     .with_source(Arc::new(SecretStore { store: Store }))
///     .build();
/// assert_eq!(key.unwrap_err().to_string(), "cannot start: secret store: tls/api: timed out");
/// ```
pub trait KeySource: fmt::Debug + Send + Sync {
    /// Names it in messages, events and metrics, and for
    /// [`ReloadingKey::remove`](super::ReloadingKey::remove): the same each time, and no two of a key alike.
    fn name(&self) -> &str;

    /// Gives the pair that is in force now.
    ///
    /// # Errors
    /// Why there is none to be had, in a few words that say what to do. It is told (`reload_failed`) with its
    /// own sources, 512 characters at the most; the same sentence again at its interval, another one at once.
    fn fetch(&self) -> Result<KeyMaterial, Box<dyn Error + Send + Sync>>;
}

/// A source with the name that it said first.
#[derive(Debug, Clone)]
pub(super) struct NamedSource {
    pub(super) name: String,
    source: Arc<dyn KeySource>,
}

impl NamedSource {
    pub(super) fn new(source: Arc<dyn KeySource>) -> Self {
        Self {
            name: source.name().to_owned(),
            source,
        }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }

    /// Asks it; its panic is a failure of its own.
    ///
    /// # Errors
    /// [`ReloadError::SourceFailed`].
    pub(super) fn fetch(&self) -> Result<KeyMaterial, ReloadError> {
        contained(&self.name, || {
            let fetched = self.source.fetch();
            fetched.map_err(|error| ReloadError::SourceFailed {
                name: self.name.clone(),
                reason: said(&*error),
            })
        })
    }
}

/// What the caller's code comes to, also where it panics.
pub(super) fn contained<T>(
    name: &str,
    run: impl FnOnce() -> Result<T, ReloadError>,
) -> Result<T, ReloadError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        // Dropping what it panicked with may panic again.
        std::mem::forget(payload);
        Err(ReloadError::SourceFailed {
            name: name.to_owned(),
            reason: "it panicked: what it wrote to standard error says where".to_owned(),
        })
    })
}

/// The error, and what it says that caused it.
fn said(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause.filter(|_| said.len() <= MAX_SAID) {
        let error_said = error.to_string();
        // Many an error says its cause itself.
        if !said.ends_with(&error_said) {
            said = format!("{said}: {error_said}");
        }
        cause = error.source();
    }
    let short: String = said.chars().take(MAX_SAID).collect();
    visible(&short)
}
