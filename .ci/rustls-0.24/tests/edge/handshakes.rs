//! The wrapper in handshakes, and who can pass it by.

use std::hash::Hasher;
use std::sync::Arc;

use notafter_rustls_0_24::WatchingServerVerifier;
use rustls::client::danger::{
    HandshakeSignatureValid, ServerIdentity, ServerVerifier, SignatureVerificationInput,
};
use rustls::client::{ClientConfig, ClientHandshake};
use rustls::crypto::{Identity, SignatureScheme, VerifiedIdentity};
use rustls::error::{CertificateError, Error};
use rustls::{Connection, HandshakeKind, Tcp, VecInput};

use crate::pki::{NAME, Pki, connect, versions};

fn watching(inner: Arc<dyn ServerVerifier>) -> Arc<dyn ServerVerifier> {
    Arc::new(WatchingServerVerifier::new(inner, Arc::default()))
}

#[test]
fn a_handshake_works_and_an_inner_refusal_stands() {
    for provider in versions() {
        let (pki, other) = (Pki::new(), Pki::of_root("Another root"));
        let server = pki.server(&provider, &[]);
        let client = |inner| {
            let builder = ClientConfig::builder(Arc::clone(&provider)).dangerous();
            let builder = builder.with_custom_certificate_verifier(watching(inner));
            Arc::new(builder.with_no_client_auth().unwrap())
        };
        let accepted = connect(&server, &client(pki.webpki(&provider)));
        assert_eq!(accepted.unwrap(), HandshakeKind::Full);
        let refused = connect(&server, &client(other.webpki(&provider)));
        let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        assert_eq!(refused.unwrap_err(), unknown);
    }
}

/// Says of every server that it is this one.
#[derive(Debug)]
struct Mistaken(Arc<dyn ServerVerifier>, Arc<Identity<'static>>);

impl ServerVerifier for Mistaken {
    fn verify_identity<'a>(
        &self,
        identity: &ServerIdentity<'a, '_>,
    ) -> Result<VerifiedIdentity<'a>, Error> {
        self.0.verify_identity(identity)?;
        Ok(VerifiedIdentity::assertion(self.1.as_ref().clone()))
    }

    fn verify_tls12_signature(
        &self,
        input: &SignatureVerificationInput<'_>,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(input)
    }

    fn verify_tls13_signature(
        &self,
        input: &SignatureVerificationInput<'_>,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(input)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn request_ocsp_response(&self) -> bool {
        self.0.request_ocsp_response()
    }

    fn hash_config(&self, hasher: &mut dyn Hasher) {
        self.0.hash_config(hasher);
    }
}

#[test]
fn an_inner_verifier_that_hands_back_another_identity_is_refused() {
    for provider in versions() {
        let pki = Pki::new();
        let server = pki.server(&provider, &[]);
        let other = pki.without_intermediate().identity;
        let client = |verifier| {
            let builder = ClientConfig::builder(Arc::clone(&provider)).dangerous();
            let builder = builder.with_custom_certificate_verifier(verifier);
            Arc::new(builder.with_no_client_auth().unwrap())
        };
        let mistaken = Arc::new(Mistaken(pki.webpki(&provider), other));
        // Without the wrapper, the signature is checked by the other one's key.
        let bare = connect(&server, &client(mistaken.clone())).unwrap_err();
        let bad_signature = Error::InvalidCertificate(CertificateError::BadSignature);
        assert_eq!(bare, bad_signature);
        let wrapped = connect(&server, &client(watching(mistaken))).unwrap_err();
        let refused = CertificateError::ApplicationVerificationFailure;
        assert_eq!(wrapped, Error::InvalidCertificate(refused));
    }
}

/// The application may say itself that a server is verified; the verifier of the configuration then
/// learns of it by the signature alone.
#[test]
fn an_application_that_verifies_by_itself_passes_the_verifier_by() {
    let (pki, other) = (Pki::new(), Pki::of_root("Another root"));
    let [provider, _] = versions();
    let server = pki.server(&provider, &[]);
    let verifier = watching(other.webpki(&provider));
    let builder = ClientConfig::builder(provider).dangerous();
    let builder = builder.with_custom_certificate_verifier(verifier);
    let config = Arc::new(builder.with_no_client_auth().unwrap());

    let (mut to_server, mut to_client, mut said) = (Vec::new(), Vec::new(), Vec::new());
    let begun = config.connect(NAME.try_into().unwrap());
    let client = begun.start_handshake(&mut to_server).unwrap();
    let mut server = Connection::<_, Tcp>::new(server).unwrap();
    let mut input = read(&to_server);
    let messages = server.read_tls(&mut input, &mut to_client);
    messages.handle_all(&mut said).unwrap();
    to_server.clear();
    let Ok(ClientHandshake::VerifyServerIdentity(asked)) =
        client.process(&mut read(&to_client), &mut to_server)
    else {
        panic!("nobody is asked");
    };
    let presented = asked.presented_identity().unwrap().identity.clone();
    let verified = VerifiedIdentity::assertion(presented.into_owned());
    let next = asked.continue_with(Ok(verified), &mut to_server);
    assert!(
        matches!(next, Ok(ClientHandshake::NeedsInput(_))),
        "{next:?}"
    );
}

fn read(bytes: &[u8]) -> VecInput {
    let mut input = VecInput::default();
    let mut bytes = bytes;
    while !bytes.is_empty() {
        input.read(&mut bytes).unwrap();
    }
    input
}
