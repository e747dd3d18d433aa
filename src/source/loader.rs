//! The reader of files and folders: an edge, so that everything below it is pure.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::source::not_found;
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

    /// Reads a file or a folder: one entry for each file that has to do with certificates, and
    /// one for each that cannot be read. Never empty: a folder without certificates says so.
    pub fn load(&self, path: impl AsRef<Path>) -> Vec<SourceContents> {
        let path = path.as_ref();
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.load_folder(path),
            _ => vec![self.load_file(path)],
        }
    }

    /// Reads one file.
    pub fn load_file(&self, path: impl AsRef<Path>) -> SourceContents {
        let path = path.as_ref();
        let mut file = match self.open(path) {
            Ok(file) => file,
            Err(failure) => return SourceContents::failed(failure),
        };
        let contents = SourceContents::from_reader(path_name(path), &mut file);
        match file.too_many_bytes() {
            Some(bytes) => SourceContents::failed(self.too_large(path, bytes)),
            None => contents,
        }
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

    fn load_folder(&self, root: &Path) -> Vec<SourceContents> {
        let mut walk = FolderWalk {
            loader: self,
            seen: HashSet::new(),
            folders: VecDeque::from([(root.to_owned(), 0)]),
            files: 0,
            found: Vec::new(),
        };
        while let Some((folder, depth)) = walk.folders.pop_front() {
            if !walk.enter(&folder, depth) {
                break;
            }
        }
        let mut found = walk.found;
        if found.is_empty() {
            found.push(SourceContents::unreadable(
                &path_name(root),
                FailureReason::NoCertificateFound,
                "there is no certificate in this folder",
            ));
        }
        found
    }
}

struct FolderWalk<'l> {
    loader: &'l Loader,
    /// Real paths of what was visited.
    seen: HashSet<PathBuf>,
    folders: VecDeque<(PathBuf, usize)>,
    files: usize,
    found: Vec<SourceContents>,
}

impl FolderWalk<'_> {
    /// Reads one folder's files and remembers its sub-folders; `false` when the limit is reached.
    fn enter(&mut self, folder: &Path, depth: usize) -> bool {
        if !self.first_visit(folder) {
            return true;
        }
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut paths: Vec<_> = match entries {
            Ok(entries) => entries.iter().map(fs::DirEntry::path).collect(),
            Err(error) => {
                self.fail(io_failure(folder, &error));
                return true;
            }
        };
        paths.sort();
        for path in paths {
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() && depth >= self.loader.max_depth => {
                    let detail = format!("over {} folders deep", self.loader.max_depth);
                    self.fail(SourceFailure::whole(
                        &path_name(&path),
                        FailureReason::TooLarge,
                        detail,
                    ));
                }
                Ok(metadata) if metadata.is_dir() => self.folders.push_back((path, depth + 1)),
                // Sockets, pipes and devices in a folder are nobody's certificates.
                Ok(metadata) if !metadata.is_file() => {}
                Ok(_) if !self.first_visit(&path) => {}
                Ok(_) if self.files >= self.loader.max_files => {
                    let detail = format!(
                        "over {} files; the rest was not read",
                        self.loader.max_files
                    );
                    self.fail(SourceFailure::whole(
                        &path_name(folder),
                        FailureReason::TooLarge,
                        detail,
                    ));
                    return false;
                }
                Ok(_) => self.file(&path),
                Err(error) => self.fail(io_failure(&path, &error)),
            }
        }
        true
    }

    fn file(&mut self, path: &Path) {
        self.files += 1;
        let contents = self.loader.load_file(path);
        let holds_key = !contents.private_keys.is_empty();
        if !contents.is_unrelated() || (is_named_like_certificate(path) && !holds_key) {
            self.found.push(contents);
        }
    }

    fn first_visit(&mut self, path: &Path) -> bool {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        self.seen.insert(real)
    }

    fn fail(&mut self, failure: SourceFailure) {
        self.found.push(SourceContents::failed(failure));
    }
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

fn io_failure(path: &Path, error: &io::Error) -> SourceFailure {
    let reason = match error.kind() {
        io::ErrorKind::NotFound if fs::symlink_metadata(path).is_ok() => {
            FailureReason::BrokenSymlink
        }
        io::ErrorKind::NotFound => FailureReason::NotFound,
        io::ErrorKind::PermissionDenied => FailureReason::PermissionDenied,
        io::ErrorKind::NotADirectory => FailureReason::NotFound,
        _ => FailureReason::Io,
    };
    let name = path_name(path);
    let failure = SourceFailure::whole(&name, reason, error.to_string());
    match reason {
        FailureReason::NotFound => failure.with_advice(not_found::advice(&name)),
        _ => failure,
    }
}
