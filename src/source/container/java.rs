//! Java's keystores, JKS and JCEKS, as `sun.security.provider.JavaKeyStore` and
//! `com.sun.crypto.provider.JceKeyStore` of OpenJDK write them.

use sha1::{Digest as _, Sha1};

use super::fault::ContainerFault;
use super::java_bytes::{JavaBytes, SHORT};
use super::sealed_object;
use super::secret::Secret;
use super::thing::{Opened, SealedKey, Thing};

/// What is hashed between the passphrase and the store.
const WHITENER: &[u8] = b"Mighty Aphrodite";

/// The bytes of the hash at the end.
const HASH: usize = 20;

/// Opens a store with this passphrase. Without one its certificates are read, as `keytool -list`
/// does, and are not verified.
///
/// # Errors
/// [`ContainerFault`] where nothing in it counts.
pub(super) fn open(bytes: &[u8], secret: Option<Secret>) -> Result<Opened, ContainerFault> {
    let mut reader = StoreReader {
        bytes: JavaBytes::new(bytes.get(4..).unwrap_or_default()),
        version: 0,
        things: Vec::new(),
    };
    let whole = reader.store();
    if let Some(secret) = &secret {
        // What is known to be damaged is not the passphrase's fault.
        match whole {
            Err(ContainerFault::NotRead(_)) | Ok(()) => verify(bytes, secret)?,
            Err(fault) => return Err(fault),
        }
    }
    let mut things = reader.things;
    things.extend(whole.err().map(Thing::Fault));
    Ok(Opened { things, secret })
}

fn verify(bytes: &[u8], secret: &Secret) -> Result<(), ContainerFault> {
    let cut = bytes.len().checked_sub(HASH);
    let (store, hash) = cut
        .and_then(|cut| bytes.split_at_checked(cut))
        .ok_or(SHORT)?;
    let hashed = Sha1::new()
        .chain_update(secret.utf16())
        .chain_update(WHITENER)
        .chain_update(store);
    match hashed.finalize()[..] == *hash {
        true => Ok(()),
        false => Err(ContainerFault::WrongPassphrase),
    }
}

struct StoreReader<'a> {
    bytes: JavaBytes<'a>,
    version: u32,
    things: Vec<Thing>,
}

impl StoreReader<'_> {
    fn store(&mut self) -> Result<(), ContainerFault> {
        self.version = self.bytes.number()?;
        if !matches!(self.version, 1 | 2) {
            return Err(ContainerFault::Damaged("its version is not known"));
        }
        let entries = self.bytes.number()?;
        for entry in 0..entries {
            self.entry(entry)?;
        }
        match self.bytes.left() {
            HASH => Ok(()),
            ..HASH => Err(SHORT),
            _ => Err(ContainerFault::Damaged(
                "there are bytes after its last entry",
            )),
        }
    }

    fn entry(&mut self, entry: u32) -> Result<(), ContainerFault> {
        let kind = self.bytes.number()?;
        // Its alias, and when it was made.
        self.bytes.text()?;
        self.bytes.take(8)?;
        match kind {
            1 => {
                let key = SealedKey::Encrypted(self.bytes.counted()?.to_vec());
                let key_id = Some(entry.to_be_bytes().to_vec());
                self.things.push(Thing::Key {
                    key,
                    key_id: key_id.clone(),
                });
                let certificates = self.bytes.number()?;
                for number in 0..certificates {
                    // The first is the key's.
                    self.certificate(key_id.clone().filter(|_| number == 0))?;
                }
                Ok(())
            }
            2 => self.certificate(None),
            // Nothing that expires.
            3 => sealed_object::skip(&mut self.bytes),
            _ => Err(ContainerFault::Damaged("an entry is of no known kind")),
        }
    }

    fn certificate(&mut self, key_id: Option<Vec<u8>>) -> Result<(), ContainerFault> {
        if self.version == 2 {
            // `X.509`.
            self.bytes.text()?;
        }
        let der = self.bytes.counted()?.to_vec();
        self.things.push(Thing::Certificate { der, key_id });
        Ok(())
    }
}
