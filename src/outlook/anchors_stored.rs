//! Trust anchors from where they are kept: the operating system, Mozilla's list, rustls.

use rustls::RootCertStore;

use crate::outlook::TrustAnchors;

impl TrustAnchors {
    /// The operating system's trust anchors, with their dates, through rustls-native-certs
    /// (which honours `SSL_CERT_FILE` and `SSL_CERT_DIR`).
    ///
    /// What could not be read is in [`TrustAnchors::errors`]; an empty result means that the
    /// system has none (on Linux: install `ca-certificates`).
    #[cfg(feature = "os-anchors")]
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

    /// Mozilla's trust anchors as compiled into the crate `webpki-root-certs`, with their dates.
    #[cfg(feature = "mozilla-anchors")]
    pub fn from_mozilla() -> Self {
        let certificates = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        let anchors = Self::builder().with_certificates(certificates).build();
        let all = anchors.as_slice().to_vec();
        anchors.with_public(&all)
    }
}

impl From<&RootCertStore> for TrustAnchors {
    /// The anchors of a rustls store, which does not keep their dates.
    fn from(store: &RootCertStore) -> Self {
        Self::builder()
            .with_undated_anchors(store.roots.iter().cloned())
            .build()
    }
}

impl From<&TrustAnchors> for RootCertStore {
    /// The same anchors for a rustls verifier.
    fn from(anchors: &TrustAnchors) -> Self {
        Self {
            roots: anchors.as_slice().to_vec(),
        }
    }
}
