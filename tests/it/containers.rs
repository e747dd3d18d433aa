//! PKCS#12, PKCS#7 and Java's keystores, as OpenSSL, Windows, Java and python-cryptography write them.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use notafter::Loader;
use notafter::source::{Containers, FailureReason, Passphrase, SourceContents, SourceFailure};
use rustls::InconsistentKeys;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use crate::support::corpora;
use crate::support::pki::{self, Leaf};

fn opening(passphrase: Option<&str>) -> Containers {
    match passphrase {
        Some(passphrase) => Containers::new().with_passphrase(Passphrase::new(passphrase)),
        None => Containers::new(),
    }
}

pub fn read(bytes: &[u8], passphrase: Option<&str>) -> SourceContents {
    SourceContents::from_bytes_opening("store", bytes, &opening(passphrase))
}

fn key(bytes: &[u8], passphrase: &str) -> Result<PrivateKeyDer<'static>, SourceFailure> {
    opening(Some(passphrase)).private_key("store", bytes)
}

pub fn data(name: &str) -> Vec<u8> {
    std::fs::read(corpora::data("containers").join(name)).unwrap()
}

pub fn reasons(contents: &SourceContents) -> Vec<FailureReason> {
    let failures = contents.failures.iter();
    failures.map(|failure| failure.reason).collect()
}

/// Whether the key in a container is that of its first certificate.
fn belongs(bytes: &[u8], passphrase: &str) -> bool {
    let contents = read(bytes, Some(passphrase));
    let leaf = contents.certificates[0].certificate.der().clone();
    let key = key(bytes, passphrase).unwrap();
    // Java leaves the public half out, and ring takes no such key.
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let signer = provider.key_provider.load_private_key(key).unwrap();
    match CertifiedKey::new(vec![leaf], signer).keys_match() {
        Ok(()) => true,
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Runs OpenSSL in this folder; `false`, with a line, where there is none. In CI there must be.
fn openssl(folder: &Path, arguments: &[&str]) -> bool {
    let run = Command::new("openssl")
        .current_dir(folder)
        .args(arguments)
        .output();
    match run {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "openssl {arguments:?}: {said}");
            true
        }
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "openssl is missing: {error}"
            );
            println!("skipped in part: openssl is missing ({error})");
            false
        }
    }
}

/// A folder with `leaf.pem`, its `key.pem`, `ca.pem`, and `chain.pem`, which begins with its CA.
fn ground() -> (tempfile::TempDir, Leaf) {
    let folder = tempfile::tempdir().unwrap();
    let ca = pki::root("Container Root", -100, 1000);
    let leaf = ca.leaf(&["service.test"], -10, 80);
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    write("leaf.pem", pki::pem_bundle([&leaf.der]));
    write("ca.pem", pki::pem_bundle([&ca.der]));
    write("both.pem", pki::pem_bundle([&ca.der, &leaf.der]));
    write("key.pem", leaf.key_pair.serialize_pem());
    (folder, leaf)
}

#[test]
fn what_keytool_writes_opens_with_its_passphrase_and_no_other() {
    // File, passphrase, certificates, keys.
    let cases = [
        ("key.jks", "changeit", 2, 1),
        ("key.jceks", "changeit", 2, 1),
        ("key.p12", "changeit", 2, 1),
        ("legacy.p12", "changeit", 2, 1),
        ("trust.jks", "changeit", 2, 0),
        ("trust.jceks", "changeit", 2, 0),
        ("trust.p12", "changeit", 2, 0),
        ("non-ascii.jks", "pässwörd€", 1, 1),
    ];
    for (name, passphrase, certificates, keys) in cases {
        let bytes = data(name);
        let contents = read(&bytes, Some(passphrase));
        assert_eq!(contents.failures, [], "{name}");
        assert_eq!(contents.certificates.len(), certificates, "{name}");
        assert_eq!(contents.private_keys.len(), keys, "{name}");
        if keys == 1 {
            assert!(belongs(&bytes, passphrase), "{name}");
        } else {
            let missing = key(&bytes, passphrase).unwrap_err();
            assert_eq!(missing.reason, FailureReason::OtherFormat, "{name}");
            assert!(
                missing.to_string().contains("holds no private key"),
                "{missing}"
            );
        }
        for wrong in ["", "change it", "Changeit", "passwörd"] {
            let contents = read(&bytes, Some(wrong));
            assert_eq!(
                reasons(&contents),
                [FailureReason::WrongPassphrase],
                "{name}"
            );
            assert!(contents.certificates.is_empty() && contents.private_keys.is_empty());
            let failure = key(&bytes, wrong).unwrap_err();
            assert_eq!(failure.reason, FailureReason::WrongPassphrase, "{name}");
        }
    }
}

#[test]
fn without_a_passphrase_what_is_not_encrypted_is_read() {
    for (name, certificates) in [
        ("key.jks", 2),
        ("key.jceks", 2),
        ("trust.jks", 2),
        ("trust.jceks", 2),
        ("open.p12", 1),
    ] {
        let contents = read(&data(name), None);
        assert_eq!(contents.failures, [], "{name}");
        assert_eq!(contents.certificates.len(), certificates, "{name}");
    }
    for name in ["key.p12", "legacy.p12", "trust.p12"] {
        let contents = read(&data(name), None);
        assert_eq!(
            reasons(&contents),
            [FailureReason::PassphraseMissing],
            "{name}"
        );
        let failure = Containers::new()
            .private_key("store", &data(name))
            .unwrap_err();
        assert!(
            [FailureReason::PassphraseMissing, FailureReason::OtherFormat]
                .contains(&failure.reason),
            "{failure}"
        );
    }
    let nobody = Containers::new().with_passphrase(Passphrase::from_fn(|| None));
    let contents = SourceContents::from_bytes_opening("store", &data("key.p12"), &nobody);
    assert_eq!(reasons(&contents), [FailureReason::PassphraseMissing]);
}

#[test]
fn a_key_with_a_passphrase_of_its_own_opens_with_that_and_its_store_with_the_other() {
    let bytes = data("own-passphrase.jks");
    assert_eq!(read(&bytes, Some("changeit")).failures, []);
    let failure = key(&bytes, "changeit").unwrap_err();
    assert_eq!(failure.reason, FailureReason::WrongPassphrase);
}

#[test]
fn behind_a_secret_key_of_java_everything_is_read() {
    // File, certificates, keys.
    for (name, certificates, keys) in [("secret.jceks", 2, 0), ("secrets.jceks", 1, 1)] {
        let bytes = data(name);
        for passphrase in [None, Some("changeit")] {
            let contents = read(&bytes, passphrase);
            assert_eq!(contents.failures, [], "{name}");
            assert_eq!(contents.certificates.len(), certificates, "{name}");
            assert_eq!(contents.private_keys.len(), keys, "{name}");
        }
        assert_eq!(
            reasons(&read(&bytes, Some("changeot"))),
            [FailureReason::WrongPassphrase]
        );
    }
    assert!(belongs(&data("secrets.jceks"), "changeit"));

    // The end of another object is not known.
    let mut bytes = data("secrets.jceks");
    let class = b"javax.crypto.SealedObject";
    let place = bytes
        .windows(class.len())
        .position(|part| part == class)
        .unwrap();
    bytes[place] = b'x';
    assert_eq!(
        read(&bytes, None).failures[0].to_string(),
        "store, block 1: the Java keystore (JCEKS) holds a secret key, which only Java reads: what stands after it is \
         not read (other_format); to PEM by `keytool -list -rfc -storetype JCEKS -keystore FILE > FILE.pem`"
    );
}

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
fn several_passphrases_are_tried_in_their_order() {
    let any_of = |passphrases: &[&str]| {
        let passphrases = passphrases
            .iter()
            .map(|passphrase| Passphrase::new(*passphrase));
        Containers::new().with_passphrase(Passphrase::any_of(passphrases))
    };
    let wrong_then_right = any_of(&["wrong", "1234", "pässwörd€", "changeit"]);
    for name in [
        "key.jks",
        "key.p12",
        "legacy.p12",
        "non-ascii.jks",
        "pbmac1-sha256.p12",
        "open.p12",
    ] {
        let contents = SourceContents::from_bytes_opening("store", &data(name), &wrong_then_right);
        assert_eq!(contents.failures, [], "{name}");
        let key = wrong_then_right.private_key("store", &data(name));
        assert_eq!(key.is_ok(), name != "open.p12", "{name}");
    }
    // The key has another one than its store, whichever comes first.
    let own = data("own-passphrase.jks");
    for passphrases in [["changeit", "keyphrase"], ["keyphrase", "changeit"]] {
        let containers = any_of(&passphrases);
        let contents = SourceContents::from_bytes_opening("store", &own, &containers);
        assert_eq!(contents.failures, []);
        assert!(containers.private_key("store", &own).is_ok());
    }

    let said = |containers: &Containers, name: &str| {
        let contents = SourceContents::from_bytes_opening("store", &data(name), containers);
        assert!(contents.certificates.is_empty() && contents.private_keys.is_empty());
        contents.failures[0].to_string()
    };
    for name in ["key.p12", "key.jks"] {
        let said = said(&any_of(&["a", "b", "c"]), name);
        let expected = "does not open with any of its 3 passphrases, or was changed since it was written \
                        (wrong_passphrase); give the passphrase that this very file was written with, without a \
                        line end after it";
        assert!(said.ends_with(expected), "{said}");
    }
    let failure = any_of(&["changeit", "b"])
        .private_key("store", &own)
        .unwrap_err();
    assert_eq!(failure.reason, FailureReason::WrongPassphrase);
    // None at all is known to nobody.
    assert!(said(&any_of(&[]), "key.p12").contains("(passphrase_missing)"));
}

#[test]
fn a_folder_whose_files_have_different_passphrases_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["key.jks", "non-ascii.jks", "pbmac1-sha512.p12"] {
        std::fs::write(folder.path().join(name), data(name)).unwrap();
    }
    let asked = Arc::new(AtomicUsize::new(0));
    let ask = {
        let asked = Arc::clone(&asked);
        move || {
            asked.fetch_add(1, Ordering::Relaxed);
            Some("pässwörd€".into())
        }
    };
    let [changeit, last] = ["changeit", "1234"].map(Passphrase::new);
    let passphrase = Passphrase::any_of([changeit, Passphrase::from_fn(ask), last]);
    assert!(passphrase == passphrase.clone() && passphrase != Passphrase::any_of([]));
    // A choice of choices is one.
    let passphrase = Passphrase::any_of([passphrase]);
    let containers = Containers::new().with_passphrase(passphrase);
    let found = Loader::new()
        .with_containers(containers)
        .load(folder.path());
    let counted: Vec<_> = (found.iter())
        .map(|contents| (contents.certificates.len(), contents.failures.len()))
        .collect();
    assert_eq!(counted, [(2, 0), (1, 0), (1, 0)]);
    // Not for the file that the first opened.
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn what_openssl_writes_opens_leaf_first() {
    let (folder, leaf) = ground();
    // Arguments, and the passphrase.
    let long = "x".repeat(200);
    let cases: [(&[&str], &str); 15] = [
        (&[], "correct horse"),
        (
            &[
                "-certpbe",
                "AES-128-CBC",
                "-keypbe",
                "AES-256-CBC",
                "-macalg",
                "SHA512",
                "-iter",
                "3000",
            ],
            "a",
        ),
        (
            &[
                "-certpbe",
                "PBE-SHA1-3DES",
                "-keypbe",
                "PBE-SHA1-3DES",
                "-macalg",
                "SHA1",
            ],
            "correct horse",
        ),
        (
            &[
                "-certpbe",
                "PBE-SHA1-2DES",
                "-keypbe",
                "PBE-SHA1-2DES",
                "-macalg",
                "SHA384",
            ],
            "correct horse",
        ),
        (&["-legacy"], "correct horse"),
        (
            &[
                "-legacy",
                "-certpbe",
                "PBE-SHA1-RC2-128",
                "-keypbe",
                "PBE-SHA1-RC2-40",
            ],
            "correct horse",
        ),
        (
            &[
                "-legacy",
                "-certpbe",
                "PBE-SHA1-RC4-128",
                "-keypbe",
                "PBE-SHA1-RC4-40",
            ],
            "correct horse",
        ),
        (
            &["-nomac", "-legacy", "-certpbe", "PBE-SHA1-RC4-40"],
            "pässwörd€ 😀",
        ),
        (&["-certpbe", "NONE", "-keypbe", "NONE"], "correct horse"),
        (&["-nomac", "-certpbe", "AES-256-CBC"], "correct horse"),
        (
            &["-nomac", "-legacy", "-certpbe", "PBE-SHA1-RC2-40"],
            "correct horse",
        ),
        (&["-legacy"], "pässwörd€ 😀"),
        (&[], "pässwörd€ 😀"),
        (&["-legacy"], ""),
        (&["-legacy"], &long),
    ];
    for (arguments, passphrase) in cases {
        let given = format!("pass:{passphrase}");
        let basis = [
            "pkcs12",
            "-export",
            "-in",
            "leaf.pem",
            "-inkey",
            "key.pem",
            "-certfile",
            "both.pem",
            "-out",
            "out.p12",
            "-passout",
            &given,
        ];
        if !openssl(folder.path(), &[&basis, arguments].concat()) {
            return;
        }
        let bytes = std::fs::read(folder.path().join("out.p12")).unwrap();
        let contents = read(&bytes, Some(passphrase));
        assert_eq!(contents.failures, [], "{arguments:?}");
        assert_eq!(contents.certificates.len(), 3, "{arguments:?}");
        assert_eq!(
            contents.certificates[0].certificate.der(),
            &leaf.der,
            "{arguments:?}"
        );
        assert!(
            contents.certificates[1].certificate.is_ca(),
            "{arguments:?}"
        );
        assert!(belongs(&bytes, passphrase), "{arguments:?}");
        if passphrase.is_empty() {
            // Then none is needed.
            assert_eq!(read(&bytes, None).certificates.len(), 3);
        }
        let wrong = read(&bytes, Some("wrong"));
        assert_eq!(
            reasons(&wrong),
            [FailureReason::WrongPassphrase],
            "{arguments:?}"
        );
        assert!(wrong.certificates.is_empty(), "{arguments:?}");
    }
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
fn pkcs7_gives_its_certificates_in_der_and_pem() {
    let (folder, leaf) = ground();
    for form in ["DER", "PEM"] {
        let arguments = [
            "crl2pkcs7",
            "-nocrl",
            "-certfile",
            "both.pem",
            "-outform",
            form,
            "-out",
            "out.p7b",
        ];
        if !openssl(folder.path(), &arguments) {
            return;
        }
        let path = folder.path().join("out.p7b");
        let contents = Loader::new()
            .with_containers(Containers::new())
            .load_file(&path);
        assert_eq!(contents.failures, [], "{form}");
        assert_eq!(contents.certificates.len(), 2);
        assert_eq!(contents.certificates[0].certificate.der(), &leaf.der);
        // Who does not ask for it is told what it is.
        assert!(Loader::new().load_file(&path).certificates.is_empty());
    }
    // Beside certificates in PEM.
    let mut pem = std::fs::read(folder.path().join("ca.pem")).unwrap();
    pem.extend(std::fs::read(folder.path().join("out.p7b")).unwrap());
    pem.extend(pki::pem("PKCS7", b"0\x03\x02\x01\x01").bytes());
    let contents = read(&pem, None);
    assert_eq!(contents.certificates.len(), 3);
    assert_eq!(reasons(&contents), [FailureReason::BadContainer]);
    assert_eq!(contents.failures[0].place.block, Some(3));
}

#[test]
fn what_others_wrote_is_read() {
    let Some(folder) = corpora::folder("containers") else {
        return;
    };
    let mut seen = 0;
    for path in corpora::files_below(&folder) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "README.md" {
            continue;
        }
        let passphrase = match name {
            _ if name.starts_with("cert-") || name.starts_with("no-cert-key-") => "cryptography",
            _ if name.ends_with("-no-pwd.p12")
                || name == "no-password.p12"
                || name == "java-truststore.p12" =>
            {
                ""
            }
            _ if name.ends_with("-pwd.p12") => "password",
            _ => "",
        };
        let bytes = std::fs::read(&path).unwrap();
        // keytool does not open these with the passphrase that is said to be theirs either.
        let given = Some(passphrase).filter(|_| !name.ends_with(".jceks"));
        let contents = read(&bytes, given);
        let (certificates, keys): (usize, usize) = match name {
            "enveloped.pem"
            | "enveloped-no-content.der"
            | "enveloped-rsa-oaep.pem"
            | "enveloped-triple-des.pem" => {
                assert_eq!(reasons(&contents), [FailureReason::OtherFormat], "{name}");
                seen += 1;
                continue;
            }
            "no-cert-key-aes256cbc.p12" => {
                assert_eq!(
                    reasons(&contents),
                    [FailureReason::NoCertificateFound],
                    "{name}"
                );
                seen += 1;
                continue;
            }
            "ca.pem" | "ascii-san.pem" | "non-ascii-san.pem" | "isrg.pem" | "authenticode.der" => {
                (1, 0)
            }
            "cert-aes256cbc-no-key.p12" => (1, 0),
            "java-truststore.p12" | "amazon-roots.der" | "amazon-roots.p7b" => (2, 0),
            _ if name.starts_with("encoder-") && name.contains("cert") => (1, 0),
            _ if name.starts_with("encoder-") => (2, 1),
            _ if name.starts_with("no-cert-") => (2, 0),
            _ if name.starts_with("name-") || name.starts_with("no-name-") => (3, 1),
            _ => (1, 1),
        };
        assert_eq!(contents.failures, [], "{name}");
        assert_eq!(contents.certificates.len(), certificates, "{name}");
        assert_eq!(contents.private_keys.len(), keys, "{name}");
        if keys > 0 && !name.ends_with(".jceks") {
            assert!(belongs(&bytes, passphrase), "{name}");
        }
        seen += 1;
    }
    assert!(seen >= 46, "{seen}");
}
