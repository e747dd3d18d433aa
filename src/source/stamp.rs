//! A file as its metadata show it.

use std::time::Duration;

use crate::time::Timestamp;

/// What the metadata of a file say of its bytes: while it stays the same, so do they, as far as the
/// file system's clock can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "monitor"), allow(dead_code))]
pub(crate) struct FileStamp {
    pub(super) bytes: u64,
    /// Since 1970.
    pub(super) modified: Option<Duration>,
    /// Device, inode, and the change of the inode (seconds, nanoseconds), where there are such.
    pub(super) node: Option<(u64, u64, i64, i64)>,
}

#[cfg_attr(not(feature = "reload"), allow(dead_code))] // Who looks again comes with that, or with `monitor`.
impl FileStamp {
    /// Its device and inode, which stay while a file is written to where it lies.
    pub(crate) fn inode(&self) -> Option<(u64, u64)> {
        self.node.map(|(device, inode, ..)| (device, inode))
    }

    /// How many seconds before `now` it was written to; negative where that lies ahead.
    pub(crate) fn age_seconds(&self, now: Timestamp) -> Option<i64> {
        let modified = i64::try_from(self.modified?.as_secs()).ok()?;
        Some(now.as_unix_seconds().saturating_sub(modified))
    }
}
