//! The README's first program, and the exit codes of what a service waits for at its start.

use std::path::Path;
use std::process::Command;

use notafter::{Report, SelfCheck, Severity, TrustAnchors};
use time::{Duration, OffsetDateTime};

use crate::command::binary;
use crate::support::pki::{self, Ca, Leaf};

/// As the README has it, but for the names of files, host and anchors.
fn first_program(
    certificate: &Path,
    key: &Path,
    host: &str,
    anchors: TrustAnchors,
) -> Result<(), Box<dyn std::error::Error>> {
    let report = SelfCheck::builder()
        .with_path(certificate)
        .with_key_file(key)
        .with_expected_name(host)
        .with_trust_anchors(anchors)
        .with_provider(rustls::crypto::ring::default_provider().into())
        .build()?
        .run()
        .into_result()?; // an expired, broken or unreadable chain stops the start
    println!("{}", report.to_text());
    Ok(())
}

#[test]
fn the_first_program_tried_here_is_the_readmes() {
    let readme = include_str!("../../README.md");
    let (_, readme) = readme.split_once("fn main()").unwrap();
    let here = include_str!("first_program.rs");
    let (_, here) = here.split_once("fn first_program(").unwrap();
    let lines = |text: &str| {
        let (_, text) = text.split_once("{\n").unwrap();
        let (body, _) = text.split_once("\n}").unwrap();
        body.to_owned()
    };
    let readme = lines(readme)
        .replace("\"/etc/service/tls.crt\"", "certificate")
        .replace("\"/etc/service/tls.key\"", "key")
        .replace("\"service.example.com\"", "host")
        .replace("TrustAnchors::from_os()", "anchors");
    assert_eq!(lines(here), readme);
}

/// What a service serves, with certificates that begin and end by the real clock.
struct Served {
    folder: tempfile::TempDir,
    root: Ca,
    leaf: Leaf,
}

impl Served {
    /// A leaf that began and ends so many hours from now.
    fn between(from_hours: i64, to_hours: i64) -> Self {
        let now = OffsetDateTime::now_utc();
        let root = pki::root_with("Root", 0, 0, |params| {
            params.not_before = now - Duration::days(365);
            params.not_after = now + Duration::days(3_650);
        });
        let leaf = root.leaf_with(&["a.example"], 0, 0, |params| {
            params.not_before = now + Duration::hours(from_hours);
            params.not_after = now + Duration::hours(to_hours);
        });
        let served = Self {
            folder: tempfile::tempdir().unwrap(),
            root,
            leaf,
        };
        served.write("root.pem", &pki::pem_bundle([&served.root.der]));
        served.write("tls.crt", &pki::pem_bundle([&served.leaf.der]));
        served.write("tls.key", &served.leaf.key_pair.serialize_pem());
        served
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, contents: &str) {
        std::fs::write(self.path(name), contents).unwrap();
    }

    /// What the first program ends with.
    fn start(&self, host: &str) -> Result<(), String> {
        let anchors = pki::anchors([&self.root]);
        let (certificate, key) = (self.path("tls.crt"), self.path("tls.key"));
        first_program(&certificate, &key, host, anchors).map_err(|error| error.to_string())
    }

    fn report(&self) -> Report {
        SelfCheck::builder()
            .with_path(self.path("tls.crt"))
            .with_trust_anchors(pki::anchors([&self.root]))
            .with_provider(rustls::crypto::ring::default_provider().into())
            .build()
            .unwrap()
            .run()
    }

    /// The command's exit code by default, and with `--fail-on` `expired`, `critical` and `warning`. The
    /// line for nagios never says another state.
    fn exit_codes(&self) -> [i32; 4] {
        let code = |args: &[&str]| {
            let output = Command::new(binary())
                .args(args)
                .args(["--format", "nagios", "--trust"])
                .arg(self.path("root.pem"))
                .arg(self.path("tls.crt"))
                .output()
                .unwrap();
            let code = output.status.code().unwrap();
            let line = String::from_utf8(output.stdout).unwrap();
            let state = ["OK", "WARNING", "CRITICAL", "UNKNOWN"][usize::try_from(code).unwrap()];
            assert!(
                line.starts_with(&format!("NOTAFTER {state} - ")),
                "{code}: {line}"
            );
            code
        };
        [
            code(&[]),
            code(&["--fail-on", "expired"]),
            code(&["--fail-on", "critical"]),
            code(&["--fail-on", "warning"]),
        ]
    }
}

#[test]
fn a_service_starts_with_a_certificate_that_still_works_however_near_its_end() {
    // 9.5 of 90 days left: critical, and valid.
    let served = Served::between(-1_932, 228);
    let report = served.report();
    assert_eq!(report.severity(), Severity::Critical);
    assert_eq!(served.start("a.example"), Ok(()));
    assert_eq!(served.exit_codes(), [2, 0, 2, 2]);

    let error = report.clone().into_result_from(Severity::Critical);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("\n  critical expiring in "), "{error}");
    assert!(report.clone().into_result().is_ok());
    assert_eq!(report.exit_code_from(Severity::Critical), 2);

    // 19 of 90 days left: a warning.
    let served = Served::between(-1_704, 456);
    let report = served.report();
    assert_eq!(report.severity(), Severity::Warning);
    assert_eq!(served.start("a.example"), Ok(()));
    assert_eq!(served.exit_codes(), [1, 0, 0, 1]);
    assert!(report.clone().into_result_from(Severity::Critical).is_ok());
    assert!(report.into_result_from(Severity::Warning).is_err());
}

#[test]
fn a_service_does_not_start_with_what_does_not_work_now() {
    let cases = [
        (Served::between(-2_160, -1), "a.example", "expired"),
        (Served::between(1, 2_160), "a.example", "not_yet_valid"),
        (Served::between(-24, 2_160), "b.example", "name_not_covered"),
    ];
    for (served, host, code) in &cases {
        let error = served.start(host).unwrap_err();
        assert!(
            error.contains(&format!("\n  critical {code} in ")),
            "{error}"
        );
    }
    for (served, ..) in &cases[..2] {
        assert_eq!(served.exit_codes(), [2, 2, 2, 2]);
    }

    let served = Served::between(-24, 2_160);
    assert_eq!(served.exit_codes(), [0, 0, 0, 0]);
    served.write(
        "tls.key",
        &Served::between(-24, 2_160).leaf.key_pair.serialize_pem(),
    );
    let error = served.start("a.example").unwrap_err();
    assert!(error.contains("critical key_mismatch in "), "{error}");
    served.write(
        "tls.crt",
        &pki::pem_bundle([&served.root.leaf(&[], 0, 0).der])[..200],
    );
    let error = served.start("a.example").unwrap_err();
    assert!(error.contains("critical unreadable in "), "{error}");
    assert_eq!(served.exit_codes(), [3, 3, 3, 3]);
}
