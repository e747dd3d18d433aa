//! Private keys out of files. No byte of one goes into a message.

use pki_types::PrivateKeyDer;
use pki_types::pem::{Error as PemError, PemObject as _};
use thiserror::Error;

/// Why there is no private key to be had from a file: a sentence that says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum PrivateKeyError {
    #[error("the private key is encrypted: give an unencrypted PKCS#8, PKCS#1 or SEC1 key as PEM")]
    Encrypted,
    #[error("there is no private key in it: give an unencrypted PKCS#8, PKCS#1 or SEC1 key as PEM")]
    Missing,
    #[error(
        "the private key's PEM is damaged: give an unencrypted PKCS#8, PKCS#1 or SEC1 key as PEM"
    )]
    Damaged,
}

/// The first private key of a PEM file, or a DER one.
///
/// # Errors
/// [`PrivateKeyError`] where there is none that can be read.
#[cfg(feature = "monitor")]
pub(crate) fn from_pem_or_der(bytes: &[u8]) -> Result<PrivateKeyDer<'static>, PrivateKeyError> {
    match from_pem(bytes) {
        Err(PrivateKeyError::Missing) => PrivateKeyDer::try_from(bytes)
            .map(|key| key.clone_key())
            .map_err(|_| PrivateKeyError::Missing),
        read => read,
    }
}

/// The first private key of a PEM file.
///
/// # Errors
/// [`PrivateKeyError`] where there is none that can be read.
pub(crate) fn from_pem(bytes: &[u8]) -> Result<PrivateKeyDer<'static>, PrivateKeyError> {
    PrivateKeyDer::from_pem_slice(bytes).map_err(|error| match error {
        PemError::NoItemsFound if contains(bytes, b"BEGIN ENCRYPTED PRIVATE KEY") => {
            PrivateKeyError::Encrypted
        }
        PemError::NoItemsFound => PrivateKeyError::Missing,
        // What it says may quote the line.
        _ => PrivateKeyError::Damaged,
    })
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
