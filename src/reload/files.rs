//! Looking at files: by their metadata first, then by their content.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::contents::{Contents, KeyBytes};
use super::key_files::KeyFiles;
use crate::source::{Loader, path_name};
use crate::time::Timestamp;

/// For so many seconds after a change metadata is not believed: a second write within one tick of
/// the file system's clock would leave it the same.
const COARSE_CLOCK_SECONDS: i64 = 3;

/// However still a file seems, it is read again after so many seconds: network file systems hand
/// out old metadata, and tools set modification times back.
const READ_AGAIN_SECONDS: i64 = 60;

/// When the files were looked at, and how they looked.
#[derive(Debug, Default)]
pub(super) struct LastLook {
    stamps: Vec<Stamp>,
    changed: Option<Timestamp>,
    read: Option<Timestamp>,
}

/// A file as its metadata show it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stamp {
    There {
        /// Behind all links: Kubernetes swaps the link to the folder.
        real: Option<PathBuf>,
        bytes: u64,
        modified: Option<Duration>,
        /// Device, inode, and the change of the inode (seconds, nanoseconds), where there are such.
        node: Option<(u64, u64, i64, i64)>,
    },
    Missing(io::ErrorKind),
}

impl Stamp {
    fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(metadata) => Self::There {
                real: fs::canonicalize(path).ok(),
                bytes: metadata.len(),
                modified: (metadata.modified().ok())
                    .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()),
                node: node(&metadata),
            },
            Err(error) => Self::Missing(error.kind()),
        }
    }
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)] // Elsewhere there is none.
fn node(metadata: &Metadata) -> Option<(u64, u64, i64, i64)> {
    use std::os::unix::fs::MetadataExt as _;
    let (changed, nanos) = (metadata.ctime(), metadata.ctime_nsec());
    Some((metadata.dev(), metadata.ino(), changed, nanos))
}

#[cfg(not(unix))]
fn node(_: &Metadata) -> Option<(u64, u64, i64, i64)> {
    None
}

/// What was read, and whether the files held still while they were.
pub(super) struct Reading {
    pub(super) contents: Contents,
    pub(super) still: bool,
}

impl LastLook {
    /// Whether the files may hold something else than when they were read last.
    pub(super) fn may_have_changed(&self, files: &KeyFiles, now: Timestamp) -> bool {
        let within = |seconds, since: Option<Timestamp>| {
            // A clock that was set back makes the last time lie ahead: then read.
            since.is_some_and(|since| (0..seconds).contains(&now.seconds_since(since)))
        };
        within(COARSE_CLOCK_SECONDS, self.changed)
            || !within(READ_AGAIN_SECONDS, self.read)
            || stamps(files) != self.stamps
    }

    pub(super) fn read(&mut self, files: &KeyFiles, loader: &Loader, now: Timestamp) -> Reading {
        let before = stamps(files);
        let contents = Contents {
            certificate_file: path_name(&files.certificates),
            key_file: path_name(&files.key),
            certificates: loader.read(&files.certificates),
            key: loader.read(&files.key).map(KeyBytes::new),
            passphrase: files.passphrase.clone(),
            #[cfg(feature = "ocsp")]
            staple: files.staple.as_ref().map(|file| loader.read(file)),
        };
        let still = stamps(files) == before;
        if before != self.stamps {
            self.changed = Some(now);
        }
        self.read = Some(now);
        // Those from before the read: what changed since shows at the next look.
        self.stamps = before;
        Reading { contents, still }
    }
}

fn stamps(files: &KeyFiles) -> Vec<Stamp> {
    let paths = [&files.certificates, &files.key].into_iter();
    #[cfg(feature = "ocsp")]
    let paths = paths.chain(&files.staple);
    paths.map(|path| Stamp::of(path)).collect()
}
