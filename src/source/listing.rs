//! What lies at a path, before any of it is read: an edge, for it looks at files.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::fs::{self, DirEntry, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::not_found;
use super::path_name::path_name;
use super::stamp::FileStamp;
use super::{FailureReason, SourceFailure};

/// What is to be read of a file or a folder, in that order.
#[derive(Debug, Default)]
#[cfg_attr(not(feature = "monitor"), allow(dead_code))] // Who looks again comes with it.
pub(crate) struct Listing {
    /// Whether a folder lies there, rather than a file.
    pub(crate) is_folder: bool,
    pub(crate) entries: Vec<Listed>,
    /// Every folder that was looked into.
    pub(crate) folders: Vec<PathBuf>,
}

/// A file to be read, or something that cannot even be looked at.
#[derive(Debug)]
#[cfg_attr(not(feature = "monitor"), allow(dead_code))]
pub(crate) enum Listed {
    File {
        path: PathBuf,
        /// As it was before it is read; `None` where nothing is known of it.
        stamp: Option<FileStamp>,
    },
    Unreadable(SourceFailure),
}

/// How much of a folder is listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListingLimits {
    pub(super) files: usize,
    pub(super) depth: usize,
}

/// Lists a file, or a folder with what is below it.
pub(super) fn list(path: &Path, limits: ListingLimits) -> Listing {
    let found = fs::metadata(path);
    if found.as_ref().is_ok_and(Metadata::is_dir) {
        return list_folder(path, limits);
    }
    let entry = Listed::File {
        path: path.to_owned(),
        stamp: found.as_ref().ok().map(stamp_of),
    };
    Listing {
        is_folder: false,
        entries: vec![entry],
        folders: Vec::new(),
    }
}

fn list_folder(root: &Path, limits: ListingLimits) -> Listing {
    let mut walk = FolderWalk {
        limits,
        visited: HashSet::new(),
        next: VecDeque::from([(root.to_owned(), 0)]),
        files: 0,
        listing: Listing {
            is_folder: true,
            ..Listing::default()
        },
    };
    while let Some((folder, depth)) = walk.next.pop_front() {
        if !walk.enter(&folder, depth) {
            break;
        }
    }
    walk.listing
}

struct FolderWalk {
    limits: ListingLimits,
    /// Real paths.
    visited: HashSet<PathBuf>,
    next: VecDeque<(PathBuf, usize)>,
    files: usize,
    listing: Listing,
}

impl FolderWalk {
    /// Lists one folder's files and remembers its sub-folders; `false` when the limit is reached.
    fn enter(&mut self, folder: &Path, depth: usize) -> bool {
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if !self.visited.insert(real.clone()) {
            return true;
        }
        let entries = match entries_of(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.fail(io_failure(folder, &error));
                return true;
            }
        };
        self.listing.folders.push(folder.to_owned());
        for (name, entry) in entries {
            let path = folder.join(&name);
            let found = match look(&entry, &path, || real.join(&name)) {
                Ok(found) => found,
                Err(error) => {
                    self.fail(io_failure(&path, &error));
                    continue;
                }
            };
            if found.metadata.is_dir() {
                self.sub_folder(path, depth);
                continue;
            }
            // Sockets, pipes and devices in a folder are nobody's certificates.
            if !found.metadata.is_file() || !self.visited.insert(found.real) {
                continue;
            }
            if self.files >= self.limits.files {
                let detail = format!("over {} files; the rest was not read", self.limits.files);
                self.fail(too_large(folder, detail));
                return false;
            }
            self.files += 1;
            let stamp = Some(stamp_of(&found.metadata));
            self.listing.entries.push(Listed::File { path, stamp });
        }
        true
    }

    fn sub_folder(&mut self, path: PathBuf, depth: usize) {
        if depth < self.limits.depth {
            self.next.push_back((path, depth + 1));
        } else {
            let detail = format!("over {} folders deep", self.limits.depth);
            self.fail(too_large(&path, detail));
        }
    }

    fn fail(&mut self, failure: SourceFailure) {
        self.listing.entries.push(Listed::Unreadable(failure));
    }
}

/// Something in a folder, behind all links.
struct Found {
    metadata: Metadata,
    /// What it is told apart by.
    real: PathBuf,
}

/// Looks behind links alone by their paths: everything else is where its folder is.
fn look(entry: &DirEntry, path: &Path, real: impl FnOnce() -> PathBuf) -> io::Result<Found> {
    if entry.file_type().as_ref().is_ok_and(FileType::is_symlink) {
        return Ok(Found {
            metadata: fs::metadata(path)?,
            real: fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
        });
    }
    Ok(Found {
        metadata: entry.metadata()?,
        real: real(),
    })
}

/// What the operating system says of a file.
pub(crate) fn stamp_of(metadata: &Metadata) -> FileStamp {
    FileStamp {
        bytes: metadata.len(),
        modified: (metadata.modified().ok())
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()),
        node: node(metadata),
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

/// What is in a folder, by name.
fn entries_of(folder: &Path) -> io::Result<Vec<(OsString, DirEntry)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        entries.push((entry.file_name(), entry));
    }
    entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(entries)
}

fn too_large(path: &Path, detail: String) -> SourceFailure {
    SourceFailure::whole(&path_name(path), FailureReason::TooLarge, detail)
}

/// What an error says of the file at this path.
pub(super) fn io_failure(path: &Path, error: &io::Error) -> SourceFailure {
    let reason = match error.kind() {
        io::ErrorKind::NotFound if fs::symlink_metadata(path).is_ok() => {
            FailureReason::BrokenSymlink
        }
        io::ErrorKind::NotFound => FailureReason::NotFound,
        io::ErrorKind::PermissionDenied => FailureReason::PermissionDenied,
        io::ErrorKind::NotADirectory => FailureReason::NotFound,
        _ => FailureReason::Io,
    };
    let name = path_name(path);
    let failure = SourceFailure::whole(&name, reason, error.to_string());
    match reason {
        FailureReason::NotFound => failure.with_advice(not_found::advice(&name)),
        _ => failure,
    }
}
