//! Real handshakes by each provider that is built in, with the verifier, the key, the guard of the
//! sessions and the self-check of this crate.
#![cfg(any(feature = "ring", feature = "aws-lc-rs", feature = "fips"))]

use std::sync::Arc;

use notafter::{ReloadingKey, SelfCheck, SessionGuard, WatchingServerVerifier};
use notafter_providers::{Connected, PROVIDERS, Pki, connect};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, ClientConfig, Error, ServerConfig};

const IS_FIPS: bool = cfg!(feature = "fips");

/// What a service has that gives no provider.
fn without_naming_one(pki: &Pki, trusted: &Pki) -> (ServerConfig, ClientConfig) {
    let check = SelfCheck::builder()
        .with_path(pki.certificate())
        .with_key_file(pki.key())
        .with_trust_anchors(pki.anchors())
        .with_expected_name("localhost");
    check.build().unwrap().run().into_result().unwrap();
    let key = ReloadingKey::builder()
        .with_pair(pki.certificate(), pki.key())
        .build()
        .unwrap();
    let verifier = WatchingServerVerifier::for_anchors(trusted.anchors()).unwrap();
    let verifier = verifier.build().unwrap();
    let sessions = Arc::new(ClientSessionMemoryCache::new(16));
    let sessions = SessionGuard::default().client(&verifier, sessions);
    // rustls installs the only one that it was built with, here and not before.
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_cert_resolver(key);
    let mut client = ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    client.resumption = Resumption::store(sessions);
    (server, client)
}

/// The same, all by this provider.
fn by(provider: CryptoProvider, pki: &Pki) -> (ServerConfig, ClientConfig) {
    let provider = Arc::new(provider);
    let key = ReloadingKey::builder()
        .with_pair(pki.certificate(), pki.key())
        .with_provider(provider.clone())
        .build()
        .unwrap();
    let verifier =
        WatchingServerVerifier::for_anchors_with_provider(pki.anchors(), provider.clone()).unwrap();
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(key);
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier.build().unwrap())
        .with_no_client_auth();
    (server, client)
}

fn built_in() -> Vec<CryptoProvider> {
    vec![
        #[cfg(feature = "ring")]
        rustls::crypto::ring::default_provider(),
        #[cfg(any(feature = "aws-lc-rs", feature = "fips"))]
        rustls::crypto::aws_lc_rs::default_provider(),
    ]
}

fn named(provider: &CryptoProvider) -> String {
    format!("{:?}", provider.key_provider)
}

#[test]
fn a_handshake_without_naming_a_provider_goes_by_the_only_one_or_by_the_default() {
    let expected = built_in().pop().unwrap();
    let name = named(&expected);
    if PROVIDERS > 1 {
        expected.install_default().unwrap();
    }
    let (pki, stranger) = (Pki::mint(), Pki::mint());
    let (server, client) = without_naming_one(&pki, &pki);
    assert_eq!(named(client.crypto_provider()), name);
    assert_eq!((server.fips(), client.fips()), (IS_FIPS, IS_FIPS));
    let connected = Connected { is_fips: IS_FIPS };
    assert_eq!(connect(server, client), Ok(connected));

    // A CA of the same name, with a key of its own: the signature tells them apart.
    let (server, client) = without_naming_one(&pki, &stranger);
    let refused = Error::InvalidCertificate(CertificateError::BadSignature);
    assert_eq!(connect(server, client), Err(refused));
}

#[test]
fn a_provider_that_is_given_is_taken() {
    let pki = Pki::mint();
    for provider in built_in() {
        let name = named(&provider);
        assert_eq!(provider.fips(), IS_FIPS, "{name}");
        let (server, client) = by(provider, &pki);
        // Our verifier, key and guard change nothing of what rustls says of a configuration.
        assert_eq!((server.fips(), client.fips()), (IS_FIPS, IS_FIPS), "{name}");
        let connected = Connected { is_fips: IS_FIPS };
        assert_eq!(connect(server, client), Ok(connected), "{name}");
    }
}
