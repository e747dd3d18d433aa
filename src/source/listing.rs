//! What lies at a path, before any of it is read: an edge, for it looks at files.

use std::collections::{HashSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::listed::{Listed, ListedFile, Listing};
use super::not_found;
use super::path_name::path_name;
use super::stamp::FileStamp;
use super::{FailureReason, SourceFailure};

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
    let file = ListedFile {
        folder: None,
        name: path.as_os_str().to_owned(),
        stamp: found.as_ref().ok().map(stamp_of),
    };
    Listing {
        is_folder: false,
        entries: vec![Listed::File(file)],
        folders: Vec::new(),
    }
}

fn list_folder(root: &Path, limits: ListingLimits) -> Listing {
    let mut walk = FolderWalk {
        limits,
        folders: HashSet::new(),
        by_links: HashSet::new(),
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
    /// The real paths of folders that were looked through.
    folders: HashSet<PathBuf>,
    /// The real paths of files that links led to.
    by_links: HashSet<PathBuf>,
    next: VecDeque<(PathBuf, usize)>,
    files: usize,
    listing: Listing,
}

impl FolderWalk {
    /// Lists one folder's files and remembers its sub-folders; `false` when the limit is reached.
    fn enter(&mut self, folder: &Path, depth: usize) -> bool {
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if self.folders.contains(&real) {
            return true;
        }
        let found = match look_into(folder) {
            Ok(found) => found,
            Err(error) => {
                self.folders.insert(real);
                self.fail(io_failure(folder, &error));
                return true;
            }
        };
        self.listing.folders.push(folder.to_owned());
        let place: Arc<Path> = folder.into();
        for Found { name, kind } in found {
            let stamp = match kind {
                FoundKind::Folder => {
                    self.sub_folder(folder.join(&name), depth);
                    continue;
                }
                FoundKind::Unreadable(error) => {
                    self.fail(io_failure(&folder.join(&name), &error));
                    continue;
                }
                // Sockets, pipes and devices in a folder are nobody's certificates.
                FoundKind::Other => continue,
                FoundKind::File(stamp) => {
                    if self.was_linked_to(&real, &name) {
                        continue;
                    }
                    stamp
                }
                FoundKind::Link(target, stamp) => {
                    if !self.is_first(target, &real, &name) {
                        continue;
                    }
                    stamp
                }
            };
            if self.files >= self.limits.files {
                let detail = format!("over {} files; the rest was not read", self.limits.files);
                self.fail(too_large(folder, detail));
                return false;
            }
            self.files += 1;
            self.listing.entries.push(Listed::File(ListedFile {
                folder: Some(Arc::clone(&place)),
                name,
                stamp: Some(stamp),
            }));
        }
        self.folders.insert(real);
        true
    }

    fn was_linked_to(&self, folder: &Path, name: &OsStr) -> bool {
        !self.by_links.is_empty() && self.by_links.contains(&folder.join(name))
    }

    /// Whether the file that a link of this name, in this folder, leads to was not seen yet.
    fn is_first(&mut self, target: PathBuf, folder: &Path, name: &OsStr) -> bool {
        let was_seen = match (target.parent(), target.file_name()) {
            // Files come by their names.
            (Some(outer), Some(own)) if outer == folder => own < name,
            (Some(outer), _) => self.folders.contains(outer),
            (None, _) => false,
        };
        !was_seen && self.by_links.insert(target)
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
    name: OsString,
    kind: FoundKind,
}

enum FoundKind {
    File(FileStamp),
    /// A link to a file: its real path, and how it looks.
    Link(PathBuf, FileStamp),
    Folder,
    Other,
    Unreadable(io::Error),
}

/// What is in a folder, by name.
fn look_into(folder: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        found.push(Found {
            kind: kind_of(&entry).unwrap_or_else(FoundKind::Unreadable),
            name: entry.file_name(),
        });
    }
    found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Behind links alone is looked by path: everything else is where its folder is.
fn kind_of(entry: &DirEntry) -> io::Result<FoundKind> {
    let is_link = entry.file_type()?.is_symlink();
    let metadata = match is_link {
        true => fs::metadata(entry.path())?,
        false => entry.metadata()?,
    };
    Ok(match (metadata.is_dir(), metadata.is_file()) {
        (true, _) => FoundKind::Folder,
        (_, false) => FoundKind::Other,
        (_, true) if is_link => {
            let path = entry.path();
            let real = fs::canonicalize(&path).unwrap_or(path);
            FoundKind::Link(real, stamp_of(&metadata))
        }
        (_, true) => FoundKind::File(stamp_of(&metadata)),
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
