//! Keys that lie encrypted on disk, written by OpenSSL's own command.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use notafter::reload::{KeyFiles, KeyMaterial, ReloadBuildError, ReloadError};
use notafter::self_check::FindingCode;
use notafter::source::Passphrase;
use notafter::{SelfCheck, Severity};

use super::scene::{Scene, at, serves};
use crate::support::pki::{self, NOW};
use crate::support::tls;

const MISSING: &str = "the private key is encrypted and there is no passphrase for it: give its passphrase \
     (feature `encrypted-keys`), or an unencrypted PKCS#8, PKCS#1 or SEC1 key as PEM";
const WRONG: &str = "the passphrase does not open the private key: give the one that this very file was encrypted with";
const LEGACY: &str = "the private key is encrypted in the legacy way (`Proc-Type: 4,ENCRYPTED`), which is not opened: \
     convert it once with `openssl pkcs8 -topk8 -in OLD -out NEW`, which asks for its passphrase";
const UNKNOWN: &str = "the private key is encrypted with an algorithm that is not opened: convert it once with \
     `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW`, which asks for its passphrase";
const COSTLY: &str = "the private key's passphrase is stretched beyond 10,000,000 iterations of PBKDF2 or 256 MiB of scrypt: \
     encrypt it again with less";

/// Writes `tls.key` as this command of OpenSSL writes it; `false`, with a line, where there is no
/// openssl; in CI there must be.
fn encrypt(scene: &Scene, command: &str) -> bool {
    let run = Command::new("openssl")
        .current_dir(scene.folder.path())
        .args(command.split(' '))
        .args(["-in", "plain.key", "-out", "tls.key"])
        .args(["-passout", "pass:correct horse"])
        .output();
    match run {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "openssl {command}: {said}");
            true
        }
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "openssl is missing: {error}"
            );
            println!("skipped: openssl is missing ({error})");
            false
        }
    }
}

fn files(scene: &Scene, passphrase: Option<&str>) -> KeyFiles {
    let files = KeyFiles::new(scene.path("tls.crt"), scene.path("tls.key"));
    match passphrase {
        Some(passphrase) => files.with_passphrase(Passphrase::new(passphrase)),
        None => files,
    }
}

fn refusal(scene: &Scene, passphrase: Option<&str>) -> String {
    let builder = scene.builder().with_files(files(scene, passphrase));
    match builder.build().unwrap_err() {
        ReloadBuildError::Pair {
            error: ReloadError::KeyUnreadable { file, reason },
        } => {
            assert!(file.ends_with("tls.key"), "{file}");
            reason
        }
        error => panic!("{error}"),
    }
}

#[test]
fn keys_as_openssl_encrypts_them_open_with_their_passphrase_and_no_other() {
    let commands = [
        "pkcs8 -topk8",
        "pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA512 -iter 10000",
        "pkcs8 -topk8 -v2 des3 -v2prf hmacWithSHA1",
        "pkcs8 -topk8 -scrypt",
        "pkcs8 -topk8 -outform DER",
    ];
    for command in commands {
        let scene = Scene::new();
        let leaf = scene.leaf(-10, 80);
        scene.deploy(&leaf);
        scene.write("plain.key", leaf.key_pair.serialize_pem());
        if !encrypt(&scene, command) {
            return;
        }
        let builder = scene.builder();
        let key = builder.with_files(files(&scene, Some("correct horse")));
        assert!(serves(&key.build().unwrap(), &leaf), "{command}");
        assert_eq!(refusal(&scene, None), MISSING, "{command}");
        for wrong in ["", "correct horse ", "battery staple"] {
            assert_eq!(refusal(&scene, Some(wrong)), WRONG, "{command}");
        }
    }
}

#[test]
fn what_is_not_opened_says_so_in_a_sentence_of_its_own() {
    let cases = [
        ("ec -aes256", LEGACY),
        ("pkcs8 -topk8 -v1 PBE-SHA1-3DES", UNKNOWN),
    ];
    for (command, expected) in cases {
        let scene = Scene::new();
        let leaf = scene.leaf(-10, 80);
        scene.deploy(&leaf);
        scene.write("plain.key", leaf.key_pair.serialize_pem());
        if !encrypt(&scene, command) {
            return;
        }
        assert_eq!(refusal(&scene, Some("correct horse")), expected);
        let unopened = if expected == LEGACY { LEGACY } else { MISSING };
        assert_eq!(refusal(&scene, None), unopened);
    }
}

#[test]
fn a_key_that_costs_too_much_to_open_is_not_opened() {
    let scene = Scene::new();
    let leaf = scene.leaf(-10, 80);
    scene.deploy(&leaf);
    scene.write("plain.key", leaf.key_pair.serialize_pem());
    if !encrypt(&scene, "pkcs8 -topk8 -scrypt -outform DER") {
        return;
    }
    let mut der = std::fs::read(scene.path("tls.key")).unwrap();
    // N = 16,384, r = 8, p = 1: 16 MiB; with p = 17 it is beyond 256.
    let parameters = [0x02, 0x02, 0x40, 0x00, 0x02, 0x01, 0x08, 0x02, 0x01, 0x01];
    let place = der.windows(10).position(|part| part == parameters).unwrap();
    for (p, expected) in [(17, COSTLY), (16, WRONG)] {
        der[place + 9] = p;
        scene.write("tls.key", &der);
        assert_eq!(refusal(&scene, Some("correct horse")), expected, "{p}");
    }
}

#[test]
fn a_renewal_with_another_passphrase_is_told_and_the_good_pair_is_served_on() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    scene.deploy(&old);
    // A key that is not encrypted needs none.
    let builder = scene.builder();
    let key = builder.with_files(files(&scene, Some("correct horse")));
    let key = key.build().unwrap();
    assert!(serves(&key, &old));
    scene.deploy(&new);
    scene.write("plain.key", new.key_pair.serialize_pem());
    if !encrypt(&scene, "pkcs8 -topk8") {
        return;
    }
    assert_eq!(key.poll(at(20)).swapped, 1);
    assert!(serves(&key, &new));

    // The self-check of the same files.
    let check = |passphrase: &str| {
        let check = SelfCheck::builder()
            .with_trust_anchors(pki::anchors([&scene.root]))
            .with_path(scene.path("tls.crt"))
            .with_encrypted_key_file(scene.path("tls.key"), Passphrase::new(passphrase))
            .with_provider(tls::ring());
        check.at(NOW).build().unwrap().run()
    };
    let wrong = |report: &notafter::Report| {
        report.findings.iter().any(|finding| {
            finding.message == WRONG
                && finding.code == FindingCode::Unreadable
                && finding.severity == Severity::Critical
        })
    };
    assert!(!wrong(&check("correct horse")));
    assert!(wrong(&check("battery staple")));
    assert_eq!(
        format!("{:?}", Passphrase::new("correct horse")),
        "Passphrase(..)"
    );
}

#[test]
fn a_passphrase_is_asked_for_only_when_there_is_something_to_open() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    scene.deploy(&old);
    let (asked, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None)));
    let (count, known) = (asked.clone(), answer.clone());
    let passphrase = Passphrase::from_fn(move || {
        count.fetch_add(1, Ordering::Relaxed);
        known.lock().unwrap().map(<[u8]>::to_vec)
    });
    let files = KeyFiles::new(scene.path("tls.crt"), scene.path("tls.key"));
    let files = files.with_passphrase(passphrase);
    let key = scene.builder().with_files(files.clone()).build().unwrap();
    let is_asked = || asked.swap(0, Ordering::Relaxed);
    assert_eq!(is_asked(), 0, "the key is not encrypted");
    scene.deploy(&new);
    scene.write("plain.key", new.key_pair.serialize_pem());
    if !encrypt(&scene, "pkcs8 -topk8") {
        return;
    }
    let refused = key.poll(at(20)).refused;
    let expected = format!(
        "{}: the private key is encrypted, and whoever was asked for its passphrase \
         (`Passphrase::from_fn`) gave none: see that it can be asked",
        scene.path("tls.key").display()
    );
    assert_eq!(refused[0].to_string(), expected);
    assert!(serves(&key, &old) && is_asked() > 0);
    *answer.lock().unwrap() = Some(&b"correct horse"[..]);
    assert_eq!(key.poll(at(40)).swapped, 1);
    assert!(serves(&key, &new) && is_asked() > 0);
    key.poll(at(200));
    assert_eq!(is_asked(), 0, "what is served is not opened again");
    // The same files with the same function are the same pair.
    key.add(files).unwrap();
    assert_eq!(key.served().len(), 1);

    // What is pushed is opened alike.
    let encrypted = std::fs::read(scene.path("tls.key")).unwrap();
    let pair = KeyMaterial::new(scene.chain(&new), encrypted);
    let refused = scene.builder().with_pushed("pushed", pair.clone()).build();
    assert_eq!(
        refused.unwrap_err().to_string(),
        format!("cannot start: pushed: {MISSING}")
    );
    let pair = pair.with_passphrase(Passphrase::new("correct horse"));
    let pushed = scene.builder().with_pushed("pushed", pair).build().unwrap();
    assert!(serves(&pushed, &new));
}
