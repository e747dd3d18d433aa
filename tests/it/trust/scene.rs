//! Roots and lists on disk, and both sides of handshakes that follow them.

use std::path::PathBuf;
use std::sync::Arc;

use notafter::reload::{ReloadingAnchors, ReloadingAnchorsBuilder, ReloadingCrls};
use notafter::verifier::{ReloadingClientVerifier, ReloadingServerVerifier};
use notafter::{
    PinnedClientConfigs, SessionGuard, Timestamp, WatchingClientVerifier, WatchingServerVerifier,
};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::server::ServerSessionMemoryCache;
use rustls::{ClientConfig, Error, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tempfile::TempDir;

use crate::support::pki::{self, Ca, Leaf, NOW};
use crate::support::tls::{Met, Recorder, SetTime, meet, ring};

pub const NAME: &str = "service.example";

/// So many seconds after NOW.
pub fn at(seconds: i64) -> Timestamp {
    NOW.saturating_add(seconds)
}

pub struct Scene {
    pub folder: TempDir,
    pub a: Ca,
    pub b: Ca,
    pub clock: Arc<SetTime>,
    pub events: Arc<Recorder>,
    /// What peers verify us by who are not what a test is about.
    own_root: Ca,
    own: Leaf,
}

impl Scene {
    pub fn new() -> Self {
        let own_root = pki::root("own root", -100, 3650);
        Self {
            folder: tempfile::tempdir().unwrap(),
            a: pki::root("root A", -100, 3650),
            b: pki::root("root B", -100, 3650),
            clock: SetTime::at(NOW),
            events: Arc::default(),
            own: own_root.leaf(&[NAME], -10, 90),
            own_root,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), contents).unwrap();
    }

    /// As a whole: another file takes its place.
    pub fn replace(&self, name: &str, contents: impl AsRef<[u8]>) {
        self.write("new", contents);
        std::fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    pub fn bundle(roots: &[&Ca]) -> String {
        pki::pem_bundle(roots.iter().map(|root| &root.der))
    }

    pub fn builder(&self) -> ReloadingAnchorsBuilder {
        ReloadingAnchors::builder()
            .with_path(self.path("ca.pem"))
            .with_clock(self.clock.clone())
            .with_observer(self.events.clone())
    }

    pub fn anchors(&self, roots: &[&Ca]) -> Arc<ReloadingAnchors> {
        self.write("ca.pem", Self::bundle(roots));
        self.builder().build().unwrap()
    }

    /// The verifier of a server that follows these.
    pub fn clients_by(
        &self,
        anchors: &Arc<ReloadingAnchors>,
        lists: Option<&Arc<ReloadingCrls>>,
    ) -> Arc<WatchingClientVerifier> {
        let mut inner = ReloadingClientVerifier::builder(anchors.clone()).with_provider(ring());
        if let Some(lists) = lists {
            inner = inner.with_crls(lists.clone());
        }
        let inner = inner.build().unwrap();
        WatchingClientVerifier::builder(inner.clone())
            .with_provider(ring())
            .with_trust_in_force(inner)
            .build()
            .unwrap()
    }

    /// The verifier of a client that follows these.
    pub fn servers_by(
        &self,
        anchors: &Arc<ReloadingAnchors>,
        lists: Option<&Arc<ReloadingCrls>>,
    ) -> Arc<WatchingServerVerifier> {
        let mut inner = ReloadingServerVerifier::builder(anchors.clone()).with_provider(ring());
        if let Some(lists) = lists {
            inner = inner.with_crls(lists.clone());
        }
        let inner = inner.build().unwrap();
        WatchingServerVerifier::builder(inner.clone())
            .with_provider(ring())
            .with_trust_in_force(inner)
            .build()
            .unwrap()
    }

    /// A server that asks clients for certificates, with guarded sessions.
    pub fn server(
        &self,
        version: &'static SupportedProtocolVersion,
        verifier: &Arc<WatchingClientVerifier>,
        sessions: ServerSessions,
    ) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.clone())
            .with_single_cert(vec![self.own.der.clone()], self.own.key.clone_key())
            .unwrap();
        let guard = SessionGuard::new(self.clock.clone());
        match sessions {
            ServerSessions::Stored => {
                let store = ServerSessionMemoryCache::new(64);
                config.session_storage = guard.server(verifier, store);
            }
            ServerSessions::Tickets => {
                let ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
                config.ticketer = guard.tickets(verifier, ticketer);
            }
        }
        Arc::new(config)
    }

    /// A client with this certificate, which keeps its sessions.
    pub fn client_with(
        &self,
        version: &'static SupportedProtocolVersion,
        leaf: &Leaf,
    ) -> Arc<ClientConfig> {
        let roots = RootCertStore::from(&pki::anchors([&self.own_root]));
        let config = ClientConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![leaf.der.clone()], leaf.key.clone_key())
            .unwrap();
        Arc::new(config)
    }

    /// A server with this certificate.
    pub fn server_with(
        &self,
        version: &'static SupportedProtocolVersion,
        leaf: &Leaf,
    ) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der.clone()], leaf.key.clone_key())
            .unwrap();
        Arc::new(config)
    }

    /// What a client takes its configurations from.
    pub fn client(
        &self,
        version: &'static SupportedProtocolVersion,
        verifier: Arc<WatchingServerVerifier>,
        sessions: ClientSessions,
    ) -> Client {
        let clock = self.clock.clone();
        let build = move |verifier: Arc<WatchingServerVerifier>| {
            Ok::<_, Error>(
                ClientConfig::builder_with_details(ring(), clock.clone())
                    .with_protocol_versions(&[version])?
                    .dangerous()
                    .with_custom_certificate_verifier(verifier)
                    .with_no_client_auth(),
            )
        };
        match sessions {
            ClientSessions::Configs => Client::Configs(PinnedClientConfigs::new(verifier, build)),
            ClientSessions::Guard => {
                let mut config = build(verifier.clone()).unwrap();
                let store = Arc::new(ClientSessionMemoryCache::new(64));
                let guard = SessionGuard::new(self.clock.clone());
                config.resumption = Resumption::store(guard.client(&verifier, store));
                Client::Guard(Arc::new(config))
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub enum ServerSessions {
    Stored,
    Tickets,
}

#[derive(Debug, Clone, Copy)]
pub enum ClientSessions {
    Guard,
    Configs,
}

pub enum Client {
    Guard(Arc<ClientConfig>),
    Configs(PinnedClientConfigs<Error>),
}

impl Client {
    pub fn meet(&self, server: &Arc<ServerConfig>) -> Met {
        let config = match self {
            Self::Guard(config) => config.clone(),
            Self::Configs(configs) => configs.current().unwrap(),
        };
        meet(&config, server, NAME)
    }
}
