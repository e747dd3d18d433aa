//! Containers of several passphrases, and folders of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use notafter::Loader;
use notafter::source::{Containers, FailureReason, Passphrase, SourceContents};

use crate::containers::{data, key, read};

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
fn a_key_with_a_passphrase_of_its_own_opens_with_that_and_its_store_with_the_other() {
    let bytes = data("own-passphrase.jks");
    assert_eq!(read(&bytes, Some("changeit")).failures, []);
    let failure = key(&bytes, "changeit").unwrap_err();
    assert_eq!(failure.reason, FailureReason::WrongPassphrase);
}
