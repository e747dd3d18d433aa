//! Private keys out of files. No byte of one goes into a message.

use pki_types::PrivateKeyDer;
use pki_types::pem::{Error as PemError, PemObject as _};

#[cfg(all(feature = "containers", feature = "monitor"))]
use super::container;
#[cfg(feature = "encrypted-keys")]
use super::encrypted_key;
#[cfg(feature = "monitor")]
use super::foreign_format::ForeignFormat;
pub(crate) use super::key_error::PrivateKeyError;
#[cfg(feature = "monitor")]
use super::passphrase::Passphrase;
#[cfg(feature = "encrypted-keys")]
use super::pem::{Blocks, decode};

#[cfg(feature = "encrypted-keys")]
const ENCRYPTED: &[u8] = b"ENCRYPTED PRIVATE KEY";

/// The first private key of a PEM file, or a DER one, or (feature `containers`) of a container; where it
/// is encrypted, opened with the passphrase.
///
/// # Errors
/// [`PrivateKeyError`] where there is none that can be read.
#[cfg(feature = "monitor")]
pub(crate) fn from_pem_or_der(
    bytes: &[u8],
    passphrase: Option<&Passphrase>,
) -> Result<PrivateKeyDer<'static>, PrivateKeyError> {
    match from_pem(bytes) {
        Err(PrivateKeyError::Missing) => {
            #[cfg(feature = "containers")]
            if let Some(key) = passphrase.and_then(|passphrase| in_container(bytes, passphrase)) {
                return key;
            }
            if let Some(instead) = instead_of_key(bytes) {
                return Err(instead);
            }
            match PrivateKeyDer::try_from(bytes) {
                Ok(key) => Ok(key.clone_key()),
                Err(_) => opened(bytes, passphrase),
            }
        }
        Err(PrivateKeyError::Encrypted) => opened(bytes, passphrase),
        read => read,
    }
}

/// The first private key of a container; `None` where it is none.
#[cfg(all(feature = "containers", feature = "monitor"))]
fn in_container(
    bytes: &[u8],
    passphrase: &Passphrase,
) -> Option<Result<PrivateKeyDer<'static>, PrivateKeyError>> {
    let format = ForeignFormat::of(bytes).filter(|format| format.is_container())?;
    let key = container::private_key(format, bytes, Some(passphrase));
    Some(key.map_err(|fault| PrivateKeyError::Container(format, fault)))
}

/// The first private key of a PEM file, which is not encrypted.
///
/// # Errors
/// [`PrivateKeyError`] where there is none that can be read.
pub(crate) fn from_pem(bytes: &[u8]) -> Result<PrivateKeyDer<'static>, PrivateKeyError> {
    PrivateKeyDer::from_pem_slice(bytes).map_err(|error| match error {
        PemError::NoItemsFound if contains(bytes, b"BEGIN ENCRYPTED PRIVATE KEY") => {
            PrivateKeyError::Encrypted
        }
        PemError::NoItemsFound => PrivateKeyError::Missing,
        // RFC 1421, 4.6.1.1: a header line, which is no base64.
        _ if contains(bytes, b"Proc-Type: 4,ENCRYPTED") => PrivateKeyError::LegacyEncrypted,
        // What it says may quote the line.
        _ => PrivateKeyError::Damaged,
    })
}

/// What there is where a private key was looked for.
#[cfg(feature = "monitor")]
fn instead_of_key(bytes: &[u8]) -> Option<PrivateKeyError> {
    if let Some(format) = ForeignFormat::of(bytes) {
        return Some(PrivateKeyError::Foreign(format));
    }
    if contains(bytes, b"BEGIN OPENSSH PRIVATE KEY") {
        return Some(PrivateKeyError::OpenSsh);
    }
    contains(bytes, b"BEGIN CERTIFICATE-----").then_some(PrivateKeyError::OnlyCertificates)
}

/// The first encrypted key of a PEM file, or a DER one.
#[cfg(feature = "encrypted-keys")]
fn opened(
    bytes: &[u8],
    passphrase: Option<&Passphrase>,
) -> Result<PrivateKeyDer<'static>, PrivateKeyError> {
    let mut blocks = Blocks::new(bytes);
    // A slice is read without an error.
    while let Ok(Some(block)) = blocks.next() {
        if block.label != ENCRYPTED {
            continue;
        }
        let passphrase = passphrase.ok_or(PrivateKeyError::Encrypted)?;
        let body = block.body.map_err(|_| PrivateKeyError::Damaged)?;
        let mut der = Vec::new();
        let der = decode(body, &mut der).ok_or(PrivateKeyError::Damaged)?;
        return encrypted_key::open(der, passphrase);
    }
    match passphrase {
        _ if !encrypted_key::is_encrypted(bytes) => Err(PrivateKeyError::Missing),
        None => Err(PrivateKeyError::Encrypted),
        Some(passphrase) => encrypted_key::open(bytes, passphrase),
    }
}

#[cfg(all(feature = "monitor", not(feature = "encrypted-keys")))]
fn opened(bytes: &[u8], _: Option<&Passphrase>) -> Result<PrivateKeyDer<'static>, PrivateKeyError> {
    // As it was read: missing, or encrypted.
    from_pem(bytes)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PKCS8: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x00];

    fn pem(label: &str, body: &str) -> String {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    #[test]
    fn each_way_to_be_no_key_has_its_own_error() {
        let good = pem("PRIVATE KEY", "MAMCAQA=");
        let cases = [
            (good.clone(), Ok(())),
            (pem("CERTIFICATE", "MAMCAQA=") + &good, Ok(())),
            (String::new(), Err(PrivateKeyError::Missing)),
            (
                pem("CERTIFICATE", "MAMCAQA="),
                Err(PrivateKeyError::Missing),
            ),
            (
                pem("ENCRYPTED PRIVATE KEY", "MAMCAQA="),
                Err(PrivateKeyError::Encrypted),
            ),
            (
                pem(
                    "RSA PRIVATE KEY",
                    "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMAMCAQA=",
                ),
                Err(PrivateKeyError::LegacyEncrypted),
            ),
            (
                pem("PRIVATE KEY", "MAM!AQA="),
                Err(PrivateKeyError::Damaged),
            ),
            (
                good.replace("-----END", "----END"),
                Err(PrivateKeyError::Damaged),
            ),
        ];
        for (text, expected) in cases {
            let read = from_pem(text.as_bytes());
            assert_eq!(
                read.map(|key| assert_eq!(key.secret_der(), PKCS8)),
                expected,
                "{text}"
            );
        }
    }
}
