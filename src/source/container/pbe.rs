//! What a passphrase opens: PBES2 (RFC 8018, 6.2), and the older ways of PKCS#12 (RFC 7292, appendices
//! B and C), which Windows and Java wrote for decades.

use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut, InnerIvInit as _, KeyIvInit as _};
use des::{TdesEde2, TdesEde3};
use hmac::digest::core_api::BlockSizeUser;
use hmac::digest::{Digest, FixedOutputReset};
use hmac::{Mac as _, SimpleHmac};
use pkcs8::ObjectIdentifier;
use pkcs8::der::zeroize::Zeroizing;
use pkcs8::pkcs5::{self, EncryptionScheme};
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use rc2::Rc2;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::ber::{Damaged, Element, tag};
use super::fault::ContainerFault;
use super::secret::{IterationBudget, Secret};
use crate::source::kdf_cost;

/// 1.2.840.113549.1.5.13.
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
/// 1.2.840.113549.1.12.1, of which each way to encrypt has a number.
const PKCS12_PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1];
/// 1.3.14.3.2.26.
const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 26];
/// 2.16.840.1.101.3.4.2, of which each hash has a number.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];

/// What a salt and a count of iterations say of how a passphrase is stretched.
pub(super) struct Stretching<'a> {
    pub(super) salt: &'a [u8],
    pub(super) iterations: u32,
}

impl<'a> Stretching<'a> {
    /// `SEQUENCE { OCTET STRING, INTEGER }` (RFC 8018, A.3; RFC 7292, C).
    pub(super) fn parse(parameters: Element<'a>) -> Result<Self, Damaged> {
        let mut parts = parameters.elements();
        Ok(Self {
            salt: parts.one(tag::OCTET_STRING)?.content,
            iterations: parts.one(tag::INTEGER)?.number()?,
        })
    }

    /// So many bytes for this use (RFC 7292, B.2).
    fn derive<D: Digest + FixedOutputReset + BlockSizeUser>(
        &self,
        wide: &[u8],
        what: Pkcs12KeyType,
        bytes: usize,
        budget: &mut IterationBudget,
    ) -> Result<Zeroizing<Vec<u8>>, ContainerFault> {
        let blocks = bytes.div_ceil(<D as Digest>::output_size()).max(1);
        let blocks = u64::try_from(blocks).unwrap_or(u64::MAX);
        budget.take(u64::from(self.iterations).saturating_mul(blocks))?;
        // The budget is less than that.
        let iterations = i32::try_from(self.iterations).map_err(|_| ContainerFault::TooCostly)?;
        let key = derive_key::<D>(wide, self.salt, what, iterations, bytes);
        Ok(Zeroizing::new(key))
    }
}

/// An algorithm, and what is encrypted by it.
pub(super) struct SealedContent<'a> {
    pub(super) algorithm: Element<'a>,
    pub(super) content: &'a [u8],
}

impl SealedContent<'_> {
    /// What is inside: a SEQUENCE, as everything is that containers encrypt.
    ///
    /// # Errors
    /// [`ContainerFault`] where the passphrase is another one, or nothing here opens it.
    pub(super) fn open(
        &self,
        secret: &Secret,
        budget: &mut IterationBudget,
    ) -> Result<Zeroizing<Vec<u8>>, ContainerFault> {
        let mut parts = self.algorithm.elements();
        let oid = parts.one(tag::OID)?.content;
        if oid == PBES2 {
            return self.open_pbes2(oid, secret, budget);
        }
        let cipher = match oid.strip_prefix(PKCS12_PBE) {
            Some([3]) => Cipher::TripleDes,
            Some([4]) => Cipher::DoubleDes,
            Some([5]) => Cipher::Rc2With128Bits,
            Some([6]) => Cipher::Rc2With40Bits,
            _ => return Err(unknown(oid)),
        };
        let stretching = Stretching::parse(parts.one(tag::SEQUENCE)?)?;
        for wide in &secret.wide {
            let bytes = cipher.key_bytes();
            let key =
                stretching.derive::<Sha1>(wide, Pkcs12KeyType::EncryptionKey, bytes, budget)?;
            let iv = stretching.derive::<Sha1>(wide, Pkcs12KeyType::Iv, 8, budget)?;
            if let Some(opened) = cipher.open(&key, &iv, self.content) {
                return Ok(opened);
            }
        }
        Err(ContainerFault::WrongPassphrase)
    }

    fn open_pbes2(
        &self,
        oid: &[u8],
        secret: &Secret,
        budget: &mut IterationBudget,
    ) -> Result<Zeroizing<Vec<u8>>, ContainerFault> {
        use pkcs5::Error;
        let scheme = EncryptionScheme::try_from(self.algorithm.whole).map_err(|_| unknown(oid))?;
        budget.take(
            kdf_cost::iterations(&scheme)
                .ok_or(ContainerFault::TooCostly)?
                .into(),
        )?;
        let opened = scheme.decrypt(&*secret.bytes, self.content);
        let opened = opened.map_err(|error| match error {
            Error::UnsupportedAlgorithm { oid } | Error::AlgorithmParametersInvalid { oid } => {
                ContainerFault::UnknownEncryption(oid)
            }
            _ => ContainerFault::WrongPassphrase,
        })?;
        sequence(Zeroizing::new(opened)).ok_or(ContainerFault::WrongPassphrase)
    }
}

/// What encrypts in the older way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cipher {
    TripleDes,
    DoubleDes,
    Rc2With128Bits,
    Rc2With40Bits,
}

impl Cipher {
    const fn key_bytes(self) -> usize {
        match self {
            Self::TripleDes => 24,
            Self::DoubleDes | Self::Rc2With128Bits => 16,
            Self::Rc2With40Bits => 5,
        }
    }

    /// The SEQUENCE inside; `None` where another key gives noise.
    pub(super) fn open(self, key: &[u8], iv: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let rc2 = |bits| {
            let cipher = Rc2::new_with_eff_key_len(key.get(..self.key_bytes())?, bits);
            unpadded(Decryptor::inner_iv_slice_init(cipher, iv).ok()?, sealed)
        };
        match self {
            Self::TripleDes => unpadded(
                Decryptor::<TdesEde3>::new_from_slices(key, iv).ok()?,
                sealed,
            ),
            Self::DoubleDes => unpadded(
                Decryptor::<TdesEde2>::new_from_slices(key, iv).ok()?,
                sealed,
            ),
            Self::Rc2With128Bits => rc2(128),
            Self::Rc2With40Bits => rc2(40),
        }
    }
}

fn unpadded(decryptor: impl BlockDecryptMut, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let bytes = decryptor
        .decrypt_padded_mut::<Pkcs7>(&mut buffer)
        .ok()?
        .len();
    buffer.truncate(bytes);
    sequence(buffer)
}

/// Another passphrase gives noise, which may be padded by chance.
fn sequence(opened: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
    let is_sequence = Element::first(&opened, tag::SEQUENCE).is_ok();
    is_sequence.then_some(opened)
}

/// `MacData` (RFC 7292, 4): what shows that nobody without the passphrase wrote the file.
pub(super) struct Check<'a> {
    hash: &'a [u8],
    expected: &'a [u8],
    stretching: Stretching<'a>,
}

impl<'a> Check<'a> {
    pub(super) fn parse(data: Element<'a>) -> Result<Self, Damaged> {
        let mut parts = data.elements();
        let mut info = parts.one(tag::SEQUENCE)?.elements();
        let hash = info.one(tag::SEQUENCE)?.elements().one(tag::OID)?.content;
        Ok(Self {
            hash,
            expected: info.one(tag::OCTET_STRING)?.content,
            stretching: Stretching {
                salt: parts.one(tag::OCTET_STRING)?.content,
                iterations: match parts.next() {
                    Some(count) => count?.number()?,
                    // The default, which is there for the oldest files.
                    None => 1,
                },
            },
        })
    }

    /// Whether this is the passphrase by which it was made; of its forms only the one is kept that
    /// was meant.
    ///
    /// # Errors
    /// [`ContainerFault`] where that cannot be said.
    pub(super) fn passes(
        &self,
        content: &[u8],
        secret: &mut Secret,
        budget: &mut IterationBudget,
    ) -> Result<bool, ContainerFault> {
        for (number, wide) in secret.wide.iter().enumerate() {
            let passes = match self.hash.strip_prefix(SHA2) {
                Some([4]) => self.is_by::<Sha224>(wide, content, budget),
                Some([1]) => self.is_by::<Sha256>(wide, content, budget),
                Some([2]) => self.is_by::<Sha384>(wide, content, budget),
                Some([3]) => self.is_by::<Sha512>(wide, content, budget),
                None if self.hash == SHA1 => self.is_by::<Sha1>(wide, content, budget),
                _ => return Err(unknown_check(self.hash)),
            };
            if passes? {
                let meant = secret.wide.swap_remove(number);
                secret.wide = vec![meant];
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_by<D: Digest + FixedOutputReset + BlockSizeUser>(
        &self,
        wide: &[u8],
        content: &[u8],
        budget: &mut IterationBudget,
    ) -> Result<bool, ContainerFault> {
        let bytes = <D as Digest>::output_size();
        let key = (self.stretching).derive::<D>(wide, Pkcs12KeyType::Mac, bytes, budget)?;
        let mac = SimpleHmac::<D>::new_from_slice(&key);
        Ok(mac.is_ok_and(|mac| {
            mac.chain_update(content)
                .verify_slice(self.expected)
                .is_ok()
        }))
    }
}

pub(super) fn unknown(oid: &[u8]) -> ContainerFault {
    match ObjectIdentifier::from_bytes(oid) {
        Ok(oid) => ContainerFault::UnknownEncryption(oid),
        Err(_) => Damaged.into(),
    }
}

fn unknown_check(oid: &[u8]) -> ContainerFault {
    match ObjectIdentifier::from_bytes(oid) {
        Ok(oid) => ContainerFault::UnknownCheck(oid),
        Err(_) => Damaged.into(),
    }
}
