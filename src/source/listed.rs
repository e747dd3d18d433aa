//! What was found at a path, before any of it is read.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf, is_separator};
use std::sync::Arc;

use super::SourceFailure;
use super::stamp::FileStamp;

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
pub(crate) enum Listed {
    File(ListedFile),
    Unreadable(SourceFailure),
}

/// A file to be read. Of a folder of many most are only looked at, so its path is made when it is
/// asked for.
#[derive(Debug)]
#[cfg_attr(not(feature = "monitor"), allow(dead_code))]
pub(crate) struct ListedFile {
    /// `None` for a file that was named itself.
    pub(super) folder: Option<Arc<Path>>,
    pub(super) name: OsString,
    /// As it was before it is read; `None` where nothing is known of it.
    pub(crate) stamp: Option<FileStamp>,
}

#[cfg_attr(not(feature = "monitor"), allow(dead_code))]
impl ListedFile {
    pub(crate) fn path(&self) -> PathBuf {
        match &self.folder {
            Some(folder) => folder.join(&self.name),
            None => PathBuf::from(&self.name),
        }
    }

    /// Whether this is its path, as [`ListedFile::path`] makes it.
    pub(crate) fn is_at(&self, path: &OsStr) -> bool {
        let Some(folder) = &self.folder else {
            return path == self.name;
        };
        let folder = folder.as_os_str().as_encoded_bytes();
        let path = path.as_encoded_bytes();
        let before = path.strip_suffix(self.name.as_encoded_bytes());
        let is_parted = |byte: &u8| is_separator(char::from(*byte));
        match before.and_then(|before| before.strip_prefix(folder)) {
            Some([]) => folder.last().is_some_and(is_parted),
            Some([between]) => is_parted(between) && !folder.last().is_some_and(is_parted),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_file_knows_its_path() {
        for (folder, name) in [("/a/b", "c"), ("/a/b/", "c"), ("/", "c"), ("a", "b")] {
            let file = ListedFile {
                folder: Some(Path::new(folder).into()),
                name: name.into(),
                stamp: None,
            };
            assert!(file.is_at(file.path().as_os_str()), "{folder} {name}");
            for other in ["/a/bc", "/a/b/d", "c", "/a/b/x/c", "/a/b//c", ""] {
                assert!(!file.is_at(OsStr::new(other)), "{folder} {name} {other}");
            }
        }
    }
}
