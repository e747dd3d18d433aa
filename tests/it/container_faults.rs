//! Containers that are damaged, or ask for more than they may.

use notafter::source::{Containers, FailureReason, SourceContents};

use crate::containers::{data, read, reasons};
use crate::support::pki;

#[test]
fn each_failure_says_what_to_do() {
    let said = |contents: SourceContents| contents.failures[0].to_string();
    assert_eq!(
        said(read(&data("key.p12"), Some("wrong"))),
        "store: the PKCS#12 file does not open with this passphrase, or was changed since it was written \
         (wrong_passphrase); give the passphrase that this very file was written with, without a line end after it"
    );
    assert_eq!(
        said(read(&data("key.p12"), None)),
        "store, block 2: the PKCS#12 file is encrypted, and there is no passphrase for it (passphrase_missing); \
         give the passphrase that it was written with (`Containers::with_passphrase`, `--passphrase-file FILE`)"
    );
    assert_eq!(
        said(read(&data("key.jks")[..400], None)),
        "store, block 2: the Java keystore (JKS) is damaged: its bytes end too early (bad_container); \
         write the file again from its source: it may have been cut or edited"
    );
}

#[test]
fn pem_behind_the_beginning_of_a_container_is_read_all_the_same() {
    let ca = pki::root("Container Root", -100, 1000);
    for beginning in [
        &[0xfe, 0xed, 0xfe, 0xed][..],
        &[0x30, 4, 2, 1, 3, 0x30],
        &[0xce; 4],
    ] {
        let bytes = [beginning, b"\n", pki::pem_bundle([&ca.der]).as_bytes()].concat();
        let contents = read(&bytes, Some("changeit"));
        assert_eq!(contents, SourceContents::from_bytes("store", &bytes));
        assert_eq!(contents.certificates.len(), 1);
    }
}

#[test]
fn no_byte_that_is_cut_or_changed_is_mistaken_for_a_good_file() {
    for name in ["key.jks", "key.jceks", "key.p12", "legacy.p12"] {
        let bytes = data(name);
        for end in (64..bytes.len()).step_by(97) {
            let contents = read(&bytes[..end], Some("changeit"));
            assert!(contents.certificates.is_empty(), "{name} {end}");
            assert_eq!(
                reasons(&contents),
                [FailureReason::BadContainer],
                "{name} {end}"
            );
        }
        for place in (12..bytes.len()).step_by(211) {
            let mut changed = bytes.clone();
            changed[place] ^= 0x10;
            let contents = read(&changed, Some("changeit"));
            let is_other =
                contents.failures.is_empty() && contents != read(&bytes, Some("changeit"));
            assert!(!is_other, "{name} {place}");
        }
    }
}

#[test]
fn a_container_that_asks_for_too_much_work_is_not_opened() {
    // The count of iterations is the last number of the file: 10,000.
    let bytes = data("key.p12");
    let (before, count) = bytes.split_at(bytes.len() - 4);
    assert_eq!(count, [2, 2, 0x27, 0x10]);
    let patched = |iterations: u32| {
        let mut patched = before.to_vec();
        patched.extend([2, 4]);
        patched.extend(iterations.to_be_bytes());
        patched[3] += 2;
        let check = patched.len() - 81;
        assert_eq!(patched[check..check + 2], [0x30, 0x4d]);
        patched[check + 1] += 2;
        read(&patched, Some("changeit"))
    };
    for iterations in [10_000_001, 0x7fff_ffff] {
        assert_eq!(reasons(&patched(iterations)), [FailureReason::TooCostly]);
    }
    assert_eq!(
        reasons(&patched(0x0080_0000 / 8)),
        [FailureReason::WrongPassphrase]
    );
    // 200,000 for a key of JCEKS, which takes two.
    let mut bytes = data("key.jceks");
    let count = [2, 3, 3, 0x0d, 0x40];
    let place = bytes.windows(5).position(|part| part == count).unwrap();
    bytes[place + 2..place + 5].copy_from_slice(&[0x7f, 0xff, 0xff]);
    let failure = Containers::new().private_key("store", &bytes).unwrap_err();
    assert_eq!(failure.reason, FailureReason::PassphraseMissing);
}
