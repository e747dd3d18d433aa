//! Raw public keys (RFC 7250) in real handshakes, by both providers.

use std::sync::Arc;

use notafter::{SpkiPin, WatchingServerVerifier, pin_error};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::AlwaysResolvesServerRawPublicKeys;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme};

use crate::support::pki;
use crate::support::tls::{handshake, providers};

const NAME: &str = "service.example";

/// Accepts any raw public key that the peer proves to hold, as a verifier with its own list of
/// keys would.
#[derive(Debug)]
struct AnyRawKey(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyRawKey {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("raw public keys are for TLS 1.3".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(cert.as_ref());
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

#[test]
fn a_raw_public_key_is_pinned_in_a_real_handshake() {
    let leaf = pki::root("Root", -1, 1).leaf(&[NAME], -1, 1);
    let certificate = leaf.certificate();
    let spki = CertificateDer::from(certificate.facts().spki_der().to_vec());
    let wrong = SpkiPin::from_spki_der(b"another");
    for (_, provider) in providers() {
        for (pin, accepted) in [
            (SpkiPin::from_certificate(&certificate), true),
            (wrong, false),
        ] {
            let key = provider
                .key_provider
                .load_private_key(leaf.key.clone_key())
                .unwrap();
            let key = Arc::new(CertifiedKey::new(vec![spki.clone()], key));
            let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&[&rustls::version::TLS13])
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)));
            let inner = Arc::new(AnyRawKey(Arc::clone(&provider)));
            let verifier = WatchingServerVerifier::builder(inner)
                .with_leaf_pin(pin)
                .build()
                .unwrap();
            let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&[&rustls::version::TLS13])
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(verifier)
                .with_no_client_auth();
            let outcome = handshake(client, server, NAME);
            assert_eq!(outcome.client.is_ok(), accepted, "{:?}", outcome.client);
            if let Err(error) = outcome.client {
                assert!(pin_error(&error).is_some(), "{error}");
            }
        }
    }
}
