//! Opening what must be a regular file: an edge, for it opens files.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file to read it. Never waits: opening a pipe that somebody put there could take for ever.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    opened(path, OpenOptions::new().read(true))
}

/// Opens a file, made where it is missing, to lock it. One that another user made can be locked too.
pub(crate) fn open_to_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    opened(path, options).or_else(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => open(path),
        _ => Err(error),
    })
}

fn opened(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = without_waiting(options).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    let reason = "it is not a regular file";
    Err(io::Error::new(io::ErrorKind::InvalidData, reason))
}

#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    options.custom_flags(i32::try_from(flags).unwrap_or_default())
}

#[cfg(not(unix))]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
