//! Where anchors or lists lie: an edge, for it looks at files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::kind::TrustKind;
use crate::reload::files::LastLook;
use crate::source::{Loader, path_name};
use crate::time::Timestamp;

/// More files than this in a folder are read, but their metadata is not looked at.
const MAX_WATCHED_FILES: usize = 10_000;

/// Whether the operating system's store is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum OsStore {
    #[default]
    LeftOut,
    #[cfg(feature = "os-anchors")]
    Followed,
}

/// All places of one set of anchors or lists.
#[derive(Debug, Clone, Default)]
pub(super) struct TrustPlaces {
    pub(super) paths: Vec<PathBuf>,
    /// By the name that the application gave.
    pub(super) pushed: BTreeMap<String, Vec<u8>>,
    pub(super) os: OsStore,
}

impl TrustPlaces {
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.pushed.is_empty() && self.os == OsStore::LeftOut
    }

    /// What people call all of it.
    pub(super) fn name(&self) -> String {
        let paths = self.paths.iter().map(|path| path_name(path));
        let mut names: Vec<_> = paths.chain(self.pushed.keys().cloned()).collect();
        if self.os != OsStore::LeftOut {
            names.push("the operating system's store".to_owned());
        }
        names.join(", ")
    }

    /// Every path whose metadata show a change.
    pub(super) fn watched(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut next: Vec<_> = self.paths.iter().rev().cloned().collect();
        while let Some(path) = next.pop() {
            if found.len() >= MAX_WATCHED_FILES {
                break;
            }
            if fs::metadata(&path).is_ok_and(|metadata| metadata.is_dir()) && !seen(&found, &path) {
                next.extend(files_of(&path).into_iter().rev());
            }
            found.push(path);
        }
        found
    }

    /// Reads all of it.
    pub(super) fn read<K: TrustKind>(
        &self,
        kind: &K,
        look: &mut LastLook,
        loader: &Loader,
        now: Timestamp,
    ) -> Vec<K::Contents> {
        let watched = self.watched();
        let (contents, _) = look.read_by(&watched, now, || {
            let paths = self.paths.iter();
            let mut contents: Vec<_> = paths
                .flat_map(|path| kind.read_path(path, loader))
                .collect();
            for (name, bytes) in &self.pushed {
                contents.extend(kind.read_bytes(name, bytes));
            }
            if self.os != OsStore::LeftOut {
                contents.extend(kind.read_os());
            }
            contents
        });
        contents
    }
}

/// The entries of a folder, in order; what cannot be looked at shows when it is read.
fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Whether a folder is an outer one of itself, by way of a link.
fn seen(found: &[PathBuf], folder: &Path) -> bool {
    let Ok(real) = fs::canonicalize(folder) else {
        return false;
    };
    let mut outer = found
        .iter()
        .filter(|path| folder.starts_with(path) && *path != folder);
    outer.any(|path| fs::canonicalize(path).is_ok_and(|path| path == real))
}
