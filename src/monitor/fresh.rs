//! What another look at a file or folder brings: what may have changed is read, the rest is as it
//! was read before. An edge, for it reads files.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::cores::Cores;
use super::known::KnownInOrder;
use super::looked::{FreshRead, LookedFile};
use super::parts::SourceKey;
use crate::source::listed::Listed;
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
    let mut known = KnownInOrder::new(known);
    let mut pairs = Vec::with_capacity(entries.len());
    for (number, entry) in entries.iter().enumerate() {
        let before = known.find_by(|key| is_at(entry, key), || key_of(entry));
        pairs.push(EntryPair {
            number,
            entry,
            before,
        });
    }
    pairs
}

fn is_at(entry: &Listed, key: &OsStr) -> bool {
    match entry {
        Listed::File(file) => file.is_at(key),
        Listed::Unreadable(failure) => *key == *failure.place.source,
    }
}

fn key_of(entry: &Listed) -> SourceKey {
    match entry {
        Listed::File(file) => file.path().into_os_string().into(),
        Listed::Unreadable(failure) => SourceKey::from(OsStr::new(&*failure.place.source)),
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
            Listed::File(file) => file.stamp,
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
            key: before.map_or_else(|| key_of(entry), |before| Arc::clone(&before.key)),
            stamp,
            is_still,
            age_seconds,
            contents,
        }
    }

    fn is_turn_of(&self, number: usize) -> bool {
        is_turn_of(number, self.files, self.look.number)
    }
}

/// Whether the file of this number, of so many, is read at this look, however still it seems.
fn is_turn_of(number: usize, files: usize, look: usize) -> bool {
    let each = files.div_ceil(READ_AGAIN_LOOKS).max(READ_AGAIN_FILES);
    let turns = files.div_ceil(each).max(1);
    number / each == look % turns
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_still_files_seem_each_is_read_again_within_sixty_looks() {
        for (files, most) in [
            (1, 1),
            (100, 100),
            (101, 100),
            (6_000, 100),
            (6_001, 101),
            (100_000, 1_667),
        ] {
            let mut read = vec![0; files];
            for look in 1_000..1_060 {
                let turns: Vec<_> = (0..files).filter(|n| is_turn_of(*n, files, look)).collect();
                assert!(
                    (1..=most).contains(&turns.len()),
                    "{files}: {}",
                    turns.len()
                );
                turns.into_iter().for_each(|n| read[n] += 1);
            }
            assert!(read.iter().all(|times| *times >= 1), "{files}");
        }
    }
}
