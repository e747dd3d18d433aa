//! What the files of a pair held.

use crate::cert::Sha256Digest;
use crate::source::passphrase::Passphrase;
use crate::source::{FailureReason, SourceFailure};

/// What the files of one pair held at one moment.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) certificate_file: String,
    pub(super) key_file: String,
    pub(super) certificates: Result<Vec<u8>, SourceFailure>,
    pub(super) key: Result<KeyBytes, SourceFailure>,
    /// What opens the key.
    pub(super) passphrase: Option<Passphrase>,
    /// `None` where no staple is configured.
    #[cfg(feature = "ocsp")]
    pub(super) staple: Option<Result<Vec<u8>, SourceFailure>>,
}

/// Bytes that are never printed.
pub(super) struct KeyBytes(Vec<u8>);

impl KeyBytes {
    pub(super) const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl std::ops::Deref for KeyBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyBytes(..)")
    }
}

/// What tells one content of certificate and key from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digests {
    certificates: Result<Sha256Digest, FailureReason>,
    key: Result<Sha256Digest, FailureReason>,
}

impl Contents {
    pub(super) fn digests(&self) -> Digests {
        let reason = |failure: &SourceFailure| failure.reason;
        let certificates = self.certificates.as_ref().map_err(reason);
        let key = self.key.as_ref().map_err(reason);
        Digests {
            certificates: certificates.map(|bytes| Sha256Digest::of(bytes)),
            key: key.map(|bytes| Sha256Digest::of(bytes)),
        }
    }
}
