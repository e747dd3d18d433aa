#![no_main]
//! Does every container end in certificates or in a failure that can be printed, whatever its outline
//! promises, and does what is no container stay what it was?

use libfuzzer_sys::fuzz_target;
use notafter::source::{Containers, FailureReason, Passphrase, SourceContents};
use notafter_fuzz::assert_printable;

/// What the seeds were written with, the empty one, and one that opens none of them.
const PASSPHRASES: [&str; 6] = ["changeit", "password", "cryptography", "", "wrong", "1234"];

/// The choice of all of them, one after the other.
const ANY: usize = PASSPHRASES.len();

/// Whether it may ask for so many iterations that they are all that is done.
fn is_slow(bytes: &[u8]) -> bool {
    bytes.windows(3).any(|number| match number {
        [2, 3, first] => *first > 3,
        [2, 4..=5, _] | [2, 0x81..=0x84, _] => true,
        _ => false,
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else {
        return;
    };
    if is_slow(bytes) {
        return;
    }
    let all = PASSPHRASES.map(Passphrase::new);
    let containers = match usize::from(choice) {
        ANY => Containers::new().with_passphrase(Passphrase::any_of(all)),
        choice => match all.get(choice) {
            Some(passphrase) => Containers::new().with_passphrase(passphrase.clone()),
            None => Containers::new(),
        },
    };
    let plain = SourceContents::from_bytes("source", bytes);
    let opened = SourceContents::from_bytes_opening("source", bytes, &containers);
    assert!(!opened.certificates.is_empty() || !opened.failures.is_empty());
    for failure in &opened.failures {
        assert_printable(&failure.to_string());
    }
    // What was found without opening anything is found still.
    for found in &plain.certificates {
        assert!(opened.certificates.contains(found));
    }
    let mut reasons = plain.failures.iter().map(|failure| failure.reason);
    let is_other = reasons.any(|reason| reason == FailureReason::OtherFormat);
    if !is_other && plain.other_blocks.is_empty() {
        assert_eq!(plain, opened);
    }
    // No more things than there are bytes for them.
    assert!(opened.certificates.len() + opened.private_keys.len() <= bytes.len() / 2);
    if let Err(failure) = containers.private_key("source", bytes) {
        assert_printable(&failure.to_string());
    }
});
