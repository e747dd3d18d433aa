//! Encrypted PKCS#8 keys (RFC 5958, section 3; PBES2 of RFC 8018, section 6.2).

use pkcs8::der::Decode as _;
use pkcs8::der::asn1::{AnyRef, OctetStringRef};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{EncryptedPrivateKeyInfo, PrivateKeyInfo};
use pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::kdf_cost::{self, IterationBudget};
use super::key_error::PrivateKeyError;
use super::passphrase::Passphrase;

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
    open_within(der, passphrase, &mut IterationBudget::new())
}

fn open_within(
    der: &[u8],
    passphrase: &Passphrase,
    budget: &mut IterationBudget,
) -> Result<PrivateKeyDer<'static>, PrivateKeyError> {
    let Ok(encrypted) = EncryptedPrivateKeyInfo::try_from(der) else {
        return Err(if is_encrypted(der) {
            PrivateKeyError::UnknownEncryption
        } else {
            PrivateKeyError::Damaged
        });
    };
    let cost = kdf_cost::iterations(&encrypted.encryption_algorithm);
    let cost = cost.ok_or(PrivateKeyError::TooCostly)?;
    let mut known = passphrase.each().flatten().peekable();
    if known.peek().is_none() {
        return Err(PrivateKeyError::NoPassphrase);
    }
    for known in known {
        budget.take(cost.into())?;
        match opened(&encrypted, &known) {
            Err(PrivateKeyError::WrongPassphrase) => {}
            opened => return opened,
        }
    }
    Err(match passphrase.count() {
        ..=1 => PrivateKeyError::WrongPassphrase,
        count => PrivateKeyError::WrongPassphrases(count),
    })
}

fn opened(
    encrypted: &EncryptedPrivateKeyInfo<'_>,
    passphrase: &[u8],
) -> Result<PrivateKeyDer<'static>, PrivateKeyError> {
    let key = encrypted.decrypt(passphrase).map_err(reason)?;
    // Another passphrase gives noise, which may be padded by chance.
    if PrivateKeyInfo::try_from(key.as_bytes()).is_err() {
        return Err(PrivateKeyError::WrongPassphrase);
    }
    let key = PrivatePkcs8KeyDer::from(key.as_bytes());
    Ok(PrivateKeyDer::Pkcs8(key).clone_key())
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

#[cfg(test)]
mod tests {
    use pkcs8::pkcs5::EncryptionScheme;

    use super::*;

    /// `SEQUENCE`, `OCTET STRING`, ... around these bytes, of which there are few.
    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn sequence(parts: &[&[u8]]) -> Vec<u8> {
        tlv(0x30, &parts.concat())
    }

    /// An encrypted key whose passphrase is stretched by so many iterations of PBKDF2 with
    /// HMAC-SHA-256.
    fn stretched(iterations: u32) -> Vec<u8> {
        const PBES2: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
        const PBKDF2: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
        const HMAC: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 9];
        const AES_256_CBC: &[u8] = &[0x06, 9, 0x60, 0x86, 0x48, 1, 101, 3, 4, 1, 42];
        // A zero before it, for a first bit would make it negative; no other leading zeros.
        let bytes = [&[0], &iterations.to_be_bytes()[..]].concat();
        let is_shortest =
            |rest: &&[u8]| rest[0] != 0 || rest.get(1).is_none_or(|next| *next >= 128);
        let number = (0..bytes.len())
            .map(|start| &bytes[start..])
            .find(is_shortest);
        let hmac = sequence(&[HMAC, &[0x05, 0]]);
        let kdf = [tlv(0x04, &[7; 8]), tlv(0x02, number.unwrap()), hmac].concat();
        let kdf = sequence(&[PBKDF2, &sequence(&[&kdf])]);
        let cipher = sequence(&[AES_256_CBC, &tlv(0x04, &[9; 16])]);
        let scheme = sequence(&[PBES2, &sequence(&[&kdf, &cipher])]);
        sequence(&[&scheme, &tlv(0x04, &[5; 32])])
    }

    #[test]
    fn a_passphrase_is_stretched_by_ten_million_iterations_at_the_most() {
        for (iterations, affordable) in [
            (1, true),
            (127, true),
            (128, true),
            (600_000, true),
            (10_000_000, true),
            (10_000_001, false),
            (u32::MAX, false),
        ] {
            let der = stretched(iterations);
            let key = EncryptedPrivateKeyInfo::try_from(der.as_slice()).unwrap();
            let EncryptionScheme::Pbes2(parameters) = &key.encryption_algorithm else {
                panic!("{iterations}");
            };
            let pbkdf2 = parameters.kdf.pbkdf2().unwrap();
            assert_eq!(pbkdf2.iteration_count, iterations);
            let cost = kdf_cost::iterations(&key.encryption_algorithm);
            assert_eq!(cost, affordable.then_some(iterations), "{iterations}");
        }
        // Nobody is asked for the passphrase of a key that is not opened anyway.
        let passphrase = Passphrase::from_fn(|| panic!("it is asked for"));
        for iterations in [10_000_001, u32::MAX] {
            let opened = open(&stretched(iterations), &passphrase);
            assert_eq!(opened.map(drop), Err(PrivateKeyError::TooCostly));
        }
        let passphrase = Passphrase::new("battery staple");
        let opened = open(&stretched(1000), &passphrase);
        assert_eq!(opened.map(drop), Err(PrivateKeyError::WrongPassphrase));
        let nobody = Passphrase::from_fn(|| None);
        let none_at_all = Passphrase::any_of([]);
        let nobodies = Passphrase::any_of([nobody.clone(), nobody.clone()]);
        for nobody in [nobody, none_at_all, nobodies] {
            let opened = open(&stretched(1000), &nobody);
            assert_eq!(opened.map(drop), Err(PrivateKeyError::NoPassphrase));
        }
    }

    #[test]
    fn several_passphrases_are_tried_within_the_same_bound() {
        let several = Passphrase::any_of((0..3).map(|_| Passphrase::new("battery staple")));
        // What there is left of the bound.
        for (left, expected) in [
            (3000, PrivateKeyError::WrongPassphrases(3)),
            (2999, PrivateKeyError::TooCostly),
        ] {
            let mut budget = IterationBudget::new();
            budget.take(10_000_000 - left).unwrap();
            let opened = open_within(&stretched(1000), &several, &mut budget);
            assert_eq!(opened.map(drop), Err(expected), "{left}");
        }
    }
}
