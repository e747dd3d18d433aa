//! Java's keystores, JKS and JCEKS, as `sun.security.provider.JavaKeyStore` and
//! `com.sun.crypto.provider.JceKeyStore` of OpenJDK write them.

use sha1::{Digest as _, Sha1};

use super::fault::ContainerFault;
use super::secret::{IterationBudget, Secret};
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
        rest: bytes.get(4..).unwrap_or_default(),
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
    Ok(Opened {
        things,
        secret,
        budget: IterationBudget::new(),
    })
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

const SHORT: ContainerFault = ContainerFault::Damaged("its bytes end too early");

struct StoreReader<'a> {
    rest: &'a [u8],
    version: u32,
    things: Vec<Thing>,
}

impl<'a> StoreReader<'a> {
    fn store(&mut self) -> Result<(), ContainerFault> {
        self.version = self.number()?;
        if !matches!(self.version, 1 | 2) {
            return Err(ContainerFault::Damaged("its version is not known"));
        }
        let entries = self.number()?;
        for entry in 0..entries {
            self.entry(entry)?;
        }
        match self.rest.len() {
            HASH => Ok(()),
            ..HASH => Err(SHORT),
            _ => Err(ContainerFault::Damaged(
                "there are bytes after its last entry",
            )),
        }
    }

    fn entry(&mut self, entry: u32) -> Result<(), ContainerFault> {
        let kind = self.number()?;
        // Its alias, and when it was made.
        self.text()?;
        self.bytes(8)?;
        match kind {
            1 => {
                let key = SealedKey::Encrypted(self.counted()?.to_vec());
                let key_id = Some(entry.to_be_bytes().to_vec());
                self.things.push(Thing::Key {
                    key,
                    key_id: key_id.clone(),
                });
                let certificates = self.number()?;
                for number in 0..certificates {
                    // The first is the key's.
                    self.certificate(key_id.clone().filter(|_| number == 0))?;
                }
                Ok(())
            }
            2 => self.certificate(None),
            3 => Err(ContainerFault::NotRead(
                "a secret key, which only Java reads: what stands after it is not read",
            )),
            _ => Err(ContainerFault::Damaged("an entry is of no known kind")),
        }
    }

    fn certificate(&mut self, key_id: Option<Vec<u8>>) -> Result<(), ContainerFault> {
        if self.version == 2 {
            // `X.509`.
            self.text()?;
        }
        let der = self.counted()?.to_vec();
        self.things.push(Thing::Certificate { der, key_id });
        Ok(())
    }

    fn text(&mut self) -> Result<(), ContainerFault> {
        let (length, rest) = self.rest.split_first_chunk().ok_or(SHORT)?;
        self.rest = rest;
        self.bytes(usize::from(u16::from_be_bytes(*length)))?;
        Ok(())
    }

    fn counted(&mut self) -> Result<&'a [u8], ContainerFault> {
        let length = self.number()?;
        self.bytes(usize::try_from(length).map_err(|_| SHORT)?)
    }

    fn number(&mut self) -> Result<u32, ContainerFault> {
        let (number, rest) = self.rest.split_first_chunk().ok_or(SHORT)?;
        self.rest = rest;
        Ok(u32::from_be_bytes(*number))
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], ContainerFault> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(SHORT)?;
        self.rest = rest;
        Ok(bytes)
    }
}
