//! Announcements that lie in files: an edge, for it reads them.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::IgnoredAny;

use crate::announce::{Announcement, AnnouncementError, Envelope};
use crate::announce::{Applied, PinStore, StoreNotice};
use crate::event::Event;
use crate::source::regular_file;
use crate::time::Timestamp;

/// Stands in every announcement, however its JSON is written.
const OURS: &[u8] = b"vnd.notafter.pins.";

/// A folder of more entries is not read further, and that is told.
const MAX_ENTRIES: usize = 1_000_000;

/// What became of one file of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileOutcome {
    /// The file.
    pub path: PathBuf,
    /// Whether it was applied. Files of older announcements that stay in the folder are
    /// [`AnnouncementError::Rollback`] each time.
    pub outcome: Result<Applied, AnnouncementError>,
}

impl PinStore {
    /// Applies the announcement in a file.
    ///
    /// # Errors
    /// As [`PinStore::apply`], and [`AnnouncementError::Unreadable`].
    pub fn apply_file(
        &self,
        path: impl AsRef<Path>,
        now: Timestamp,
    ) -> Result<Applied, AnnouncementError> {
        self.apply(&read(path.as_ref())?, now)
    }

    /// Applies the announcements in a folder, the lowest version first, and says what became of
    /// each. Sub-folders, and files that are no announcements, are passed over.
    ///
    /// # Errors
    /// [`AnnouncementError::Unreadable`] where the folder itself cannot be read.
    pub fn apply_folder(
        &self,
        folder: impl AsRef<Path>,
        now: Timestamp,
    ) -> Result<Vec<FileOutcome>, AnnouncementError> {
        let folder = folder.as_ref();
        let entries = fs::read_dir(folder).map_err(|error| unreadable(&error))?;
        // The bytes are read once more in their turn: all at once they could fill the memory.
        let mut found = Vec::new();
        let mut outcomes = Vec::new();
        for (n, entry) in entries.enumerate() {
            if n == MAX_ENTRIES {
                let reason = format!("it has more than {MAX_ENTRIES} entries: clear it");
                outcomes.push(FileOutcome {
                    path: folder.to_owned(),
                    outcome: Err(AnnouncementError::Unreadable { reason }),
                });
                break;
            }
            let path = entry.map_err(|error| unreadable(&error))?.path();
            if may_be_ours(&path) {
                let read = read(&path);
                if read.as_ref().map_or(true, |bytes| is_ours(bytes)) {
                    found.push((order(&read), path));
                }
            }
        }
        found.sort();
        outcomes.extend(found.into_iter().map(|(_, path)| FileOutcome {
            outcome: read(&path).and_then(|bytes| self.apply(&bytes, now)),
            path,
        }));
        Ok(outcomes)
    }
}

/// A folder into which announcements are put, looked at again and again.
///
/// # How do I follow announcements that a configuration service puts into a folder?
/// ```no_run
/// use std::sync::Arc;
/// use notafter::announce::AnnouncementFolder;
/// use notafter::{Observer, PinStore, Timestamp};
/// fn follow(store: Arc<PinStore>, observer: &dyn Observer, now: impl Fn() -> Timestamp) {
///     let folder = AnnouncementFolder::new(store, "/etc/service/pins.d");
///     loop {
///         for event in folder.check(now()) {
///             observer.observe(&event);
///         }
///         std::thread::sleep(std::time::Duration::from_secs(60));
///     }
/// }
/// ```
#[derive(Debug)]
pub struct AnnouncementFolder {
    store: Arc<PinStore>,
    path: PathBuf,
    /// What was told of each file the last time.
    refused: Mutex<HashMap<PathBuf, AnnouncementError>>,
}

impl AnnouncementFolder {
    /// This folder, for this store.
    pub fn new(store: Arc<PinStore>, path: impl Into<PathBuf>) -> Self {
        Self {
            store,
            path: path.into(),
            refused: Mutex::default(),
        }
    }

    /// Applies what is there, lets time pass ([`PinStore::tick`]), and gives the events of both. A
    /// file that stays refused for the same reason is told of once; files of older announcements,
    /// which may stay there, are not told of.
    pub fn check(&self, now: Timestamp) -> Vec<Event> {
        let outcomes = self.store.apply_folder(&self.path, now);
        let outcomes = outcomes.unwrap_or_else(|error| {
            vec![FileOutcome {
                path: self.path.clone(),
                outcome: Err(error),
            }]
        });
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *refused);
        let mut events = Vec::new();
        for FileOutcome { path, outcome } in outcomes {
            let told = |notice: StoreNotice| {
                let source = path.to_string_lossy().into_owned();
                notice.to_event(now).with_source(source)
            };
            match outcome {
                Ok(applied) => events.extend(applied.notices.into_iter().map(told)),
                Err(AnnouncementError::Rollback { .. }) => {}
                Err(error) => {
                    let same = before.get(&path).map(AnnouncementError::code) == Some(error.code());
                    if !same {
                        events.push(told(error.clone().into()));
                    }
                    refused.insert(path, error);
                }
            }
        }
        let passed = self.store.tick(now);
        events.extend(passed.iter().map(|notice| notice.to_event(now)));
        events
    }
}

/// Empty files and sub-folders are passed over without being opened, however many there are.
fn may_be_ours(path: &Path) -> bool {
    // What cannot be looked at is told when it is read.
    fs::metadata(path).map_or(true, |found| {
        let is_empty = found.is_file() && found.len() == 0;
        !is_empty && !found.is_dir()
    })
}

/// What begins like JSON but is none may be a torn announcement.
fn is_ours(bytes: &[u8]) -> bool {
    let named = bytes.windows(OURS.len()).any(|window| window == OURS);
    let json = || serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    named || (bytes.trim_ascii_start().starts_with(b"{") && !json())
}

/// What a file claims, believed for nothing but its turn.
fn order(read: &Result<Vec<u8>, AnnouncementError>) -> u64 {
    let envelope = read.as_ref().ok().and_then(|b| Envelope::parse(b).ok());
    let claimed = envelope.and_then(|e| Announcement::from_json(e.payload()).ok());
    claimed.map_or(u64::MAX, |announcement| announcement.version)
}

/// At most one byte more than an envelope may have, which shows that it has too many.
fn read(path: &Path) -> Result<Vec<u8>, AnnouncementError> {
    let limit = u64::try_from(Envelope::MAX_BYTES).unwrap_or(u64::MAX);
    regular_file::read_bounded(path, limit).map_err(|error| unreadable(&error))
}

fn unreadable(error: &io::Error) -> AnnouncementError {
    let reason = error.to_string();
    AnnouncementError::Unreadable { reason }
}
