//! Inner verifiers that know more than their wrapper: the dates of anchors, revocation lists,
//! what they learn, and fewer anchors.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use notafter::{Certificate, Timestamp};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    RootCertStore, SignatureScheme,
};

use crate::support::tls::ring;
use crate::support::world::World;

/// What an inner verifier judges by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knowledge {
    /// What its wrapper has been given too.
    Same,
    /// The dates of anchors count.
    AnchorDates,
    /// Revocation lists, which end at their nextUpdate.
    Lists,
    /// It learns that leaves are revoked, and that they are not.
    Learning,
    /// Only the first of the anchors.
    FewerAnchors,
}

/// webpki with this knowledge. Of handshake signatures it accepts [`PROOF`], and real ones.
#[derive(Debug)]
pub struct Inner {
    knowledge: Knowledge,
    /// One for each choice of anchors, by the bits of their numbers.
    choices: Vec<Option<Choice>>,
    anchors: Vec<Certificate>,
    revoked: Mutex<HashSet<CertificateDer<'static>>>,
    asked: AtomicUsize,
}

#[derive(Debug)]
struct Choice {
    servers: Arc<dyn ServerCertVerifier>,
    clients: Arc<dyn ClientCertVerifier>,
}

/// What a peer signs in tests without a handshake.
pub const PROOF: &[u8] = b"the peer has the key";

impl Inner {
    pub fn new(world: &World, knowledge: Knowledge) -> Arc<Self> {
        let count = world.roots.len();
        let all = (1_usize << count) - 1;
        let needed = |bits: usize| match knowledge {
            Knowledge::AnchorDates => bits != 0,
            Knowledge::FewerAnchors => bits == 1,
            _ => bits == all,
        };
        let choices = (0..=all).map(|bits| needed(bits).then(|| choice(world, bits, knowledge)));
        let read = |der: &CertificateDer<'static>| Certificate::from_der(der).unwrap();
        Arc::new(Self {
            knowledge,
            choices: choices.collect(),
            anchors: world.roots.iter().map(read).collect(),
            revoked: Mutex::default(),
            asked: AtomicUsize::new(0),
        })
    }

    /// Learns that this leaf is revoked, or that it is not any more.
    pub fn turn(&self, leaf: &CertificateDer<'static>) {
        let mut revoked = self.revoked.lock().unwrap();
        if !revoked.remove(leaf) {
            revoked.insert(leaf.clone());
        }
    }

    /// How often it was asked about a peer.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether it knows what its wrapper cannot know, where it has these lists or not.
    pub fn knows_more(&self, wrapper_has_lists: bool) -> bool {
        match self.knowledge {
            Knowledge::Same => false,
            Knowledge::Lists => !wrapper_has_lists,
            _ => true,
        }
    }

    fn choice(&self, leaf: &CertificateDer<'_>, now: UnixTime) -> Result<&Choice, Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let now = Timestamp::from(now);
        let all = (1_usize << self.anchors.len()) - 1;
        let bits = match self.knowledge {
            Knowledge::AnchorDates => {
                let in_use = self.anchors.iter().enumerate();
                let in_use = in_use.filter(|(_, anchor)| anchor.validity().contains(now));
                in_use.fold(0, |bits, (n, _)| bits | (1 << n))
            }
            Knowledge::FewerAnchors => 1,
            _ => all,
        };
        if self.revoked.lock().unwrap().contains(leaf) {
            return Err(Error::InvalidCertificate(CertificateError::Revoked));
        }
        let choice = self.choices[bits].as_ref();
        choice.ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn any(&self) -> &Choice {
        self.choices.iter().flatten().next().unwrap()
    }
}

fn choice(world: &World, bits: usize, knowledge: Knowledge) -> Choice {
    let mut roots = RootCertStore::empty();
    for (_, root) in (0..).zip(&world.roots).filter(|(n, _)| bits >> n & 1 == 1) {
        roots.add(root.clone()).unwrap();
    }
    let roots = Arc::new(roots);
    let lists: Vec<CertificateRevocationListDer<'static>> = match knowledge {
        Knowledge::Lists => world.lists.iter().map(|list| list.clone().into()).collect(),
        _ => Vec::new(),
    };
    let servers = WebPkiServerVerifier::builder_with_provider(roots.clone(), ring())
        .with_crls(lists.clone())
        .enforce_revocation_expiration();
    let clients = WebPkiClientVerifier::builder_with_provider(roots, ring())
        .with_crls(lists)
        .enforce_revocation_expiration();
    Choice {
        servers: servers.build().unwrap(),
        clients: clients.build().unwrap(),
    }
}

impl ServerCertVerifier for Inner {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let choice = self.choice(leaf, now)?;
        let servers = &choice.servers;
        servers.verify_server_cert(leaf, intermediates, name, staple, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match signed.signature() == PROOF {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => {
                let servers = &self.any().servers;
                servers.verify_tls12_signature(message, leaf, signed)
            }
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match signed.signature() == PROOF {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => {
                let servers = &self.any().servers;
                servers.verify_tls13_signature(message, leaf, signed)
            }
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.any().servers.supported_verify_schemes()
    }
}

impl ClientCertVerifier for Inner {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let choice = self.choice(leaf, now)?;
        choice.clients.verify_client_cert(leaf, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(self)
    }
}

/// Accepts everybody: what a wrapper says around it is its own.
#[derive(Debug)]
pub struct Yes;

impl ServerCertVerifier for Yes {
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
        Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Vec::new()
    }
}

impl ClientCertVerifier for Yes {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Vec::new()
    }
}
