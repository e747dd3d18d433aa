//! Real handshakes: TLS 1.2 and 1.3, both providers, server and client authentication.

use std::sync::Arc;

use notafter::event::{PeerReach, Role};
use notafter::outlook::Position;
use notafter::pin::PinError;
use notafter::verifier::UnguardedSessions;
use notafter::{
    Band, EventCode, Severity, SpkiPin, TrustAnchors, WatchingClientVerifier,
    WatchingServerVerifier, pin_error,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    ServerConfig, SignatureScheme, SupportedProtocolVersion,
};

use crate::support::pki::{self, Ca, Leaf, NOW, days};
use crate::support::tls::{FixedTime, Outcome, Recorder, VERSIONS, handshake, providers};

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
fn an_accepted_server_is_reported_with_position_and_effective_not_after() {
    let (root, intermediate, leaf) = service();
    let anchors = pki::anchors([&root]);
    let chain = vec![leaf.der.clone(), intermediate.der.clone()];
    for ground in grounds() {
        let client = ground.client(
            &anchors,
            &[SpkiPin::from_certificate(&leaf.certificate())],
            true,
        );
        for round in 0..2 {
            let server = ground.server(chain.clone(), &leaf);
            let mut client = client.clone();
            // Resumed sessions do not ask the verifier.
            client.resumption = rustls::client::Resumption::disabled();
            let Outcome { client, server } = handshake(client, server, NAME);
            assert_eq!((client, server), (Ok(()), Ok(())), "{}", ground.label);
            let events = ground.recorder.take();
            // Said once: the second handshake has nothing new.
            assert_eq!(events.len(), usize::from(round == 0), "{}", ground.label);
            for event in events {
                assert_eq!(event.code, EventCode::PeerExpiring);
                assert_eq!(
                    (event.role, event.severity),
                    (Role::PeerServer, Severity::Critical)
                );
                assert_eq!(event.host.as_deref(), Some(NAME));
                assert_eq!(
                    (event.band_before, event.band),
                    (None, Some(Band::Critical))
                );
                assert_eq!(event.reach, Some(PeerReach::Until(days(20))));
                let subject = event.subject.unwrap();
                assert_eq!(subject.position, Position::Intermediate(0));
                assert_eq!(subject.not_after, Some(days(20)));
                assert_eq!(event.at, NOW);
                assert_eq!(
                    event.message,
                    "service.example: intermediate 0 'Issuing CA' ends in 20 d (critical); its chain \
                     verifies until 2026-01-21T00:00:00Z: have it renewed before that"
                );
            }
        }
    }
}

#[test]
fn without_trust_anchors_nothing_is_said_beyond_the_leaf() {
    let (root, intermediate, _) = service();
    let leaf = intermediate.leaf(&[NAME], -85, 5);
    for ground in grounds() {
        let server = ground.server(vec![leaf.der.clone(), intermediate.der.clone()], &leaf);
        let client = ground.client(&pki::anchors([&root]), &[], false);
        assert_eq!(handshake(client, server, NAME).client, Ok(()));
        let events = ground.recorder.take();
        let leaf_not_after = days(5);
        assert_eq!(events.len(), 1);
        assert_eq!(
            events[0].reach,
            Some(PeerReach::UnknownBeyondLeaf { leaf_not_after })
        );
        assert_eq!(events[0].subject.as_ref().unwrap().position, Position::Leaf);
    }
}

#[test]
fn a_server_with_another_key_is_refused_by_its_pin() {
    let (root, intermediate, leaf) = service();
    let anchors = pki::anchors([&root]);
    let other = SpkiPin::from_certificate(&root.certificate());
    for ground in grounds() {
        let server = ground.server(vec![leaf.der.clone(), intermediate.der.clone()], &leaf);
        let outcome = handshake(ground.client(&anchors, &[other], true), server, NAME);
        let error = outcome.client.unwrap_err();
        let presented = SpkiPin::from_certificate(&leaf.certificate());
        let expected = format!(
            "{NAME} showed {presented} as its leaf, where {other} at leaf is expected: \
             if the peer changed its key on purpose, deploy its new pin, else treat this as an attack"
        );
        let refusal = pin_error(&error).unwrap();
        assert_eq!(refusal.to_string(), expected, "{}", ground.label);
        let alert = Error::AlertReceived(AlertDescription::CertificateUnknown);
        assert_eq!(outcome.server, Err(alert), "{}", ground.label);
        let events = ground.recorder.take();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].code, EventCode::PinMismatch);
        assert_eq!(events[0].message, expected);
    }
}

#[test]
fn a_pinned_certificate_that_is_only_sent_along_does_not_help() {
    let (root, intermediate, leaf) = service();
    let anchors = pki::anchors([&root]);
    // CVE-2016-2402: the pinned certificate is appended by whoever answers.
    let pinned = root.leaf(&[NAME], -10, 80);
    for ground in grounds() {
        let chain = vec![
            leaf.der.clone(),
            intermediate.der.clone(),
            pinned.der.clone(),
        ];
        let client = ground.client(
            &anchors,
            &[SpkiPin::from_certificate(&pinned.certificate())],
            true,
        );
        let error = handshake(client, ground.server(chain, &leaf), NAME)
            .client
            .unwrap_err();
        assert!(pin_error(&error).is_some(), "{}: {error}", ground.label);
    }
}

#[test]
fn an_expired_intermediate_is_refused_by_the_inner_verifier_and_named() {
    let root = pki::root("Root", -1000, 3000);
    let intermediate = root.intermediate("Issuing CA", -366, -1);
    let leaf = intermediate.leaf(&[NAME], -10, 80);
    let anchors = pki::anchors([&root]);
    for ground in grounds() {
        let server = ground.server(vec![leaf.der.clone(), intermediate.der.clone()], &leaf);
        let pin = SpkiPin::from_certificate(&leaf.certificate());
        let outcome = handshake(ground.client(&anchors, &[pin], true), server, NAME);
        // The inner verifier's own error, unchanged.
        let expected = Error::InvalidCertificate(CertificateError::ExpiredContext {
            time: pki::now(),
            not_after: days(-1).to_unix_time().unwrap(),
        });
        assert_eq!(outcome.client, Err(expected), "{}", ground.label);
        let events = ground.recorder.take();
        assert_eq!(events.len(), 1);
        let subject = events[0].subject.as_ref().unwrap();
        assert_eq!(events[0].code, EventCode::PeerExpired);
        assert_eq!(events[0].band, Some(Band::Expired));
        assert_eq!(
            (subject.position, subject.name.as_str()),
            (Position::Intermediate(0), "Issuing CA")
        );
        assert_eq!(
            events[0].message,
            "service.example was refused: its intermediate 0 'Issuing CA' expired at \
             2025-12-31T00:00:00Z; its operator must renew it"
        );
    }
}

#[test]
fn a_server_that_is_not_valid_yet_points_at_the_clock() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf(&[NAME], 1, 90);
    for ground in grounds() {
        let server = ground.server(vec![leaf.der.clone()], &leaf);
        let client = ground.client(&pki::anchors([&root]), &[], true);
        assert!(handshake(client, server, NAME).client.is_err());
        let events = ground.recorder.take();
        assert_eq!(events[0].code, EventCode::PeerNotYetValid);
        assert!(events[0].message.contains("check this machine's clock"));
    }
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
