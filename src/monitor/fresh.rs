//! What another look at a file or folder brings: what may have changed is read, the rest is as it
//! was read before. An edge, for it reads files.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::looked::{FreshRead, LookedFile};
use super::parts::SourceKey;
use crate::self_check::Cores;
use crate::source::listing::Listed;
use crate::source::loader::no_certificate;
use crate::source::{FailureReason, Loader, SourceContents};
use crate::time::Timestamp;

/// For so many seconds after it was written to, a file's metadata are not believed: a second write
/// within one tick of the file system's clock would leave them the same.
const COARSE_CLOCK_SECONDS: i64 = 3;

/// However still files seem, so many are read again at each look: network file systems hand out
/// old metadata, and tools set modification times back.
const READ_AGAIN_FILES: usize = 100;

/// Of more files, each is read again within so many looks.
const READ_AGAIN_LOOKS: usize = 60;

/// How to look.
#[derive(Debug, Clone, Copy)]
pub(super) struct NextLook {
    pub(super) now: Timestamp,
    /// The number of the look.
    pub(super) number: usize,
    pub(super) trust: MetadataTrust,
}

/// Whether metadata are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MetadataTrust {
    Metadata,
    /// Everything is read.
    Nothing,
}

/// What is read, and by what.
pub(super) struct PathReader<'r> {
    pub(super) path: &'r Path,
    pub(super) loader: &'r Loader,
    pub(super) cores: &'r Cores,
}

impl PathReader<'_> {
    /// Looks once more at what was known.
    pub(super) fn read(&self, known: &[LookedFile], look: NextLook) -> FreshRead {
        let Self {
            path,
            loader,
            cores,
        } = *self;
        let listing = loader.list(path);
        let looking = FileLooker {
            loader,
            in_folder: listing.is_folder,
            look,
            files: listing.entries.len(),
        };
        let pairs = pairs(&listing.entries, known);
        let mut files = cores.map(&pairs, |pair| looking.file(pair));
        let is_empty = files.iter().all(|file| file.contents.is_none());
        if listing.is_folder && is_empty {
            files.push(LookedFile {
                key: SourceKey::from(path.as_os_str()),
                stamp: None,
                is_still: false,
                age_seconds: None,
                contents: Some(Arc::new(no_certificate(path))),
            });
        }
        let mut both = files.iter().zip(known);
        let is_same = files.len() == known.len() && both.all(|(now, before)| now.is_as(before));
        FreshRead {
            files,
            folders: listing.folders,
            is_same,
        }
    }
}

/// Something to look at, and what it was before.
struct EntryPair<'p> {
    number: usize,
    entry: &'p Listed,
    before: Option<&'p LookedFile>,
}

fn pairs<'p>(entries: &'p [Listed], known: &'p [LookedFile]) -> Vec<EntryPair<'p>> {
    let mut by_key: Option<HashMap<&OsStr, &LookedFile>> = None;
    let mut pairs = Vec::with_capacity(entries.len());
    for (number, entry) in entries.iter().enumerate() {
        let key = key_of(entry);
        // Mostly they are the same in the same order.
        let same_place = known.get(number).filter(|file| &*file.key == key);
        let before = same_place.or_else(|| {
            let index = || known.iter().map(|file| (&*file.key, file)).collect();
            by_key.get_or_insert_with(index).get(key).copied()
        });
        pairs.push(EntryPair {
            number,
            entry,
            before,
        });
    }
    pairs
}

fn key_of(entry: &Listed) -> &OsStr {
    match entry {
        Listed::File { path, .. } => path.as_os_str(),
        Listed::Unreadable(failure) => OsStr::new(&*failure.place.source),
    }
}

/// Looks at one file after the other.
struct FileLooker<'l> {
    loader: &'l Loader,
    in_folder: bool,
    look: NextLook,
    files: usize,
}

impl FileLooker<'_> {
    fn file(&self, pair: &EntryPair<'_>) -> LookedFile {
        let (entry, before) = (pair.entry, pair.before);
        let stamp = match entry {
            Listed::File { stamp, .. } => *stamp,
            Listed::Unreadable(_) => None,
        };
        let age_seconds = stamp.and_then(|stamp| stamp.age_seconds(self.look.now));
        if let Some(before) = before {
            let may_differ = before.stamp != stamp
                || !before.is_still
                || self.look.trust == MetadataTrust::Nothing
                || self.is_turn_of(pair.number);
            if !may_differ {
                return LookedFile {
                    age_seconds,
                    ..before.clone()
                };
            }
        }
        let contents = self.loader.load_listed(entry, self.in_folder);
        let is_still = stamp.is_some()
            // Written to in the future: by another clock than ours.
            && age_seconds.is_some_and(|age| age >= COARSE_CLOCK_SECONDS)
            && contents.as_ref().is_none_or(depends_on_bytes_alone);
        // What holds the same is the same: nothing about it is judged again.
        let held = before.and_then(|before| before.contents.as_ref());
        let contents = contents.map(|contents| match held {
            Some(held) if **held == contents => Arc::clone(held),
            _ => Arc::new(contents),
        });
        LookedFile {
            key: before.map_or_else(
                || SourceKey::from(key_of(entry)),
                |before| before.key.clone(),
            ),
            stamp,
            is_still,
            age_seconds,
            contents,
        }
    }

    /// Whether it is read again, however still it seems.
    fn is_turn_of(&self, number: usize) -> bool {
        let each = self.files.div_ceil(READ_AGAIN_LOOKS).max(READ_AGAIN_FILES);
        let turns = self.files.div_ceil(each).max(1);
        number / each == self.look.number % turns
    }
}

/// Whether another read of the same bytes would bring the same: rights, links and disks are not in
/// a file's metadata.
fn depends_on_bytes_alone(contents: &SourceContents) -> bool {
    contents.failures.iter().all(|failure| {
        !matches!(
            failure.reason,
            FailureReason::PermissionDenied
                | FailureReason::BrokenSymlink
                | FailureReason::NotAFile
                | FailureReason::NotFound
                | FailureReason::Io
        )
    })
}
