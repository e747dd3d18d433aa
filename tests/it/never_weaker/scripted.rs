//! An inner verifier that says what a test tells it to say, and writes down what it was asked.

use std::sync::Mutex;

use notafter::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::support::pki::NOW;

/// One call with everything that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub method: &'static str,
    pub bytes: Vec<Vec<u8>>,
    pub name: Option<ServerName<'static>>,
    pub at: Option<UnixTime>,
}

impl Call {
    pub fn of(method: &'static str) -> Self {
        Self {
            method,
            bytes: Vec::new(),
            name: None,
            at: None,
        }
    }

    pub fn with_chain(
        mut self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Self {
        let all = std::iter::once(leaf).chain(intermediates);
        self.bytes.extend(all.map(|der| der.to_vec()));
        self
    }

    pub fn with_bytes(mut self, bytes: &[u8]) -> Self {
        self.bytes.push(bytes.to_vec());
        self
    }

    pub fn to(mut self, name: &ServerName<'_>) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    pub fn at(mut self, at: UnixTime) -> Self {
        self.at = Some(at);
        self
    }
}

/// What it answers where it is not asked about a peer.
#[derive(Debug, Clone)]
pub struct Features {
    pub raw_public_keys: bool,
    pub hints: Option<Vec<DistinguishedName>>,
    pub schemes: Vec<SignatureScheme>,
    pub offers: bool,
    pub mandatory: bool,
    pub signature: Result<(), Error>,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            raw_public_keys: false,
            hints: None,
            schemes: vec![SignatureScheme::ED25519],
            offers: true,
            mandatory: true,
            signature: Ok(()),
        }
    }
}

#[derive(Debug)]
pub struct Scripted {
    pub features: Features,
    /// The verdict from a certain instant on, and the one before.
    verdict: Mutex<Verdict>,
    calls: Mutex<Vec<Call>>,
}

#[derive(Debug, Clone)]
pub struct Verdict {
    pub before: Result<(), Error>,
    pub turn: Timestamp,
    pub from: Result<(), Error>,
}

impl Scripted {
    pub fn new(features: Features) -> Self {
        Self {
            features,
            verdict: Mutex::new(Verdict {
                before: Ok(()),
                turn: NOW,
                from: Ok(()),
            }),
            calls: Mutex::default(),
        }
    }

    pub fn say(&self, verdict: Verdict) {
        *self.verdict.lock().unwrap() = verdict;
    }

    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn note(&self, call: Call) {
        self.calls.lock().unwrap().push(call);
    }

    fn answer(&self, at: UnixTime) -> Result<(), Error> {
        let verdict = self.verdict.lock().unwrap();
        match Timestamp::from(at) < verdict.turn {
            true => verdict.before.clone(),
            false => verdict.from.clone(),
        }
    }

    fn signature(
        &self,
        method: &'static str,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let call = Call::of(method).with_bytes(message).with_bytes(leaf);
        self.note(call.with_bytes(signed.signature()));
        let answer = self.features.signature.clone();
        answer.map(|()| HandshakeSignatureValid::assertion())
    }
}

impl ServerCertVerifier for Scripted {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        at: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let call = Call::of("verify_server_cert").with_chain(leaf, intermediates);
        self.note(call.with_bytes(staple).to(name).at(at));
        self.answer(at).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature("verify_tls12_signature", message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature("verify_tls13_signature", message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.note(Call::of("supported_verify_schemes"));
        self.features.schemes.clone()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.note(Call::of("requires_raw_public_keys"));
        self.features.raw_public_keys
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.note(Call::of("root_hint_subjects"));
        self.features.hints.as_deref()
    }
}

impl ClientCertVerifier for Scripted {
    fn offer_client_auth(&self) -> bool {
        self.note(Call::of("offer_client_auth"));
        self.features.offers
    }

    fn client_auth_mandatory(&self) -> bool {
        self.note(Call::of("client_auth_mandatory"));
        self.features.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.note(Call::of("root_hint_subjects"));
        self.features.hints.as_deref().unwrap_or_default()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let call = Call::of("verify_client_cert").with_chain(leaf, intermediates);
        self.note(call.at(at));
        self.answer(at).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature("verify_tls12_signature", message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature("verify_tls13_signature", message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.note(Call::of("supported_verify_schemes"));
        self.features.schemes.clone()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.note(Call::of("requires_raw_public_keys"));
        self.features.raw_public_keys
    }
}
