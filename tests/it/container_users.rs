//! Where containers are opened: the self-check, the monitor, the example's command.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use notafter::monitor::Target;
use notafter::self_check::FindingCode;
use notafter::source::{Containers, Passphrase};
use notafter::{Loader, Monitor, Report, SelfCheck, TrustAnchors};

use crate::command::binary;
use crate::support::corpora;
use crate::support::pki::NOW;
use crate::support::tls::{Recorder, ring};

/// Of everything that keytool wrote for these tests.
const PASSPHRASE: &str = "changeit";

fn loader(passphrase: Option<&str>) -> Loader {
    let containers = Containers::new();
    Loader::new().with_containers(match passphrase {
        Some(passphrase) => containers.with_passphrase(Passphrase::new(passphrase)),
        None => containers,
    })
}

/// Those of a trust store.
fn anchors() -> TrustAnchors {
    let store = loader(Some(PASSPHRASE)).load_file(corpora::data("containers/trust.p12"));
    TrustAnchors::builder().with_source(&store).build()
}

fn checked(passphrase: Option<&str>) -> Report {
    let store = corpora::data("containers/key.p12");
    let check = SelfCheck::builder()
        .with_loader(loader(passphrase))
        .with_trust_anchors(anchors())
        .with_path(&store)
        .with_expected_name("service.test");
    let check = match passphrase {
        Some(passphrase) => check.with_encrypted_key_file(&store, Passphrase::new(passphrase)),
        None => check,
    };
    // Java leaves the public half of keys out, and ring takes no such key.
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let check = check.with_provider(Arc::new(provider)).at(NOW).build();
    check.unwrap().run()
}

fn codes(report: &Report) -> Vec<FindingCode> {
    let mut codes: Vec<_> = report.findings.iter().map(|finding| finding.code).collect();
    codes.dedup();
    codes
}

#[test]
fn a_self_check_judges_what_lies_in_a_keystore_by_the_anchors_of_another() {
    let report = checked(Some(PASSPHRASE));
    assert_eq!(report.exit_code(), 0, "{}", report.to_text());
    assert_eq!(report.chains.len(), 1);
    assert_eq!(report.worst(), Some(notafter::Band::Ok));
    assert!(!codes(&report).contains(&FindingCode::KeyMismatch));

    let wrong = checked(Some("change it"));
    assert_eq!(codes(&wrong), [FindingCode::WrongPassphrase]);
    // The store, and the key in it.
    assert_eq!(wrong.findings.len(), 2);
    assert_eq!(wrong.exit_code(), 3);
    assert!(
        wrong.to_text().contains("wrong_passphrase"),
        "{}",
        wrong.to_text()
    );

    let missing = checked(None);
    assert_eq!(codes(&missing), [FindingCode::PassphraseMissing]);
    assert_eq!(missing.exit_code(), 3);
    // What can be told of a source that cannot be read.
    for report in [wrong, missing] {
        let series = report.to_openmetrics();
        let unread = series
            .lines()
            .filter(|line| line.contains("readable") && line.ends_with(" 0"));
        assert!(unread.count() >= 1, "{series}");
    }
}

#[test]
fn a_key_that_java_wrote_is_named_where_ring_does_not_take_it() {
    let store = corpora::data("containers/key.p12");
    let check = SelfCheck::builder()
        .with_trust_anchors(anchors())
        .with_encrypted_key_file(&store, Passphrase::new(PASSPHRASE))
        .with_loader(loader(Some(PASSPHRASE)))
        .with_path(&store)
        .with_provider(ring())
        .at(NOW);
    let report = check.build().unwrap().run();
    let unusable = report
        .findings
        .iter()
        .find(|found| found.code == FindingCode::KeyUnusable);
    let message = &unusable.unwrap().message;
    assert!(
        message.starts_with(
            "rustls cannot use the private key: it is ECDSA over P-256 without its public half, as Java writes it, \
             which aws-lc-rs takes and ring does not"
        ),
        "{message}"
    );
}

#[test]
fn a_monitor_watches_a_keystore_and_tells_when_it_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("service.p12");
    let store = |name: &str| std::fs::read(corpora::data("containers").join(name)).unwrap();
    std::fs::write(&path, store("key.p12")).unwrap();
    let recorder = Arc::new(Recorder::default());
    let monitor = Monitor::builder()
        .with_loader(loader(Some(PASSPHRASE)))
        .with_trust_anchors(anchors())
        .with_provider(ring())
        .with_observer(recorder.clone())
        .build()
        .unwrap();
    monitor.watch("service", Target::from_path(&path));
    monitor.tick(NOW);
    assert_eq!(recorder.take(), []);
    assert_eq!(monitor.snapshot().chains.len(), 1);

    // Another program wrote it with another passphrase.
    let mut other = store("key.p12");
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(&path, other).unwrap();
    let mut now = NOW;
    for _ in 0..5 {
        now = now.saturating_add(60);
        monitor.tick(now);
    }
    let told = recorder.take();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].message.contains("(wrong_passphrase)"),
        "{}",
        told[0]
    );
    let findings = monitor.snapshot().findings;
    assert!(
        findings
            .iter()
            .any(|found| found.code == FindingCode::WrongPassphrase)
    );
}

fn self_check(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command
        .current_dir(folder)
        .args(["--at", "2026-01-01T00:00:00Z"]);
    command.args(arguments).output().unwrap()
}

#[test]
fn the_command_opens_keystores_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["key.p12", "key.jks", "trust.p12", "trust.jks"] {
        let from = corpora::data("containers").join(name);
        std::fs::copy(from, folder.path().join(name)).unwrap();
    }
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("passphrase", "changeit\r\nand more\n");
    write("wrong", "change it\n");
    write("long", &"x".repeat(5000));
    let opened = ["--passphrase-file", "passphrase"];
    // Arguments, exit code, what it says.
    let cases: [(&[&str], i32, &str); 10] = [
        (
            &[
                &opened[..],
                &["--trust", "trust.p12", "--name", "service.test", "key.p12"],
            ]
            .concat(),
            0,
            "key.p12",
        ),
        (
            &[&opened[..], &["--trust", "trust.jks", "key.jks"]].concat(),
            0,
            "key.jks",
        ),
        (
            &["--containers", "--trust", "trust.jks", "key.jks"],
            0,
            "key.jks",
        ),
        (
            &["--containers", "--trust", "trust.jks", "key.p12"],
            3,
            "passphrase_missing",
        ),
        (
            &[
                "--passphrase-file",
                "wrong",
                "--trust",
                "trust.jks",
                "key.p12",
            ],
            3,
            "wrong_passphrase",
        ),
        // What the first does not open is tried with the next.
        (
            &[
                &["--passphrase-file", "wrong"],
                &opened[..],
                &["--trust", "trust.p12", "--name", "service.test", "key.p12"],
            ]
            .concat(),
            0,
            "key.p12",
        ),
        (
            &[
                "--passphrase-file",
                "wrong",
                "--passphrase-file",
                "wrong",
                "--trust",
                "trust.jks",
                "key.p12",
            ],
            3,
            "does not open with any of its 2 passphrases, or was changed since it was written",
        ),
        (
            &["key.p12"],
            3,
            "it is PKCS#12 (.p12, .pfx), which rustls does not load",
        ),
        (
            &["--passphrase-file", "none", "key.p12"],
            3,
            "--passphrase-file none: No such file or directory",
        ),
        (
            &["--passphrase-file", "long", "key.p12"],
            3,
            "its first line is over 4,096 bytes",
        ),
    ];
    for (arguments, code, said) in cases {
        let output = self_check(folder.path(), arguments);
        let text = [output.stdout, output.stderr].concat();
        // Lines are broken where they are long.
        let text = String::from_utf8(text).unwrap();
        let unbroken = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unbroken.contains(said), "{arguments:?}: {text}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(
            !text.contains("change it") && !text.contains("changeit"),
            "{text}"
        );
    }
}

#[test]
fn a_passphrase_is_never_printed() {
    let passphrase = "correct-horse-battery";
    let containers = Containers::new().with_passphrase(Passphrase::new(passphrase));
    let store = corpora::data("containers/key.p12");
    let loader = Loader::new().with_containers(containers.clone());
    let contents = loader.load_file(&store);
    let key = containers.private_key("store", &std::fs::read(&store).unwrap());
    let check = SelfCheck::builder()
        .with_loader(loader.clone())
        .with_encrypted_key_file(&store, Passphrase::new(passphrase))
        .with_trust_anchors(anchors())
        .with_path(&store)
        .with_provider(ring());
    let mut printed = format!("{containers:?} {loader:#?} {contents:?} {key:?} {check:?}");
    let check = check.build().unwrap();
    printed.push_str(&format!("{check:#?} {}", check.run().to_text()));
    let numbers = format!("{:?}", passphrase.as_bytes());
    for secret in [passphrase, numbers.trim_matches(['[', ']'])] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
