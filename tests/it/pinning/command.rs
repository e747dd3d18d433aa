//! The command of the example `pinned_client`, which scripts depend on, and curl beside it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use notafter::SpkiPin;
use notafter::pin::PinForm;
use tempfile::TempDir;

use super::{pin_of, pin_of_ca};
use crate::command::example;
use crate::endpoints::OpensslServer;
use crate::support::pki::{self, Ca, Leaf};

fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| example("pinned_client"))
}

/// An openssl server, and the trust in its root.
struct Service {
    server: OpensslServer,
    folder: TempDir,
    root: Ca,
    issuing: Ca,
    leaf: Leaf,
}

impl Service {
    /// The leaf ends at NOW, which is 2026-01-01.
    fn start() -> Option<Self> {
        let root = pki::root("root", -1000, 3650);
        let issuing = root.intermediate("issuing", -1000, 1000);
        let leaf = issuing.leaf(&["localhost"], -90, 0);
        let server = OpensslServer::start(&leaf, &[&issuing])?;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("root.pem"), pki::pem_bundle([&root.der])).unwrap();
        Some(Self {
            server,
            folder,
            root,
            issuing,
            leaf,
        })
    }

    fn ask(&self, options: &[&str]) -> (i32, String) {
        let mut all = vec!["--at", "2025-12-31T23:59:59Z"];
        all.extend(options);
        self.ask_at(&all)
    }

    fn ask_at(&self, options: &[&str]) -> (i32, String) {
        let output: Output = Command::new(binary())
            .arg(format!("127.0.0.1:{}", self.server.port))
            .args(["--name", "localhost", "--trust"])
            .arg(self.folder.path().join("root.pem"))
            .args(options)
            .output()
            .unwrap();
        let line = String::from_utf8(output.stdout).unwrap();
        assert!(line.lines().count() <= 1, "{line}");
        (output.status.code().unwrap(), line)
    }
}

fn strange_pin() -> SpkiPin {
    "0b".repeat(32).parse().unwrap()
}

#[test]
fn verdicts_and_exit_codes_are_as_documented() {
    let Some(service) = Service::start() else {
        return;
    };
    let (good, strange) = (pin_of(&service.leaf).to_string(), strange_pin().to_string());
    let ca = pin_of_ca(&service.issuing).to_string();
    let anchor = pin_of_ca(&service.root).to_string();
    let second_after = "2026-01-01T00:00:01Z";
    let cases: [(&[&str], i32, &str); 9] = [
        (&[], 0, "accepted: localhost verifies; no pins were given"),
        (
            &["--pin", &good],
            0,
            "accepted: localhost verifies and a pin matches",
        ),
        (&["--pin", &strange, "--pin", &good], 0, "accepted: "),
        (
            &["--pin", &strange],
            1,
            "refused by pins: localhost showed sha256/",
        ),
        (&["--pin-ca", &ca], 0, "accepted: "),
        (&["--pin-ca", &anchor], 0, "accepted: "),
        // A leaf's key is no CA's.
        (&["--pin-ca", &good], 1, "refused by pins: "),
        (
            &["--pin", &strange, "--report-only"],
            0,
            "accepted: not enforced: localhost showed sha256/",
        ),
        (&["--pin", "sha1/AAAA"], 3, ""),
    ];
    for (options, code, begins) in cases {
        let (got, line) = service.ask(options);
        assert_eq!(got, code, "{options:?}: {line}");
        assert!(line.starts_with(begins), "{options:?}: {line}");
    }
    let late: [(&[&str], i32, &str); 5] = [
        (&["--at", second_after], 2, "refused by the verifier: "),
        (
            &["--at", second_after, "--pin", &good],
            2,
            "refused by the verifier: ",
        ),
        (
            &["--at", second_after, "--pin", &good, "--grace", "1"],
            0,
            "accepted: localhost was accepted only within its grace: ",
        ),
        (
            &["--at", "1767225602", "--pin", &good, "--grace", "1"],
            2,
            "refused by the verifier: ",
        ),
        (
            &["--at", second_after, "--pin-ca", &ca, "--grace", "1"],
            2,
            "refused by the verifier: ",
        ),
    ];
    for (options, code, begins) in late {
        let (got, line) = service.ask_at(options);
        assert_eq!(got, code, "{options:?}: {line}");
        assert!(line.starts_with(begins), "{options:?}: {line}");
    }
    let gone = Command::new(binary())
        .args(["127.0.0.1:1", "--name", "localhost", "--trust"])
        .arg(service.folder.path().join("root.pem"))
        .output()
        .unwrap();
    assert_eq!(gone.status.code(), Some(3));
    assert!(gone.stdout.starts_with(b"failed: "));
}

/// curl with `--insecure` looks at nothing but the pin, so its verdict is the pin's alone.
#[test]
fn curl_and_pinned_client_agree() {
    let has_curl = Command::new("curl").arg("--version").output();
    if has_curl.is_err() {
        assert!(std::env::var_os("CI").is_none(), "curl is missing");
        println!("skipped: there is no curl here");
        return;
    }
    let Some(service) = Service::start() else {
        return;
    };
    let curl = |pin: SpkiPin| pin.to_form(PinForm::Curl);
    let (good, strange) = (curl(pin_of(&service.leaf)), curl(strange_pin()));
    let cases = [
        (good.clone(), true),
        (strange.clone(), false),
        (format!("{strange};{good}"), true),
        (format!("{good};{strange}"), true),
        (format!("{strange};{strange}"), false),
        // Of the chain only the leaf counts for both.
        (curl(pin_of_ca(&service.issuing)), false),
    ];
    for (pins, accepted) in cases {
        let (code, line) = service.ask(&["--pin", &pins]);
        assert_eq!(code, i32::from(!accepted), "{pins}: {line}");
        let output = Command::new("curl")
            .args([
                "--silent",
                "--insecure",
                "--max-time",
                "3",
                "--noproxy",
                "*",
            ])
            .args(["--pinnedpubkey", &pins])
            .arg(format!("https://127.0.0.1:{}/", service.server.port))
            .output()
            .unwrap();
        // 90 is CURLE_SSL_PINNEDPUBKEYNOTMATCH.
        let expected = if accepted { 0 } else { 90 };
        assert_eq!(output.status.code(), Some(expected), "{pins}");
    }
}
