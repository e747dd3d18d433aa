//! What a pair was found to be: in its files, or as its source gave it.

use pki_types::CertificateDer;

use crate::cert::Sha256Digest;
use crate::source::passphrase::Passphrase;
use crate::source::{FailureReason, SourceContents, SourceFailure};

/// What one pair was found to be at one moment.
#[derive(Debug)]
pub(super) struct Contents {
    /// What the chain is called in messages: its file, or its source.
    pub(super) certificate_file: String,
    /// What the key is called in messages.
    pub(super) key_file: String,
    pub(super) certificates: Result<ChainContents, SourceFailure>,
    pub(super) key: Result<KeyContents, SourceFailure>,
    /// `None` where nothing was said of a staple.
    #[cfg(feature = "ocsp")]
    pub(super) staple: Option<Result<Vec<u8>, SourceFailure>>,
}

/// A chain as it was found.
#[derive(Debug, Clone)]
pub(super) enum ChainContents {
    /// PEM, the DER of a leaf alone, or a container and what opens it.
    Encoded {
        bytes: Vec<u8>,
        passphrase: Option<Passphrase>,
    },
    /// One by one, leaf first.
    Certificates(Vec<CertificateDer<'static>>),
}

impl ChainContents {
    pub(super) fn parse(&self, name: &str) -> SourceContents {
        match self {
            Self::Encoded { bytes, passphrase } => {
                SourceContents::from_bytes_with(name, bytes, passphrase.as_ref())
            }
            Self::Certificates(ders) => SourceContents::from_certificates(name, ders),
        }
    }

    fn digest(&self) -> Sha256Digest {
        match self {
            Self::Encoded { bytes, .. } => Sha256Digest::of(bytes),
            Self::Certificates(ders) => {
                let each = ders.iter().map(|der| Sha256Digest::of(der));
                let all: Vec<u8> = each.flat_map(|digest| digest.as_bytes().to_vec()).collect();
                Sha256Digest::of(&all)
            }
        }
    }
}

/// A key as it was found.
#[derive(Debug, Clone)]
pub(super) enum KeyContents {
    /// PEM or DER, and what opens it where it is encrypted.
    Encoded {
        bytes: KeyBytes,
        passphrase: Option<Passphrase>,
    },
    /// It stays where it is and signs there: its SubjectPublicKeyInfo, where that is known.
    Elsewhere(Option<Vec<u8>>),
}

impl KeyContents {
    fn digest(&self) -> Sha256Digest {
        match self {
            Self::Encoded { bytes, .. } => Sha256Digest::of(bytes),
            Self::Elsewhere(spki) => Sha256Digest::of(spki.as_deref().unwrap_or_default()),
        }
    }
}

/// Bytes that are never printed.
#[derive(Clone)]
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
            certificates: certificates.map(ChainContents::digest),
            key: key.map(KeyContents::digest),
        }
    }
}
