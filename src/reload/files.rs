//! Looking at files: by their metadata first, then by their content.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::contents::{ChainContents, Contents, KeyBytes, KeyContents};
use super::key_files::KeyFiles;
use crate::source::listing::stamp_of;
use crate::source::stamp::FileStamp;
use crate::source::{Loader, path_name};
use crate::time::Timestamp;

/// For so many seconds after a change metadata is not believed: a second write within one tick of
/// the file system's clock would leave it the same.
const COARSE_CLOCK_SECONDS: i64 = 3;

/// However still a file seems, it is read again after so many seconds: network file systems hand
/// out old metadata, and tools set modification times back.
const READ_AGAIN_SECONDS: i64 = 60;

/// When the files were looked at, and how they looked.
#[derive(Debug, Clone, Default)]
pub(super) struct LastLook {
    stamps: Vec<Stamp>,
    changed: Option<Timestamp>,
    read: Option<Timestamp>,
    /// When a file was last found changed where it lay, rather than replaced.
    written: Option<Timestamp>,
}

/// A file as its metadata show it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stamp {
    There {
        /// Behind all links: Kubernetes swaps the link to the folder.
        real: Option<PathBuf>,
        is_file: bool,
        file: FileStamp,
    },
    Missing(io::ErrorKind),
}

impl Stamp {
    fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(metadata) => Self::There {
                real: fs::canonicalize(path).ok(),
                is_file: metadata.is_file(),
                file: stamp_of(&metadata),
            },
            Err(error) => Self::Missing(error.kind()),
        }
    }
}

impl Stamp {
    /// Whether the file of this stamp was written to until it had the other one.
    fn was_written_to(&self, after: &Self) -> bool {
        self != after && self.place().is_some() && self.place() == after.place()
    }

    /// What a file keeps while it is written to: its path behind all links, its device and its inode.
    fn place(&self) -> Option<(Option<&Path>, Option<(u64, u64)>)> {
        match self {
            Self::There {
                real,
                is_file: true,
                file,
            } => Some((real.as_deref(), file.inode())),
            _ => None,
        }
    }
}

impl LastLook {
    /// Whether the files may hold something else than when they were read last.
    pub(super) fn may_have_changed(&self, files: &KeyFiles, now: Timestamp) -> bool {
        self.may_differ(&paths(files), now)
    }

    /// The same for the files at these paths, whatever they are for.
    pub(super) fn may_differ(&self, paths: &[PathBuf], now: Timestamp) -> bool {
        let within = |seconds, since: Option<Timestamp>| {
            // A clock that was set back makes the last time lie ahead: then read.
            since.is_some_and(|since| (0..seconds).contains(&now.seconds_since(since)))
        };
        within(COARSE_CLOCK_SECONDS, self.changed)
            || !within(READ_AGAIN_SECONDS, self.read)
            || stamps(paths) != self.stamps
    }

    /// What the files hold, and whether they held still while they were read.
    pub(super) fn read(
        &mut self,
        files: &KeyFiles,
        loader: &Loader,
        now: Timestamp,
    ) -> (Contents, bool) {
        let key = |bytes| KeyContents::Encoded {
            bytes: KeyBytes::new(bytes),
            passphrase: files.passphrase.clone(),
        };
        let chain = |bytes| ChainContents::Encoded {
            bytes,
            passphrase: files.passphrase.clone(),
        };
        let read = || Contents {
            certificate_file: path_name(&files.certificates),
            key_file: path_name(&files.key),
            certificates: loader.read(&files.certificates).map(chain),
            key: loader.read(&files.key).map(key),
            #[cfg(feature = "ocsp")]
            staple: files.staple.as_ref().map(|file| loader.read(file)),
        };
        self.read_by(&paths(files), now, read)
    }

    /// What `read` reads of the files at these paths, and whether they held still meanwhile.
    pub(super) fn read_by<T>(
        &mut self,
        paths: &[PathBuf],
        now: Timestamp,
        read: impl FnOnce() -> T,
    ) -> (T, bool) {
        let before = stamps(paths);
        let contents = read();
        let still = stamps(paths) == before;
        if before != self.stamps {
            self.changed = Some(now);
        }
        let written = |stamp: &Stamp| before.iter().any(|then| stamp.was_written_to(then));
        if !still || self.stamps.iter().any(written) {
            self.written = Some(now);
        }
        self.read = Some(now);
        // Those from before the read: what changed since shows at the next look.
        self.stamps = before;
        (contents, still)
    }

    /// So many seconds where a file was changed where it lay within them: it may be half-written. 0 where
    /// none was.
    pub(super) fn written_within(&self, seconds: i64, now: Timestamp) -> i64 {
        let since = self.written;
        match since.is_some_and(|since| (0..seconds).contains(&now.seconds_since(since))) {
            true => seconds,
            false => 0,
        }
    }
}

fn paths(files: &KeyFiles) -> Vec<PathBuf> {
    let paths = [&files.certificates, &files.key].into_iter();
    #[cfg(feature = "ocsp")]
    let paths = paths.chain(&files.staple);
    paths.cloned().collect()
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    paths.iter().map(|path| Stamp::of(path)).collect()
}
