//! `MacData` of PKCS#12 (RFC 7292, 4): what shows that nobody without the passphrase wrote the file.

use pkcs12::kdf::Pkcs12KeyType;

use super::ber::{Element, tag};
use super::fault::ContainerFault;
use super::hash::Hash;
use super::pbe::Stretching;
use super::pbmac1::{PBMAC1, Pbmac1};
use super::secret::Secret;
use crate::source::kdf_cost::IterationBudget;

/// A check of integrity, and by what it was made.
pub(super) struct Check<'a> {
    expected: &'a [u8],
    by: CheckBy<'a>,
}

enum CheckBy<'a> {
    /// RFC 7292, B.4: HMAC with this hash, by a key that is stretched with it too.
    Hash(Hash, Stretching<'a>),
    /// RFC 9579.
    Pbmac1(Pbmac1<'a>),
}

impl<'a> Check<'a> {
    /// # Errors
    /// [`ContainerFault`] where it is damaged, or made in a way that is not known.
    pub(super) fn parse(data: Element<'a>) -> Result<Self, ContainerFault> {
        let mut parts = data.elements();
        let mut info = parts.one(tag::SEQUENCE)?.elements();
        let mut algorithm = info.one(tag::SEQUENCE)?.elements();
        let oid = algorithm.one(tag::OID)?.content;
        let expected = info.one(tag::OCTET_STRING)?.content;
        let by = if oid == PBMAC1 {
            // The salt and the count of iterations beside it stand there for nothing (RFC 9579, 4).
            CheckBy::Pbmac1(Pbmac1::parse(algorithm.one(tag::SEQUENCE)?)?)
        } else {
            let stretching = Stretching {
                salt: parts.one(tag::OCTET_STRING)?.content,
                iterations: match parts.next() {
                    Some(count) => count?.number()?,
                    // The default, which is there for the oldest files.
                    None => 1,
                },
            };
            CheckBy::Hash(
                Hash::of_digest(oid).ok_or_else(|| ContainerFault::unknown_check(oid))?,
                stretching,
            )
        };
        Ok(Self { expected, by })
    }

    /// Whether this is the passphrase by which it was made; of its forms only the one is kept that
    /// was meant.
    ///
    /// # Errors
    /// [`ContainerFault::TooCostly`] where that is too much work to be said.
    pub(super) fn passes(
        &self,
        content: &[u8],
        secret: &mut Secret,
        budget: &mut IterationBudget,
    ) -> Result<bool, ContainerFault> {
        let (hash, stretching) = match &self.by {
            CheckBy::Hash(hash, stretching) => (*hash, stretching),
            CheckBy::Pbmac1(pbmac1) => {
                return pbmac1.passes(content, self.expected, &secret.bytes, budget);
            }
        };
        for (number, wide) in secret.wide.iter().enumerate() {
            let key = stretching.derive(hash, wide, Pkcs12KeyType::Mac, hash.bytes(), budget)?;
            if hash.is_hmac(&key, content, self.expected) {
                let meant = secret.wide.swap_remove(number);
                secret.wide = vec![meant];
                return Ok(true);
            }
        }
        Ok(false)
    }
}
