//! Why a private key cannot be read.

use thiserror::Error;

#[cfg(all(feature = "containers", feature = "monitor"))]
use super::container::ContainerFault;
#[cfg(feature = "monitor")]
use super::foreign_format::ForeignFormat;
#[cfg(feature = "encrypted-keys")]
use super::kdf_cost::TooCostly;
#[cfg(feature = "monitor")]
use crate::source::FailureReason;

/// Why there is no private key to be had from a file: a sentence that says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum PrivateKeyError {
    #[error(
        "the private key is encrypted and there is no passphrase for it: give its passphrase \
         (feature `encrypted-keys`), or an unencrypted PKCS#8, PKCS#1 or SEC1 key as PEM"
    )]
    Encrypted,
    #[error(
        "the private key is encrypted in the legacy way (`Proc-Type: 4,ENCRYPTED`), which is not opened: \
         convert it once with `openssl pkcs8 -topk8 -in OLD -out NEW`, which asks for its passphrase"
    )]
    LegacyEncrypted,
    #[cfg(feature = "encrypted-keys")]
    #[error(
        "the private key is encrypted, and whoever was asked for its passphrase (`Passphrase::from_fn`) gave none: \
         see that it can be asked"
    )]
    NoPassphrase,
    #[cfg(feature = "encrypted-keys")]
    #[error(
        "the passphrase does not open the private key: give the one that this very file was encrypted with"
    )]
    WrongPassphrase,
    #[cfg(feature = "encrypted-keys")]
    #[error(
        "none of its {0} passphrases opens the private key: give the one that this very file was encrypted with"
    )]
    WrongPassphrases(usize),
    #[cfg(feature = "encrypted-keys")]
    #[error(
        "the private key is encrypted with an algorithm that is not opened: convert it once with \
         `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW`, which asks for its passphrase"
    )]
    UnknownEncryption,
    #[cfg(feature = "encrypted-keys")]
    #[error(
        "the private key's passphrase is stretched beyond 10,000,000 iterations of PBKDF2 or 256 MiB of scrypt: \
         encrypt it again with less"
    )]
    TooCostly,
    #[cfg(feature = "monitor")]
    #[error("{}; {}", .0.what(), .0.to_key())]
    Foreign(ForeignFormat),
    #[cfg(all(feature = "containers", feature = "monitor"))]
    #[error("{} {}; {}", .0.name(), .1, .1.reason().advice())]
    Container(ForeignFormat, ContainerFault),
    #[cfg(feature = "monitor")]
    #[error(
        "it is a key in the format of OpenSSH, which rustls does not load: convert a copy of it with `ssh-keygen -p -m PKCS8 -f COPY`"
    )]
    OpenSsh,
    #[cfg(feature = "monitor")]
    #[error(
        "there is no private key in it, only certificates: give the key's own file, an unencrypted PKCS#8, PKCS#1 or SEC1 key as PEM"
    )]
    OnlyCertificates,
    #[error("there is no private key in it: give an unencrypted PKCS#8, PKCS#1 or SEC1 key as PEM")]
    Missing,
    #[error(
        "the private key's PEM is damaged: give an unencrypted PKCS#8, PKCS#1 or SEC1 key as PEM"
    )]
    Damaged,
}

#[cfg(feature = "encrypted-keys")]
impl From<TooCostly> for PrivateKeyError {
    fn from(_: TooCostly) -> Self {
        Self::TooCostly
    }
}

#[cfg(feature = "monitor")]
impl PrivateKeyError {
    /// Why, as of a source of certificates: only of a container is there more to be said than that nothing
    /// is known.
    pub(crate) const fn reason(self) -> FailureReason {
        match self {
            #[cfg(feature = "containers")]
            Self::Container(_, fault) => fault.reason(),
            _ => FailureReason::OtherFormat,
        }
    }
}
