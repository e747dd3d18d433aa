//! Which crates that do cryptography are in a program, by what it asked for.

use notafter_providers::built_with;

/// Implementations of TLS's cryptography.
const OF_PROVIDERS: &[&str] = &[
    "aws-lc-fips-sys",
    "aws-lc-rs",
    "aws-lc-sys",
    "boring-sys",
    "ed25519-dalek",
    "openssl-sys",
    "p256",
    "ring",
    "rsa",
];

/// Implementations of a hash, a cipher or a derivation of keys.
const OF_ALGORITHMS: &[&str] = &[
    "aes", "blake2", "cbc", "des", "hmac", "md-5", "pbkdf2", "rc2", "rc4", "salsa20", "scrypt",
    "sha1", "sha2", "sha3",
];

#[test]
fn a_program_has_the_provider_that_it_asked_for_and_no_other() {
    let cases: [(&str, &[&str]); 9] = [
        ("", &[]),
        ("ring", &["ring"]),
        ("aws-lc-rs", &["aws-lc-rs", "aws-lc-sys"]),
        // rustls's feature names both; the module that is not validated is built, and not used.
        ("fips", &["aws-lc-fips-sys", "aws-lc-rs", "aws-lc-sys"]),
        ("ring,aws-lc-rs", &["aws-lc-rs", "aws-lc-sys", "ring"]),
        // No feature of ours brings one,
        ("full", &[]),
        ("full,ring", &["ring"]),
        ("full,aws-lc-rs", &["aws-lc-rs", "aws-lc-sys"]),
        // but for that of tests: rcgen signs with it.
        ("testing", &["ring"]),
    ];
    for (features, expected) in cases {
        assert_eq!(built_with(features, OF_PROVIDERS), expected, "{features}");
    }
}

#[test]
fn beside_the_provider_there_is_what_the_page_on_providers_says() {
    let cases: [(&str, &[&str]); 5] = [
        ("", &["sha2"]),
        ("ocsp", &["sha1", "sha2"]),
        (
            "encrypted-keys",
            &[
                "aes", "cbc", "des", "hmac", "pbkdf2", "salsa20", "scrypt", "sha1", "sha2",
            ],
        ),
        (
            "containers",
            &[
                "aes", "cbc", "des", "hmac", "md-5", "pbkdf2", "rc2", "rc4", "salsa20", "scrypt",
                "sha1", "sha2",
            ],
        ),
        (
            "full",
            &[
                "aes", "cbc", "des", "hmac", "md-5", "pbkdf2", "rc2", "rc4", "salsa20", "scrypt",
                "sha1", "sha2",
            ],
        ),
    ];
    let page = include_str!("../../../docs/PROVIDERS.md");
    for (features, expected) in cases {
        let crates = built_with(features, OF_ALGORITHMS);
        assert_eq!(crates, expected, "{features}");
        for name in crates {
            let said = format!("`{name}`");
            assert!(page.contains(&said), "the page says nothing of {name}");
        }
    }
}
