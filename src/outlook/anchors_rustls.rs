//! Trust anchors from and for rustls: an edge, for it names rustls.

use rustls::RootCertStore;

use crate::outlook::TrustAnchors;

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
