//! Encrypted PKCS#8 keys (RFC 5958, section 3; PBES2 of RFC 8018, section 6.2).

use pkcs8::der::Decode as _;
use pkcs8::der::asn1::{AnyRef, OctetStringRef};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{EncryptedPrivateKeyInfo, PrivateKeyInfo};
use pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::key_error::PrivateKeyError;
use super::passphrase::Passphrase;

/// The most iterations of PBKDF2: OpenSSL's own default is 2,048, advice is 600,000.
const MAX_ITERATIONS: u32 = 10_000_000;

/// The most that scrypt may take of memory, and go through: 128 bytes times N, r and p.
const MAX_SCRYPT_BYTES: u64 = 256 * 1024 * 1024;

/// Whether these bytes are an encrypted PKCS#8 key, by whatever algorithm.
pub(super) fn is_encrypted(der: &[u8]) -> bool {
    let parts = AnyRef::from_der(der).and_then(|key| {
        key.sequence(|reader| {
            AlgorithmIdentifierRef::decode(reader)?;
            OctetStringRef::decode(reader)
        })
    });
    parts.is_ok()
}

/// The key inside.
///
/// # Errors
/// [`PrivateKeyError`] where the passphrase is another one, or nothing here opens it.
pub(super) fn open(
    der: &[u8],
    passphrase: &Passphrase,
) -> Result<PrivateKeyDer<'static>, PrivateKeyError> {
    let Ok(encrypted) = EncryptedPrivateKeyInfo::try_from(der) else {
        return Err(if is_encrypted(der) {
            PrivateKeyError::UnknownEncryption
        } else {
            PrivateKeyError::Damaged
        });
    };
    if !is_affordable(&encrypted.encryption_algorithm) {
        return Err(PrivateKeyError::TooCostly);
    }
    let key = encrypted.decrypt(passphrase.bytes()).map_err(reason)?;
    // Another passphrase gives noise, which may be padded by chance.
    if PrivateKeyInfo::try_from(key.as_bytes()).is_err() {
        return Err(PrivateKeyError::WrongPassphrase);
    }
    let key = PrivatePkcs8KeyDer::from(key.as_bytes());
    Ok(PrivateKeyDer::Pkcs8(key).clone_key())
}

/// What is opened belongs to whoever wrote the file.
fn is_affordable(scheme: &EncryptionScheme<'_>) -> bool {
    let EncryptionScheme::Pbes2(parameters) = scheme else {
        return true;
    };
    match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= MAX_ITERATIONS,
        Kdf::Scrypt(scrypt) => {
            let blocks = u64::from(scrypt.block_size) * u64::from(scrypt.parallelization);
            let bytes = (scrypt.cost_parameter).checked_mul(blocks.saturating_mul(128));
            bytes.is_some_and(|bytes| bytes <= MAX_SCRYPT_BYTES)
        }
        // Nothing else is opened.
        _ => true,
    }
}

fn reason(error: pkcs8::Error) -> PrivateKeyError {
    use pkcs8::pkcs5::Error;
    match error {
        pkcs8::Error::EncryptedPrivateKey(
            Error::NoPbes1CryptSupport
            | Error::UnsupportedAlgorithm { .. }
            | Error::AlgorithmParametersInvalid { .. },
        ) => PrivateKeyError::UnknownEncryption,
        _ => PrivateKeyError::WrongPassphrase,
    }
}
