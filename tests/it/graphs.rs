//! Random PKI graphs, held against plain webpki, pyca-cryptography and OpenSSL.

use std::path::{Path, PathBuf};
use std::process::Command;

use notafter::outlook::{Timeline, Usage};
use notafter::{Certificate, ChainJudge, Loader, Timestamp, TrustAnchors};
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use webpki::{EndEntityCert, KeyUsage};

use crate::support::corpora;
use crate::support::graph::{Dice, Graph, NAME};
use crate::support::pki;
use crate::support::tls::ring;

const GRAPHS: u64 = 320;

fn judge(anchors: TrustAnchors) -> ChainJudge {
    ChainJudge::new(
        anchors,
        ring().signature_verification_algorithms.all,
        Usage::ServerAuth,
    )
}

fn timeline(graph: &Graph) -> Timeline {
    judge(graph.anchors())
        .timeline(&graph.chain(), None)
        .unwrap()
}

#[test]
fn timelines_and_outlooks_agree_with_plain_webpki_at_every_breakpoint() {
    let (mut asked, mut lit, mut gaps) = (0, 0, 0);
    for seed in 0..GRAPHS {
        let graph = Graph::mint(seed, 0);
        let (anchors, chain) = (graph.anchors(), graph.chain());
        let judge = judge(anchors.clone());
        let timeline = judge.timeline(&chain, None).unwrap();
        assert!(timeline.complete, "graph {seed}");
        let algorithms = ring().signature_verification_algorithms.all;
        let leaf = EndEntityCert::try_from(&graph.leaf).unwrap();
        for t in graph.breakpoints() {
            let now = t.to_unix_time().unwrap();
            let usage = KeyUsage::server_auth();
            let theirs = leaf
                .verify_for_usage(
                    algorithms,
                    anchors.as_slice(),
                    &graph.intermediates,
                    now,
                    usage,
                    None,
                    None,
                )
                .is_ok();
            let interval = timeline.rustls.at(t);
            assert_eq!(interval.is_some(), theirs, "graph {seed} at {t}");
            // The outlook at t says the same as the timeline around t.
            let outlook = judge.report(&chain, None, t);
            assert_eq!(outlook.rustls.verifies(), theirs, "graph {seed} at {t}");
            let end = |timeline: &notafter::outlook::RelyingTimeline| {
                let lit = timeline.lit().into_iter();
                lit.filter(|v| v.contains(t)).map(|v| v.not_after).next()
            };
            assert_eq!(
                outlook.rustls.effective_not_after,
                end(&timeline.rustls),
                "graph {seed} at {t}"
            );
            assert_eq!(
                outlook.rustls.paths,
                interval.map_or(0, |i| i.paths.len()),
                "graph {seed} at {t}"
            );
            let strict = timeline.strict.as_ref().unwrap();
            assert_eq!(
                outlook.strict.as_ref().unwrap().effective_not_after,
                end(strict),
                "graph {seed} at {t}"
            );
            // The next cliff is the last second of the last interval before a path is lost.
            assert_eq!(
                outlook.rustls.next_cliff,
                cliff(&timeline.rustls, t),
                "graph {seed} at {t}"
            );
            assert_eq!(
                outlook.strict.unwrap().next_cliff,
                cliff(strict, t),
                "graph {seed} at {t}"
            );
            asked += 1;
            lit += usize::from(theirs);
        }
        gaps += timeline.rustls.dark().len();
    }
    println!("{asked} instants of {GRAPHS} graphs, {lit} lit, {gaps} gaps");
    assert!(lit > 1_000 && gaps > 5, "the graphs must be worth asking");
}

/// The last second before the set of paths shrinks, by walking the timeline.
fn cliff(timeline: &notafter::outlook::RelyingTimeline, t: Timestamp) -> Option<Timestamp> {
    let position = timeline
        .intervals
        .iter()
        .position(|i| i.first <= t && t <= i.last)?;
    let mut intervals = timeline.intervals[position..].iter().peekable();
    while let Some(interval) = intervals.next() {
        let kept = intervals
            .peek()
            .filter(|next| next.first == interval.last.saturating_add(1));
        let all_kept =
            kept.is_some_and(|next| interval.paths.iter().all(|p| next.paths.contains(p)));
        if !all_kept {
            return Some(interval.last);
        }
    }
    None
}

#[test]
fn more_never_shortens_and_order_never_matters() {
    for seed in 0..120 {
        let graph = Graph::mint(seed, 0);
        let mut dice = Dice::new(seed);
        let chain = graph.chain();
        let ends = |anchors: &TrustAnchors, chain: &[Certificate]| -> Vec<Option<Timestamp>> {
            let judge = judge(anchors.clone());
            let at = graph.breakpoints().into_iter();
            at.map(|t| judge.report(chain, None, t).rustls.effective_not_after)
                .collect()
        };
        let full = ends(&graph.anchors(), &chain);
        // Without one intermediate.
        if chain.len() > 1 {
            let mut fewer = chain.clone();
            fewer.remove(1 + usize::try_from(dice.below(chain.len() as u64 - 1)).unwrap());
            for (less, more) in ends(&graph.anchors(), &fewer).iter().zip(&full) {
                assert!(less <= more, "graph {seed}: an intermediate shortens");
            }
        }
        // Without one anchor.
        let fewer = TrustAnchors::builder()
            .with_certificates(&graph.roots[1..])
            .build();
        for (less, more) in ends(&fewer, &chain).iter().zip(&full) {
            assert!(less <= more, "graph {seed}: an anchor shortens");
        }
        let mut reversed = chain.clone();
        reversed[1..].reverse();
        assert_eq!(
            ends(&graph.anchors(), &reversed),
            full,
            "graph {seed}: order matters"
        );
    }
}

#[test]
fn shifted_dates_shift_every_answer() {
    for seed in 0..120 {
        let shift = 86_400 * 400 + 12_345;
        let (here, there) = (
            timeline(&Graph::mint(seed, 0)),
            timeline(&Graph::mint(seed, shift)),
        );
        let lit = |timeline: &notafter::outlook::RelyingTimeline, shift: i64| -> Vec<_> {
            let intervals = timeline.intervals.iter();
            intervals
                .map(|i| {
                    (
                        i.first.saturating_add(shift),
                        i.last.saturating_add(shift),
                        i.paths.clone(),
                    )
                })
                .collect()
        };
        assert_eq!(
            lit(&here.rustls, shift),
            lit(&there.rustls, 0),
            "graph {seed}"
        );
        assert_eq!(
            lit(&here.strict.unwrap(), shift),
            lit(&there.strict.unwrap(), 0),
            "graph {seed}"
        );
    }
}

/// A chain to ask others about.
struct Question {
    id: String,
    name: String,
    leaf: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    roots: Vec<CertificateDer<'static>>,
    times: Vec<Timestamp>,
    /// What we say, for the relying party strict, at each of the times.
    ours: Vec<bool>,
    /// What we say of OpenSSL, likewise.
    openssl: Vec<bool>,
}

impl Question {
    fn new(
        id: String,
        name: &str,
        ders: (
            CertificateDer<'static>,
            Vec<CertificateDer<'static>>,
            Vec<CertificateDer<'static>>,
        ),
        times: Vec<Timestamp>,
    ) -> Self {
        let (leaf, intermediates, roots) = ders;
        let anchors = TrustAnchors::builder().with_certificates(&roots).build();
        let chain = std::iter::once(&leaf).chain(&intermediates);
        let chain: Vec<_> = chain
            .map(|der| Certificate::from_der(der).unwrap())
            .collect();
        let server_name = ServerName::try_from(name.to_owned()).unwrap();
        let timeline = judge(anchors).timeline(&chain, Some(&server_name)).unwrap();
        let (strict, openssl) = (timeline.strict.unwrap(), timeline.openssl.unwrap());
        let accepts = |t: &Timestamp| openssl.iter().any(|window| window.contains(*t));
        Self {
            ours: times.iter().map(|t| strict.at(*t).is_some()).collect(),
            openssl: times.iter().map(accepts).collect(),
            id,
            name: name.to_owned(),
            leaf,
            intermediates,
            roots,
            times,
        }
    }

    fn to_json(&self) -> Value {
        let pems = |ders: &[CertificateDer<'static>]| -> Vec<_> {
            ders.iter()
                .map(|der| pki::pem("CERTIFICATE", der))
                .collect()
        };
        let times: Vec<_> = self.times.iter().map(|t| t.as_unix_seconds()).collect();
        json!({
            "name": self.name,
            "leaf": pki::pem("CERTIFICATE", &self.leaf),
            "intermediates": pems(&self.intermediates),
            "roots": pems(&self.roots),
            "times": times,
        })
    }
}

/// The random graphs and the real incidents.
fn questions() -> Vec<Question> {
    let graphs = (0..GRAPHS).map(|seed| {
        let graph = Graph::mint(seed, 0);
        let times = graph.breakpoints();
        let ders = (graph.leaf, graph.intermediates, graph.roots);
        Question::new(format!("graph {seed}"), NAME, ders, times)
    });
    graphs.chain(incidents()).collect()
}

fn incidents() -> Vec<Question> {
    let mut questions = Vec::new();
    for file in corpora::files_below(&corpora::data("incidents")) {
        if file.file_name().unwrap() != "scenarios.json" {
            continue;
        }
        let incident: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for scenario in incident["scenarios"].as_array().unwrap() {
            let load = |name: &Value| {
                let path = file.parent().unwrap().join(name.as_str().unwrap());
                Loader::new().load_file(path).certificates[0]
                    .certificate
                    .clone()
            };
            let list = |key: &str| -> Vec<Certificate> {
                scenario[key].as_array().unwrap().iter().map(load).collect()
            };
            let (leaf, intermediates, roots) = (
                load(&scenario["leaf"]),
                list("intermediates"),
                list("trusted"),
            );
            let all = std::iter::once(&leaf).chain(&intermediates).chain(&roots);
            let dates = all.flat_map(|c| [c.not_before(), c.not_after()]);
            let times = dates
                .flat_map(|t| [-1, 0, 1].map(|d| t.saturating_add(d)))
                .collect();
            let ders = |certificates: &[Certificate]| {
                certificates.iter().map(|c| c.der().clone()).collect()
            };
            let ders = (leaf.der().clone(), ders(&intermediates), ders(&roots));
            let host = scenario["host"].as_str().unwrap();
            questions.push(Question::new(scenario["id"].to_string(), host, ders, times));
        }
    }
    questions
}

/// A peer that must be there in CI and may be missing elsewhere.
fn or_skip<T>(peer: Option<T>, what: &str) -> Option<T> {
    assert!(
        peer.is_some() || std::env::var_os("CI").is_none(),
        "{what} is missing"
    );
    if peer.is_none() {
        println!("skipped: there is no {what} here");
    }
    peer
}

/// A Python with pyca-cryptography: the one that `.ci/run` makes.
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/bin/python");
    or_skip(python.exists().then_some(python), "pyca-cryptography")
}

#[test]
fn strict_agrees_with_pyca_cryptography() {
    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/pyca.py");
    let mut pyca = Command::new(python);
    pyca.arg(script);
    assert_strict_agrees("pyca", pyca);
}

/// Where Go is installed; Debian's packages do not put every version onto the path.
fn go() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib").into_iter().flatten();
    let versions = versions.filter_map(|entry| Some(entry.ok()?.path()));
    let of_debian = versions.filter(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| name.starts_with("go-1."))
    });
    let candidates =
        std::iter::once(PathBuf::from("go")).chain(of_debian.map(|folder| folder.join("bin/go")));
    let mut candidates = candidates.into_iter();
    candidates.find(|go| Command::new(go).arg("version").output().is_ok())
}

#[test]
fn strict_agrees_with_go() {
    let Some(go) = go() else {
        println!("skipped: there is no Go here");
        return;
    };
    let version = Command::new(&go).arg("version").output().unwrap();
    println!("{}", String::from_utf8_lossy(&version.stdout).trim());
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("verify");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/verify.go");
    let mut build = Command::new(go);
    build.env("GOCACHE", folder.path().join("cache"));
    build.env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=mod");
    build.args(["build", "-o"]).arg(&program).arg(source);
    let built = build.output().unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    assert_strict_agrees("go", Command::new(program));
}

/// Asks a peer about all questions: it is given a file of them, and prints its verdicts.
fn assert_strict_agrees(name: &str, mut peer: Command) {
    let questions = questions();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("questions.json");
    let document: Vec<_> = questions.iter().map(Question::to_json).collect();
    std::fs::write(&input, serde_json::to_vec(&document).unwrap()).unwrap();
    let output = peer.arg(&input).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answers: Vec<Vec<bool>> = serde_json::from_slice(&output.stdout).unwrap();
    let (mut asked, mut accepted, mut different) = (0, 0, Vec::new());
    for (question, theirs) in questions.iter().zip(&answers) {
        for ((t, ours), theirs) in question.times.iter().zip(&question.ours).zip(theirs) {
            asked += 1;
            accepted += usize::from(*theirs);
            if ours != theirs {
                different.push(format!(
                    "{} at {t}: ours {ours}, {name} {theirs}",
                    question.id
                ));
            }
        }
    }
    println!(
        "{asked} instants of {} chains, {accepted} accepted by {name}",
        questions.len()
    );
    assert!(
        different.is_empty(),
        "{} differ: {:#?}",
        different.len(),
        &different[..different.len().min(10)]
    );
    assert!(accepted > 1_000);
}

#[test]
fn what_openssl_accepts_strict_accepts() {
    let version = Command::new("openssl").arg("version").output().ok();
    if or_skip(version, "openssl").is_none() {
        return;
    }
    let questions = questions();
    // A process for every instant: two at a time.
    let (left, right) = questions.split_at(questions.len() / 2);
    let counts = std::thread::scope(|scope| {
        let halves = [left, right].map(|half| scope.spawn(move || ask_openssl(half)));
        halves.map(|half| half.join().unwrap())
    });
    let sum = |n: usize| counts.iter().map(|count| count[n]).sum::<usize>();
    println!(
        "{} instants asked: openssl and strict accept {}, refuse {}; {} are refused by openssl alone in \
         the very second of a notAfter, {} for its choice of path; at {} its yes was not foreseen",
        sum(0),
        sum(1),
        sum(2),
        sum(3),
        sum(4),
        sum(5)
    );
    assert!(sum(1) > 500 && sum(5) < 10);
}

/// Asked, both yes, both no, no in the second of notAfter, no otherwise, not foreseen.
fn ask_openssl(questions: &[Question]) -> [usize; 6] {
    let folder = tempfile::tempdir().unwrap();
    let mut counts = [0; 6];
    for question in questions {
        let write = |name: &str, ders: &[CertificateDer<'static>]| {
            let path = folder.path().join(name);
            std::fs::write(&path, pki::pem_bundle(ders)).unwrap();
            path
        };
        let leaf = write("leaf.pem", std::slice::from_ref(&question.leaf));
        let untrusted = write("untrusted.pem", &question.intermediates);
        let trusted = write("trusted.pem", &question.roots);
        let ends: Vec<_> = std::iter::once(&question.leaf)
            .chain(&question.intermediates)
            .chain(&question.roots)
            .map(|der| Certificate::from_der(der).unwrap().not_after())
            .collect();
        let ours = question.ours.iter().zip(&question.openssl);
        for (t, (ours, foreseen)) in question.times.iter().zip(ours) {
            let mut command = Command::new("openssl");
            command.args([
                "verify",
                "-no-CApath",
                "-no-CAfile",
                "-no-CAstore",
                "-purpose",
                "sslserver",
            ]);
            command.args([
                "-attime",
                &t.as_unix_seconds().to_string(),
                "-verify_hostname",
                &question.name,
            ]);
            command.arg("-trusted").arg(&trusted);
            if !question.intermediates.is_empty() {
                command.arg("-untrusted").arg(&untrusted);
            }
            let theirs = command.arg(&leaf).output().unwrap().status.success();
            // Its no proves little: it refuses the second of notAfter, and settles on one path.
            assert!(
                *ours || !theirs,
                "{} at {t}: openssl accepts, strict does not",
                question.id
            );
            assert!(
                theirs || !foreseen,
                "{} at {t}: openssl refuses what it was foreseen to accept",
                question.id
            );
            counts[5] += usize::from(theirs != *foreseen);
            counts[0] += 1;
            counts[match (theirs, ours) {
                (true, _) => 1,
                (false, false) => 2,
                (false, true) if ends.contains(t) => 3,
                (false, true) => 4,
            }] += 1;
        }
    }
    counts
}
