use super::super::der::element;
use super::*;

const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA_384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const SHA_512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];
const SHA_1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const MD5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05];
const MD2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x02];
const SHA3_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x08];

/// A HashedRootKey with these parameters of its algorithm.
fn hashed(oid: &[u8], parameters: &[u8], digest: &[u8]) -> Vec<u8> {
    let algorithm = [element(tag::OID, oid), parameters.to_vec()].concat();
    let algorithm = element(tag::SEQUENCE, &algorithm);
    element(
        tag::SEQUENCE,
        &[algorithm, element(tag::OCTET_STRING, digest)].concat(),
    )
}

#[test]
fn a_digest_of_each_hash_is_read_with_and_without_parameters() {
    let key = b"a SubjectPublicKeyInfo";
    for (oid, hash, length) in [
        (SHA_256, RootKeyHash::Sha256, 32),
        (SHA_384, RootKeyHash::Sha384, 48),
        (SHA_512, RootKeyHash::Sha512, 64),
    ] {
        let stated = NextRootKey::of_spki(hash, key);
        assert_eq!(stated.digest().len(), length);
        for parameters in [&[][..], &[0x05, 0x00]] {
            let value = hashed(oid, parameters, stated.digest());
            assert_eq!(
                NextRootKey::from_extension_value(&value),
                Ok(stated.clone())
            );
        }
        assert!(stated.matches(key) && !stated.matches(b"another"));
        assert!(stated.to_string().starts_with(&format!("{hash}/")));
    }
}

#[test]
fn what_states_no_key_says_why() {
    use NextRootKeyError as E;
    let malformed = |offset, problem| E::Malformed { offset, problem };
    let good = hashed(SHA_256, &[], &[7; 32]);
    let last = good.len();
    let cases = [
        (hashed(SHA_1, &[], &[7; 20]), E::WeakHash { hash: "SHA-1" }),
        (hashed(MD5, &[], &[7; 16]), E::WeakHash { hash: "MD5" }),
        (hashed(MD2, &[], &[7; 16]), E::WeakHash { hash: "MD2" }),
        (
            hashed(SHA3_256, &[], &[7; 32]),
            E::UnknownHash {
                oid: "2.16.840.1.101.3.4.2.8".to_owned(),
            },
        ),
        (
            hashed(SHA_256, &[], &[7; 31]),
            E::WrongLength {
                hash: RootKeyHash::Sha256,
                expected: 32,
                found: 31,
            },
        ),
        (
            hashed(SHA_512, &[], &[]),
            E::WrongLength {
                hash: RootKeyHash::Sha512,
                expected: 64,
                found: 0,
            },
        ),
        (Vec::new(), malformed(0, DerProblem::Truncated)),
        (
            b"garbage".to_vec(),
            malformed(
                0,
                DerProblem::UnexpectedTag {
                    expected: 0x30,
                    found: b'g',
                },
            ),
        ),
        (
            [good.clone(), vec![0]].concat(),
            malformed(last, DerProblem::TrailingBytes { count: 1 }),
        ),
        (
            good[..last - 1].to_vec(),
            malformed(0, DerProblem::Truncated),
        ),
        (
            hashed(SHA_256, &[0x30, 0x00], &[7; 32]),
            malformed(
                15,
                DerProblem::UnexpectedTag {
                    expected: 0x05,
                    found: 0x30,
                },
            ),
        ),
        (
            hashed(SHA_256, &[0x05, 0x01, 0x00], &[7; 32]),
            malformed(17, DerProblem::TrailingBytes { count: 1 }),
        ),
    ];
    for (value, expected) in cases {
        assert_eq!(
            NextRootKey::from_extension_value(&value),
            Err(expected.clone()),
            "{value:02x?}"
        );
        assert!(expected.to_string().contains("have the root issued again"));
    }
}

#[test]
fn an_oid_of_any_length_is_repeated_in_short() {
    let value = hashed(&[0x2a; 4_000], &[], &[7; 32]);
    let Err(NextRootKeyError::UnknownHash { oid }) = NextRootKey::from_extension_value(&value)
    else {
        panic!("it is none that is known");
    };
    assert_eq!(oid.len(), 80);
}
