//! Handshakes without TLS: a peer is verified, and then proves that it has its key.

use std::sync::Arc;

use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::internal::msgs::codec::{Codec as _, Reader};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

/// The methods of a verifier's mock by which any signature counts as a proof.
macro_rules! any_signature_counts {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &rustls::pki_types::CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &rustls::pki_types::CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
        }
    };
}
pub(crate) use any_signature_counts;

/// A signature of nothing, as it comes from a peer.
pub fn signature() -> DigitallySignedStruct {
    let bytes = [0x08, 0x07, 0x00, 0x01, 0x00];
    DigitallySignedStruct::read(&mut Reader::init(&bytes)).unwrap()
}

/// A verifier that takes any signature for a proof.
#[derive(Debug)]
pub struct AnySignature(pub Arc<dyn ServerCertVerifier>);

/// Around a verifier whose verdicts count, but not those about signatures.
pub fn any_signature(inner: Arc<dyn ServerCertVerifier>) -> Arc<dyn ServerCertVerifier> {
    Arc::new(AnySignature(inner))
}

impl ServerCertVerifier for AnySignature {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    any_signature_counts!();

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.0.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.0.root_hint_subjects()
    }
}

/// The same around a verifier of clients.
#[derive(Debug)]
pub struct AnySignatureOfClients(pub Arc<dyn ClientCertVerifier>);

/// Around a verifier of clients whose verdicts count, but not those about signatures.
pub fn any_signature_of_clients(inner: Arc<dyn ClientCertVerifier>) -> Arc<dyn ClientCertVerifier> {
    Arc::new(AnySignatureOfClients(inner))
}

impl ClientCertVerifier for AnySignatureOfClients {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.0.verify_client_cert(end_entity, intermediates, now)
    }

    any_signature_counts!();

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.0.requires_raw_public_keys()
    }
}

/// What a client does with a server that has its key; the inner verifier must take the signature
/// of the message `good`.
pub fn meet_server(
    verifier: &dyn ServerCertVerifier,
    (leaf, rest): (&CertificateDer<'_>, &[CertificateDer<'_>]),
    name: &ServerName<'_>,
    staple: &[u8],
    now: UnixTime,
) -> Result<(), Error> {
    verifier.verify_server_cert(leaf, rest, name, staple, now)?;
    let proven = verifier.verify_tls13_signature(b"good", leaf, &signature());
    proven.map(drop)
}

/// What a server does with a client that has its key.
pub fn meet_client(
    verifier: &dyn ClientCertVerifier,
    (leaf, rest): (&CertificateDer<'_>, &[CertificateDer<'_>]),
    now: UnixTime,
) -> Result<(), Error> {
    verifier.verify_client_cert(leaf, rest, now)?;
    let proven = verifier.verify_tls13_signature(b"good", leaf, &signature());
    proven.map(drop)
}
