//! Each handshake counts once, by its reason and role, whatever is told of it.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;

use notafter::event::Role;
use notafter::identity::{IdentityError, SpiffeId, SvidError};
use notafter::pin::PinError;
use notafter::verifier::{
    HandshakeCounts, PresentedBounds, PresentedError, RefusalReason, SpiffePeerError,
};
use notafter::{EventCode, SpkiPin, WatchingClientVerifier, WatchingServerVerifier};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DistinguishedName, Error, OtherError,
    RootCertStore, ServerConfig, ServerConnection, SignatureScheme, SupportedProtocolVersion,
};

use crate::support::certificate_errors::certificate_errors;
use crate::support::pki::{self, Ca, Leaf, NOW};
use crate::support::proof::{any_signature_counts, meet_client, meet_server};
use crate::support::tls::{FixedTime, MINUTE, Outcome, Recorder, VERSIONS, handshake, ring};

/// Every reason that occurred, with its count.
fn refused(counts: &HandshakeCounts) -> Vec<(&'static str, u64)> {
    let by_reason = counts.by_reason();
    let named = by_reason.map(|(reason, count)| (reason.as_str(), count));
    named.filter(|(_, count)| *count > 0).collect()
}

/// An inner verifier that gives this answer to everything.
#[derive(Debug)]
struct Answers(Result<(), Error>);

impl ServerCertVerifier for Answers {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0.clone().map(|()| ServerCertVerified::assertion())
    }

    any_signature_counts!();

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

impl ClientCertVerifier for Answers {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.0.clone().map(|()| ClientCertVerified::assertion())
    }

    any_signature_counts!();

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

#[test]
fn every_verdict_of_the_inner_verifier_counts_by_one_reason() {
    let leaf = pki::root("Root", -1000, 3000).leaf(&["a.example"], -10, 80);
    let name = ServerName::try_from("a.example").unwrap();
    let other = |error: Arc<dyn std::error::Error + Send + Sync>| {
        Error::InvalidCertificate(CertificateError::Other(OtherError(error)))
    };
    let id = || "spiffe://prod.example/db".parse::<SpiffeId>().unwrap();
    let reasons = [
        "bad_encoding",
        "expired",
        "expired",
        "not_yet_valid",
        "not_yet_valid",
        "revoked",
        "critical_extension",
        "unknown_issuer",
        "revocation_unknown",
        "crl_expired",
        "crl_expired",
        "bad_signature",
        "unsupported_algorithm",
        "unsupported_algorithm",
        "unsupported_algorithm",
        "name_not_covered",
        "name_not_covered",
        "wrong_usage",
        "wrong_usage",
        "staple_not_good",
        "refused_by_application",
        "does_not_verify",
    ];
    let errors = certificate_errors();
    assert_eq!(errors.len(), reasons.len());
    let verdicts = errors.into_iter().map(Error::InvalidCertificate);
    let cases = verdicts.zip(reasons).chain([
        (Error::General("broken".to_owned()), "not_judged"),
        (
            other(Arc::new(PinError::NotPinned {
                identity: None,
                host: None,
            })),
            "pin_mismatch",
        ),
        (
            other(Arc::new(PresentedError::TooMany { count: 2, bound: 1 })),
            "presented_too_much",
        ),
        (
            other(Arc::new(IdentityError::new("no URI"))),
            "unidentified",
        ),
        (
            other(Arc::new(SpiffePeerError::Svid(SvidError::NoUri))),
            "unidentified",
        ),
        (
            other(Arc::new(SpiffePeerError::NotAccepted { id: id() })),
            "not_accepted",
        ),
        (
            other(Arc::new(SpiffePeerError::NoBundle { id: id() })),
            "unknown_issuer",
        ),
    ]);
    for (error, reason) in cases {
        let inner = Arc::new(Answers(Err(error.clone())));
        let silent = || Arc::new(Recorder::default());
        let servers = WatchingServerVerifier::builder(inner.clone()).with_observer(silent());
        let servers = servers.build().unwrap();
        let clients = WatchingClientVerifier::builder(inner).with_observer(silent());
        let clients = clients.build().unwrap();
        for met in 1..=3 {
            meet_server(&*servers, (&leaf.der, &[]), &name, &[], pki::now()).unwrap_err();
            meet_client(&*clients, (&leaf.der, &[]), pki::now()).unwrap_err();
            for counts in [servers.handshakes(), clients.handshakes()] {
                assert_eq!(refused(&counts), [(reason, met)], "{error}");
                assert_eq!((counts.accepted(), counts.refused_total()), (0, met));
            }
        }
    }
}

/// Real handshakes in which both sides look at each other, and count.
struct Ground {
    servers: Arc<WatchingServerVerifier>,
    clients: Arc<WatchingClientVerifier>,
    server: Leaf,
    version: &'static SupportedProtocolVersion,
}

impl Ground {
    fn new(
        root: &Ca,
        server: Leaf,
        pin: Option<SpkiPin>,
        version: &'static SupportedProtocolVersion,
    ) -> Self {
        let roots = Arc::new(RootCertStore::from(&pki::anchors([root])));
        let inner = WebPkiServerVerifier::builder_with_provider(roots.clone(), ring());
        let mut servers =
            WatchingServerVerifier::builder(inner.build().unwrap()).with_trust_age(MINUTE);
        if let Some(pin) = pin {
            servers = servers.with_leaf_pin(pin);
        }
        let inner = WebPkiClientVerifier::builder_with_provider(roots, ring());
        let bounds = PresentedBounds {
            certificates: 2,
            ..PresentedBounds::default()
        };
        Self {
            servers: servers.build().unwrap(),
            clients: WatchingClientVerifier::builder(inner.build().unwrap())
                .with_trust_age(MINUTE)
                .with_presented_bounds(bounds)
                .build()
                .unwrap(),
            server,
            version,
        }
    }

    fn server_config(&self) -> ServerConfig {
        ServerConfig::builder_with_details(ring(), Arc::new(FixedTime(pki::now())))
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_client_cert_verifier(self.clients.clone())
            .with_single_cert(vec![self.server.der.clone()], self.server.key.clone_key())
            .unwrap()
    }

    fn client_config(&self, chain: Vec<CertificateDer<'static>>, leaf: &Leaf) -> ClientConfig {
        ClientConfig::builder_with_details(ring(), Arc::new(FixedTime(pki::now())))
            .with_protocol_versions(&[self.version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(self.servers.clone())
            .with_client_auth_cert(chain, leaf.key.clone_key())
            .unwrap()
    }

    fn meet(&self, chain: Vec<CertificateDer<'static>>, leaf: &Leaf) -> Outcome {
        let (client, server) = (self.client_config(chain, leaf), self.server_config());
        handshake(client, server, "a.example")
    }

    fn counted(&self) -> (u64, Vec<(&'static str, u64)>, u64, Vec<(&'static str, u64)>) {
        let (servers, clients) = (self.servers.handshakes(), self.clients.handshakes());
        (
            servers.accepted(),
            refused(&servers),
            clients.accepted(),
            refused(&clients),
        )
    }
}

#[test]
fn real_handshakes_count_once_on_each_side_that_decides() {
    let root = pki::root("Root", -1000, 3000);
    let good = || root.leaf(&["a.example"], -10, 80);
    let ended = root.leaf(&["a.example"], -80, -1);
    let issuer = root.intermediate("Issuing CA", -10, 80);
    for version in VERSIONS {
        let ground = Ground::new(&root, good(), None, version);
        let client = good();
        assert_eq!(ground.counted(), (0, vec![], 0, vec![]));
        let outcome = ground.meet(vec![client.der.clone()], &client);
        assert!(outcome.client.is_ok() && outcome.server.is_ok());
        assert_eq!(ground.counted(), (1, vec![], 1, vec![]));
        // Met again: nothing is to be told or remembered of it, and it counts.
        assert!(
            ground
                .meet(vec![client.der.clone()], &client)
                .client
                .is_ok()
        );
        assert_eq!(ground.counted(), (2, vec![], 2, vec![]));

        let outcome = ground.meet(vec![ended.der.clone()], &ended);
        assert!(outcome.server.is_err());
        assert_eq!(ground.counted(), (3, vec![], 2, vec![("expired", 1)]));
        let bundle = vec![client.der.clone(), issuer.der.clone(), root.der.clone()];
        assert!(ground.meet(bundle, &client).server.is_err());
        let expected = vec![("expired", 1), ("presented_too_much", 1)];
        assert_eq!(ground.counted(), (4, vec![], 2, expected));

        // The client refuses: of the client nothing was seen.
        let pin = SpkiPin::from_certificate(&ended.certificate());
        let ground = Ground::new(&root, good(), Some(pin), version);
        assert!(
            ground
                .meet(vec![client.der.clone()], &client)
                .client
                .is_err()
        );
        assert_eq!(ground.counted(), (0, vec![("pin_mismatch", 1)], 0, vec![]));
        let roles = [
            ground.servers.handshakes().role(),
            ground.clients.handshakes().role(),
        ];
        assert_eq!(roles, [Role::PeerServer, Role::PeerClient]);
    }
}

#[test]
fn a_client_that_leaves_early_is_no_failure() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = || root.leaf(&["a.example"], -10, 80);
    for version in VERSIONS {
        let ground = Ground::new(&root, leaf(), None, version);
        // It connects and goes, as health checks do; or it says hello and goes.
        for says_hello in [false, true] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            if says_hello {
                let client = leaf();
                let config = ground.client_config(vec![client.der.clone()], &client);
                let name = ServerName::try_from("a.example").unwrap();
                let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
                client.write_tls(&mut stream).unwrap();
            }
            drop(stream);
            let (mut stream, _) = listener.accept().unwrap();
            let mut server = ServerConnection::new(Arc::new(ground.server_config())).unwrap();
            let error = server.complete_io(&mut stream).unwrap_err();
            assert_eq!(notafter::explain(&error), None, "{error}");
        }
        // It shows its certificate and goes before it has proved that it has the key.
        let client = leaf();
        ground
            .clients
            .verify_client_cert(&client.der, &[], pki::now())
            .unwrap();
        assert_eq!(ground.counted(), (0, vec![], 0, vec![]));
    }
}

#[test]
fn who_does_not_prove_itself_is_refused_once() {
    let leaf = pki::root("Root", -1000, 3000).leaf(&["a.example"], -10, 80);
    let inner = WebPkiClientVerifier::builder_with_provider(
        Arc::new(RootCertStore::from(&pki::anchors([&pki::root(
            "R", -10, 10,
        )]))),
        ring(),
    );
    // It accepts everybody, and looks at signatures as webpki does.
    let signatures = inner.build().unwrap();
    let inner = Arc::new(Agreeing(signatures));
    let clients = WatchingClientVerifier::builder(inner)
        .with_trust_age(MINUTE)
        .build()
        .unwrap();
    for met in 1..=3 {
        clients
            .verify_client_cert(&leaf.der, &[], pki::now())
            .unwrap();
        let signature = crate::support::proof::signature();
        clients
            .verify_tls13_signature(b"another's", &leaf.der, &signature)
            .unwrap_err();
        let counts = clients.handshakes();
        assert_eq!(refused(&counts), [("unproven", met)]);
        assert_eq!(counts.accepted(), 0);
    }
}

/// Accepts every certificate.
#[derive(Debug)]
struct Agreeing(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Agreeing {
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
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[test]
fn a_storm_is_one_event_and_counts_in_full() {
    let root = pki::root("Root", -1000, 3000);
    let ended = root.leaf(&["a.example"], -80, -1);
    let recorder = Arc::new(Recorder::default());
    let inner = Arc::new(Answers(Err(Error::InvalidCertificate(
        CertificateError::Expired,
    ))));
    let clients = WatchingClientVerifier::builder(inner)
        .with_observer(recorder.clone())
        .build()
        .unwrap();
    for _ in 0..1000 {
        meet_client(&*clients, (&ended.der, &[]), pki::now()).unwrap_err();
    }
    let told: Vec<_> = recorder.take().iter().map(|event| event.code).collect();
    assert_eq!(told, [EventCode::PeerExpired]);
    assert_eq!(clients.handshakes().refused(RefusalReason::Expired), 1000);
    assert_eq!(clients.handshakes().refused_total(), 1000);
}

#[test]
fn asking_again_is_no_handshake() {
    let root = pki::root("Root", -1000, 3000);
    let (server, client) = (
        root.leaf(&["a.example"], -10, 80),
        root.leaf(&["c"], -10, 80),
    );
    let ground = Ground::new(&root, server, None, VERSIONS[1]);
    let config = Arc::new(ground.client_config(vec![client.der.clone()], &client));
    let met = crate::support::tls::meet(&config, &Arc::new(ground.server_config()), "a.example");
    let name = ServerName::try_from("a.example").unwrap();
    for at in [NOW, pki::days(1000)] {
        let connection = met.client.as_ref().unwrap();
        assert_eq!(
            ground.servers.recheck(connection, &name, at).is_ok(),
            at == NOW
        );
        let connection = met.server.as_ref().unwrap();
        assert_eq!(ground.clients.recheck(connection, at).is_ok(), at == NOW);
    }
    assert_eq!(ground.counted(), (1, vec![], 1, vec![]));
    // A verifier in another place goes on counting where it stood.
    assert_eq!(
        ground.servers.renewed().handshakes(),
        ground.servers.handshakes()
    );
}

#[cfg(feature = "metrics")]
#[test]
fn the_facade_counts_by_role_and_reason_from_zero_on() {
    let root = pki::root("Root", -1000, 3000);
    let (good, ended) = (
        root.leaf(&["a.example"], -10, 80),
        root.leaf(&["a.example"], -80, -1),
    );
    let gauges = crate::support::gauges::Gauges::default();
    let name = ServerName::try_from("a.example").unwrap();
    let roots = Arc::new(RootCertStore::from(&pki::anchors([&root])));
    let inner = WebPkiServerVerifier::builder_with_provider(roots, ring());
    let inner = crate::support::proof::any_signature(inner.build().unwrap());
    let build = || {
        WatchingServerVerifier::builder(inner.clone())
            .with_metrics()
            .build()
            .unwrap()
    };
    let [one, other] = metrics::with_local_recorder(&gauges, || [build(), build()]);
    let accepted = "notafter_handshakes_accepted_total{role=peer_server}";
    let refused = |reason: RefusalReason| {
        gauges.counter(&format!(
            "notafter_handshakes_refused_total{{role=peer_server,reason={reason}}}"
        ))
    };
    assert_eq!(gauges.counter(accepted), Some(0));
    for reason in RefusalReason::ALL {
        assert_eq!(refused(*reason), Some(0), "{reason}");
    }
    for verifier in [&one, &one, &other] {
        meet_server(&**verifier, (&good.der, &[]), &name, &[], pki::now()).unwrap();
        meet_server(&**verifier, (&ended.der, &[]), &name, &[], pki::now()).unwrap_err();
    }
    assert_eq!(gauges.counter(accepted), Some(3));
    assert_eq!(refused(RefusalReason::Expired), Some(3));
    assert_eq!(refused(RefusalReason::NotYetValid), Some(0));
    assert_eq!(one.handshakes().accepted(), 2);
    // Without it nothing is published.
    let silent = metrics::with_local_recorder(&gauges, || {
        WatchingServerVerifier::builder(inner.clone())
            .with_trust_age(MINUTE)
            .build()
            .unwrap()
    });
    meet_server(&*silent, (&good.der, &[]), &name, &[], pki::now()).unwrap();
    assert_eq!(gauges.counter(accepted), Some(3));
    assert_eq!(silent.handshakes().accepted(), 1);
}

#[test]
fn reasons_are_few_and_each_has_a_name_of_its_own() {
    let mut names: Vec<_> = RefusalReason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .collect();
    assert_eq!(names.len(), 24);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RefusalReason::ALL.len());
    let snake_case = |name: &&str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    assert!(names.iter().all(snake_case), "{names:?}");
}
