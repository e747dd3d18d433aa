//! The reader of files and folders: an edge, so that everything below it is pure.

use std::fs::File;
use std::io;
use std::path::Path;

#[cfg(feature = "containers")]
use crate::source::Containers;
use crate::source::listed::{Listed, Listing};
use crate::source::listing::{self, ListingLimits, io_failure};
use crate::source::path_name::path_name;
use crate::source::regular_file::{BoundedFile, OpenError};
use crate::source::{CertificateScan, FailureReason, SourceContents, SourceFailure};

/// Reads certificate files and folders within limits.
///
/// A folder is read recursively, files before sub-folders, each real file and folder once however
/// many links lead to it (Kubernetes mounts secrets through links). In a folder, files that have
/// nothing to do with certificates are passed over in silence.
///
/// # Which certificates are in this folder, and which files are broken?
/// ```
/// use notafter::Loader;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path();
/// for contents in Loader::new().load(path) {
///     println!("{}: {} certificates", contents.source, contents.certificates.len());
///     for failure in &contents.failures {
///         eprintln!("{failure}");
///     }
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Loader {
    max_file_bytes: u64,
    max_files: usize,
    max_depth: usize,
    #[cfg(feature = "containers")]
    containers: Option<Containers>,
}

impl Default for Loader {
    fn default() -> Self {
        Self::new()
    }
}

impl Loader {
    /// The limits: 16 MiB a file, 10,000 files and 32 levels a folder.
    pub const fn new() -> Self {
        Self {
            max_file_bytes: 16 * 1024 * 1024,
            max_files: 10_000,
            max_depth: 32,
            #[cfg(feature = "containers")]
            containers: None,
        }
    }

    /// Refuses files of more bytes, before reading them.
    pub const fn with_max_file_bytes(mut self, bytes: u64) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// Reads at most so many files of a folder.
    pub const fn with_max_files(mut self, files: usize) -> Self {
        self.max_files = files;
        self
    }

    /// Goes at most so many folders deep; 0 reads the folder's own files only.
    pub const fn with_max_depth(mut self, levels: usize) -> Self {
        self.max_depth = levels;
        self
    }

    /// Opens PKCS#12, PKCS#7 and Java's keystores too, instead of only saying what they are. Files are then
    /// held as a whole while they are read.
    #[cfg(feature = "containers")]
    pub fn with_containers(mut self, containers: Containers) -> Self {
        self.containers = Some(containers);
        self
    }

    /// Reads a file or a folder: one entry for each file that has to do with certificates, and
    /// one for each that cannot be read. Never empty: a folder without certificates says so.
    pub fn load(&self, path: impl AsRef<Path>) -> Vec<SourceContents> {
        let path = path.as_ref();
        let listing = self.list(path);
        let entries = listing.entries.iter();
        let mut found: Vec<_> = entries
            .filter_map(|entry| self.load_listed(entry, listing.is_folder))
            .collect();
        if found.is_empty() {
            found.push(no_certificate(path));
        }
        found
    }

    /// What there is to read at this path.
    pub(crate) fn list(&self, path: &Path) -> Listing {
        let limits = ListingLimits {
            files: self.max_files,
            depth: self.max_depth,
        };
        listing::list(path, limits)
    }

    /// Reads something of a listing; `None` for a file in a folder that has nothing to do with
    /// certificates.
    pub(crate) fn load_listed(&self, entry: &Listed, in_folder: bool) -> Option<SourceContents> {
        let path = match entry {
            Listed::Unreadable(failure) => return Some(SourceContents::failed(failure.clone())),
            Listed::File(file) => file.path(),
        };
        let contents = self.load_file(&path);
        let holds_key = !contents.private_keys.is_empty();
        let is_shown = !in_folder
            || !contents.is_unrelated()
            || (is_named_like_certificate(&path) && !holds_key);
        is_shown.then_some(contents)
    }

    /// Reads one file.
    pub fn load_file(&self, path: impl AsRef<Path>) -> SourceContents {
        let path = path.as_ref();
        let mut file = match self.open(path) {
            Ok(file) => file,
            Err(failure) => return SourceContents::failed(failure),
        };
        let contents = self.read_contents(path, &mut file);
        match file.too_many_bytes() {
            Some(bytes) => SourceContents::failed(self.too_large(path, bytes)),
            None => contents,
        }
    }

    #[cfg(feature = "containers")]
    fn read_contents(&self, path: &Path, file: &mut BoundedFile) -> SourceContents {
        let name = path_name(path);
        let Some(containers) = &self.containers else {
            return SourceContents::from_reader(name, file);
        };
        match file.read_all() {
            Ok(bytes) => SourceContents::from_bytes_opening(name, &bytes, containers),
            Err(error) => SourceContents::failed(io_failure(path, &error)),
        }
    }

    #[cfg(not(feature = "containers"))]
    fn read_contents(&self, path: &Path, file: &mut BoundedFile) -> SourceContents {
        SourceContents::from_reader(path_name(path), file)
    }

    /// Looks through one file of PEM without holding more than one block of it, within the
    /// loader's limit for files; see [`CertificateScan`].
    ///
    /// # Errors
    /// [`SourceFailure`] where it cannot be opened, is no regular file, or is too large.
    pub fn scan(
        &self,
        path: impl AsRef<Path>,
    ) -> Result<CertificateScan<io::Take<File>>, SourceFailure> {
        let path = path.as_ref();
        let file = self.open(path)?.into_limited();
        Ok(CertificateScan::new(path_name(path), file))
    }

    /// The bytes of one file within the limits.
    #[cfg(feature = "monitor")]
    pub(crate) fn read(&self, path: &Path) -> Result<Vec<u8>, SourceFailure> {
        let mut file = self.open(path)?;
        let bytes = file.read_all().map_err(|error| io_failure(path, &error))?;
        match file.too_many_bytes() {
            Some(bytes) => Err(self.too_large(path, bytes)),
            None => Ok(bytes),
        }
    }

    /// Opens a regular file within the limit.
    fn open(&self, path: &Path) -> Result<BoundedFile, SourceFailure> {
        let file = BoundedFile::open(path, self.max_file_bytes).map_err(|error| match error {
            OpenError::NotRegular => {
                SourceFailure::whole(&path_name(path), FailureReason::NotAFile, error.to_string())
            }
            OpenError::Io(error) => io_failure(path, &error),
        })?;
        match file.too_many_bytes() {
            Some(bytes) => Err(self.too_large(path, bytes)),
            None => Ok(file),
        }
    }

    fn too_large(&self, path: &Path, bytes: u64) -> SourceFailure {
        let detail = format!("{bytes} bytes, the limit is {}", self.max_file_bytes);
        SourceFailure::whole(&path_name(path), FailureReason::TooLarge, detail)
    }
}

/// A folder that holds none.
pub(crate) fn no_certificate(folder: &Path) -> SourceContents {
    SourceContents::unreadable(
        &path_name(folder),
        FailureReason::NoCertificateFound,
        "there is no certificate in this folder",
    )
}

fn is_named_like_certificate(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    let known = ["pem", "crt", "cer", "cert", "der"];
    known
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}
