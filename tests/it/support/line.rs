//! The line of rustls that this crate is for. It is all that the tests of `both_lines` know of rustls, and the
//! package that tries the next line has one of its own in its place.

use std::sync::Arc;

use notafter::pin::PinError;
use notafter::testing::TestClock;
use notafter::{
    PinnedClientConfigs, SessionGuard, Timestamp, TrustAnchors, WatchingClientVerifier,
    WatchingServerVerifier, pin_error,
};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientSessionMemoryCache, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, Error, RootCertStore, ServerConfig,
    SupportedProtocolVersion, WantsVerifier,
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

/// How a server keeps its sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Keeping {
    Unguarded,
    Store,
    Tickets,
}

/// What becomes of clients that show nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Anonymous {
    Accepted,
    Refused,
}

pub struct Server(Arc<ServerConfig>);

pub struct Client(Arc<ClientConfig>);

/// Configurations that follow the epochs of a wrapper.
pub struct Configs(PinnedClientConfigs<Error>);

/// What became of a handshake, and of a byte in each direction.
pub struct Meeting(Met);

/// Why somebody refused.
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

    /// The same of clients.
    pub fn webpki_of_clients(
        &self,
        anchors: &TrustAnchors,
        anonymous: Anonymous,
    ) -> Arc<dyn ClientCertVerifier> {
        let roots = Arc::new(RootCertStore::from(anchors));
        let builder = WebPkiClientVerifier::builder_with_provider(roots, self.provider());
        let builder = match anonymous {
            Anonymous::Accepted => builder.allow_unauthenticated(),
            Anonymous::Refused => builder,
        };
        builder.build().unwrap()
    }

    /// What a wrapper judges by.
    pub fn provider(&self) -> Arc<CryptoProvider> {
        Arc::clone(&self.provider)
    }

    pub fn server(&self, shown: Shown<'_>, clock: &Arc<TestClock>) -> Server {
        let config = self.server_builder(clock).with_no_client_auth();
        Server(Arc::new(config.with_cert_resolver(self.resolver(shown))))
    }

    /// A server that wants clients' certificates, if this verifier does.
    pub fn mutual_server(
        &self,
        shown: Shown<'_>,
        verifier: &Arc<WatchingClientVerifier>,
        keeping: Keeping,
        clock: &Arc<TestClock>,
    ) -> Server {
        let builder = self.server_builder(clock);
        let builder = builder.with_client_cert_verifier(verifier.clone());
        let mut config = builder.with_cert_resolver(self.resolver(shown));
        let guard = SessionGuard::new(clock.clone());
        let store = ServerSessionMemoryCache::new(32);
        match keeping {
            Keeping::Unguarded => config.session_storage = store,
            Keeping::Store => config.session_storage = guard.server(verifier, store),
            // The instant of the ticket's key is the system's: nothing of it is judged here.
            Keeping::Tickets => {
                let ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
                config.ticketer = guard.tickets(verifier, ticketer);
            }
        }
        Server(Arc::new(config))
    }

    fn server_builder(&self, clock: &Arc<TestClock>) -> ConfigBuilder<ServerConfig, WantsVerifier> {
        let builder = ServerConfig::builder_with_details(self.provider(), clock.clone());
        builder.with_protocol_versions(&[self.version]).unwrap()
    }

    fn resolver(&self, shown: Shown<'_>) -> Arc<SingleCertAndKey> {
        let key = shown.signer.key.clone_key();
        let key = self.provider.key_provider.load_private_key(key).unwrap();
        let mut pair = CertifiedKey::new(shown.chain, key);
        pair.ocsp = shown.staple;
        Arc::new(SingleCertAndKey::from(pair))
    }

    /// A client without a wrapper, that shows this or nothing.
    pub fn plain_client(
        &self,
        anchors: &TrustAnchors,
        shown: Option<Shown<'_>>,
        clock: &Arc<TestClock>,
    ) -> Client {
        let builder = ClientConfig::builder_with_details(self.provider(), clock.clone())
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_root_certificates(RootCertStore::from(anchors));
        Client(Arc::new(match shown {
            Some(shown) => builder.with_client_cert_resolver(self.resolver(shown)),
            None => builder.with_no_client_auth(),
        }))
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

    /// Why the server refused; an alert of the client is none of that.
    pub fn servers_refusal(&self) -> Option<Refusal<'_>> {
        let error = self.0.server.as_ref().err();
        let error = error.filter(|error| !matches!(error, Error::AlertReceived(_)));
        error.map(Refusal)
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
