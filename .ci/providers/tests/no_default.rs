//! Nobody installed a process default: the only provider that rustls was built with is taken, and
//! where there is none, or more than one, a sentence says what to do.

use notafter::{ReloadingKey, SelfCheck, WatchingServerVerifier};
use notafter_providers::{PROVIDERS, Pki};
use rustls::crypto::CryptoProvider;

#[test]
fn the_only_provider_is_taken_and_none_or_two_are_told() {
    let pki = Pki::mint();
    let verifier = WatchingServerVerifier::for_anchors(pki.anchors()).map(|_| ());
    let key = ReloadingKey::builder()
        .with_pair(pki.certificate(), pki.key())
        .build();
    let check = SelfCheck::builder()
        .with_path(pki.certificate())
        .with_key_file(pki.key())
        .with_trust_anchors(pki.anchors())
        .with_expected_name("localhost")
        .build();
    let said = [
        verifier.map_err(|error| error.to_string()),
        key.map(|_| ()).map_err(|error| error.to_string()),
        check.map(|_| ()).map_err(|error| error.to_string()),
    ];
    let what = [
        "no crypto provider to judge by the trust anchors or by staples",
        "no crypto provider to sign with",
        "no crypto provider to verify signatures with",
    ];
    let then = match PROVIDERS {
        0 => {
            "rustls was built without one; enable its feature ring or aws-lc-rs, \
             or call with_provider with one of your own"
        }
        _ => {
            "rustls was built with several, and the process has no default; call with_provider, \
             or install a process default with CryptoProvider::install_default"
        }
    };
    for (said, what) in said.into_iter().zip(what) {
        let expected = match PROVIDERS {
            1 => Ok(()),
            _ => Err(format!("{what}: {then}")),
        };
        assert_eq!(said, expected);
    }
    // Nothing of this installed one.
    assert!(CryptoProvider::get_default().is_none());
}
