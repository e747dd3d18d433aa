//! The folder in which pins are kept: an edge, for it writes files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::store::{PinStorage, StateFile};

/// A file of more bytes is none of ours.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Keeps the state of a [`PinStore`](crate::PinStore) in a folder of its own, which is made when
/// it is first written to.
///
/// One process should write it: of two that apply at the same instant, the later one wins (each
/// looks for the other's state before it applies, and no file is ever half-written).
///
/// # How do I keep announced pins over a restart?
/// ```
/// use std::sync::Arc;
/// use notafter::{PinFolder, PinStorage, StateFile};
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path().join("pins");
/// let folder = Arc::new(PinFolder::new(&path)); // e.g. /var/lib/service/pins
/// assert_eq!(folder.read(StateFile::First)?, None);
/// // PinStore::builder(floor, ..).with_storage(folder)
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PinFolder {
    path: PathBuf,
}

impl PinFolder {
    /// This folder. Nothing is touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self, file: StateFile) -> PathBuf {
        self.path.join(file.as_str())
    }

    fn new_file(&self, file: StateFile) -> PathBuf {
        self.path.join(format!("{file}.new"))
    }
}

impl PinStorage for PinFolder {
    fn read(&self, file: StateFile) -> io::Result<Option<Vec<u8>>> {
        let opened = match File::open(self.file(file)) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if !opened.metadata()?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        // One byte more than allowed shows that there are too many.
        opened.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn write_new(&self, file: StateFile, bytes: &[u8]) -> io::Result<()> {
        create_folder(&self.path)?;
        let path = self.new_file(file);
        // Never through a link that someone put there.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut new = OpenOptions::new();
        let mut new = new.write(true).create_new(true).open(path)?;
        new.write_all(bytes)
    }

    fn sync_new(&self, file: StateFile) -> io::Result<()> {
        let new = OpenOptions::new().write(true).open(self.new_file(file))?;
        new.sync_all()
    }

    fn rename_new(&self, file: StateFile) -> io::Result<()> {
        fs::rename(self.new_file(file), self.file(file))
    }

    fn sync_folder(&self) -> io::Result<()> {
        sync_folder(&self.path)
    }
}

#[cfg(unix)]
fn create_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path)?;
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .map_or(Ok(()), sync_folder)
}

#[cfg(not(unix))]
fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Folders cannot be opened there; the rename itself is recorded by the file system.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
