//! Attacks, each beside what an honest peer may do: what they are, and what stops them, is told in
//! docs/SECURITY-MODEL.md.

mod clients;
mod floods;
mod graces;
mod guards;
mod mutations;
mod observers;
mod oracles;
mod parsers;
mod pins;
mod proof;
mod remembered;
mod servers;
mod stored;
mod unfinished;

use std::fmt;
use std::sync::Arc;

use notafter::pin::PinsInForce;
use notafter::verifier::WatchingVerifierBuilder;
use notafter::{
    PinnedClientConfigs, SessionGuard, Timestamp, TrustAnchors, WatchingClientVerifier,
    WatchingServerVerifier,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme, SupportedProtocolVersion,
};

pub use crate::pinning::{Agreeable, Changing, NAME, pin_of, pin_of_ca, pinned, webpki};
use crate::support::pki::Leaf;
use crate::support::proof::{any_signature, meet_server};
use crate::support::tls::{MINUTE, SetTime, ring};

/// How often a generated attack is tried: so many times, times the variable `NOTAFTER_ROUNDS`.
fn rounds(usual: u64) -> u64 {
    let times = std::env::var("NOTAFTER_ROUNDS").map(|times| times.parse::<u64>().unwrap());
    usual * times.unwrap_or(1)
}

fn name(host: &str) -> ServerName<'static> {
    ServerName::try_from(host.to_owned()).unwrap()
}

/// A wrapper of servers that takes any signature for a proof, and knows the anchors.
fn watching(
    inner: Arc<dyn ServerCertVerifier>,
    anchors: &TrustAnchors,
) -> WatchingVerifierBuilder<dyn ServerCertVerifier> {
    WatchingServerVerifier::builder(any_signature(inner))
        .with_provider(ring())
        .with_trust_anchors(anchors.clone())
}

/// What a client does with a server that presents this chain and has its key.
fn ask(
    verifier: &dyn ServerCertVerifier,
    chain: &[&CertificateDer<'static>],
    host: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let rest: Vec<_> = chain[1..].iter().map(|der| (*der).clone()).collect();
    let now = now.to_unix_time().unwrap();
    meet_server(verifier, (chain[0], &rest), &name(host), &[], now)
}

/// Why a verifier refuses what the one inside of it accepts, as of this instant.
type Refuses = dyn Fn(Timestamp) -> Option<CertificateError> + Send + Sync;

/// An inner verifier that knows more than the one inside of it.
struct Knowing {
    inner: Arc<dyn ServerCertVerifier>,
    refuses: Box<Refuses>,
    /// Raw public keys (RFC 7250).
    raw: bool,
}

impl Knowing {
    fn around(
        inner: Arc<dyn ServerCertVerifier>,
        refuses: impl Fn(Timestamp) -> Option<CertificateError> + Send + Sync + 'static,
    ) -> Arc<dyn ServerCertVerifier> {
        Arc::new(Self {
            inner,
            refuses: Box::new(refuses),
            raw: false,
        })
    }
}

impl fmt::Debug for Knowing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Knowing")
    }
}

impl ServerCertVerifier for Knowing {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self
            .inner
            .verify_server_cert(leaf, rest, name, staple, now)?;
        match (self.refuses)(now.into()) {
            Some(error) => Err(Error::InvalidCertificate(error)),
            None => Ok(verified),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.raw
    }
}

/// What real handshakes of a test have in common.
struct Wire {
    version: &'static SupportedProtocolVersion,
    clock: Arc<SetTime>,
}

/// How a server keeps its sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Keeping {
    Store,
    Tickets,
}

const KEEPINGS: [Keeping; 2] = [Keeping::Store, Keeping::Tickets];

impl Wire {
    fn at(version: &'static SupportedProtocolVersion, now: Timestamp) -> Self {
        Self {
            version,
            clock: SetTime::at(now),
        }
    }

    fn label(&self) -> String {
        format!("{:?}", self.version.version)
    }

    /// A server that presents this chain.
    fn server(&self, chain: &[&CertificateDer<'static>], leaf: &Leaf) -> Arc<ServerConfig> {
        let chain = chain.iter().map(|der| (*der).clone()).collect();
        let config = ServerConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, leaf.key.clone_key());
        Arc::new(config.unwrap())
    }

    /// A client with this verifier, whose sessions are guarded.
    fn client(&self, verifier: &Arc<WatchingServerVerifier>) -> Arc<ClientConfig> {
        let mut config = unguarded(self.version, &self.clock, verifier.clone()).unwrap();
        let store = Arc::new(ClientSessionMemoryCache::new(32));
        let guard = SessionGuard::new(self.clock.clone());
        config.resumption = Resumption::store(guard.client(verifier, store));
        Arc::new(config)
    }

    /// Configurations of such a client that begin afresh by themselves.
    fn configs(&self, verifier: &Arc<WatchingServerVerifier>) -> PinnedClientConfigs<Error> {
        let (version, clock) = (self.version, self.clock.clone());
        PinnedClientConfigs::new(verifier.clone(), move |verifier| {
            unguarded(version, &clock, verifier)
        })
    }

    /// A server that asks this verifier about its clients, and guards their sessions.
    fn mutual(
        &self,
        verifier: &Arc<WatchingClientVerifier>,
        own: &Leaf,
        keeping: Keeping,
    ) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_client_cert_verifier(verifier.clone())
            .with_single_cert(vec![own.der.clone()], own.key.clone_key())
            .unwrap();
        let guard = SessionGuard::new(self.clock.clone());
        match keeping {
            Keeping::Store => {
                let store = ServerSessionMemoryCache::new(256);
                config.session_storage = guard.server(verifier, store);
            }
            Keeping::Tickets => {
                let ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
                config.ticketer = guard.tickets(verifier, ticketer);
            }
        }
        Arc::new(config)
    }

    /// A client with this certificate, and more that it presents with it; anonymous without.
    fn presenting(
        &self,
        anchors: &TrustAnchors,
        own: Option<&Leaf>,
        more: &[CertificateDer<'static>],
    ) -> Arc<ClientConfig> {
        let config = ClientConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_root_certificates(RootCertStore::from(anchors));
        Arc::new(match own {
            None => config.with_no_client_auth(),
            Some(own) => {
                let chain = std::iter::once(&own.der).chain(more).cloned().collect();
                let key = own.key.clone_key();
                config.with_client_auth_cert(chain, key).unwrap()
            }
        })
    }
}

fn unguarded(
    version: &'static SupportedProtocolVersion,
    clock: &Arc<SetTime>,
    verifier: Arc<WatchingServerVerifier>,
) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_details(ring(), clock.clone())
        .with_protocol_versions(&[version])?
        .dangerous();
    let builder = builder.with_custom_certificate_verifier(verifier);
    Ok(builder.with_no_client_auth())
}

fn webpki_of_clients(anchors: &TrustAnchors) -> Arc<dyn ClientCertVerifier> {
    let roots = Arc::new(RootCertStore::from(anchors));
    let inner = WebPkiClientVerifier::builder_with_provider(roots, ring());
    inner.build().unwrap()
}

/// The same, where a client may be anonymous.
fn optional_clients(anchors: &TrustAnchors) -> Arc<dyn ClientCertVerifier> {
    let roots = Arc::new(RootCertStore::from(anchors));
    let inner = WebPkiClientVerifier::builder_with_provider(roots, ring());
    inner.allow_unauthenticated().build().unwrap()
}

fn watching_clients(
    inner: Arc<dyn ClientCertVerifier>,
    pins: Option<Arc<dyn PinsInForce>>,
) -> Arc<WatchingClientVerifier> {
    let builder = WatchingClientVerifier::builder(inner).with_trust_age(MINUTE);
    let builder = match pins {
        Some(pins) => builder.with_pins(pins),
        None => builder,
    };
    builder.build().unwrap()
}
