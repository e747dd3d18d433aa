//! The one place that chooses a crypto provider: the caller's, the process's, or the only one that
//! rustls was built with, as rustls itself does. Never one of ours, and none is installed.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// The provider that was given; else the process default where one is installed; else the only one
/// that rustls was built with.
pub(crate) fn given_or_default(given: Option<Arc<CryptoProvider>>) -> Option<Arc<CryptoProvider>> {
    given
        .or_else(|| CryptoProvider::get_default().cloned())
        .or_else(only_one_built)
}

/// `None` where rustls has none, or several: which one is meant is then the application's to say.
fn only_one_built() -> Option<Arc<CryptoProvider>> {
    match (built_in::ring(), built_in::aws_lc_rs()) {
        (Some(provider), None) | (None, Some(provider)) => Some(Arc::new(provider)),
        _ => None,
    }
}

/// Why there is no provider, and what to do: of [`given_or_default`], where it has none.
pub(crate) fn why_none() -> &'static str {
    match (built_in::ring(), built_in::aws_lc_rs()) {
        (None, None) => {
            "rustls was built without one; enable its feature ring or aws-lc-rs, \
             or call with_provider with one of your own"
        }
        _ => {
            "rustls was built with several, and the process has no default; call with_provider, \
             or install a process default with CryptoProvider::install_default"
        }
    }
}

/// The providers that rustls was built with.
///
/// Which ones those are say features of rustls that Cargo does not show to this crate. A name that
/// rustls has in `rustls::crypto` hides the name of the same module here; where rustls has none, the
/// one here answers.
#[allow(unused_imports, clippy::wildcard_imports, clippy::useless_conversion)]
mod built_in {
    use rustls::crypto::CryptoProvider;

    pub(super) fn ring() -> Option<CryptoProvider> {
        use rustls::crypto::*;
        ring::default_provider().into()
    }

    pub(super) fn aws_lc_rs() -> Option<CryptoProvider> {
        use rustls::crypto::*;
        aws_lc_rs::default_provider().into()
    }

    #[allow(dead_code)]
    mod ring {
        pub(super) fn default_provider() -> Option<super::CryptoProvider> {
            None
        }
    }

    #[allow(dead_code)]
    mod aws_lc_rs {
        pub(super) fn default_provider() -> Option<super::CryptoProvider> {
            None
        }
    }
}
