//! What a root's bytes state of its next key.

use std::fs;
use std::process::Command;

use data_encoding::HEXLOWER;
use notafter::cert::{NextRootKey, NextRootKeyError, RootKeyHash};
use notafter::source::SourceContents;

use super::{Root, value_of};
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

#[test]
fn a_root_that_openssl_made_is_read() {
    let Some(openssl) = tool("openssl") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let script = r#"
        set -eu
        for n in 1 2; do
          "$0" genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$n.pem"
        done
        "$0" req -x509 -new -key 2.pem -subj "/CN=Root 2" -days 1000 -out 2.crt.pem
        digest=$("$0" pkey -in 2.pem -pubout -outform der | "$0" dgst -sha384 -r)
        cat > root.cnf <<END
[req]
distinguished_name = dn
x509_extensions = root
[dn]
[root]
basicConstraints = critical,CA:TRUE
1.3.6.1.4.1.51483.2.1 = ASN1:SEQUENCE:hashed_root_key
[hashed_root_key]
algorithm = SEQUENCE:sha384
digest = FORMAT:HEX,OCTETSTRING:${digest%% *}
[sha384]
hash = OID:sha384
END
        "$0" req -x509 -new -config root.cnf -key 1.pem -subj "/CN=Root 1" -days 1000 -out 1.crt.pem
        "$0" verify -CAfile 1.crt.pem 1.crt.pem
    "#;
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(openssl)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let [one, two] = ["1.crt.pem", "2.crt.pem"].map(|name| {
        let pem = fs::read(folder.path().join(name)).unwrap();
        let contents = SourceContents::from_bytes(name, &pem);
        contents.certificates[0].certificate.clone()
    });
    let named = one.next_root_key().unwrap().unwrap();
    assert_eq!(named.hash(), RootKeyHash::Sha384);
    assert!(named.matches(two.facts().spki_der()));
}
