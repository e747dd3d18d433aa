//! What it may cost to stretch a passphrase: what is opened belongs to whoever wrote the file.

use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;

/// The most iterations of PBKDF2: OpenSSL's own default is 2,048, advice is 600,000.
pub(super) const MAX_ITERATIONS: u32 = 10_000_000;

/// The most that scrypt may take of memory, and go through: 128 bytes times N, r and p.
pub(super) const MAX_SCRYPT_BYTES: u64 = 256 * 1024 * 1024;

/// So many iterations of PBKDF2, or what is as much work; `None` where it is too much.
pub(super) fn iterations(scheme: &EncryptionScheme<'_>) -> Option<u32> {
    let EncryptionScheme::Pbes2(parameters) = scheme else {
        // Nothing else is opened.
        return Some(0);
    };
    match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => {
            Some(pbkdf2.iteration_count).filter(|iterations| *iterations <= MAX_ITERATIONS)
        }
        Kdf::Scrypt(scrypt) => {
            let blocks = u64::from(scrypt.block_size) * u64::from(scrypt.parallelization);
            let bytes = (scrypt.cost_parameter).checked_mul(blocks.saturating_mul(128));
            let bytes = bytes.filter(|bytes| *bytes <= MAX_SCRYPT_BYTES)?;
            // Going through so many bytes takes about as long as an iteration.
            u32::try_from(bytes / 32).ok()
        }
        _ => Some(0),
    }
}
