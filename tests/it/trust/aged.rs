//! Inner verifiers whose anchors change unseen, such as the platform's: they are asked again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use notafter::verifier::{VerdictCache, VerdictCacheError, VerifierBuildError};
use notafter::{WatchingClientVerifier, WatchingServerVerifier};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use super::scene::{ClientSessions, NAME, Scene, ServerSessions, at};
use crate::support::pki::{self, Ca};
use crate::support::tls::Recorder;
use crate::support::tls::{VERSIONS, meet, ring};

const UNKNOWN: Error = Error::InvalidCertificate(CertificateError::UnknownIssuer);

/// Verifies by a store that others change.
#[derive(Debug)]
struct Platform {
    servers: Mutex<Arc<WebPkiServerVerifier>>,
    clients: Mutex<Arc<dyn ClientCertVerifier>>,
    asked: AtomicUsize,
}

fn servers_by(roots: &[&Ca]) -> Arc<WebPkiServerVerifier> {
    let roots = RootCertStore::from(&pki::anchors(roots.iter().copied()));
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), ring());
    builder.build().unwrap()
}

fn clients_by(roots: &[&Ca]) -> Arc<dyn ClientCertVerifier> {
    let roots = RootCertStore::from(&pki::anchors(roots.iter().copied()));
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), ring());
    builder.build().unwrap()
}

impl Platform {
    fn new(roots: &[&Ca]) -> Arc<Self> {
        Arc::new(Self {
            servers: Mutex::new(servers_by(roots)),
            clients: Mutex::new(clients_by(roots)),
            asked: AtomicUsize::new(0),
        })
    }

    /// Nobody is told.
    fn change(&self, roots: &[&Ca]) {
        *self.servers.lock().unwrap() = servers_by(roots);
        *self.clients.lock().unwrap() = clients_by(roots);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn servers(&self) -> Arc<WebPkiServerVerifier> {
        self.servers.lock().unwrap().clone()
    }
}

impl ServerCertVerifier for Platform {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let current = self.servers();
        current.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.servers().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.servers().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.servers().supported_verify_schemes()
    }
}

impl ClientCertVerifier for Platform {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let current = self.clients.lock().unwrap().clone();
        current.verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.servers().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.servers().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.servers().supported_verify_schemes()
    }
}

/// The age, and the last second at which a session is resumed that began at 0, if any.
const AGES: [(Option<u64>, Option<i64>); 4] = [
    (None, Some(59)),
    (Some(60), Some(59)),
    (Some(10), Some(9)),
    (Some(0), None),
];

#[test]
fn sessions_with_a_server_are_resumed_for_as_long_as_the_age_and_no_longer() {
    for (age, last) in AGES {
        for sessions in [ClientSessions::Guard, ClientSessions::Configs] {
            for version in VERSIONS {
                let context = format!("{age:?}, {sessions:?}, {version:?}");
                let scene = Scene::new();
                let platform = Platform::new(&[&scene.a, &scene.b]);
                let mut builder =
                    WatchingServerVerifier::builder(platform.clone()).with_observer(silent());
                if let Some(age) = age {
                    builder = builder.with_trust_age(Duration::from_secs(age));
                }
                let verifier = builder.build().unwrap();
                let full = scene.client(version, verifier.renewed(), ClientSessions::Guard);
                let client = scene.client(version, verifier, sessions);
                let server = scene.server_with(version, &scene.a.leaf(&[NAME], -10, 90));
                assert!(client.meet(&server).client.is_ok(), "{context}");
                assert!(client.meet(&server).resumed(), "{context}");
                platform.change(&[&scene.b]);
                if let Some(last) = last {
                    scene.clock.set(at(last));
                    assert!(client.meet(&server).resumed(), "{context}");
                }
                // Who has no session is refused at once.
                assert_eq!(full.meet(&server).client.unwrap_err(), UNKNOWN, "{context}");
                scene.clock.set(at(last.map_or(0, |last| last + 1)));
                let met = client.meet(&server);
                assert!(!met.resumed(), "{context}");
                assert_eq!(met.client.unwrap_err(), UNKNOWN, "{context}");
                // The store has it again.
                platform.change(&[&scene.a]);
                assert!(client.meet(&server).client.is_ok(), "{context}");
            }
        }
    }
}

#[test]
fn sessions_of_a_client_are_resumed_for_as_long_as_the_age_and_no_longer() {
    for (age, last) in AGES {
        for sessions in [ServerSessions::Stored, ServerSessions::Tickets] {
            for version in VERSIONS {
                let context = format!("{age:?}, {sessions:?}, {version:?}");
                let scene = Scene::new();
                let platform = Platform::new(&[&scene.a, &scene.b]);
                let mut builder =
                    WatchingClientVerifier::builder(platform.clone()).with_observer(silent());
                if let Some(age) = age {
                    builder = builder.with_trust_age(Duration::from_secs(age));
                }
                let server = scene.server(version, &builder.build().unwrap(), sessions);
                let leaf = scene.a.leaf(&["a.example"], -10, 90);
                let client = scene.client_with(version, &leaf);
                assert!(meet(&client, &server, NAME).server.is_ok(), "{context}");
                assert!(meet(&client, &server, NAME).resumed(), "{context}");
                platform.change(&[&scene.b]);
                if let Some(last) = last {
                    scene.clock.set(at(last));
                    assert!(meet(&client, &server, NAME).resumed(), "{context}");
                }
                let full = scene.client_with(version, &leaf);
                let refused = meet(&full, &server, NAME).server.unwrap_err();
                assert_eq!(refused, UNKNOWN, "{context}");
                scene.clock.set(at(last.map_or(0, |last| last + 1)));
                let met = meet(&client, &server, NAME);
                assert!(!met.resumed(), "{context}");
                assert_eq!(met.server.unwrap_err(), UNKNOWN, "{context}");
            }
        }
    }
}

/// A wrapper around a cache, both of one age; sessions are not what this is about.
#[test]
fn a_remembered_verdict_counts_for_as_long_as_the_age_and_no_longer() {
    for (age, last) in [(None, Some(59)), (Some(10), Some(9)), (Some(0), None)] {
        for version in VERSIONS {
            let context = format!("{age:?}, {version:?}");
            let scene = Scene::new();
            let platform = Platform::new(&[&scene.a]);
            let mut cached =
                VerdictCache::builder(platform.clone()).with_ttl(Duration::from_secs(3600));
            let told = age.map(Duration::from_secs);
            if let Some(age) = told {
                // Said of the platform: it is asked again all the same.
                let anchors = pki::anchors([&scene.a]);
                cached = cached.with_trust_age(age).with_trust_anchors(&anchors);
            }
            let cached = cached.build().unwrap();
            let mut builder = WatchingServerVerifier::builder(cached).with_observer(silent());
            if let Some(age) = told {
                builder = builder.with_trust_age(age);
            }
            let verifier = builder.build().unwrap();
            let server = scene.server_with(version, &scene.a.leaf(&[NAME], -10, 90));
            let full = || {
                let client = scene.client(version, verifier.renewed(), ClientSessions::Guard);
                client.meet(&server).client.map(drop)
            };
            assert_eq!(full(), Ok(()), "{context}");
            let asked = platform.asked();
            platform.change(&[&scene.b]);
            if let Some(last) = last {
                scene.clock.set(at(last));
                assert_eq!(full(), Ok(()), "{context}");
                assert_eq!(platform.asked(), asked, "{context}: from memory");
            }
            scene.clock.set(at(last.map_or(0, |last| last + 1)));
            assert_eq!(full(), Err(UNKNOWN), "{context}");
        }
    }
}

/// With somebody to tell, a wrapper is built without a word of an age.
fn silent() -> Arc<Recorder> {
    Arc::default()
}

#[test]
fn an_age_of_more_than_a_minute_is_refused() {
    let platform = Platform::new(&[&pki::root("root", -1, 1)]);
    let age = Duration::from_secs(61);
    let wrapper = WatchingServerVerifier::builder(platform.clone()).with_trust_age(age);
    assert_eq!(
        wrapper.build().map(drop).unwrap_err(),
        VerifierBuildError::TrustAgeTooLong { seconds: 61 }
    );
    let cache = VerdictCache::builder(platform).with_trust_age(age);
    assert_eq!(
        cache.build().map(drop).unwrap_err(),
        VerdictCacheError::AgeTooLong { seconds: 61 }
    );
}
