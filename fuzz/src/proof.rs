//! Peers without TLS: an inner verifier whose verdicts are webpki's, that takes the signature of one
//! message for a proof, and that can be told to refuse a leaf for a reason of its own.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex};

use notafter::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::internal::msgs::codec::{Codec as _, Reader};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    SignatureScheme,
};

use crate::ring;
use crate::world::World;

/// The message whose signature proves that the peer has its key.
pub const GOOD: &[u8] = b"good";

/// A signature of nothing, as it comes from a peer.
pub fn signature() -> DigitallySignedStruct {
    let bytes = [0x08, 0x07, 0x00, 0x01, 0x00];
    DigitallySignedStruct::read(&mut Reader::init(&bytes)).expect("well-formed")
}

fn check(message: &[u8]) -> Result<HandshakeSignatureValid, Error> {
    match message == GOOD {
        true => Ok(HandshakeSignatureValid::assertion()),
        false => Err(Error::InvalidCertificate(CertificateError::BadSignature)),
    }
}

/// What an inner verifier was told, and answered.
#[derive(Debug, Default)]
pub struct Moods {
    refused: Mutex<HashSet<Vec<u8>>>,
    agreed: Mutex<Vec<(Vec<u8>, Timestamp)>>,
}

impl Moods {
    /// From now on (or no more) refuses this leaf, for a reason that no date tells.
    pub fn toggle(&self, leaf: &CertificateDer<'_>) {
        let mut refused = self.refused.lock().expect("no panic");
        if !refused.remove(leaf.as_ref()) {
            refused.insert(leaf.to_vec());
        }
    }

    /// Whether it refuses this leaf.
    pub fn refuses(&self, leaf: &CertificateDer<'_>) -> bool {
        self.refused
            .lock()
            .expect("no panic")
            .contains(leaf.as_ref())
    }

    /// Whether it accepted this leaf at such an instant.
    pub fn agreed(&self, leaf: &CertificateDer<'_>, fits: impl Fn(Timestamp) -> bool) -> bool {
        let agreed = self.agreed.lock().expect("no panic");
        agreed
            .iter()
            .any(|(other, at)| other == leaf.as_ref() && fits(*at))
    }

    fn ask<T>(
        &self,
        leaf: &CertificateDer<'_>,
        now: UnixTime,
        verdict: Result<T, Error>,
    ) -> Result<T, Error> {
        if self.refuses(leaf) {
            return Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ));
        }
        if verdict.is_ok() {
            let mut agreed = self.agreed.lock().expect("no panic");
            agreed.push((leaf.to_vec(), now.into()));
        }
        verdict
    }
}

#[derive(Debug)]
pub struct Servers {
    webpki: Arc<WebPkiServerVerifier>,
    pub moods: Arc<Moods>,
}

impl Servers {
    pub fn new(moods: Arc<Moods>) -> Arc<Self> {
        static WEBPKI: LazyLock<Arc<WebPkiServerVerifier>> = LazyLock::new(|| {
            let builder =
                WebPkiServerVerifier::builder_with_provider(World::get().roots.clone(), ring());
            builder.build().expect("there are roots")
        });
        Arc::new(Self {
            webpki: WEBPKI.clone(),
            moods,
        })
    }
}

impl ServerCertVerifier for Servers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.webpki.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        self.moods.ask(end_entity, now, verdict)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13,
        ))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check(message)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

#[derive(Debug)]
pub struct Clients {
    webpki: Arc<dyn ClientCertVerifier>,
    pub moods: Arc<Moods>,
}

impl Clients {
    pub fn new(moods: Arc<Moods>) -> Arc<Self> {
        static WEBPKI: LazyLock<Arc<dyn ClientCertVerifier>> = LazyLock::new(|| {
            let builder =
                WebPkiClientVerifier::builder_with_provider(World::get().roots.clone(), ring());
            builder.build().expect("there are roots")
        });
        Arc::new(Self {
            webpki: WEBPKI.clone(),
            moods,
        })
    }
}

impl ClientCertVerifier for Clients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verdict = self
            .webpki
            .verify_client_cert(end_entity, intermediates, now);
        self.moods.ask(end_entity, now, verdict)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13,
        ))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check(message)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}
