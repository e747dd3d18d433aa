//! Private keys out of files. No byte of one goes into a message.

use pki_types::PrivateKeyDer;
use pki_types::pem::{Error as PemError, PemObject as _};

/// The first private key of a PEM file, or a DER one.
///
/// # Errors
/// A sentence that says what is wrong and what to do.
pub(crate) fn read(bytes: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    let unreadable =
        |what: &str| format!("{what}: give an unencrypted PKCS#8, PKCS#1 or SEC1 key as PEM");
    match PrivateKeyDer::from_pem_slice(bytes) {
        Ok(key) => Ok(key),
        Err(PemError::NoItemsFound) if contains(bytes, b"BEGIN ENCRYPTED PRIVATE KEY") => {
            Err(unreadable("the private key is encrypted"))
        }
        Err(PemError::NoItemsFound) => match PrivateKeyDer::try_from(bytes) {
            Ok(key) => Ok(key.clone_key()),
            Err(_) => Err(unreadable("there is no private key in it")),
        },
        Err(_) => Err(unreadable("the private key's PEM is damaged")),
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
