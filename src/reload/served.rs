//! What is served at the moment, for reports and metrics.

use std::path::PathBuf;

use super::error::ReloadError;
use crate::cert::Certificate;
use crate::time::Timestamp;

/// One pair as it is served, and as it lies on disk or was given last.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServedKey {
    /// The certificates' file; of what is pushed or comes from a source, its name.
    pub certificate_file: PathBuf,
    /// The private key's file; of what is pushed or comes from a source, its name.
    pub key_file: PathBuf,
    /// The chain that is served, leaf first; empty where none was good yet
    /// ([`AtStart::SkipBroken`](super::AtStart::SkipBroken)).
    pub certificates: Vec<Certificate>,
    /// When it was loaded; where none was good yet, when it was looked at first.
    pub since: Timestamp,
    /// The leaf on disk at the last look, or that was given last, fit to be served or not; `None`
    /// where none can be read.
    pub on_disk: Option<Certificate>,
    /// The last second at which the served staple is good; `None` where none is served.
    pub staple_good_until: Option<Timestamp>,
    /// Since when what is there cannot be served; `None` where it is.
    pub stale_since: Option<Timestamp>,
    /// Why, at the last look.
    pub error: Option<ReloadError>,
    pub(super) whence: Whence,
    /// For so long after `stale_since` it may be half-written.
    pub(super) settle_seconds: i64,
}

/// Where a pair comes from, as far as messages say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whence {
    Disk,
    Source,
}

impl Whence {
    /// Where it lies.
    pub(super) const fn there(self) -> &'static str {
        match self {
            Self::Disk => "on disk",
            Self::Source => "at its source",
        }
    }
}

impl ServedKey {
    /// The leaf that is served; `None` where none was good yet.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.certificates.first()
    }
}
