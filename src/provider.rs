//! The one place that chooses a crypto provider: the caller's, or the process's. Never one of ours.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// The provider that was given, or the process default where one is installed.
pub(crate) fn given_or_default(given: Option<Arc<CryptoProvider>>) -> Option<Arc<CryptoProvider>> {
    given.or_else(|| CryptoProvider::get_default().cloned())
}
