//! Announcements that lie in files: an edge, for it reads them.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use crate::announcement::{Announcement, AnnouncementError, Envelope};
use crate::cert::Timestamp;
use crate::store::{Applied, PinStore};

/// Stands in every announcement, however its JSON is written.
const OURS: &[u8] = b"vnd.notafter.pins.";

/// A folder of more entries is not read further.
const MAX_FILES: usize = 10_000;

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
        let entries = fs::read_dir(folder).map_err(|error| unreadable(&error))?;
        let entries = entries.take(MAX_FILES).collect::<io::Result<Vec<_>>>();
        let entries = entries.map_err(|error| unreadable(&error))?;
        let files = entries.iter().map(fs::DirEntry::path);
        let mut found: Vec<_> = files
            .filter(|path| !path.is_dir())
            .map(|path| (read(&path), path))
            .filter(|(read, _)| read.as_ref().map_or(true, |bytes| is_ours(bytes)))
            .map(|(read, path)| (order(&read), path, read))
            .collect();
        found.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        let outcomes = found.into_iter().map(|(_, path, read)| FileOutcome {
            outcome: read.and_then(|bytes| self.apply(&bytes, now)),
            path,
        });
        Ok(outcomes.collect())
    }
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
    let limit = u64::try_from(Envelope::MAX_BYTES + 1).unwrap_or(u64::MAX);
    let read = || {
        // Opening a pipe could wait for ever.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| unreadable(&error))
}

fn unreadable(error: &io::Error) -> AnnouncementError {
    let reason = error.to_string();
    AnnouncementError::Unreadable { reason }
}
