//! What a container holds, one thing after the other.

use pkcs8::der::zeroize::Zeroizing;

use super::fault::ContainerFault;
use super::secret::Secret;

/// A container that was opened.
pub(super) struct Opened {
    pub(super) things: Vec<Thing>,
    /// What opens the keys in it; `None` where there is no passphrase.
    pub(super) secret: Option<Secret>,
}

impl Opened {
    /// How many parts of it another passphrase may open.
    pub(super) fn closed(&self) -> usize {
        let is_closed = |thing: &&Thing| {
            use ContainerFault::{TooCostly, WrongPassphrase};
            matches!(thing, Thing::Fault(WrongPassphrase | TooCostly))
        };
        self.things.iter().filter(is_closed).count()
    }

    /// What was tried with so many passphrases.
    pub(super) fn by_none_of(mut self, passphrases: usize) -> Self {
        for thing in &mut self.things {
            if let Thing::Fault(fault) = thing {
                *fault = fault.by_none_of(passphrases);
            }
        }
        self
    }
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
