//! What a look at a file or folder found.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::known::Keyed;
use super::parts::SourceKey;
use crate::source::stamp::FileStamp;
use crate::source::{SourceContents, path_name};

/// A file as it was at a look.
#[derive(Debug, Clone)]
pub(super) struct LookedFile {
    pub(super) key: SourceKey,
    pub(super) stamp: Option<FileStamp>,
    /// Its metadata say whether it has changed.
    pub(super) is_still: bool,
    /// How many seconds before the look it was written to.
    pub(super) age_seconds: Option<i64>,
    /// `None` for a file that has nothing to do with certificates.
    pub(super) contents: Option<Arc<SourceContents>>,
}

/// What a look found.
#[derive(Debug)]
pub(super) struct FreshRead {
    pub(super) files: Vec<LookedFile>,
    pub(super) folders: Vec<PathBuf>,
    /// Whether every file is as it was.
    pub(super) is_same: bool,
}

impl FreshRead {
    /// What is there, whatever it holds.
    pub(super) fn names(&self) -> impl Iterator<Item = String> + '_ {
        let files = self.files.iter().map(|file| Path::new(&*file.key));
        files
            .chain(self.folders.iter().map(PathBuf::as_path))
            .map(path_name)
    }
}

impl LookedFile {
    pub(super) fn is_as(&self, before: &Self) -> bool {
        let is_held = match (&self.contents, &before.contents) {
            (Some(now), Some(before)) => Arc::ptr_eq(now, before),
            (None, None) => true,
            _ => false,
        };
        is_held
            && self.key == before.key
            && self.stamp == before.stamp
            && self.is_still == before.is_still
    }
}

impl Keyed for LookedFile {
    fn key(&self) -> &OsStr {
        &self.key
    }
}
