//! What a file of revocation lists holds.

use pki_types::CertificateRevocationListDer;
use pki_types::pem::PemObject as _;

use super::error::TrustReloadError;
use crate::source::SourceFailure;

/// How DER begins: a SEQUENCE.
const SEQUENCE: u8 = 0x30;

/// A file of revocation lists as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CrlFile {
    pub(super) name: String,
    pub(super) bytes: Result<Vec<u8>, SourceFailure>,
}

impl CrlFile {
    /// Whether it has nothing to do with lists: such a file in a folder is passed over.
    pub(super) fn is_unrelated(&self) -> bool {
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
