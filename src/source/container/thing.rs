//! What a container holds, one thing after the other.

use pkcs8::der::zeroize::Zeroizing;

use super::fault::ContainerFault;
use super::secret::{IterationBudget, Secret};

/// A container that was opened.
pub(super) struct Opened {
    pub(super) things: Vec<Thing>,
    /// What opens the keys in it; `None` where there is no passphrase.
    pub(super) secret: Option<Secret>,
    pub(super) budget: IterationBudget,
}

/// One thing in a container.
pub(super) enum Thing {
    Certificate {
        der: Vec<u8>,
        /// What names the key that belongs to it.
        key_id: Option<Vec<u8>>,
    },
    Key {
        key: SealedKey,
        key_id: Option<Vec<u8>>,
    },
    /// Something that could not be read.
    Fault(ContainerFault),
}

/// A private key, which is opened when it is asked for.
pub(super) enum SealedKey {
    /// PKCS#8 as it is.
    Plain(Zeroizing<Vec<u8>>),
    /// `EncryptedPrivateKeyInfo` (RFC 5958, 3), by whatever algorithm.
    Encrypted(Vec<u8>),
}
