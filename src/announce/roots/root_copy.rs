//! One copy of what is remembered of roots: what is in it, and what it comes to.

use base64_simd::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::book::{MAX_ROOTS, RootBook};
use super::held_root::{HeldRoot, check_form};
use crate::announce::store::copy_file::{self, CopyError, CopyForm};
use crate::cert::{Certificate, SignatureAlgorithms};
use crate::time::Timestamp;

const FORMAT: u32 = 1;

/// A copy of more bytes is not read: so many have 32 roots with their next keys, all of the largest.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// What one copy holds. Of a damaged one nothing is believed, and of a whole one only what is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RootCopy {
    format: u32,
    /// Rises with each write.
    pub(super) sequence: u64,
    /// Unix seconds, as the instants below.
    latest: i64,
    roots: Vec<CopiedRoot>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CopiedRoot {
    first_sight: i64,
    /// The certificate in base64.
    certificate: String,
    /// The next key's SubjectPublicKeyInfo in base64, where it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_spki: Option<String>,
}

/// What a whole copy comes to, and why some of it does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VerifiedRoots {
    pub(super) book: RootBook,
    pub(super) refused: Vec<String>,
}

impl RootCopy {
    pub(super) fn of(book: &RootBook, sequence: u64) -> Self {
        let copied = |root: &HeldRoot| CopiedRoot {
            first_sight: root.first_sight.as_unix_seconds(),
            certificate: BASE64.encode_to_string(root.certificate.der()),
            next_spki: (root.next_spki.as_ref()).map(|spki| BASE64.encode_to_string(spki)),
        };
        Self {
            format: FORMAT,
            sequence,
            latest: book.latest.as_unix_seconds(),
            roots: book.roots.iter().map(copied).collect(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        copy_file::encode(self)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CopyError> {
        let form = CopyForm {
            format: FORMAT,
            max_bytes: MAX_BYTES,
        };
        let copy: Self = copy_file::decode(bytes, form)?;
        // Each has a signature to be verified.
        if copy.roots.len() > MAX_ROOTS {
            let reason = format!("it holds more roots than the {MAX_ROOTS} that are remembered");
            return Err(CopyError::Damaged(reason));
        }
        Ok(copy)
    }

    /// The roots in it whose certificates their own keys signed. An instant before a certificate's first
    /// second, or before `known_past`, is none.
    pub(super) fn verified(
        &self,
        algorithms: SignatureAlgorithms,
        known_past: Timestamp,
    ) -> VerifiedRoots {
        let mut verified = VerifiedRoots {
            book: RootBook::new(known_past.max(Timestamp::from_unix_seconds(self.latest))),
            refused: Vec::new(),
        };
        for copied in &self.roots {
            match copied.verify(algorithms, known_past) {
                Ok(root) => verified.book.recall(root),
                Err(reason) => verified.refused.push(reason),
            }
        }
        verified
    }
}

impl CopiedRoot {
    fn verify(
        &self,
        algorithms: SignatureAlgorithms,
        known_past: Timestamp,
    ) -> Result<HeldRoot, String> {
        let der = BASE64.decode_to_vec(self.certificate.as_bytes());
        let der = der.map_err(|error| format!("a certificate is not base64: {error}"))?;
        let certificate = Certificate::from_der(der).map_err(|error| error.to_string())?;
        check_form(&certificate).map_err(|error| error.to_string())?;
        let first_sight = Timestamp::from_unix_seconds(self.first_sight).max(known_past);
        let root = HeldRoot::verify(&certificate, algorithms, first_sight);
        let mut root = root.map_err(|error| error.to_string())?;
        let spki = self.next_spki.as_ref();
        if let Some(spki) = spki.and_then(|spki| BASE64.decode_to_vec(spki.as_bytes()).ok()) {
            root.learn(&spki);
        }
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_roots(number: usize) -> Vec<u8> {
        let root = CopiedRoot {
            first_sight: 0,
            certificate: String::new(),
            next_spki: None,
        };
        let copy = RootCopy {
            format: FORMAT,
            sequence: 1,
            latest: 0,
            roots: vec![root; number],
        };
        copy.encode()
    }

    #[test]
    fn a_copy_of_more_roots_than_are_remembered_or_of_more_bytes_is_none_that_was_written() {
        assert!(RootCopy::decode(&of_roots(32)).is_ok());
        let reason = "it holds more roots than the 32 that are remembered".to_owned();
        let refused = RootCopy::decode(&of_roots(33));
        assert_eq!(refused, Err(CopyError::Damaged(reason)));
        let refused = RootCopy::decode(&vec![b' '; MAX_BYTES + 1]);
        let reason = "it is larger than any state".to_owned();
        assert_eq!(refused, Err(CopyError::Damaged(reason)));
    }
}
