//! Endpoints that show a chain and do not prove that they hold its key: clients refuse them, so
//! nothing calls them fine.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use notafter::endpoint::{Endpoint, EndpointConnector, EndpointError};
use notafter::outlook::Position;
use notafter::self_check::{FindingCode, Grouping};
use notafter::{Band, SelfCheck, Severity, Target};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::command::json;
use crate::endpoints::OpensslServer;
use crate::monitor::{Pki, told};
use crate::support::peers::Peer;
use crate::support::pki::{self, NOW};
use crate::support::tls::{Recorder, VERSIONS, ring};

/// Long enough for a handshake on the slowest machine.
const LONG: Duration = Duration::from_secs(600);

fn connector() -> EndpointConnector {
    EndpointConnector::new(ring()).with_deadline(LONG)
}

fn config(
    version: &'static SupportedProtocolVersion,
) -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(ring())
        .with_protocol_versions(&[version])
        .unwrap()
}

/// One that shows this chain and signs with the key of another leaf.
fn impostor(
    version: &'static SupportedProtocolVersion,
    chain: Vec<CertificateDer<'static>>,
    other: &pki::Leaf,
) -> Peer {
    let key = any_supported_type(&other.key).unwrap();
    let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
    let config = config(version).with_no_client_auth();
    Peer::serving_by(config.with_cert_resolver(Arc::new(shown)))
}

fn unproven(endpoint: &str) -> (Vec<CertificateDer<'static>>, String) {
    match connector().presented(endpoint).unwrap_err() {
        EndpointError::Unproven {
            presented, source, ..
        } => (presented.chain, source.to_string()),
        other => panic!("{other}"),
    }
}

#[test]
fn an_endpoint_that_signs_with_another_key_is_not_called_fine() {
    let pki = Pki::new();
    let (other, _) = pki.leaf(-10, 80);
    for version in VERSIONS {
        let chain = pki.chain(-10, 80);
        let peer = impostor(version, chain.clone(), &other);
        let (shown, why) = unproven(&peer.endpoint());
        assert_eq!(shown, chain, "{version:?}");
        assert!(why.contains("BadSignature"), "{version:?}: {why}");
        for grouping in [Grouping::ByFirstCertificate, Grouping::Each] {
            let endpoint: Endpoint = peer.endpoint().parse().unwrap();
            let report = SelfCheck::builder()
                .with_endpoint(endpoint.with_expected_name("a.example"))
                .with_endpoint_connector(connector())
                .with_trust_anchors(pki::anchors([&pki.root]))
                .with_provider(ring())
                .with_grouping(grouping)
                .at(NOW)
                .build()
                .unwrap()
                .run();
            let finding = &report.findings[0];
            assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
            let short = (finding.code, finding.severity, finding.position);
            let expected = (
                FindingCode::KeyUnproven,
                Severity::Critical,
                Some(Position::Leaf),
            );
            assert_eq!(short, expected, "{version:?}");
            assert!(finding.sha256.is_some() && finding.source == Some(peer.endpoint()));
            assert!(finding.message.contains("BadSignature"), "{finding}");
            // What it showed is there to be looked at.
            assert_eq!(report.worst(), Some(Band::Ok));
            assert_eq!(report.exit_code(), 2);
            assert!(report.into_result().is_err());
        }
    }
}

#[test]
fn the_command_says_so_of_an_endpoint_that_signs_with_another_key() {
    let pki = Pki::new();
    let (other, _) = pki.leaf(-10, 80);
    let folder = tempfile::tempdir().unwrap();
    let trust = folder.path().join("root.pem");
    std::fs::write(&trust, pki::pem_bundle([&pki.root.der])).unwrap();
    for version in VERSIONS {
        let peer = impostor(version, pki.chain(-10, 80), &other);
        let (at, trust) = (NOW.to_string(), trust.to_str().unwrap());
        let report = json(&["--at", &at, "--trust", trust, "--no-name", &peer.endpoint()]);
        assert_eq!((report.code, report.codes()), (2, vec!["key_unproven"]));
        assert_eq!(report.finding("key_unproven")["source"], peer.endpoint());
    }
}

#[test]
fn a_monitor_judges_what_was_proven_last() {
    let pki = Pki::new();
    let (leaf, ending) = pki.leaf(-85, 5);
    let (other, _) = pki.leaf(-10, 80);
    for version in VERSIONS {
        let recorder = Arc::<Recorder>::default();
        let good = Peer::serving(&leaf, ending.clone());
        let bad = impostor(version, pki.chain(-10, 80), &other);
        let peers = [good.endpoint(), bad.endpoint()];
        let asked = AtomicUsize::new(0);
        let one_after_the_other = move |_: &str| {
            let peer = &peers[asked.fetch_add(1, Ordering::AcqRel)];
            connector().presented(peer).map(|presented| presented.chain)
        };
        let monitor = pki
            .builder(recorder.clone())
            .with_connector(Arc::new(one_after_the_other))
            .build()
            .unwrap();
        let target = |endpoint| Target::from_endpoint(endpoint).with_expected_name("a.example");
        monitor.watch("peer", target("a.example:443".to_owned()));
        monitor.tick(NOW);
        assert_eq!(told(&recorder), [("expiring", "critical")]);
        assert!(monitor.refresh("peer"));
        monitor.tick(NOW.saturating_add(60));
        let events = recorder.take();
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0].code.as_str(), "source_failed");
        let said = "it showed a chain and did not prove that it holds the leaf's private key";
        assert!(events[0].message.contains(said), "{}", events[0]);
        assert_eq!(monitor.snapshot().worst(), Some(Band::Critical));

        // Of one that never proved anything, nothing is known.
        let monitor = pki
            .builder(recorder.clone())
            .with_connector(Arc::new(connector()))
            .build()
            .unwrap();
        monitor.watch("peer", target(bad.endpoint()));
        monitor.tick(NOW);
        assert_eq!(told(&recorder), [("source_failed", "critical")]);
        assert!(monitor.snapshot().chains.is_empty());
    }
}

#[test]
fn an_endpoint_that_wants_a_clients_certificate_proves_its_key_before_it_says_so() {
    let pki = Pki::new();
    let (leaf, chain) = pki.leaf(-10, 80);
    for version in VERSIONS {
        let roots = Arc::new(RootCertStore::from(&pki::anchors([&pki.root])));
        let clients = WebPkiClientVerifier::builder_with_provider(roots, ring())
            .build()
            .unwrap();
        let config = config(version)
            .with_client_cert_verifier(clients)
            .with_single_cert(chain.clone(), leaf.key.clone_key());
        let peer = Peer::serving_by(config.unwrap());
        let presented = connector().presented(&peer.endpoint()).unwrap();
        assert_eq!(presented.chain, chain, "{version:?}");
    }
}

#[test]
fn a_key_that_clients_do_not_verify_is_a_finding_and_its_chain_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (certificate, key) = (path("leaf.pem"), path("leaf.key"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj"])
        .args(["/CN=a.example", "-days", "3650", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    let mut command = Command::new("openssl");
    command.args(["s_server", "-www", "-accept", "127.0.0.1:0", "-cert"]);
    command.arg(&certificate).arg("-key").arg(&key);
    command.args(["-cipher", "DEFAULT@SECLEVEL=0"]);
    let Some(server) = OpensslServer::run(folder, &mut command) else {
        return;
    };
    assert!(made.unwrap().status.success());
    let (shown, why) = unproven(&format!("127.0.0.1:{}", server.port));
    assert_eq!(shown.len(), 1, "{why}");
}
