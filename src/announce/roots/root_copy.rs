//! One copy of what is remembered of roots, as bytes: one line of JSON, and a checksum over it.

use base64_simd::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::book::RootBook;
use super::held_root::{HeldRoot, check_form};
use crate::cert::{Certificate, Sha256Digest, SignatureAlgorithms};
use crate::time::Timestamp;

const FORMAT: u32 = 1;

/// A copy of more bytes is not read: so many have 32 roots with their next keys, all of the largest.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Between the JSON and the checksum over it.
const CHECKSUM: &str = "\nsha256 ";

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

/// Why a copy is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RootCopyError {
    /// Its bytes are none that were written: it is replaced.
    Damaged(String),
    /// It may be good, for others, or later: it is not overwritten.
    Unreadable(String),
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
        let json = serde_json::to_string(self).unwrap_or_default();
        let checksum = Sha256Digest::of(json.as_bytes());
        format!("{json}{CHECKSUM}{checksum}\n").into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, RootCopyError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let damaged = |reason: &str| RootCopyError::Damaged(reason.to_owned());
        if bytes.len() > MAX_BYTES {
            return Err(damaged("it is larger than any state"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("it is not text"))?;
        let (json, checksum) = text
            .rsplit_once(CHECKSUM)
            .ok_or_else(|| damaged("it ends too early"))?;
        if checksum != format!("{}\n", Sha256Digest::of(json.as_bytes())) {
            return Err(damaged("its checksum does not fit"));
        }
        let malformed = |error: serde_json::Error| RootCopyError::Damaged(error.to_string());
        let Head { format } = serde_json::from_str(json).map_err(malformed)?;
        if format > FORMAT {
            return Err(RootCopyError::Unreadable(format!(
                "it has the format {format} of a newer version, known is {FORMAT}"
            )));
        }
        serde_json::from_str(json).map_err(malformed)
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
