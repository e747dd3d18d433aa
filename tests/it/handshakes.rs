//! Real handshakes: TLS 1.2 and 1.3, both providers, server and client authentication.

use std::sync::Arc;

use notafter::event::{PeerReach, Role};
use notafter::outlook::Position;
use notafter::pin::PinError;
use notafter::verifier::UnguardedSessions;
use notafter::{
    EventCode, SpkiPin, TrustAnchors, WatchingClientVerifier, WatchingServerVerifier, pin_error,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme, SupportedProtocolVersion,
};

use crate::support::pki::{self, Ca, Leaf, days};
use crate::support::tls::{FixedTime, Recorder, VERSIONS, handshake, providers};

const NAME: &str = "service.example";

/// One provider and version, and what every case needs.
struct Ground {
    provider: Arc<CryptoProvider>,
    version: &'static SupportedProtocolVersion,
    label: String,
    recorder: Arc<Recorder>,
}

fn grounds() -> Vec<Ground> {
    let pairs = providers()
        .into_iter()
        .flat_map(|p| VERSIONS.map(|version| (p.clone(), version)));
    let ground =
        |((name, provider), version): ((&str, _), &'static SupportedProtocolVersion)| Ground {
            label: format!("{name} {:?}", version.version),
            provider,
            version,
            recorder: Arc::default(),
        };
    pairs.map(ground).collect()
}

fn store(anchors: &TrustAnchors) -> Arc<RootCertStore> {
    Arc::new(RootCertStore::from(anchors))
}

impl Ground {
    fn server(&self, chain: Vec<CertificateDer<'static>>, leaf: &Leaf) -> ServerConfig {
        ServerConfig::builder_with_details(
            Arc::clone(&self.provider),
            Arc::new(FixedTime(pki::now())),
        )
        .with_protocol_versions(&[self.version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, leaf.key.clone_key())
        .unwrap()
    }

    fn client(&self, anchors: &TrustAnchors, pins: &[SpkiPin], judged: bool) -> ClientConfig {
        let inner =
            WebPkiServerVerifier::builder_with_provider(store(anchors), Arc::clone(&self.provider));
        let mut builder = WatchingServerVerifier::builder(inner.build().unwrap())
            .with_provider(Arc::clone(&self.provider))
            .with_observer(self.recorder.clone())
            .with_unguarded_sessions(UnguardedSessions::Accept);
        if judged {
            builder = builder.with_trust_anchors(anchors.clone());
        }
        let builder = pins
            .iter()
            .fold(builder, |builder, pin| builder.with_leaf_pin(*pin));
        ClientConfig::builder_with_details(
            Arc::clone(&self.provider),
            Arc::new(FixedTime(pki::now())),
        )
        .with_protocol_versions(&[self.version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(builder.build().unwrap())
        .with_no_client_auth()
    }

    /// A server that wants client certificates, verified by a watching verifier.
    fn mutual_server(
        &self,
        server: &Leaf,
        anchors: &TrustAnchors,
        pins: &[SpkiPin],
    ) -> ServerConfig {
        let inner =
            WebPkiClientVerifier::builder_with_provider(store(anchors), Arc::clone(&self.provider));
        let builder = WatchingClientVerifier::builder(inner.build().unwrap())
            .with_provider(Arc::clone(&self.provider))
            .with_trust_anchors(anchors.clone())
            .with_observer(self.recorder.clone())
            .with_unguarded_sessions(UnguardedSessions::Accept);
        let builder = pins
            .iter()
            .fold(builder, |builder, pin| builder.with_leaf_pin(*pin));
        ServerConfig::builder_with_details(
            Arc::clone(&self.provider),
            Arc::new(FixedTime(pki::now())),
        )
        .with_protocol_versions(&[self.version])
        .unwrap()
        .with_client_cert_verifier(builder.build().unwrap())
        .with_single_cert(vec![server.der.clone()], server.key.clone_key())
        .unwrap()
    }

    fn client_with_certificate(
        &self,
        anchors: &TrustAnchors,
        chain: Vec<CertificateDer<'static>>,
        leaf: &Leaf,
    ) -> ClientConfig {
        ClientConfig::builder_with_details(
            Arc::clone(&self.provider),
            Arc::new(FixedTime(pki::now())),
        )
        .with_protocol_versions(&[self.version])
        .unwrap()
        .with_root_certificates(store(anchors))
        .with_client_auth_cert(chain, leaf.key.clone_key())
        .unwrap()
    }
}

/// A leaf of 90 days with 80 left, under an intermediate with 20 left, under a root.
fn service() -> (Ca, Ca, Leaf) {
    let root = pki::root("Root", -1000, 3000);
    let intermediate = root.intermediate("Issuing CA", -345, 20);
    let leaf = intermediate.leaf(&[NAME], -10, 80);
    (root, intermediate, leaf)
}

#[test]
fn clients_are_reported_pinned_and_refused_likewise() {
    let (root, intermediate, leaf) = service();
    let server_leaf = root.leaf(&[NAME], -10, 80);
    let anchors = pki::anchors([&root]);
    let chain = vec![leaf.der.clone(), intermediate.der.clone()];
    let right = SpkiPin::from_certificate(&leaf.certificate());
    let wrong = SpkiPin::from_certificate(&root.certificate());
    for ground in grounds() {
        let client = || ground.client_with_certificate(&anchors, chain.clone(), &leaf);
        let accepted = handshake(
            client(),
            ground.mutual_server(&server_leaf, &anchors, &[wrong, right]),
            NAME,
        );
        assert_eq!(
            (accepted.client, accepted.server),
            (Ok(()), Ok(())),
            "{}",
            ground.label
        );
        let events = ground.recorder.take();
        assert_eq!(events.len(), 1);
        assert_eq!(
            (events[0].code, events[0].role),
            (EventCode::PeerExpiring, Role::PeerClient)
        );
        assert_eq!(events[0].reach, Some(PeerReach::Until(days(20))));
        assert_eq!(
            events[0].subject.as_ref().unwrap().position,
            Position::Intermediate(0)
        );

        let refused = handshake(
            client(),
            ground.mutual_server(&server_leaf, &anchors, &[wrong]),
            NAME,
        );
        let error = refused.server.unwrap_err();
        assert!(
            matches!(
                pin_error(&error),
                Some(PinError::Mismatch { host: None, .. })
            ),
            "{error}"
        );
        assert!(refused.client.is_err());
        assert_eq!(ground.recorder.take()[0].code, EventCode::PinMismatch);
    }
}

#[test]
fn a_client_with_an_expired_intermediate_is_named_to_the_server() {
    let root = pki::root("Root", -1000, 3000);
    let intermediate = root.intermediate("Issuing CA", -366, -1);
    let leaf = intermediate.leaf(&["client.example"], -10, 80);
    let server_leaf = root.leaf(&[NAME], -10, 80);
    let anchors = pki::anchors([&root]);
    for ground in grounds() {
        let chain = vec![leaf.der.clone(), intermediate.der.clone()];
        let client = ground.client_with_certificate(&anchors, chain, &leaf);
        let outcome = handshake(
            client,
            ground.mutual_server(&server_leaf, &anchors, &[]),
            NAME,
        );
        let error = outcome.server.unwrap_err();
        assert!(matches!(
            error,
            Error::InvalidCertificate(CertificateError::ExpiredContext { .. })
        ));
        let events = ground.recorder.take();
        assert_eq!(events[0].code, EventCode::PeerExpired);
        assert_eq!(
            events[0].subject.as_ref().unwrap().position,
            Position::Intermediate(0)
        );
    }
}

#[test]
fn anonymous_clients_stay_as_the_inner_verifier_has_them() {
    let root = pki::root("Root", -1000, 3000);
    let server_leaf = root.leaf(&[NAME], -10, 80);
    let anchors = pki::anchors([&root]);
    for ground in grounds() {
        for anonymous_allowed in [true, false] {
            let inner = WebPkiClientVerifier::builder_with_provider(
                store(&anchors),
                Arc::clone(&ground.provider),
            );
            let inner = if anonymous_allowed {
                inner.allow_unauthenticated()
            } else {
                inner
            };
            let verifier = WatchingClientVerifier::builder(inner.build().unwrap())
                .with_leaf_pin(SpkiPin::from_certificate(&root.certificate()))
                .build()
                .unwrap();
            let server = ServerConfig::builder_with_provider(Arc::clone(&ground.provider))
                .with_protocol_versions(&[ground.version])
                .unwrap()
                .with_client_cert_verifier(verifier)
                .with_single_cert(vec![server_leaf.der.clone()], server_leaf.key.clone_key())
                .unwrap();
            let outcome = handshake(ground.client(&anchors, &[], false), server, NAME);
            assert_eq!(
                outcome.server.is_ok(),
                anonymous_allowed,
                "{}",
                ground.label
            );
        }
    }
}

#[test]
fn an_observer_that_panics_changes_nothing_and_is_counted() {
    let (root, intermediate, leaf) = service();
    let anchors = pki::anchors([&root]);
    for ground in grounds() {
        let inner = WebPkiServerVerifier::builder_with_provider(
            store(&anchors),
            Arc::clone(&ground.provider),
        );
        let panics: Arc<dyn notafter::Observer> =
            Arc::new(|_: &notafter::Event| std::panic::resume_unwind(Box::new("observer")));
        let verifier = WatchingServerVerifier::builder(inner.build().unwrap())
            .with_observer(panics)
            .with_observer(ground.recorder.clone())
            .build()
            .unwrap();
        let mut client = ground.client(&anchors, &[], false);
        client
            .dangerous()
            .set_certificate_verifier(verifier.clone());
        let leaf_due = intermediate.leaf(&[NAME], -85, 5);
        let server = ground.server(
            vec![leaf_due.der.clone(), intermediate.der.clone()],
            &leaf_due,
        );
        assert_eq!(
            handshake(client, server, NAME).client,
            Ok(()),
            "{}",
            ground.label
        );
        assert!(verifier.flush_events(std::time::Duration::from_secs(20)));
        assert_eq!(verifier.observer_panics(), 1);
        assert_eq!(ground.recorder.take().len(), 1);
    }
    drop(leaf);
}

/// Accepts any raw public key that the peer proves to hold, as a verifier with its own list of
/// keys would.
#[derive(Debug)]
struct AnyRawKey(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyRawKey {
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
        Err(Error::General("raw public keys are for TLS 1.3".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(cert.as_ref());
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

#[test]
fn a_raw_public_key_is_pinned_in_a_real_handshake() {
    let leaf = pki::root("Root", -1, 1).leaf(&[NAME], -1, 1);
    let certificate = leaf.certificate();
    let spki = CertificateDer::from(certificate.facts().spki_der().to_vec());
    let wrong = SpkiPin::from_spki_der(b"another");
    for (_, provider) in providers() {
        for (pin, accepted) in [
            (SpkiPin::from_certificate(&certificate), true),
            (wrong, false),
        ] {
            let key = provider
                .key_provider
                .load_private_key(leaf.key.clone_key())
                .unwrap();
            let key = Arc::new(CertifiedKey::new(vec![spki.clone()], key));
            let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&[&rustls::version::TLS13])
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)));
            let inner = Arc::new(AnyRawKey(Arc::clone(&provider)));
            let verifier = WatchingServerVerifier::builder(inner)
                .with_leaf_pin(pin)
                .build()
                .unwrap();
            let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&[&rustls::version::TLS13])
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(verifier)
                .with_no_client_auth();
            let outcome = handshake(client, server, NAME);
            assert_eq!(outcome.client.is_ok(), accepted, "{:?}", outcome.client);
            if let Err(error) = outcome.client {
                assert!(pin_error(&error).is_some(), "{error}");
            }
        }
    }
}
