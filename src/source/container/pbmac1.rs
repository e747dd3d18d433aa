//! PBMAC1 (RFC 8018, 7.1 and A.5), as PKCS#12 takes it (RFC 9579): a MAC by a key that PBKDF2 makes of the
//! passphrase, in UTF-8 as it is given.

use super::ber::{Element, tag};
use super::fault::ContainerFault;
use super::hash::Hash;
use crate::source::kdf_cost::IterationBudget;

/// 1.2.840.113549.1.5.14.
pub(super) const PBMAC1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 14];
/// 1.2.840.113549.1.5.12.
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];

/// A key of fewer bytes can be guessed, whatever the passphrase: whoever writes the file states how many
/// there are (RFC 9579, 9).
const MIN_KEY_BYTES: u32 = 20;

/// Of more bytes no HMAC has a use.
const MAX_KEY_BYTES: u32 = 64;

/// `PBMAC1-params`.
pub(super) struct Pbmac1<'a> {
    salt: &'a [u8],
    iterations: u32,
    key_bytes: usize,
    stretched_by: Hash,
    hash: Hash,
}

impl<'a> Pbmac1<'a> {
    /// # Errors
    /// [`ContainerFault`] where they are not as RFC 9579 wants them, or name what is not known.
    pub(super) fn parse(parameters: Element<'a>) -> Result<Self, ContainerFault> {
        let mut parts = parameters.elements();
        let mut derivation = parts.one(tag::SEQUENCE)?.elements();
        let oid = derivation.one(tag::OID)?.content;
        if oid != PBKDF2 {
            return Err(ContainerFault::unknown_check(oid));
        }
        let mut stretching = derivation.one(tag::SEQUENCE)?.elements();
        let salt = stretching.one(tag::OCTET_STRING)?.content;
        let iterations = stretching.one(tag::INTEGER)?.number()?;
        if iterations == 0 {
            return Err(ContainerFault::Damaged(
                "its check of integrity (PBMAC1) is stretched by no iterations",
            ));
        }
        let Ok(key_bytes) = stretching.one(tag::INTEGER) else {
            return Err(ContainerFault::Damaged(
                "its check of integrity (PBMAC1) does not say of how many bytes its key is, which RFC 9579 wants it to",
            ));
        };
        let key_bytes = key_bytes.number()?;
        if !(MIN_KEY_BYTES..=MAX_KEY_BYTES).contains(&key_bytes) {
            return Err(ContainerFault::CheckKey(key_bytes));
        }
        let stretched_by = match stretching.next() {
            Some(by) => hmac(by?)?,
            // The default (RFC 8018, A.2).
            None => Hash::Sha1,
        };
        Ok(Self {
            salt,
            iterations,
            key_bytes: usize::try_from(key_bytes)
                .map_err(|_| ContainerFault::CheckKey(key_bytes))?,
            stretched_by,
            hash: hmac(parts.one(tag::SEQUENCE)?)?,
        })
    }

    /// Whether it is what this passphrase makes of the content.
    ///
    /// # Errors
    /// [`ContainerFault::TooCostly`] where that is too much work to be said.
    pub(super) fn passes(
        &self,
        content: &[u8],
        expected: &[u8],
        passphrase: &[u8],
        budget: &mut IterationBudget,
    ) -> Result<bool, ContainerFault> {
        let blocks = self.stretched_by.blocks(self.key_bytes);
        budget.take(blocks.saturating_mul(self.iterations.into()))?;
        let key =
            self.stretched_by
                .pbkdf2_key(passphrase, self.salt, self.iterations, self.key_bytes);
        Ok(self.hash.is_hmac(&key, content, expected))
    }
}

/// The hash of `AlgorithmIdentifier { hmacWith... }`.
fn hmac(algorithm: Element<'_>) -> Result<Hash, ContainerFault> {
    let oid = algorithm.elements().one(tag::OID)?.content;
    Hash::of_hmac(oid).ok_or_else(|| ContainerFault::unknown_check(oid))
}
