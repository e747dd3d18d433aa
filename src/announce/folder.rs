//! The folder in which pins are kept: an edge, for it writes files.

use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::Duration;

use crate::announce::{PinStorage, StateFile, StorageLock};
use crate::source::regular_file;
#[cfg(unix)]
use crate::text::visible;

/// A file of more bytes is none of ours.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Locked by whoever writes. It stays there, empty.
const LOCK: &str = "pins-lock";

/// What is written beside a file, before it takes its place, ends with it.
const NEW: &str = ".new";

/// How the names of all state files begin.
const STATE_FILES: [&str; 2] = ["pins-", "roots-"];

/// How often the lock is tried, and how long it is waited in between: 5 s in all. Nobody needs it for
/// longer than a few writes take.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(25);

/// Keeps the state of a [`PinStore`](crate::PinStore) in a folder of its own, which is made when
/// it is first written to.
///
/// Several processes may use it: each holds an advisory lock (on the file `pins-lock`) while it looks for
/// what others applied, applies, and writes. On a file system without locks, of two that apply at the
/// same instant the later one wins; no file is ever half-written either way.
///
/// It should belong to the service alone (it is made with mode 0700): who writes it can forge nothing, but
/// can delete state, or put older signed state back while no process runs. Where others can write it,
/// opening a store says so ([`StateExposed`](crate::announce::StoreNotice::StateExposed)).
///
/// # How do I keep announced pins over a restart?
/// ```
/// use std::sync::Arc;
/// use notafter::announce::{PinFolder, PinStorage, StateFile};
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path().join("pins");
/// let folder = Arc::new(PinFolder::new(&path)); // e.g. /var/lib/service/pins
/// assert_eq!(folder.read(StateFile::First)?, None);
/// // PinStore::builder(floor, ..).with_storage(folder)
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct PinFolder {
    path: PathBuf,
    /// Tells its new files from those of others.
    own: String,
}

impl Clone for PinFolder {
    fn clone(&self) -> Self {
        Self::new(&self.path)
    }
}

impl PinFolder {
    /// This folder. Nothing is touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let random = RandomState::new().build_hasher().finish();
        Self {
            path: path.into(),
            own: format!("{}-{random:016x}", process::id()),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self, file: StateFile) -> PathBuf {
        self.path.join(file.as_str())
    }

    fn new_file(&self, file: StateFile) -> PathBuf {
        self.path.join(format!("{file}.{}{NEW}", self.own))
    }

    /// What was being written when a process was killed. Whoever has the lock is the only writer.
    fn clear_debris(&self) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if STATE_FILES.iter().any(|start| name.starts_with(start)) && name.ends_with(NEW) {
                // What stays is in nobody's way.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl PinStorage for PinFolder {
    #[cfg(any(unix, windows))]
    fn lock(&self) -> io::Result<StorageLock> {
        create_folder(&self.path)?;
        let lock = regular_file::open_to_lock(&self.path.join(LOCK))?;
        for _ in 1..TRIES {
            match fs4::FileExt::try_lock(&lock) {
                Err(fs4::TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(fs4::TryLockError::Error(error)) => return Err(error),
                Ok(()) => {
                    self.clear_debris();
                    return Ok(StorageLock::new(lock));
                }
            }
        }
        Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            format!("{LOCK} was locked all the time that it was waited for"),
        ))
    }

    fn exposure(&self) -> Option<String> {
        exposure(&self.path).or_else(|| {
            let files = [
                StateFile::First,
                StateFile::Second,
                StateFile::FirstRoots,
                StateFile::SecondRoots,
            ]
            .map(|file| self.file(file));
            files.iter().find_map(|file| exposure(file))
        })
    }

    fn read(&self, file: StateFile) -> io::Result<Option<Vec<u8>>> {
        // One byte more than allowed shows that there are too many.
        match regular_file::read_bounded(&self.file(file), MAX_BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
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
fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy())
}

/// Who else could write it.
#[cfg(unix)]
fn exposure(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(path).ok()?;
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    let own = rustix::process::geteuid().as_raw();
    if mode & 0o022 != 0 {
        return Some(format!("{} has the mode {mode:04o}", shown(path)));
    }
    let foreign = ![own, 0].contains(&owner);
    foreign.then(|| {
        format!(
            "{} belongs to user {owner}, and this process is user {own}",
            shown(path)
        )
    })
}

/// Access lists are not read there.
#[cfg(not(unix))]
const fn exposure(_: &Path) -> Option<String> {
    None
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// Folders cannot be opened there; the rename itself is recorded by the file system.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
