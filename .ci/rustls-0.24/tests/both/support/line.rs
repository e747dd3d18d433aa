//! The development line of rustls 0.24, by the names that the crate's own tests have for a line.

use std::error::Error as _;
use std::sync::{Arc, Mutex};

use notafter::pin::PinError;
use notafter::testing::TestClock;
use notafter::{
    PinnedClientConfigs, Timestamp, TrustAnchors, WatchingClientVerifier, WatchingServerVerifier,
};
use pki_types::UnixTime;
use rustls::client::{ClientConfig, ClientSessionMemoryCache, Resumption, WebPkiServerVerifier};
use rustls::crypto::{Credentials, CryptoProvider, Identity, SingleCredential};
use rustls::error::{CertificateError, Error};
use rustls::server::{ServerConfig, ServerSessionMemoryCache};
use rustls::time_provider::TimeProvider;
use rustls::{ConfigBuilder, HandshakeKind, RootCertStore, WantsVerifier};
use rustls_0_23::server::WebPkiClientVerifier;
use rustls_0_23::server::danger::ClientCertVerifier;

use super::shown::Shown;
use crate::bridge::{Bridged, BridgedOfClients, Inner};
use crate::guard::{GuardedSessions, GuardedStore, GuardedTickets};
use crate::loopback::meet;

/// A version of TLS.
#[derive(Clone)]
pub struct Line {
    pub label: String,
    provider: Arc<CryptoProvider>,
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

#[derive(Clone)]
pub struct Client(Arc<ClientConfig>);

/// What became of a handshake, and of what the server said after it.
pub struct Meeting {
    client: Result<HandshakeKind, Error>,
    server: Result<(), Error>,
}

/// Why somebody refused.
#[derive(Debug)]
pub struct Refusal<'m>(&'m Error);

pub fn lines() -> Vec<Line> {
    let of = |label: &str, provider| Line {
        label: format!("rustls 0.24, ring, {label}"),
        provider: Arc::new(provider),
    };
    vec![
        of("TLS 1.2", rustls_ring::DEFAULT_TLS12_PROVIDER),
        of("TLS 1.3", rustls_ring::DEFAULT_TLS13_PROVIDER),
    ]
}

/// The clock of the tests, as rustls 0.24 reads it.
#[derive(Debug)]
struct Clock(Arc<TestClock>);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        self.0.now().to_unix_time()
    }
}

impl Line {
    /// The verifier of rustls 0.24, which judges by webpki 0.104.
    pub fn webpki(&self, anchors: &TrustAnchors) -> Arc<Inner> {
        let builder = WebPkiServerVerifier::builder(roots(anchors), &self.provider);
        Arc::new(Inner(Arc::new(builder.build().unwrap())))
    }

    /// The verifier of clients that the crate is for: see `bridge`.
    pub fn webpki_of_clients(
        &self,
        anchors: &TrustAnchors,
        anonymous: Anonymous,
    ) -> Arc<dyn ClientCertVerifier> {
        let roots = Arc::new(rustls_0_23::RootCertStore::from(anchors));
        let builder = WebPkiClientVerifier::builder_with_provider(roots, self.provider());
        let builder = match anonymous {
            Anonymous::Accepted => builder.allow_unauthenticated(),
            Anonymous::Refused => builder,
        };
        builder.build().unwrap()
    }

    /// What a wrapper judges by.
    pub fn provider(&self) -> Arc<rustls_0_23::crypto::CryptoProvider> {
        Arc::new(rustls_0_23::crypto::ring::default_provider())
    }

    pub fn server(&self, shown: Shown<'_>, clock: &Arc<TestClock>) -> Server {
        let builder = self.server_builder(clock).with_no_client_auth();
        let config = builder.with_server_credential_resolver(self.resolver(shown));
        Server(Arc::new(config.unwrap()))
    }

    /// A server that wants clients' certificates, if this verifier does.
    pub fn mutual_server(
        &self,
        shown: Shown<'_>,
        verifier: &Arc<WatchingClientVerifier>,
        keeping: Keeping,
        clock: &Arc<TestClock>,
    ) -> Server {
        let bridged = Arc::new(BridgedOfClients(verifier.clone()));
        let builder = self
            .server_builder(clock)
            .with_client_cert_verifier(bridged);
        let config = builder.with_server_credential_resolver(self.resolver(shown));
        let mut config = config.unwrap();
        match keeping {
            Keeping::Unguarded => config.session_storage = ServerSessionMemoryCache::new(32),
            Keeping::Store => config.session_storage = Arc::new(GuardedStore::new(verifier, clock)),
            Keeping::Tickets => {
                let tickets = self.provider.ticketer_factory.ticketer().unwrap();
                let guarded = GuardedTickets::new(verifier, tickets, clock);
                config.ticketer = Some(Arc::new(guarded));
            }
        }
        Server(Arc::new(config))
    }

    fn server_builder(&self, clock: &Arc<TestClock>) -> ConfigBuilder<ServerConfig, WantsVerifier> {
        let time = Arc::new(Clock(clock.clone()));
        ServerConfig::builder_with_details(Arc::clone(&self.provider), time)
    }

    fn resolver(&self, shown: Shown<'_>) -> Arc<SingleCredential> {
        let key = self.provider.key_provider;
        let key = key.load_private_key(shown.signer.key.clone_key()).unwrap();
        let identity = Arc::new(Identity::from_cert_chain(shown.chain).unwrap());
        let mut credentials = Credentials::new_unchecked(identity, key);
        credentials.ocsp = shown.staple.map(Arc::from);
        Arc::new(SingleCredential::from(credentials))
    }

    /// A client without a wrapper, that shows this or nothing.
    pub fn plain_client(
        &self,
        anchors: &TrustAnchors,
        shown: Option<Shown<'_>>,
        clock: &Arc<TestClock>,
    ) -> Client {
        let time = Arc::new(Clock(clock.clone()));
        let builder = ClientConfig::builder_with_details(Arc::clone(&self.provider), time);
        let builder = builder.with_root_certificates(roots(anchors));
        let config = match shown {
            Some(shown) => builder.with_client_credential_resolver(self.resolver(shown)),
            None => builder.with_no_client_auth(),
        };
        Client(Arc::new(config.unwrap()))
    }

    pub fn client(
        &self,
        verifier: &Arc<WatchingServerVerifier>,
        sessions: Sessions,
        clock: &Arc<TestClock>,
    ) -> Client {
        let mut config = unresumed(&self.provider, verifier.clone(), clock);
        config.resumption = match sessions {
            Sessions::Nowhere => Resumption::disabled(),
            Sessions::Unguarded => Resumption::store(Arc::new(ClientSessionMemoryCache::new(32))),
            Sessions::Guarded => Resumption::store(Arc::new(GuardedSessions::new(verifier, clock))),
        };
        Client(Arc::new(config))
    }

    pub fn configs(
        &self,
        verifier: Arc<WatchingServerVerifier>,
        clock: &Arc<TestClock>,
    ) -> Configs {
        let latest = Arc::<Mutex<Option<Client>>>::default();
        let (made, line, clock) = (latest.clone(), self.clone(), clock.clone());
        let followed = PinnedClientConfigs::new(verifier, move |verifier| {
            let config = line.client(&verifier, Sessions::Guarded, &clock);
            *made.lock().unwrap() = Some(config);
            let builder =
                rustls_0_23::ClientConfig::builder_with_details(line.provider(), clock.clone());
            let builder = builder.with_safe_default_protocol_versions()?.dangerous();
            let builder = builder.with_custom_certificate_verifier(verifier);
            Ok(builder.with_no_client_auth())
        });
        Configs { followed, latest }
    }
}

/// Configurations that follow the epochs of a wrapper: made when one of rustls 0.23 is.
pub struct Configs {
    followed: PinnedClientConfigs<rustls_0_23::Error>,
    latest: Arc<Mutex<Option<Client>>>,
}

impl Configs {
    pub fn current(&self) -> Client {
        self.followed.current().unwrap();
        self.latest.lock().unwrap().clone().unwrap()
    }
}

impl Client {
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub fn meet(&self, server: &Server, name: &str) -> Meeting {
        let (client, server) = meet(&server.0, &self.0, name);
        Meeting { client, server }
    }
}

impl Meeting {
    pub fn resumed(&self) -> bool {
        self.client == Ok(HandshakeKind::Resumed)
    }

    /// Whether both sides went through with it.
    pub fn succeeded(&self) -> bool {
        self.client.is_ok() && self.server.is_ok()
    }

    pub fn refusal(&self) -> Option<Refusal<'_>> {
        self.client.as_ref().err().map(Refusal)
    }

    /// Why the server refused; an alert of the client is none of that.
    pub fn servers_refusal(&self) -> Option<Refusal<'_>> {
        let error = self.server.as_ref().err();
        let error = error.filter(|error| !matches!(error, Error::AlertReceived(_)));
        error.map(Refusal)
    }

    /// The number of the alert that the server received.
    pub fn alert(&self) -> Option<u8> {
        match &self.server {
            Err(Error::AlertReceived(alert)) => Some(alert.0),
            _ => None,
        }
    }
}

impl<'m> Refusal<'m> {
    pub fn pin(&self) -> Option<&'m PinError> {
        match self.0 {
            Error::InvalidCertificate(CertificateError::Other(other)) => {
                other.source()?.downcast_ref()
            }
            _ => None,
        }
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

fn roots(anchors: &TrustAnchors) -> Arc<RootCertStore> {
    let anchors = anchors.as_slice().iter().cloned();
    Arc::new(RootCertStore::from_iter(anchors))
}

fn unresumed(
    provider: &Arc<CryptoProvider>,
    verifier: Arc<WatchingServerVerifier>,
    clock: &Arc<TestClock>,
) -> ClientConfig {
    let time = Arc::new(Clock(clock.clone()));
    let builder = ClientConfig::builder_with_details(Arc::clone(provider), time).dangerous();
    let builder = builder.with_custom_certificate_verifier(Arc::new(Bridged::new(verifier)));
    builder.with_no_client_auth().unwrap()
}
