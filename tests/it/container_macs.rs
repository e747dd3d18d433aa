//! PBMAC1 of PKCS#12: the examples of RFC 9579, and what OpenSSL writes.

use std::process::Command;

use notafter::source::FailureReason;

use crate::containers::{belongs, data, ground, key, openssl, read, reasons};

#[test]
fn pbmac1_is_verified_and_parameters_that_are_not_valid_are_refused() {
    // RFC 9579, A.1 to A.3: by SHA-256, by SHA-256 with SHA-512 to stretch, by SHA-512; then SHA-384.
    for (name, passphrase) in [
        ("pbmac1-sha256.p12", "1234"),
        ("pbmac1-sha256-sha512.p12", "1234"),
        ("pbmac1-sha512.p12", "1234"),
        ("pbmac1-openssl.p12", "pässwörd€"),
    ] {
        let bytes = data(name);
        let contents = read(&bytes, Some(passphrase));
        assert_eq!(contents.failures, [], "{name}");
        assert_eq!(contents.certificates.len(), 1, "{name}");
        assert!(belongs(&bytes, passphrase), "{name}");
        let reasons_by = |bytes: &[u8], passphrase| reasons(&read(bytes, passphrase));
        let wrong = [FailureReason::WrongPassphrase];
        assert_eq!(reasons_by(&bytes, Some("1235")), wrong, "{name}");
        // Neither its certificates nor its key are there to be read.
        let missing = reasons_by(&bytes, None);
        assert_eq!(missing, [FailureReason::PassphraseMissing], "{name}");
        // What is MACed, and the MAC.
        for place in [100, bytes.len() - 30] {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            let contents = read(&changed, Some(passphrase));
            assert_eq!(reasons(&contents), wrong, "{name}, {place}");
            assert!(contents.certificates.is_empty() && contents.private_keys.is_empty());
        }
    }
    let changed = "the PKCS#12 file does not open with this passphrase, or was changed since it was written \
                   (wrong_passphrase); give the passphrase that this very file was written with, without a line \
                   end after it";
    // A.4 to A.6, and A.1 with a part of its parameters changed.
    let invalid = [
        (data("pbmac1-bad-iterations.p12"), changed),
        (data("pbmac1-bad-salt.p12"), changed),
        (
            data("pbmac1-no-key-length.p12"),
            "the PKCS#12 file is damaged: its check of integrity (PBMAC1) does not say of how many bytes its key is, \
             which RFC 9579 wants it to (bad_container); write the file again from its source: it may have been cut \
             or edited",
        ),
        (
            patched(&[2, 1, 0x20], &[2, 1, 19]),
            "the PKCS#12 file has a check of its integrity (PBMAC1) by a key of 19 bytes, where 20 to 64 keep others \
             from making one (bad_container); write the file again from its source: it may have been cut or edited",
        ),
        (
            patched(&[2, 1, 0x20], &[2, 1, 65]),
            "the PKCS#12 file has a check of its integrity (PBMAC1) by a key of 65 bytes, where 20 to 64 keep others \
             from making one (bad_container); write the file again from its source: it may have been cut or edited",
        ),
        (
            patched(&[2, 2, 8, 0, 2, 1], &[2, 2, 0, 0, 2, 1]),
            "the PKCS#12 file is damaged: its check of integrity (PBMAC1) is stretched by no iterations \
             (bad_container); write the file again from its source: it may have been cut or edited",
        ),
        // HMAC with SHA-512/256.
        (
            patched(&[0x0d, 2, 9, 5, 0, 0x30], &[0x0d, 2, 13, 5, 0, 0x30]),
            "the PKCS#12 file has a check of its integrity by 1.2.840.113549.2.13, which is not verified \
             (other_format); to PEM by `openssl pkcs12 -in FILE -nokeys -out FILE.pem`",
        ),
        // PBKDF1 instead.
        (
            patched(&[1, 5, 12, 0x30, 0x1f], &[1, 5, 1, 0x30, 0x1f]),
            "the PKCS#12 file has a check of its integrity by 1.2.840.113549.1.5.1, which is not verified \
             (other_format); to PEM by `openssl pkcs12 -in FILE -nokeys -out FILE.pem`",
        ),
    ];
    for (bytes, expected) in invalid {
        let contents = read(&bytes, Some("1234"));
        let said: Vec<_> = contents.failures.iter().map(ToString::to_string).collect();
        assert_eq!(said, [format!("store: {expected}")]);
        assert!(contents.certificates.is_empty() && contents.private_keys.is_empty());
        assert!(key(&bytes, "1234").is_err());
    }
}

/// The first example of RFC 9579 with other bytes for the last of these.
fn patched(from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = data("pbmac1-sha256.p12");
    let place = bytes
        .windows(from.len())
        .rposition(|part| part == from)
        .unwrap();
    bytes[place..place + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn pbmac1_that_openssl_writes_opens() {
    let help = Command::new("openssl").args(["pkcs12", "-help"]).output();
    let writes_it = help.is_ok_and(|help| {
        String::from_utf8_lossy(&[help.stdout, help.stderr].concat()).contains("-pbmac1_pbkdf2")
    });
    if !writes_it {
        println!("skipped: OpenSSL before 3.4 writes no PBMAC1");
        return;
    }
    let (folder, leaf) = ground();
    for (hash, passphrase) in [
        ("sha256", "correct horse"),
        ("sha384", "pässwörd€ 😀"),
        ("sha512", ""),
    ] {
        let given = format!("pass:{passphrase}");
        let written = openssl(
            folder.path(),
            &[
                "pkcs12",
                "-export",
                "-in",
                "leaf.pem",
                "-inkey",
                "key.pem",
                "-out",
                "out.p12",
                "-passout",
                &given,
                "-pbmac1_pbkdf2",
                "-pbmac1_pbkdf2_md",
                hash,
                "-macalg",
                hash,
            ],
        );
        assert!(written);
        let bytes = std::fs::read(folder.path().join("out.p12")).unwrap();
        let contents = read(&bytes, Some(passphrase));
        assert_eq!(contents.failures, [], "{hash}");
        assert_eq!(
            contents.certificates[0].certificate.der(),
            &leaf.der,
            "{hash}"
        );
        assert!(belongs(&bytes, passphrase), "{hash}");
        assert_eq!(
            reasons(&read(&bytes, Some("wrong"))),
            [FailureReason::WrongPassphrase]
        );
    }
}

#[test]
fn pbmac1_that_asks_for_too_much_work_is_not_verified() {
    // The count of iterations has two bytes there, and 0x20 bytes of key follow.
    let bytes = data("pbmac1-sha256.p12");
    let count = [2, 2, 8, 0, 2, 1, 0x20];
    let place = bytes.windows(7).rposition(|part| part == count).unwrap();
    let with_iterations = |iterations: u32, key_bytes: u8| {
        let mut patched = bytes[..place].to_vec();
        patched.extend([2, 4]);
        patched.extend(iterations.to_be_bytes());
        patched.extend([2, 1, key_bytes]);
        patched.extend(&bytes[place + count.len()..]);
        // Each SEQUENCE around it is two bytes longer.
        patched[3] += 2;
        for outer in [2577, 2579, 2581, 2594, 2596, 2609] {
            patched[outer] += 2;
        }
        reasons(&read(&patched, Some("1234")))
    };
    assert_eq!(with_iterations(10_000_001, 32), [FailureReason::TooCostly]);
    // A longer key takes each iteration twice.
    assert_eq!(with_iterations(5_000_001, 33), [FailureReason::TooCostly]);
}
