//! Two trust domains, their workloads, and both sides of handshakes between them.

use std::sync::Arc;

use notafter::identity::{SpiffeId, SpiffeIdentities};
use notafter::outlook::TrustInForce;
use notafter::verifier::{
    SpiffeBundles, SpiffeClientVerifier, SpiffeServerVerifier, WatchingVerifierBuilder,
};
use notafter::{
    Certificate, PinnedClientConfigs, SessionGuard, Timestamp, WatchingClientVerifier,
    WatchingServerVerifier,
};
use rcgen::{CertificateParams, KeyUsagePurpose, SanType};
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::server::ServerSessionMemoryCache;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, CommonState, Error, ServerConfig, SupportedProtocolVersion};

use crate::support::pki::{self, Ca, Leaf, NOW};
use crate::support::tls::{Recorder, SetTime, ring};

/// What connections are made to: no SVID here is for it.
pub const NAME: &str = "10-0-0-7.pods.internal";

/// So many seconds after NOW.
pub fn at(seconds: i64) -> Timestamp {
    NOW.saturating_add(seconds)
}

pub fn id(text: &str) -> SpiffeId {
    text.parse().unwrap()
}

/// A workload's X.509-SVID of these days.
pub fn svid_until(ca: &Ca, id: &str, days: i64) -> Leaf {
    svid_with(ca, &[id], days, |_| {})
}

pub fn svid(ca: &Ca, id: &str) -> Leaf {
    svid_until(ca, id, 90)
}

/// A certificate with these URIs, changed before it is signed.
pub fn svid_with(
    ca: &Ca,
    uris: &[&str],
    days: i64,
    change: impl FnOnce(&mut CertificateParams),
) -> Leaf {
    ca.leaf_with(&[], -1, days, |params| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let uris = uris.iter();
        params.subject_alt_names = uris
            .map(|uri| SanType::URI((*uri).try_into().unwrap()))
            .collect();
        change(params);
    })
}

/// The SPIFFE ID that the other side of a connection showed.
pub fn id_of_peer(connection: &CommonState) -> String {
    let leaf = &connection.peer_certificates().unwrap()[0];
    let leaf = Certificate::from_der(leaf).unwrap();
    SpiffeIdentities::id_of(&leaf).unwrap().to_string()
}

/// Shows this leaf with what stands above it, whatever rustls would say of it.
fn shows(leaf: &Leaf, above: &[&CertificateDer<'static>]) -> Arc<SingleCertAndKey> {
    shows_by_key_of(leaf, leaf, above)
}

fn shows_by_key_of(
    signer: &Leaf,
    leaf: &Leaf,
    above: &[&CertificateDer<'static>],
) -> Arc<SingleCertAndKey> {
    let above = above.iter().map(|der| (*der).clone());
    let chain = std::iter::once(leaf.der.clone()).chain(above).collect();
    let key = rustls::crypto::ring::sign::any_supported_type(&signer.key).unwrap();
    Arc::new(CertifiedKey::new(chain, key).into())
}

pub struct Scene {
    pub prod: Ca,
    pub partner: Ca,
    pub bundles: Arc<SpiffeBundles>,
    pub clock: Arc<SetTime>,
    pub events: Arc<Recorder>,
}

impl Scene {
    pub fn new() -> Self {
        // As SPIRE names its CAs: alike in every domain.
        let (prod, partner) = (
            pki::root("SPIFFE", -100, 3650),
            pki::root("SPIFFE", -100, 3650),
        );
        let bundles = SpiffeBundles::new()
            .with_bundle("prod.example".parse().unwrap(), pki::anchors([&prod]))
            .with_bundle("partner.example".parse().unwrap(), pki::anchors([&partner]));
        Self {
            prod,
            partner,
            bundles: Arc::new(bundles),
            clock: SetTime::at(NOW),
            events: Arc::default(),
        }
    }

    fn known<V: ?Sized>(&self, builder: WatchingVerifierBuilder<V>) -> WatchingVerifierBuilder<V> {
        let trust: Arc<dyn TrustInForce> = self.bundles.clone();
        builder
            .with_provider(ring())
            .with_peer_identity(Arc::new(SpiffeIdentities))
            .with_trust_in_force(trust)
            .with_observer(self.events.clone())
    }

    /// Accepts everybody of both domains.
    pub fn inner_of_servers(&self) -> Arc<dyn ServerCertVerifier> {
        SpiffeServerVerifier::builder(self.bundles.clone())
            .with_provider(ring())
            .with_accepted_by(|_| true)
            .build()
            .unwrap()
    }

    pub fn inner_of_clients(&self) -> Arc<dyn ClientCertVerifier> {
        SpiffeClientVerifier::builder(self.bundles.clone())
            .with_provider(ring())
            .with_accepted_by(|_| true)
            .build()
            .unwrap()
    }

    /// The wrapper of a client, to be finished.
    pub fn servers(&self) -> WatchingVerifierBuilder<dyn ServerCertVerifier> {
        self.known(WatchingServerVerifier::builder(self.inner_of_servers()))
    }

    /// The wrapper of a server, to be finished.
    pub fn clients(&self) -> WatchingVerifierBuilder<dyn ClientCertVerifier> {
        self.known(WatchingClientVerifier::builder(self.inner_of_clients()))
    }

    /// A server with this chain, which does not ask who its clients are.
    pub fn server(
        &self,
        version: &'static SupportedProtocolVersion,
        leaf: &Leaf,
        above: &[&CertificateDer<'static>],
    ) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(shows(leaf, above));
        Arc::new(config)
    }

    /// Somebody who shows this SVID without its key.
    pub fn impostor(
        &self,
        version: &'static SupportedProtocolVersion,
        leaf: &Leaf,
        own: &Leaf,
    ) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(shows_by_key_of(own, leaf, &[]));
        Arc::new(config)
    }

    /// A server with this SVID, which asks who its clients are, with guarded sessions.
    pub fn asking_server(
        &self,
        version: &'static SupportedProtocolVersion,
        leaf: &Leaf,
        verifier: &Arc<WatchingClientVerifier>,
        sessions: Sessions,
    ) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.clone())
            .with_cert_resolver(shows(leaf, &[]));
        let guard = SessionGuard::new(self.clock.clone());
        match sessions {
            Sessions::Stored => {
                let store = ServerSessionMemoryCache::new(64);
                config.session_storage = guard.server(verifier, store);
            }
            Sessions::Tickets => {
                let tickets = rustls::crypto::ring::Ticketer::new().unwrap();
                config.ticketer = guard.tickets(verifier, tickets);
            }
        }
        Arc::new(config)
    }

    /// What a client with this SVID takes its configurations from; without one it is anonymous.
    pub fn client(
        &self,
        version: &'static SupportedProtocolVersion,
        verifier: Arc<WatchingServerVerifier>,
        own: Option<&Leaf>,
    ) -> PinnedClientConfigs<Error> {
        let clock = self.clock.clone();
        let own = own.map(|leaf| shows(leaf, &[]));
        PinnedClientConfigs::new(verifier, move |verifier| {
            let config = ClientConfig::builder_with_details(ring(), clock.clone())
                .with_protocol_versions(&[version])?
                .dangerous()
                .with_custom_certificate_verifier(verifier);
            Ok(match &own {
                Some(own) => config.with_client_cert_resolver(own.clone()),
                None => config.with_no_client_auth(),
            })
        })
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Sessions {
    Stored,
    Tickets,
}
