//! Where state is kept: the steps of a safe replacement, one by one.

use std::fmt;
use std::io;

/// A file that a store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateFile {
    /// One copy of the state.
    First,
    /// The other copy.
    Second,
    /// Says that there have been copies, so that their absence is a loss and not a beginning.
    Marker,
    /// One copy of what pinned roots announced of their successors.
    FirstRoots,
    /// The other copy of that.
    SecondRoots,
    /// Says that there have been copies of that.
    RootsMarker,
}

impl StateFile {
    /// The stable name, fit for a file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "pins-1",
            Self::Second => "pins-2",
            Self::Marker => "pins-kept",
            Self::FirstRoots => "roots-1",
            Self::SecondRoots => "roots-2",
            Self::RootsMarker => "roots-kept",
        }
    }
}

impl fmt::Display for StateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Keeps what a [`PinStore`](crate::PinStore) remembers, and what
/// [`RootAnnouncedPins`](crate::announce::RootAnnouncedPins) do. [`PinFolder`](crate::announce::PinFolder) does, on a
/// disk.
///
/// A file is replaced in four steps, so that a crash between any two leaves the old bytes or the
/// new ones: [`write_new`](Self::write_new), [`sync_new`](Self::sync_new),
/// [`rename_new`](Self::rename_new), [`sync_folder`](Self::sync_folder). What is kept need not be
/// secret: all of it is verified when it is read. Who can write it can forge nothing, but while no
/// store runs they can put older signed state back, leave some of it out, or delete it.
pub trait PinStorage: fmt::Debug + Send + Sync {
    /// Keeps other processes from replacing files until what this gives is dropped. A store holds it
    /// while it looks at the files, applies, and replaces them, so that of two that apply at the same
    /// instant neither loses what the other did. A crash must free it.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] where another one holds it for longer than is bearable: nothing is
    /// written then, and it is tried again. With any other error, as on a file system without locks, the
    /// store goes on without it.
    fn lock(&self) -> io::Result<StorageLock> {
        Ok(StorageLock::none())
    }

    /// Who else could write here, as a sentence's end; `None` where nobody can.
    fn exposure(&self) -> Option<String> {
        None
    }

    /// The bytes of a file; `None` where there is none.
    ///
    /// # Errors
    /// Where it may be there but cannot be read; [`io::ErrorKind::InvalidData`] where what is there can
    /// be no copy (it is a pipe, for one) and may be replaced.
    fn read(&self, file: StateFile) -> io::Result<Option<Vec<u8>>>;

    /// Writes bytes beside the file, which stays as it is. What an earlier attempt left there is
    /// overwritten.
    ///
    /// # Errors
    /// Where they cannot be written.
    fn write_new(&self, file: StateFile, bytes: &[u8]) -> io::Result<()>;

    /// Makes sure that the bytes beside the file would survive a crash.
    ///
    /// # Errors
    /// Where that cannot be made sure.
    fn sync_new(&self, file: StateFile) -> io::Result<()>;

    /// Puts the bytes beside the file in its place, all at once.
    ///
    /// # Errors
    /// Where that fails; the file is then as it was.
    fn rename_new(&self, file: StateFile) -> io::Result<()>;

    /// Makes sure that the replacement would survive a crash.
    ///
    /// # Errors
    /// Where that cannot be made sure.
    fn sync_folder(&self) -> io::Result<()>;
}

/// Held while a store has the storage to itself; dropped, others can go on.
#[derive(Debug)]
#[must_use = "dropped at once, it keeps nobody away"]
pub struct StorageLock {
    _held: Option<Box<dyn fmt::Debug + Send>>,
}

impl StorageLock {
    /// The lock of a storage that nobody else writes: there is none.
    pub const fn none() -> Self {
        Self { _held: None }
    }

    /// A lock that is freed when this is dropped.
    pub fn new(held: impl fmt::Debug + Send + 'static) -> Self {
        Self {
            _held: Some(Box::new(held)),
        }
    }
}

/// Whether this process may write now.
#[derive(Debug)]
pub(in crate::announce) enum WriteTurn {
    Ours(#[allow(dead_code, reason = "held until it is dropped")] StorageLock),
    /// Somebody else holds the lock.
    Others(String),
}

impl WriteTurn {
    /// Waits for the turn to write, as long as the storage finds bearable.
    pub(in crate::announce) fn wait(storage: &dyn PinStorage) -> Self {
        match storage.lock() {
            Ok(lock) => Self::Ours(lock),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Self::Others(format!("another process holds the lock: {error}"))
            }
            // No worse than without any lock: no file is ever half-written.
            Err(_) => Self::of_nobody_else(),
        }
    }

    /// Where nobody else writes.
    pub(in crate::announce) const fn of_nobody_else() -> Self {
        Self::Ours(StorageLock::none())
    }

    pub(in crate::announce) const fn is_ours(&self) -> bool {
        matches!(self, Self::Ours(_))
    }
}

/// Replaces a file in the four steps after which no crash leaves it half-written.
pub(in crate::announce) fn replace(
    storage: &dyn PinStorage,
    file: StateFile,
    bytes: &[u8],
) -> io::Result<()> {
    storage.write_new(file, bytes)?;
    storage.sync_new(file)?;
    storage.rename_new(file)?;
    storage.sync_folder()
}
