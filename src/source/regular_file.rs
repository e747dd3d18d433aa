//! Opening what must be a regular file, and reading no more of it than a limit: an edge, for it
//! opens files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Take};
use std::path::Path;

use thiserror::Error;

/// Why a file was not opened.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    #[error("it is not a regular file")]
    NotRegular,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotRegular => Self::new(io::ErrorKind::InvalidData, error),
            OpenError::Io(error) => error,
        }
    }
}

/// An open file of which no more is read than a limit, and one byte that shows that there is more.
#[derive(Debug)]
pub(crate) struct BoundedFile {
    file: Take<File>,
    limit: u64,
    bytes_when_opened: u64,
}

impl BoundedFile {
    /// Opens a file to read it. Never waits: opening a pipe that somebody put there could take
    /// for ever.
    pub(crate) fn open(path: &Path, limit: u64) -> Result<Self, OpenError> {
        let file = open(path, OpenOptions::new().read(true))?;
        Ok(Self {
            bytes_when_opened: file.metadata()?.len(),
            file: file.take(limit.saturating_add(1)),
            limit,
        })
    }

    /// How many bytes it has at least, where those are more than the limit: by what it had when it
    /// was opened, and by what was read since, for it may have grown.
    pub(crate) fn too_many_bytes(&self) -> Option<u64> {
        let over = self.bytes_when_opened > self.limit || self.file.limit() == 0;
        over.then(|| self.bytes_when_opened.max(self.limit.saturating_add(1)))
    }

    /// The file itself, of which no more is read than the limit.
    pub(crate) fn into_limited(self) -> Take<File> {
        let mut file = self.file;
        file.set_limit(self.limit);
        file
    }

    /// What is left of it, or the error and nothing.
    #[cfg(any(feature = "announcements", feature = "containers", feature = "monitor"))]
    pub(crate) fn read_all(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Read for BoundedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

/// The bytes of a file: no more than the limit, and one that shows that there are more.
#[cfg(feature = "announcements")]
pub(crate) fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    BoundedFile::open(path, limit)?.read_all()
}

/// Opens a file, made where it is missing, to lock it. One that another user made can be locked too.
#[cfg(feature = "announcements")]
pub(crate) fn open_to_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    let opened = open(path, options).or_else(|error| match error {
        OpenError::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open(path, OpenOptions::new().read(true))
        }
        error => Err(error),
    });
    Ok(opened?)
}

fn open(path: &Path, options: &mut OpenOptions) -> Result<File, OpenError> {
    // Before it is opened: a socket cannot be, and says less about why.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(OpenError::NotRegular);
    }
    let file = without_waiting(options).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(OpenError::NotRegular),
    }
}

/// For what takes the file's place after it was looked at.
#[cfg(all(unix, feature = "announcements"))]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    options.custom_flags(i32::try_from(flags).unwrap_or_default())
}

/// The crate that knows the flag's number comes with the announcements.
#[cfg(not(all(unix, feature = "announcements")))]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_the_limit_and_one_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, b"12345").unwrap();
        let cases = [(3, Some(5), 4), (4, Some(5), 5), (5, None, 5), (6, None, 5)];
        for (limit, too_many, read) in cases {
            let mut file = BoundedFile::open(&path, limit).unwrap();
            assert_eq!(file.too_many_bytes(), too_many, "{limit}");
            let mut bytes = Vec::new();
            assert_eq!(file.read_to_end(&mut bytes).unwrap(), read, "{limit}");
            let mut limited = BoundedFile::open(&path, limit).unwrap().into_limited();
            let most = usize::try_from(limit).unwrap().min(5);
            assert_eq!(limited.read_to_end(&mut Vec::new()).unwrap(), most);
        }
    }

    #[test]
    fn a_file_that_grew_after_it_was_opened_is_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, b"123").unwrap();
        let mut file = BoundedFile::open(&path, 4).unwrap();
        fs::write(&path, b"123456").unwrap();
        assert_eq!(file.too_many_bytes(), None);
        file.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(file.too_many_bytes(), Some(5));
    }

    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let error = BoundedFile::open(folder.path(), 4).unwrap_err();
        assert!(matches!(error, OpenError::NotRegular), "{error}");
        assert_eq!(
            io::Error::from(error).to_string(),
            "it is not a regular file"
        );
        let error = BoundedFile::open(&folder.path().join("none"), 4).unwrap_err();
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::NotFound);
    }
}
