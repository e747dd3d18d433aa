//! PKCS#12, PKCS#7 and Java's keystores, as OpenSSL, Windows, Java and python-cryptography write them.

use std::path::Path;
use std::process::Command;

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

pub fn key(bytes: &[u8], passphrase: &str) -> Result<PrivateKeyDer<'static>, SourceFailure> {
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
pub fn belongs(bytes: &[u8], passphrase: &str) -> bool {
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
pub fn openssl(folder: &Path, arguments: &[&str]) -> bool {
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
pub fn ground() -> (tempfile::TempDir, Leaf) {
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
