//! The operating system's trust anchors: an edge, for it reads files.

use crate::outlook::TrustAnchors;

impl TrustAnchors {
    /// The operating system's trust anchors, with their dates, through rustls-native-certs
    /// (which honours `SSL_CERT_FILE` and `SSL_CERT_DIR`).
    ///
    /// What could not be read is in [`TrustAnchors::errors`]; an empty result means that the
    /// system has none (on Linux: install `ca-certificates`).
    pub fn from_os() -> Self {
        let native = rustls_native_certs::load_native_certs();
        let mut builder = Self::builder();
        for error in &native.errors {
            builder = builder.with_error("of the OS".to_owned(), error.to_string());
        }
        let anchors = builder.with_certificates(&native.certs).build();
        // Which of them are public can only be said with Mozilla's list.
        #[cfg(feature = "mozilla-anchors")]
        let anchors = anchors.with_public(Self::from_mozilla().as_slice());
        anchors
    }
}
