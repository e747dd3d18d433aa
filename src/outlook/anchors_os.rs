//! The operating system's trust anchors: an edge, for it reads files.

use crate::outlook::{TrustAnchors, TrustAnchorsBuilder};

impl TrustAnchors {
    /// The operating system's trust anchors, with their dates, through rustls-native-certs
    /// (which honours `SSL_CERT_FILE` and `SSL_CERT_DIR`).
    ///
    /// What could not be read is in [`TrustAnchors::errors`]; an empty result means that the
    /// system has none (on Linux: install `ca-certificates`).
    pub fn from_os() -> Self {
        Self::builder().with_os().build()
    }
}

impl TrustAnchorsBuilder {
    /// Adds the operating system's trust anchors, as [`TrustAnchors::from_os`] finds them.
    pub fn with_os(mut self) -> Self {
        let native = rustls_native_certs::load_native_certs();
        for error in &native.errors {
            self = self.with_error("of the OS".to_owned(), error.to_string());
        }
        self = self.with_certificates(&native.certs);
        // Which of them are public can only be said with Mozilla's list.
        #[cfg(feature = "mozilla-anchors")]
        {
            self = self.with_public(TrustAnchors::from_mozilla().as_slice());
        }
        self
    }
}
