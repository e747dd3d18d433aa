//! Trust anchors from files and folders: an edge, for it reads them.

use std::path::Path;

use crate::outlook::TrustAnchorsBuilder;
use crate::source::Loader;

impl TrustAnchorsBuilder {
    /// Adds every certificate of a file, or of the files in a folder; what could not be read becomes
    /// [`TrustAnchors::errors`](crate::TrustAnchors::errors).
    ///
    /// # How do I trust the operating system's anchors and those of my own CA?
    /// ```
    /// use notafter::TrustAnchors;
    /// # #[cfg(feature = "os-anchors")]
    /// let anchors = TrustAnchors::builder().with_os().with_path("/etc/service/ca.pem").build();
    /// ```
    pub fn with_path(self, path: impl AsRef<Path>) -> Self {
        let sources = Loader::new().load(path);
        sources.iter().fold(self, Self::with_source)
    }
}
