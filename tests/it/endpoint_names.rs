//! Is it the host that was asked? An endpoint's certificate must be its host's, unless told otherwise.

use std::process::Command;
use std::sync::{Arc, Mutex};

use notafter::endpoint::{Endpoint, EndpointAddress, EndpointConnector};
use notafter::event::Role;
use notafter::monitor::{Connector, EndpointQuestion};
use notafter::self_check::{FindingCode, Grouping};
use notafter::{Band, EventCode, Monitor, SelfCheck, Target};
use rustls::pki_types::CertificateDer;

use crate::command::{binary, json};
use crate::support::peers::Peer;
use crate::support::pki::{self, NOW};
use crate::support::tls::{Recorder, ring};

/// Endpoints on loopback, each with a certificate of its own.
struct Ground {
    root: pki::Ca,
    trust: tempfile::NamedTempFile,
}

impl Ground {
    fn new() -> Self {
        let root = pki::root("Root", -1000, 3000);
        let trust = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(trust.path(), pki::pem_bundle([&root.der])).unwrap();
        Self { root, trust }
    }

    fn peer(&self, names: &[&str]) -> Peer {
        let leaf = self.root.leaf(names, -10, 80);
        Peer::serving(&leaf, vec![leaf.der.clone()])
    }

    /// The exit code of the command, and the codes of its findings.
    fn command(&self, args: &[&str]) -> (i32, Vec<String>) {
        let (at, trust) = (NOW.to_string(), self.trust.path().to_str().unwrap());
        let report = json(&[&["--at", &at, "--trust", trust], args].concat());
        let codes = report
            .codes()
            .iter()
            .map(|code| (*code).to_owned())
            .collect();
        (report.code, codes)
    }

    fn check(&self, endpoint: Endpoint, general: &[&str], grouping: Grouping) -> Vec<FindingCode> {
        let mut builder = SelfCheck::builder()
            .with_endpoint(endpoint)
            .with_trust_anchors(pki::anchors([&self.root]))
            .with_provider(ring())
            .with_grouping(grouping)
            .at(NOW);
        for name in general {
            builder = builder.with_expected_name(*name);
        }
        let report = builder.build().unwrap().run();
        report.findings.iter().map(|finding| finding.code).collect()
    }
}

#[test]
fn the_command_says_so_when_another_hosts_certificate_is_served() {
    let ground = Ground::new();
    let (by_name, by_ip) = (ground.peer(&["localhost"]), ground.peer(&["127.0.0.1"]));
    let other = ground.peer(&["other.example"]);
    let name = |peer: &Peer| format!("localhost:{}", peer.port);
    let uncovered = || (2, vec!["name_not_covered".to_owned()]);
    let cases: [(&[&str], (i32, Vec<String>)); 11] = [
        (&[&name(&by_name)], (0, vec![])),
        (&[&by_name.endpoint()], uncovered()),
        (&[&name(&by_ip)], uncovered()),
        (&[&by_ip.endpoint()], (0, vec![])),
        (&[&name(&other)], uncovered()),
        (&[&other.endpoint()], uncovered()),
        (&["--each", &other.endpoint()], uncovered()),
        (&["--no-name", &name(&other)], (0, vec![])),
        (&["--each", "--no-name", &name(&other)], (0, vec![])),
        (&["--name", "other.example", &other.endpoint()], (0, vec![])),
        (&["--name", "localhost", &name(&other)], uncovered()),
    ];
    for (args, expected) in cases {
        assert_eq!(ground.command(args), expected, "{args:?}");
    }
    // Each by its own host, and what is read from files by none.
    let leaf = ground.root.leaf(&["file.example"], -10, 80);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pki::pem_bundle([&leaf.der])).unwrap();
    let all = [
        &name(&by_name),
        &by_ip.endpoint(),
        file.path().to_str().unwrap(),
    ];
    assert_eq!(ground.command(&all), (0, vec![]));
    let both = ["--name", "a.example", "--no-name", &name(&other)];
    let output = Command::new(binary()).args(both).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "they exclude each other");
}

#[test]
fn a_check_asks_an_endpoint_for_what_its_leaf_must_cover() {
    let ground = Ground::new();
    let peer = ground.peer(&["a.example"]);
    let endpoint = || Endpoint::new(EndpointAddress::new("localhost", peer.port));
    let uncovered = vec![FindingCode::NameNotCovered];
    let both = || {
        endpoint()
            .with_expected_name("a.example")
            .with_expected_name("b.example")
    };
    let cases = [
        (endpoint(), &[][..], uncovered.clone()),
        (endpoint(), &["a.example"], vec![]),
        (endpoint(), &["b.example"], uncovered.clone()),
        (
            endpoint().with_expected_name("a.example"),
            &["b.example"],
            vec![],
        ),
        (both(), &[], uncovered.clone()),
        (endpoint().without_expected_name(), &["b.example"], vec![]),
        (
            endpoint().with_expected_name("no name"),
            &[],
            vec![FindingCode::UnusableName],
        ),
        // Said once, of everything.
        (endpoint(), &["no name"], vec![FindingCode::UnusableName]),
    ];
    for (endpoint, general, expected) in cases {
        for grouping in [Grouping::ByFirstCertificate, Grouping::Each] {
            let found = ground.check(endpoint.clone(), general, grouping);
            assert_eq!(found, expected, "{endpoint:?} {general:?}");
        }
    }
}

#[test]
fn a_monitor_tells_when_an_endpoint_shows_another_hosts_certificate() {
    let ground = Ground::new();
    let peer = ground.peer(&["a.example"]);
    let (recorder, port) = (Arc::new(Recorder::default()), peer.port);
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&ground.root]))
        .with_provider(ring())
        .with_observer(recorder.clone())
        .with_connector(Arc::new(EndpointConnector::new(ring())))
        .build()
        .unwrap();
    let target = || Target::from_endpoint(format!("localhost:{port}"));
    monitor.watch("host", target());
    monitor.watch("name", target().with_expected_name("a.example"));
    monitor.watch("any", target().without_expected_name());
    monitor.watch(
        "address",
        Target::from_endpoint(format!("127.0.0.1:{port}")),
    );
    monitor.tick(NOW);
    // One certificate is behind both, so they are one event.
    let told = recorder.take();
    let kinds: Vec<_> = told
        .iter()
        .map(|event| (event.code, event.role, event.affected))
        .collect();
    assert_eq!(kinds, [(EventCode::Broken, Role::PeerServer, 2)]);
    let bands: Vec<_> = monitor
        .snapshot()
        .chains
        .iter()
        .map(|chain| chain.band)
        .collect();
    assert_eq!(bands, [Band::Broken, Band::Ok, Band::Ok, Band::Broken]);
}

/// A connector of the application's own, which is told which names the target expects.
#[derive(Default)]
struct Asked(Mutex<Vec<(String, Vec<String>)>>);

impl Connector for Asked {
    fn certificates(
        &self,
        _: &str,
    ) -> Result<Vec<CertificateDer<'static>>, Box<dyn std::error::Error + Send + Sync>> {
        unreachable!("it answers questions")
    }

    fn answer(
        &self,
        question: &EndpointQuestion<'_>,
    ) -> Result<Vec<CertificateDer<'static>>, Box<dyn std::error::Error + Send + Sync>> {
        let asked = (question.endpoint.to_owned(), question.names.to_vec());
        self.0.lock().unwrap().push(asked);
        Err("not now".into())
    }
}

#[test]
fn a_connector_is_told_which_names_are_expected() {
    let asked = Arc::new(Asked::default());
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&pki::root("Root", -1, 1)]))
        .with_provider(ring())
        .with_connector(asked.clone())
        .build()
        .unwrap();
    let targets = [
        (Target::from_endpoint("a.example.:443"), vec!["a.example"]),
        (
            Target::from_endpoint("[2001:db8::1]:443"),
            vec!["2001:db8::1"],
        ),
        (Target::from_endpoint("192.0.2.1:443"), vec!["192.0.2.1"]),
        (
            Target::from_endpoint("a.example:443")
                .with_expected_name("b.example")
                .with_expected_name("c.example"),
            vec!["b.example", "c.example"],
        ),
        (
            Target::from_endpoint("a.example:443").without_expected_name(),
            vec![],
        ),
        // Whatever an application's own connector makes of these.
        (Target::from_endpoint("unix:/run/service"), vec![]),
        (Target::from_endpoint("https://a.example:443"), vec![]),
    ];
    for (number, (target, _)) in targets.iter().enumerate() {
        monitor.watch(number.to_string(), target.clone());
    }
    monitor.tick(NOW);
    let mut asked = asked.0.lock().unwrap().clone();
    let mut expected: Vec<_> = targets.into_iter().map(|(_, names)| names).collect();
    asked.sort();
    expected.sort();
    let mut names: Vec<_> = asked.iter().map(|(_, names)| names.clone()).collect();
    names.sort();
    assert_eq!(names, expected);
}
