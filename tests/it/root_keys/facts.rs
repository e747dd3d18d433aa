//! What a root's bytes state of its next key.

use std::fs;
use std::process::Command;

use data_encoding::HEXLOWER;
use notafter::SpkiPin;
use notafter::announce::RootOutcome;
use notafter::cert::{NextRootKey, NextRootKeyError, RootKeyHash};
use notafter::pin::{Pin, PinPosition, PinState};
use notafter::source::SourceContents;

use super::{Root, around, set, value_of};
use crate::announcements::vectors::blocks;
use crate::support::corpora;
use crate::support::tools::tool;

#[test]
fn an_extension_of_others_is_read() {
    let Some(folder) = corpora::folder("pins") else {
        return;
    };
    // An Extension: its OID, and the OCTET STRING with a HashedRootKey.
    let extension = fs::read(folder.join("rfc8649-hash-of-root-key-extension.der")).unwrap();
    let next = NextRootKey::from_extension_value(&extension[16..]).unwrap();
    assert_eq!(next.hash(), RootKeyHash::Sha512);
    assert_eq!(
        HEXLOWER.encode(next.digest()),
        "7121dfab2be5950cb39d6b662414545ba90033b5786cf758ff4711e360922fff\
         7825790837422c7fc90cb6ac8837c72b230af1d6c3c02e60e19587fb0b180346"
    );
    assert_eq!(
        next.to_string(),
        "sha512/cSHfqyvllQyznWtmJBRUW6kAM7V4bPdY/0cR42CSL/94JXkIN0Isf8kMtqyIN8crIwrx1sPALmDhlYf7CxgDRg=="
    );
    // In a whole certificate, with its details.
    let root = Root::new("Root").with_values(-10, 100, &[extension[16..].to_vec()]);
    assert_eq!(root.next_root_key(), Ok(Some(next.clone())));
    assert_eq!(root.details().unwrap().next_root_key, Some(next));
}

#[test]
fn a_root_names_its_next_key_by_each_hash() {
    let (root, next) = (Root::new("Root 1"), Root::new("Root 2"));
    for hash in [
        RootKeyHash::Sha256,
        RootKeyHash::Sha384,
        RootKeyHash::Sha512,
    ] {
        let certificate = root.naming_from(-10, &next, hash);
        let named = certificate.next_root_key().unwrap().unwrap();
        assert_eq!(named, next.named_by(hash));
        assert!(named.matches(next.plain().facts().spki_der()));
        assert!(!named.matches(certificate.facts().spki_der()));
    }
    assert_eq!(root.plain().next_root_key(), Ok(None));
    let twice = vec![value_of(&next.named_by(RootKeyHash::Sha256)); 2];
    let twice = root.with_values(-10, 100, &twice);
    assert_eq!(twice.next_root_key(), Err(NextRootKeyError::Repeated));
    assert_eq!(twice.details().unwrap().next_root_key, None);
}

/// The commands of the document, as they stand there.
#[test]
fn a_root_that_openssl_made_is_read() {
    if tool("openssl").is_none() {
        return;
    }
    let [script] = &blocks("root: certificate")[..] else {
        panic!("one block");
    };
    for (hash, script) in [
        (RootKeyHash::Sha256, script.clone()),
        (RootKeyHash::Sha384, script.replace("sha256", "sha384")),
        (RootKeyHash::Sha512, script.replace("sha256", "sha512")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut sh = Command::new("sh");
        let output = sh.args(["-c", &script]).current_dir(folder.path());
        let output = output.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let pem = fs::read(folder.path().join("root-1.crt.pem")).unwrap();
        let contents = SourceContents::from_bytes("root-1.crt.pem", &pem);
        let root = &contents.certificates[0].certificate;
        let next = fs::read(folder.path().join("root-2.spki.der")).unwrap();
        let named = root.next_root_key().unwrap();
        assert_eq!(named, Some(NextRootKey::of_spki(hash, &next)));
        // Pinned, it announces that key.
        let pin = Pin::new(SpkiPin::from_certificate(root), PinState::Current);
        let pinned = set([pin.with_position(PinPosition::Ca)]);
        let now = root.not_before();
        let pins = around(pinned, now);
        let observed = pins.observe(root, now).unwrap();
        assert_eq!(observed.outcome, RootOutcome::Announced);
        let of_next = SpkiPin::from_spki_der(&next);
        let expected = (hash == RootKeyHash::Sha256).then_some(of_next);
        assert_eq!(observed.next.unwrap().pin, expected);
    }
}
