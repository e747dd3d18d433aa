//! What a passphrase opens: PBES2 (RFC 8018, 6.2), and the older ways of PKCS#12 (RFC 7292, appendices
//! B and C), which Windows and Java wrote for decades.

use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::consts::{U5, U16};
use cbc::cipher::{BlockDecryptMut, InnerIvInit as _, KeyInit as _, KeyIvInit as _, StreamCipher};
use des::{TdesEde2, TdesEde3};
use pkcs8::der::zeroize::Zeroizing;
use pkcs8::pkcs5::{self, EncryptionScheme};
use pkcs12::kdf::Pkcs12KeyType;
use rc2::Rc2;
use rc4::Rc4;

use super::ber::{Damaged, Element, tag};
use super::fault::ContainerFault;
use super::hash::Hash;
use super::secret::Secret;
use crate::source::kdf_cost::{self, IterationBudget};

/// 1.2.840.113549.1.5.13.
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
/// 1.2.840.113549.1.12.1, of which each way to encrypt has a number.
const PKCS12_PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1];

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
    ///
    /// # Errors
    /// [`ContainerFault::TooCostly`] where that is too much work.
    pub(super) fn derive(
        &self,
        hash: Hash,
        wide: &[u8],
        what: Pkcs12KeyType,
        bytes: usize,
        budget: &mut IterationBudget,
    ) -> Result<Zeroizing<Vec<u8>>, ContainerFault> {
        budget.take(hash.blocks(bytes).saturating_mul(self.iterations.into()))?;
        // The budget is less than that.
        let iterations = i32::try_from(self.iterations).map_err(|_| ContainerFault::TooCostly)?;
        Ok(hash.pkcs12_key(wide, self.salt, what, iterations, bytes))
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
            Some([1]) => Cipher::Rc4With128Bits,
            Some([2]) => Cipher::Rc4With40Bits,
            Some([3]) => Cipher::TripleDes,
            Some([4]) => Cipher::DoubleDes,
            Some([5]) => Cipher::Rc2With128Bits,
            Some([6]) => Cipher::Rc2With40Bits,
            _ => return Err(ContainerFault::unknown_encryption(oid)),
        };
        let stretching = Stretching::parse(parts.one(tag::SEQUENCE)?)?;
        for wide in &secret.wide {
            let bytes = cipher.key_bytes();
            let derive = |what, bytes, budget: &mut _| {
                stretching.derive(Hash::Sha1, wide, what, bytes, budget)
            };
            let key = derive(Pkcs12KeyType::EncryptionKey, bytes, budget)?;
            let iv = match cipher.is_stream() {
                true => Zeroizing::default(),
                false => derive(Pkcs12KeyType::Iv, 8, budget)?,
            };
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
        let scheme = EncryptionScheme::try_from(self.algorithm.whole)
            .map_err(|_| ContainerFault::unknown_encryption(oid))?;
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
    Rc4With128Bits,
    Rc4With40Bits,
}

impl Cipher {
    const fn key_bytes(self) -> usize {
        match self {
            Self::TripleDes => 24,
            Self::DoubleDes | Self::Rc2With128Bits | Self::Rc4With128Bits => 16,
            Self::Rc2With40Bits | Self::Rc4With40Bits => 5,
        }
    }

    /// Whether it takes no initialization vector, and no padding.
    const fn is_stream(self) -> bool {
        matches!(self, Self::Rc4With128Bits | Self::Rc4With40Bits)
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
            Self::Rc4With128Bits => streamed(Rc4::<U16>::new_from_slice(key).ok()?, sealed),
            Self::Rc4With40Bits => streamed(Rc4::<U5>::new_from_slice(key).ok()?, sealed),
        }
    }
}

/// Without padding only the whole shows that it is no noise.
fn streamed(mut cipher: impl StreamCipher, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    cipher.apply_keystream(&mut buffer);
    let bytes = Element::first(&buffer, tag::SEQUENCE).ok()?.whole.len();
    (bytes == buffer.len()).then_some(buffer)
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
