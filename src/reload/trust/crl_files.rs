//! Files of revocation lists, and what they hold: an edge, for it reads them.

use std::path::Path;

use pki_types::CertificateRevocationListDer;
use pki_types::pem::PemObject as _;

use super::error::TrustReloadError;
use crate::source::listed::Listed;
use crate::source::{FailureReason, Loader, SourceFailure, path_name};

/// How DER begins: a SEQUENCE.
const SEQUENCE: u8 = 0x30;

/// More bytes than these of one folder are not read.
pub(super) const MAX_FOLDER_BYTES: usize = 512 * 1024 * 1024;

/// A file of revocation lists as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CrlFile {
    pub(super) name: String,
    pub(super) bytes: Result<Vec<u8>, SourceFailure>,
}

impl CrlFile {
    /// What lies at this path: a file, or the files of a folder that have to do with lists. What cannot
    /// be read of a folder is among them, and so is that there is more in it than so many bytes.
    pub(super) fn read(path: &Path, loader: &Loader, max_bytes: usize) -> Vec<Self> {
        let listing = loader.list(path);
        let mut files = Vec::new();
        let mut left = max_bytes;
        for entry in &listing.entries {
            let file = match entry {
                Listed::Unreadable(failure) => Self::unreadable(failure.clone()),
                Listed::File(file) => Self {
                    name: path_name(&file.path()),
                    bytes: loader.read(&file.path()),
                },
            };
            let read = file.bytes.as_ref().map_or(0, Vec::len);
            let Some(rest) = left.checked_sub(read) else {
                let detail = format!("over {max_bytes} bytes in its files; the rest was not read");
                let (name, reason) = (path_name(path), FailureReason::TooLarge);
                files.push(Self::unreadable(SourceFailure::whole(
                    &name, reason, detail,
                )));
                break;
            };
            left = rest;
            if !listing.is_folder || !file.is_unrelated() {
                files.push(file);
            }
        }
        files
    }

    fn unreadable(failure: SourceFailure) -> Self {
        Self {
            name: failure.place.source.to_string(),
            bytes: Err(failure),
        }
    }

    /// Whether it has nothing to do with lists: such a file in a folder is passed over.
    fn is_unrelated(&self) -> bool {
        let Ok(bytes) = &self.bytes else { return false };
        let is_named = [".crl", ".pem", ".der"]
            .iter()
            .any(|end| self.name.ends_with(end));
        !is_named
            && bytes.first() != Some(&SEQUENCE)
            && matches!(self.lists(), Ok(lists) if lists.is_empty())
    }

    /// The lists in it: PEM blocks `X509 CRL`, or the DER of one.
    pub(super) fn lists(
        &self,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, TrustReloadError> {
        let bytes = self
            .bytes
            .as_ref()
            .map_err(|failure| TrustReloadError::Unreadable {
                failure: failure.clone(),
            })?;
        if bytes.first() == Some(&SEQUENCE) {
            return Ok(vec![bytes.clone().into()]);
        }
        let mut lists = Vec::new();
        for list in CertificateRevocationListDer::pem_slice_iter(bytes) {
            lists.push(list.map_err(|error| TrustReloadError::ListUnusable {
                file: self.name.clone(),
                number: lists.len() + 1,
                reason: error.to_string(),
            })?);
        }
        Ok(lists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files of twelve bytes, each like the DER of a list.
    fn folder(files: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..files {
            std::fs::write(folder.path().join(format!("{number}.crl")), [SEQUENCE; 12]).unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_of_lists_is_read_up_to_a_number_of_bytes() {
        let folder = folder(4);
        // Of other files too: they are read to find out.
        std::fs::write(folder.path().join("9-notes"), "no list").unwrap();
        // (the bound, how many files are read, whether there is more)
        for (bytes, read, is_more) in [(55, 4, false), (54, 4, true), (36, 3, true), (0, 0, true)] {
            let files = CrlFile::read(folder.path(), &Loader::new(), bytes);
            let (good, bad): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.bytes.is_ok());
            assert_eq!((good.len(), bad.len()), (read, usize::from(is_more)));
            for file in bad {
                let failure = file.bytes.as_ref().unwrap_err();
                assert_eq!(failure.reason, FailureReason::TooLarge, "{failure}");
                assert!(failure.detail.contains(&bytes.to_string()), "{failure}");
            }
        }
    }

    #[test]
    fn a_folder_of_lists_has_as_many_files_as_the_loader_reads() {
        let folder = folder(3);
        for (files, is_more) in [(3, false), (2, true)] {
            let loader = Loader::new().with_max_files(files);
            let read = CrlFile::read(folder.path(), &loader, MAX_FOLDER_BYTES);
            let unreadable = read.iter().filter(|file| file.bytes.is_err()).count();
            assert_eq!(unreadable, usize::from(is_more), "{read:?}");
        }
    }
}
