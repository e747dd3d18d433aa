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

/// It asks for more work than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooCostly;

/// What is left of the work that one file may ask for, whatever lies in it and however many passphrases
/// are tried.
#[derive(Debug)]
pub(super) struct IterationBudget {
    iterations: u64,
}

impl IterationBudget {
    /// As much for everything in a file as for one key.
    pub(super) fn new() -> Self {
        Self {
            iterations: MAX_ITERATIONS.into(),
        }
    }

    /// Takes so many iterations before they are done.
    ///
    /// # Errors
    /// [`TooCostly`] where there are not as many left.
    pub(super) fn take(&mut self, iterations: u64) -> Result<(), TooCostly> {
        self.iterations = self.iterations.checked_sub(iterations).ok_or(TooCostly)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_ask_for_ten_million_iterations_and_no_more() {
        let mut budget = IterationBudget::new();
        assert_eq!(budget.take(u64::from(MAX_ITERATIONS) - 1), Ok(()));
        assert_eq!(budget.take(2), Err(TooCostly));
        assert_eq!(budget.take(1), Ok(()));
        assert_eq!(budget.take(1), Err(TooCostly));
    }
}
