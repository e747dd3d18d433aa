//! A pair in one PKCS#12 file.

use std::process::Command;

use notafter::reload::{KeyFiles, ReloadBuildError};
use notafter::source::Passphrase;

use super::scene::{Scene, at, serves};
use crate::support::pki::{self, Leaf};

const PASSPHRASE: &str = "correct horse";

/// Writes `tls.p12` with OpenSSL; `false`, with a line, where there is none. In CI there must be.
fn export(scene: &Scene, leaf: &Leaf, passphrase: &str) -> bool {
    scene.write("plain.crt", scene.chain(leaf));
    scene.write("plain.key", leaf.key_pair.serialize_pem());
    let run = Command::new("openssl")
        .current_dir(scene.folder.path())
        .args([
            "pkcs12",
            "-export",
            "-in",
            "plain.crt",
            "-inkey",
            "plain.key",
            "-out",
            "tls.p12",
        ])
        .arg("-passout")
        .arg(format!("pass:{passphrase}"))
        .output();
    match run {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "openssl: {said}");
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

fn files(scene: &Scene, passphrase: &str) -> KeyFiles {
    let path = scene.path("tls.p12");
    KeyFiles::new(&path, &path).with_passphrase(Passphrase::new(passphrase))
}

#[test]
fn a_pair_in_pkcs12_is_served_and_renewed() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    if !export(&scene, &old, PASSPHRASE) {
        return;
    }
    let builder = scene.builder().with_files(files(&scene, PASSPHRASE));
    let key = builder.with_settle_seconds(0).build().unwrap();
    assert!(serves(&key, &old));
    assert_eq!(key.served()[0].certificates.len(), 2);

    // Written with another passphrase, it is told, and what was served before stays.
    export(&scene, &new, "battery staple");
    let refused = key.poll(at(20)).refused;
    assert_eq!(refused.len(), 1);
    let said = refused[0].to_string();
    assert!(said.contains("(wrong_passphrase)"), "{said}");
    assert!(serves(&key, &old));

    export(&scene, &new, PASSPHRASE);
    assert_eq!(key.poll(at(40)).swapped, 1);
    assert!(serves(&key, &new));
}

#[test]
fn without_the_passphrase_nothing_is_served() {
    let scene = Scene::new();
    let leaf = scene.leaf(-10, 80);
    if !export(&scene, &leaf, PASSPHRASE) {
        return;
    }
    let path = scene.path("tls.p12");
    let cases = [
        (
            KeyFiles::new(&path, &path),
            "it is PKCS#12 (.p12, .pfx), which rustls does not load",
        ),
        (files(&scene, "wrong"), "does not open with this passphrase"),
    ];
    for (files, expected) in cases {
        let error = scene.builder().with_files(files).build().unwrap_err();
        assert!(matches!(error, ReloadBuildError::Pair { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    // The key alone may lie in one.
    scene.write("tls.crt", pki::pem_bundle([&leaf.der, &scene.issuer.der]));
    let files = KeyFiles::new(scene.path("tls.crt"), &path);
    let files = files.with_passphrase(Passphrase::new(PASSPHRASE));
    let key = scene.builder().with_files(files).build().unwrap();
    assert!(serves(&key, &leaf));
}
