//! OpenSSL as a peer, and the command looking at an endpoint.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use notafter::event::PeerReach;
use notafter::outlook::Position;
use notafter::verifier::UnguardedSessions;
use notafter::{EventCode, SpkiPin, WatchingServerVerifier, pin_error};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::command::json;
use crate::support::pki::{self, NOW, days};
use crate::support::tls::{FixedTime, Recorder, VERSIONS, ring};

/// An OpenSSL server that serves this chain until it is dropped.
pub struct OpensslServer {
    process: Child,
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl OpensslServer {
    /// `None`, with a line, where there is no openssl; in CI there must be.
    pub fn start(leaf: &pki::Leaf, intermediates: &[&pki::Ca]) -> Option<Self> {
        Self::start_with(leaf, intermediates, &[])
    }

    /// The same, stapling this OCSP response.
    pub fn start_with_staple(
        leaf: &pki::Leaf,
        intermediates: &[&pki::Ca],
        staple: Option<&[u8]>,
    ) -> Option<Self> {
        let Some(staple) = staple else {
            return Self::start(leaf, intermediates);
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("staple");
        std::fs::write(&path, staple).unwrap();
        let more = ["-status_file", path.to_str().unwrap()];
        Self::start_in(folder, leaf, intermediates, &more)
    }

    /// The same, with more options.
    pub fn start_with(leaf: &pki::Leaf, intermediates: &[&pki::Ca], more: &[&str]) -> Option<Self> {
        Self::start_in(tempfile::tempdir().unwrap(), leaf, intermediates, more)
    }

    fn start_in(
        folder: tempfile::TempDir,
        leaf: &pki::Leaf,
        intermediates: &[&pki::Ca],
        more: &[&str],
    ) -> Option<Self> {
        let write = |name: &str, contents: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, contents).unwrap();
            path
        };
        let cert = write("leaf.pem", pki::pem_bundle([&leaf.der]));
        let chain = write(
            "chain.pem",
            pki::pem_bundle(intermediates.iter().map(|ca| &ca.der)),
        );
        let key = write("leaf.key", leaf.key_pair.serialize_pem());
        let mut command = Command::new("openssl");
        command
            .args(["s_server", "-www", "-accept", "127.0.0.1:0", "-cert"])
            .arg(cert)
            .args(
                (!intermediates.is_empty())
                    .then_some(["-cert_chain".into(), chain.into_os_string()])
                    .into_iter()
                    .flatten(),
            )
            .arg("-key")
            .arg(key)
            .args(more);
        Self::run(folder, &mut command)
    }

    /// What this command, an `openssl s_server`, serves from the folder.
    pub fn run(folder: tempfile::TempDir, command: &mut Command) -> Option<Self> {
        let process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn();
        let mut process = match process {
            Ok(process) => process,
            Err(error) => {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "openssl is missing: {error}"
                );
                println!("skipped: there is no openssl here ({error})");
                return None;
            }
        };
        // It says which port it has once it listens there, and is read to its end.
        let (said, ready) = mpsc::channel();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let port = line.strip_prefix("ACCEPT 127.0.0.1:");
                if let Some(port) = port.and_then(|port| port.parse().ok()) {
                    let _ = said.send(port);
                }
            }
        });
        let port = ready.recv_timeout(Duration::from_secs(20));
        Some(Self {
            process,
            port: port.expect("openssl s_server listens"),
            _folder: folder,
        })
    }
}

impl Drop for OpensslServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn openssl_is_watched_and_pinned_like_any_peer() {
    let root = pki::root("Root", -1000, 3000);
    let intermediate = root.intermediate("Issuing CA", -345, 20);
    let leaf = intermediate.leaf(&["a.example"], -10, 80);
    let Some(server) = OpensslServer::start(&leaf, &[&intermediate]) else {
        return;
    };
    let anchors = pki::anchors([&root]);
    let right = SpkiPin::from_certificate(&leaf.certificate());
    let wrong = SpkiPin::from_certificate(&intermediate.certificate());
    for version in VERSIONS {
        for (pin, accepted) in [(right, true), (wrong, false)] {
            let recorder = Arc::new(Recorder::default());
            let roots = Arc::new(RootCertStore::from(&anchors));
            let inner = WebPkiServerVerifier::builder_with_provider(roots, ring())
                .build()
                .unwrap();
            let verifier = WatchingServerVerifier::builder(inner)
                .with_provider(ring())
                .with_trust_anchors(anchors.clone())
                .with_observer(recorder.clone())
                .with_leaf_pin(pin)
                .with_unguarded_sessions(UnguardedSessions::Accept)
                .build()
                .unwrap();
            let config =
                ClientConfig::builder_with_details(ring(), Arc::new(FixedTime(pki::now())))
                    .with_protocol_versions(&[version])
                    .unwrap()
                    .dangerous()
                    .with_custom_certificate_verifier(verifier)
                    .with_no_client_auth();
            let name = ServerName::try_from("a.example").unwrap();
            let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .unwrap();
            let outcome = connection.complete_io(&mut stream);
            let events = recorder.take();
            assert_eq!(events.len(), 1, "{version:?}");
            if accepted {
                outcome.unwrap();
                assert_eq!(events[0].code, EventCode::PeerExpiring);
                assert_eq!(events[0].reach, Some(PeerReach::Until(days(20))));
                let position = events[0].subject.as_ref().unwrap().position;
                assert_eq!(position, Position::Intermediate(0));
            } else {
                let error = outcome.unwrap_err();
                let error = error
                    .get_ref()
                    .unwrap()
                    .downcast_ref::<rustls::Error>()
                    .unwrap();
                assert!(pin_error(error).is_some(), "{error}");
                assert_eq!(events[0].code, EventCode::PinMismatch);
            }
        }
    }
}

#[test]
fn the_command_judges_what_an_endpoint_serves() {
    let root = pki::root("Root", -1000, 3000);
    let intermediate = root.intermediate("Issuing CA", -345, 1500);
    let leaf = intermediate.leaf(&["a.example"], -10, 80);
    let Some(server) = OpensslServer::start(&leaf, &[&intermediate]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let trust = folder.path().join("root.pem");
    std::fs::write(&trust, pki::pem_bundle([&root.der])).unwrap();
    let endpoint = format!("127.0.0.1:{}", server.port);
    let look = |args: &[&str]| {
        let common = ["--at", &NOW.to_string(), "--trust", trust.to_str().unwrap()];
        json(&[&common, args].concat())
    };
    let report = look(&["--name", "a.example", &endpoint]);
    assert_eq!((report.code, report.codes()), (0, vec![]));
    assert_eq!(report.chain(0)["source"], endpoint.as_str());
    assert_eq!(report.chain(0)["certificates"].as_array().unwrap().len(), 2);
    assert_eq!(
        report.chain(0)["rustls"]["effective_not_after"],
        days(80).to_string()
    );

    let report = look(&["--name", "b.example", &endpoint]);
    assert_eq!((report.code, report.codes()), (2, vec!["name_not_covered"]));
    let report = look(&["--each", "--no-name", &endpoint]);
    assert_eq!(
        (
            report.code,
            report.document["chains"].as_array().unwrap().len()
        ),
        (0, 2)
    );

    drop(server);
    let report = look(&[&endpoint]);
    assert_eq!((report.code, report.codes()), (3, vec!["unreadable"]));
    let message = report.finding("unreadable")["message"].as_str().unwrap();
    assert!(message.contains("(connection)"), "{message}");
}
