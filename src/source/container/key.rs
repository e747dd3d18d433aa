//! The private key of a container.

use md5::Md5;
use pkcs8::PrivateKeyInfo;
use pkcs8::der::zeroize::Zeroizing;
use sha1::{Digest as _, Sha1};

use super::ber::{Damaged, Element, tag};
use super::fault::ContainerFault;
use super::pbe::{Cipher, SealedContent, Stretching};
use super::secret::Secret;
use super::thing::SealedKey;
use crate::source::kdf_cost::IterationBudget;

/// 1.3.6.1.4.1.42.2.17.1.1: the way of JKS.
const JKS: &[u8] = &[0x2b, 6, 1, 4, 1, 0x2a, 2, 17, 1, 1];
/// 1.3.6.1.4.1.42.2.19.1: `PBEWithMD5AndTripleDES`, the way of JCEKS.
const JCEKS: &[u8] = &[0x2b, 6, 1, 4, 1, 0x2a, 2, 19, 1];

/// The bytes of the salt, and of the hash, of JKS.
const HASH: usize = 20;

impl SealedKey {
    /// PKCS#8, opened with this passphrase.
    ///
    /// # Errors
    /// [`ContainerFault`] where it does not open.
    pub(super) fn open(
        &self,
        secret: Option<&Secret>,
        budget: &mut IterationBudget,
    ) -> Result<Zeroizing<Vec<u8>>, ContainerFault> {
        let key = match self {
            Self::Plain(key) => key.clone(),
            Self::Encrypted(key) => {
                let secret = secret.ok_or(ContainerFault::PassphraseMissing)?;
                decrypted(key, secret, budget)?
            }
        };
        // Another passphrase gives noise, which may be padded by chance.
        match PrivateKeyInfo::try_from(&key[..]) {
            Ok(_) => Ok(key),
            Err(_) => Err(ContainerFault::WrongPassphrase),
        }
    }
}

/// What is in an `EncryptedPrivateKeyInfo` (RFC 5958, 3).
fn decrypted(
    key: &[u8],
    secret: &Secret,
    budget: &mut IterationBudget,
) -> Result<Zeroizing<Vec<u8>>, ContainerFault> {
    let mut parts = Element::first(key, tag::SEQUENCE)?.elements();
    let algorithm = parts.one(tag::SEQUENCE)?;
    let content = parts.next().ok_or(Damaged)??.octets()?;
    let mut named = algorithm.elements();
    match named.one(tag::OID)?.content {
        JKS => opened_by_sha1(&content, secret).ok_or(ContainerFault::WrongPassphrase),
        JCEKS => {
            let stretching = Stretching::parse(named.one(tag::SEQUENCE)?)?;
            budget.take(2 * u64::from(stretching.iterations))?;
            let Some(keys) = by_md5(&stretching, &secret.bytes) else {
                return Err(ContainerFault::unknown_encryption(JCEKS));
            };
            let (key, iv) = keys.split_at(24);
            let opened = Cipher::TripleDes.open(key, iv, &content);
            opened.ok_or(ContainerFault::WrongPassphrase)
        }
        _ => {
            let content = &content;
            SealedContent { algorithm, content }.open(secret, budget)
        }
    }
}

/// `sun.security.provider.KeyProtector`: a salt, the key under a stream of hashes, and a hash of it.
fn opened_by_sha1(sealed: &[u8], secret: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    let passphrase = secret.utf16();
    let (salt, sealed) = sealed.split_at_checked(HASH)?;
    let (sealed, check) = sealed.split_at_checked(sealed.len().checked_sub(HASH)?)?;
    let mut key = Zeroizing::new(sealed.to_vec());
    let mut stream = Zeroizing::new(salt.to_vec());
    for block in key.chunks_mut(HASH) {
        let hashed = Sha1::new().chain_update(passphrase).chain_update(&stream);
        stream.copy_from_slice(&hashed.finalize());
        for (byte, mask) in block.iter_mut().zip(stream.iter()) {
            *byte ^= mask;
        }
    }
    let hashed = Sha1::new().chain_update(passphrase).chain_update(&key);
    (hashed.finalize()[..] == *check).then_some(key)
}

/// `com.sun.crypto.provider.PBES1Core`: a key of 24 bytes, and an initialization vector of 8. Each half
/// of the salt is hashed by itself.
fn by_md5(stretching: &Stretching<'_>, passphrase: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut salt: [u8; 8] = stretching.salt.try_into().ok()?;
    let [a, b, c, d, e, f, g, h] = salt;
    if [a, b, c, d] == [e, f, g, h] {
        // It means to turn one half around, and does this.
        salt = [d, a, b, d, e, f, g, h];
    }
    if stretching.iterations == 0 {
        return None;
    }
    let mut keys = Zeroizing::new([0; 32]);
    for (half, hashed) in salt.chunks(4).zip(keys.chunks_mut(16)) {
        let hash = Md5::new().chain_update(half).chain_update(passphrase);
        let mut stream: Zeroizing<[u8; 16]> = Zeroizing::new(hash.finalize().into());
        for _ in 1..stretching.iterations {
            let hash = Md5::new().chain_update(*stream).chain_update(passphrase);
            *stream = hash.finalize().into();
        }
        hashed.copy_from_slice(&*stream);
    }
    Some(keys)
}
