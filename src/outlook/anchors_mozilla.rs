//! Mozilla's trust anchors.

use super::TrustAnchors;

impl TrustAnchors {
    /// Mozilla's trust anchors as compiled into the crate `webpki-root-certs`, with their dates. That crate does
    /// not say of when its list is: [`TrustAnchors::with_list_date`] does, so that somebody hears when it is old.
    pub fn from_mozilla() -> Self {
        let certificates = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        let anchors = Self::builder().with_certificates(certificates).build();
        let all = anchors.as_slice().to_vec();
        anchors.with_public(&all)
    }
}
