//! What is served at the moment, for reports and metrics.

use std::path::PathBuf;

use super::error::ReloadError;
use crate::cert::Certificate;
use crate::time::Timestamp;

/// One pair as it is served, and as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServedKey {
    /// The certificates' file.
    pub certificate_file: PathBuf,
    /// The private key's file.
    pub key_file: PathBuf,
    /// The chain that is served, leaf first; empty where none was good yet
    /// ([`AtStart::SkipBroken`](super::AtStart::SkipBroken)).
    pub certificates: Vec<Certificate>,
    /// When it was loaded; where none was good yet, when it was looked at first.
    pub since: Timestamp,
    /// The leaf on disk at the last look, fit to be served or not; `None` where none can be read.
    pub on_disk: Option<Certificate>,
    /// The last second at which the served staple is good; `None` where none is served.
    pub staple_good_until: Option<Timestamp>,
    /// Since when nothing on disk can be served; `None` where disk and serving agree.
    pub stale_since: Option<Timestamp>,
    /// Why, at the last look.
    pub error: Option<ReloadError>,
}

impl ServedKey {
    /// The leaf that is served; `None` where none was good yet.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.certificates.first()
    }
}
