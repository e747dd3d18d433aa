//! The hashes by which passphrases are stretched and files are checked, each by its identifiers.

use hmac::{Hmac, Mac as _};
use pbkdf2::pbkdf2_hmac;
use pkcs8::der::zeroize::Zeroizing;
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// 1.3.14.3.2.26.
const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 26];
/// 2.16.840.1.101.3.4.2, of which each hash has a number.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];
/// 1.2.840.113549.2, of which each HMAC has a number (RFC 8018, B.1).
const HMAC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// By the OID of the hash itself.
    pub(super) fn of_digest(oid: &[u8]) -> Option<Self> {
        match oid.strip_prefix(SHA2) {
            Some([4]) => Some(Self::Sha224),
            Some([1]) => Some(Self::Sha256),
            Some([2]) => Some(Self::Sha384),
            Some([3]) => Some(Self::Sha512),
            None if oid == SHA1 => Some(Self::Sha1),
            _ => None,
        }
    }

    /// By the OID of HMAC with it.
    pub(super) fn of_hmac(oid: &[u8]) -> Option<Self> {
        match oid.strip_prefix(HMAC)? {
            [7] => Some(Self::Sha1),
            [8] => Some(Self::Sha224),
            [9] => Some(Self::Sha256),
            [10] => Some(Self::Sha384),
            [11] => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The bytes of its output.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// How often everything is done for a key of so many bytes, at least once.
    pub(super) fn blocks(self, bytes: usize) -> u64 {
        u64::try_from(bytes.div_ceil(self.bytes()).max(1)).unwrap_or(u64::MAX)
    }

    /// Whether this is the HMAC of these bytes by this key: all of it, and nothing else.
    pub(super) fn is_hmac(self, key: &[u8], content: &[u8], expected: &[u8]) -> bool {
        macro_rules! is_by {
            ($hash:ty) => {
                Hmac::<$hash>::new_from_slice(key)
                    .is_ok_and(|mac| mac.chain_update(content).verify_slice(expected).is_ok())
            };
        }
        match self {
            Self::Sha1 => is_by!(Sha1),
            Self::Sha224 => is_by!(Sha224),
            Self::Sha256 => is_by!(Sha256),
            Self::Sha384 => is_by!(Sha384),
            Self::Sha512 => is_by!(Sha512),
        }
    }

    /// So many bytes by PBKDF2 with its HMAC (RFC 8018, 5.2).
    pub(super) fn pbkdf2_key(
        self,
        passphrase: &[u8],
        salt: &[u8],
        iterations: u32,
        bytes: usize,
    ) -> Zeroizing<Vec<u8>> {
        let mut key = Zeroizing::new(vec![0; bytes]);
        let derive = match self {
            Self::Sha1 => pbkdf2_hmac::<Sha1>,
            Self::Sha224 => pbkdf2_hmac::<Sha224>,
            Self::Sha256 => pbkdf2_hmac::<Sha256>,
            Self::Sha384 => pbkdf2_hmac::<Sha384>,
            Self::Sha512 => pbkdf2_hmac::<Sha512>,
        };
        derive(passphrase, salt, iterations, &mut key);
        key
    }

    /// So many bytes in the older way (RFC 7292, B.2).
    pub(super) fn pkcs12_key(
        self,
        wide: &[u8],
        salt: &[u8],
        what: Pkcs12KeyType,
        iterations: i32,
        bytes: usize,
    ) -> Zeroizing<Vec<u8>> {
        let derive = match self {
            Self::Sha1 => derive_key::<Sha1>,
            Self::Sha224 => derive_key::<Sha224>,
            Self::Sha256 => derive_key::<Sha256>,
            Self::Sha384 => derive_key::<Sha384>,
            Self::Sha512 => derive_key::<Sha512>,
        };
        Zeroizing::new(derive(wide, salt, what, iterations, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hash_gives_what_it_is_said_to() {
        let hashes = [
            (Hash::Sha1, 7),
            (Hash::Sha224, 8),
            (Hash::Sha256, 9),
            (Hash::Sha384, 10),
            (Hash::Sha512, 11),
        ];
        for (hash, number) in hashes {
            assert_eq!(Hash::of_hmac(&[HMAC, &[number]].concat()), Some(hash));
            // HMAC is what PBKDF2 does of one iteration and one block.
            let key = hash.pbkdf2_key(b"key", b"salt", 1, hash.bytes());
            assert!(hash.is_hmac(b"key", b"salt\0\0\0\x01", &key), "{hash:?}");
            assert!(!hash.is_hmac(b"key", b"salt\0\0\0\x01", &key[1..]));
            assert_eq!(hash.blocks(hash.bytes()), 1);
            assert_eq!(hash.blocks(hash.bytes() + 1), 2);
        }
        // HMAC with SHA-512/256, and 1.2.840.113549.2 itself.
        for unknown in [&[13][..], &[]] {
            assert_eq!(Hash::of_hmac(&[HMAC, unknown].concat()), None);
        }
    }
}
