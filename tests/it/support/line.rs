//! The line of rustls that this crate is for. It is all that the tests of `both_lines` know of rustls, and the
//! package that tries the next line has one of its own in its place.

use std::sync::Arc;

use notafter::pin::PinError;
use notafter::testing::TestClock;
use notafter::{
    PinnedClientConfigs, SessionGuard, Timestamp, TrustAnchors, WatchingServerVerifier, pin_error,
};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientSessionMemoryCache, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, Error, RootCertStore, ServerConfig, SupportedProtocolVersion,
};

use super::shown::Shown;
use super::tls::{Met, VERSIONS, meet, providers};

/// A provider, and a version of TLS.
pub struct Line {
    pub label: String,
    provider: Arc<CryptoProvider>,
    version: &'static SupportedProtocolVersion,
}

/// How a client keeps its sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sessions {
    Nowhere,
    Unguarded,
    Guarded,
}

pub struct Server(Arc<ServerConfig>);

pub struct Client(Arc<ClientConfig>);

/// Configurations that follow the epochs of a wrapper.
pub struct Configs(PinnedClientConfigs<Error>);

/// What became of a handshake, and of a byte in each direction.
pub struct Meeting(Met);

/// Why a client refused.
#[derive(Debug)]
pub struct Refusal<'m>(&'m Error);

/// Each provider with each version.
pub fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (name, provider) in providers() {
        lines.extend(VERSIONS.map(|version| Line {
            label: format!("{name} {:?}", version.version),
            provider: Arc::clone(&provider),
            version,
        }));
    }
    lines
}

impl Line {
    /// rustls's own verifier of servers under these anchors.
    pub fn webpki(&self, anchors: &TrustAnchors) -> Arc<dyn ServerCertVerifier> {
        let roots = Arc::new(RootCertStore::from(anchors));
        let builder =
            WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&self.provider));
        builder.build().unwrap()
    }

    /// What a wrapper judges by.
    pub fn provider(&self) -> Arc<CryptoProvider> {
        Arc::clone(&self.provider)
    }

    pub fn server(&self, shown: Shown<'_>, clock: &Arc<TestClock>) -> Server {
        let key = shown.signer.key.clone_key();
        let key = self.provider.key_provider.load_private_key(key).unwrap();
        let mut pair = CertifiedKey::new(shown.chain, key);
        pair.ocsp = shown.staple;
        let config = ServerConfig::builder_with_details(self.provider(), clock.clone())
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
        Server(Arc::new(config))
    }

    pub fn client(
        &self,
        verifier: &Arc<WatchingServerVerifier>,
        sessions: Sessions,
        clock: &Arc<TestClock>,
    ) -> Client {
        let mut config = ClientConfig::builder_with_details(self.provider(), clock.clone())
            .with_protocol_versions(&[self.version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        let store = Arc::new(ClientSessionMemoryCache::new(32));
        config.resumption = match sessions {
            Sessions::Nowhere => Resumption::disabled(),
            Sessions::Unguarded => Resumption::store(store),
            Sessions::Guarded => {
                let guard = SessionGuard::new(clock.clone());
                Resumption::store(guard.client(verifier, store))
            }
        };
        Client(Arc::new(config))
    }

    pub fn configs(
        &self,
        verifier: Arc<WatchingServerVerifier>,
        clock: &Arc<TestClock>,
    ) -> Configs {
        let (provider, version, clock) = (self.provider(), self.version, clock.clone());
        Configs(PinnedClientConfigs::new(verifier, move |verifier| {
            let builder = ClientConfig::builder_with_details(provider.clone(), clock.clone());
            let builder = builder.with_protocol_versions(&[version])?.dangerous();
            let builder = builder.with_custom_certificate_verifier(verifier);
            Ok(builder.with_no_client_auth())
        }))
    }
}

impl Configs {
    pub fn current(&self) -> Client {
        Client(self.0.current().unwrap())
    }
}

impl Client {
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub fn meet(&self, server: &Server, name: &str) -> Meeting {
        Meeting(meet(&self.0, &server.0, name))
    }
}

impl Meeting {
    pub fn resumed(&self) -> bool {
        self.0.resumed()
    }

    /// Whether both sides went through with it.
    pub fn succeeded(&self) -> bool {
        self.0.client.is_ok() && self.0.server.is_ok()
    }

    pub fn refusal(&self) -> Option<Refusal<'_>> {
        self.0.client.as_ref().err().map(Refusal)
    }

    /// The number of the alert that the server received.
    pub fn alert(&self) -> Option<u8> {
        match &self.0.server {
            Err(Error::AlertReceived(alert)) => Some(u8::from(*alert)),
            _ => None,
        }
    }
}

impl<'m> Refusal<'m> {
    pub fn pin(&self) -> Option<&'m PinError> {
        pin_error(self.0)
    }

    /// That the inner verifier found a certificate over: since when it is.
    pub fn ended(&self) -> Option<Timestamp> {
        match self.0 {
            Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. }) => {
                Some((*not_after).into())
            }
            _ => None,
        }
    }
}
