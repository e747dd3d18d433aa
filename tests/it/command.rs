//! The command of the example `self_check`: arguments, exit codes and JSON, which scripts depend on.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::corpora;
use crate::support::pki::{self, Ca, Leaf, NOW};

/// The example's binary, built once: `cargo test --test it` alone would not build it.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| example("self_check"))
}

/// Builds an example, and says where its binary is. With all features: the published package, unlike the repository,
/// does not turn them on for its tests.
pub fn example(name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--quiet", "--all-features", "--example", name])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // What cargo tells this test of its own package makes some build scripts run again.
    for (variable, _) in std::env::vars_os() {
        let said = variable.to_string_lossy();
        if said.starts_with("CARGO_PKG_") || said.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&variable);
        }
    }
    let status = build.status().unwrap();
    assert!(status.success());
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    profile
        .join("examples")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

fn run(args: &[&str]) -> Output {
    Command::new(binary()).args(args).output().unwrap()
}

pub struct Json {
    pub code: i32,
    pub document: Value,
}

impl Json {
    pub fn codes(&self) -> Vec<&str> {
        let findings = self.document["findings"].as_array().unwrap().iter();
        findings
            .map(|finding| finding["code"].as_str().unwrap())
            .collect()
    }

    pub fn finding(&self, code: &str) -> &Value {
        let findings = self.document["findings"].as_array().unwrap();
        findings
            .iter()
            .find(|f| f["code"] == code)
            .unwrap_or_else(|| panic!("no {code} in {findings:#?}"))
    }

    pub fn chain(&self, n: usize) -> &Value {
        &self.document["chains"][n]
    }
}

pub fn json(args: &[&str]) -> Json {
    let output = run(&[&["--format", "json"], args].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    Json {
        code: output.status.code().unwrap(),
        document: serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")),
    }
}

/// A folder with a small PKI: everything fine at [`NOW`].
struct Ground {
    folder: TempDir,
    root: Ca,
    intermediate: Ca,
    leaf: Leaf,
}

impl Ground {
    fn new() -> Self {
        let root = pki::root("Root", -1000, 3000);
        let intermediate = root.intermediate("Issuing CA", -300, 1500);
        let leaf = intermediate.leaf(&["a.example", "10.0.0.1"], -10, 80);
        let ground = Self {
            folder: tempfile::tempdir().unwrap(),
            root,
            intermediate,
            leaf,
        };
        ground.write("root.pem", pki::pem_bundle([&ground.root.der]));
        ground.write(
            "chain.pem",
            pki::pem_bundle([&ground.leaf.der, &ground.intermediate.der]),
        );
        ground.write("leaf.key", ground.leaf.key_pair.serialize_pem());
        ground
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// Judged by the ground's root at [`NOW`].
    fn json(&self, args: &[&str]) -> Json {
        self.json_at(&NOW.to_string(), args)
    }

    fn json_at(&self, at: &str, args: &[&str]) -> Json {
        let root = self.path("root.pem");
        json(&[&["--at", at, "--trust", &root], args].concat())
    }
}

#[test]
fn a_good_chain_is_ok_and_every_field_is_there() {
    let ground = Ground::new();
    let (chain, key) = (ground.path("chain.pem"), ground.path("leaf.key"));
    let report = ground.json(&["--name", "a.example", "--key", &key, &chain]);
    assert_eq!((report.code, report.codes()), (0, vec![]));
    let leaf = ground.leaf.certificate();
    let intermediate = ground.intermediate.certificate();
    let certificate = |position: &str, c: &notafter::Certificate, subject: &str, issuer: &str| {
        serde_json::json!({
            "position": position,
            "subject": subject,
            "issuer": issuer,
            "serial": c.serial_hex(),
            "not_before": c.not_before().to_string(),
            "not_after": c.not_after().to_string(),
            "sha256": c.fingerprint().to_string(),
            "spki_sha256": c.spki_sha256().to_base64(),
        })
    };
    let end = "2026-03-22T00:00:00Z";
    let outlook = serde_json::json!({
        "verifies": true,
        "effective_not_after": end,
        "limiting": {"position": "leaf", "sha256": leaf.fingerprint().to_string()},
        "next_cliff": end,
        "paths": 1,
        "complete": true,
        "error": null,
    });
    let expected = serde_json::json!({
        "at": "2026-01-01T00:00:00Z",
        "worst": "ok",
        "chains": [{
            "source": chain,
            "band": "ok",
            "certificates": [
                certificate("leaf", &leaf, "CN=a.example", "CN=Issuing CA"),
                certificate("intermediate 0", &intermediate, "CN=Issuing CA", "CN=Root"),
            ],
            "rustls": outlook,
            "strict": outlook,
        }],
        "findings": [],
    });
    let mut document = report.document.clone();
    // What was added since; the rest is as it was.
    let chain = document["chains"][0].as_object_mut().unwrap();
    assert_eq!(chain.remove("staple"), Some(Value::Null));
    assert_eq!(chain.remove("also_in"), Some(serde_json::json!([])));
    let timeline = chain.remove("timeline").unwrap();
    let interval = &timeline["rustls"]["intervals"][0];
    assert_eq!(interval["last"], end);
    assert_eq!(interval["paths"], serde_json::json!([0]));
    let path = &timeline["rustls"]["paths"][0];
    assert_eq!(
        (&path["anchor"], &path["last"]),
        (&"CN=Root".into(), &end.into())
    );
    let added = document.as_object_mut().unwrap();
    assert_eq!(added.remove("severity"), Some("info".into()));
    assert_eq!(
        added.remove("first_failure").unwrap()["at"],
        "2026-03-22T00:00:01Z"
    );
    assert_eq!(
        added.remove("correlated_expiry"),
        Some(serde_json::json!([]))
    );
    assert_eq!(document, expected);
}

#[test]
fn the_exit_code_follows_the_band() {
    let ground = Ground::new();
    let chain = ground.path("chain.pem");
    let leaf_end = ground.leaf.certificate().not_after();
    let day = 86_400;
    let cases = [
        (-30 * day - 1, "ok", 0),
        (-30 * day, "due", 0),
        (-20 * day - 1, "due", 0),
        (-20 * day, "warning", 1),
        (-10 * day - 1, "warning", 1),
        (-10 * day, "critical", 2),
        (0, "critical", 2),
        (1, "expired", 2),
        (-90 * day - 1, "not_yet_valid", 2),
    ];
    for (offset, band, code) in cases {
        let at = leaf_end.saturating_add(offset);
        for at in [at.to_string(), at.as_unix_seconds().to_string()] {
            let report = ground.json_at(&at, &[&chain]);
            assert_eq!(report.chain(0)["band"], band, "at {at}");
            assert_eq!(report.document["worst"], band, "at {at}");
            assert_eq!(report.code, code, "at {at}");
            let verifies = report.chain(0)["rustls"]["verifies"].as_bool().unwrap();
            assert_eq!(
                verifies,
                !matches!(band, "expired" | "not_yet_valid"),
                "at {at}"
            );
        }
    }
}

#[test]
fn a_missing_intermediate_and_an_unknown_issuer_are_told_apart() {
    let ground = Ground::new();
    let bare = ground.write("bare.pem", pki::pem_bundle([&ground.leaf.der]));
    let report = ground.json(&[&bare]);
    assert_eq!(
        (report.code, &report.chain(0)["band"]),
        (2, &"broken".into())
    );
    assert_eq!(report.finding("missing_intermediate")["position"], "leaf");
    let error = report.chain(0)["rustls"]["error"].as_str().unwrap();
    assert!(error.contains("'Issuing CA'"), "{error}");

    let other = ground.write(
        "other.pem",
        pki::pem_bundle([&pki::root("Other", -10, 100).der]),
    );
    let chain = ground.path("chain.pem");
    let report = json(&["--at", &NOW.to_string(), "--trust", &other, &chain]);
    assert_eq!((report.code, report.codes()), (2, vec!["unknown_issuer"]));
    assert_eq!(
        report.finding("unknown_issuer")["position"],
        "intermediate 0"
    );
    for who in ["rustls", "strict"] {
        let outlook = &report.chain(0)[who];
        assert_eq!(outlook["verifies"], false);
        for null in ["effective_not_after", "limiting", "next_cliff"] {
            assert!(outlook[null].is_null());
        }
    }
}

#[test]
fn names_are_checked_and_an_unusable_name_is_a_finding() {
    let ground = Ground::new();
    let chain = ground.path("chain.pem");
    for covered in ["a.example", "10.0.0.1"] {
        assert_eq!(
            ground.json(&["--name", covered, &chain]).code,
            0,
            "{covered}"
        );
    }
    let report = ground.json(&["--name", "b.example", &chain]);
    assert_eq!((report.code, report.codes()), (2, vec!["name_not_covered"]));
    assert_eq!(report.chain(0)["rustls"]["verifies"], false);
    assert_eq!(report.chain(0)["band"], "broken");
    assert_eq!(
        report.finding("name_not_covered")["message"],
        "the leaf does not cover 'b.example', only a.example, 10.0.0.1: order a certificate with that \
         name, or serve the right one"
    );
    let report = ground.json(&["--name", "not a name", &chain]);
    assert_eq!((report.code, report.codes()), (3, vec!["unusable_name"]));
    assert_eq!(report.chain(0)["rustls"]["verifies"], true);
}

#[test]
fn a_key_that_does_not_match_or_cannot_be_read_is_a_finding() {
    let ground = Ground::new();
    let chain = ground.path("chain.pem");
    let other = ground.root.leaf(&["b.example"], -1, 80);
    let other_key = ground.write("other.key", other.key_pair.serialize_pem());
    let report = ground.json(&["--key", &other_key, &chain]);
    assert_eq!((report.code, report.codes()), (2, vec!["key_mismatch"]));
    assert_eq!(report.finding("key_mismatch")["source"], chain.as_str());

    let encrypted = ground.write("enc.key", pki::pem("ENCRYPTED PRIVATE KEY", b"0123456789"));
    let empty = ground.write("empty.key", "");
    let missing = ground.path("missing.key");
    let garbage = ground.write("garbage.key", pki::pem("PRIVATE KEY", b"0123456789"));
    for (key, code) in [
        (&encrypted, "unreadable"),
        (&empty, "unreadable"),
        (&missing, "unreadable"),
        (&garbage, "key_unusable"),
    ] {
        let report = ground.json(&["--key", key, &chain]);
        assert_eq!((report.code, report.codes()), (3, vec![code]), "{key}");
        assert_eq!(report.finding(code)["source"], key.as_str());
        assert_eq!(
            report.chain(0)["band"],
            "ok",
            "the chain is judged all the same"
        );
    }
    // With several chains, a key belongs to one of them.
    let second = ground.write("second.pem", pki::pem_bundle([&other.der]));
    let report = ground.json(&["--key", &other_key, &chain, &second]);
    assert_eq!((report.code, report.codes()), (0, vec![]));
}

#[test]
fn damaged_files_do_not_hide_the_good_ones() {
    let ground = Ground::new();
    let good = ground.path("chain.pem");
    let whole = pki::pem_bundle([&ground.leaf.der]);
    let truncated = ground.write("truncated.pem", &whole[..whole.len() / 2]);
    let garbage = ground.write("garbage.pem", pki::pem("CERTIFICATE", b"no certificate"));
    let empty = ground.write("empty.pem", "");
    let text = ground.write("text.pem", "nothing to see here\n");
    let missing = ground.path("missing.pem");
    let folder = ground.path("nothing");
    std::fs::create_dir(&folder).unwrap();
    for bad in [&truncated, &garbage, &empty, &text, &missing, &folder] {
        let report = ground.json(&[bad, &good]);
        assert_eq!(
            (report.code, report.codes()),
            (3, vec!["unreadable"]),
            "{bad}"
        );
        let finding = report.finding("unreadable");
        assert_eq!(finding["source"], bad.as_str());
        assert_eq!(report.document["chains"].as_array().unwrap().len(), 1);
        assert_eq!(report.chain(0)["band"], "ok");
        assert_eq!(report.document["severity"], "critical");
        let alone = ground.json(&[bad]);
        assert_eq!(alone.code, 3);
        assert!(alone.document["worst"].is_null(), "silence is not health");
    }
    // Something worse beside it decides.
    let expired = ground.intermediate.leaf(&["a.example"], -90, -1);
    let chain = [&expired.der, &ground.intermediate.der];
    let expired = ground.write("expired.pem", pki::pem_bundle(chain));
    let report = ground.json(&[&truncated, &expired]);
    assert_eq!(report.code, 2);
    assert_eq!(report.finding("expired")["position"], "leaf");
}

#[test]
fn the_head_of_the_text_says_what_is_worst_below_it() {
    let ground = Ground::new();
    let chain = ground.path("chain.pem");
    let other = ground.root.leaf(&["b.example"], -1, 80);
    let key = ground.write("other.key", other.key_pair.serialize_pem());
    let missing = ground.path("missing.pem");
    let (day, end) = (86_400, ground.leaf.certificate().not_after());
    let cases: [(&[&str], i64, &str); 6] = [
        (
            &[&chain],
            -90 * day,
            "1 chain at 2025-12-22T00:00:00Z, worst: ok",
        ),
        (
            &[&chain],
            -30 * day,
            "1 chain at 2026-02-20T00:00:00Z, worst: due",
        ),
        (
            &[&chain],
            1,
            "1 chain at 2026-03-22T00:00:01Z, worst: expired",
        ),
        (
            &[&chain, &missing],
            -90 * day,
            "1 chain at 2025-12-22T00:00:00Z, worst: unreadable (critical)",
        ),
        (
            &["--key", &key, &chain],
            -90 * day,
            "1 chain at 2025-12-22T00:00:00Z, worst: key_mismatch (critical)",
        ),
        (
            &[&missing],
            -90 * day,
            "0 chains at 2025-12-22T00:00:00Z, worst: unreadable (critical)",
        ),
    ];
    for (args, offset, head) in cases {
        let (at, root) = (
            end.saturating_add(offset).to_string(),
            ground.path("root.pem"),
        );
        let output = run(&[&["--at", &at, "--trust", &root], args].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().next(), Some(head), "{text}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_written_is_no_success() {
    let ground = Ground::new();
    let (root, chain) = (ground.path("root.pem"), ground.path("chain.pem"));
    let end = ground.leaf.certificate().not_after();
    let cases = [
        (NOW, 3),
        (end.saturating_add(-15 * 86_400), 3),
        (end.saturating_add(1), 2),
    ];
    for (at, code) in cases {
        for format in ["text", "json", "nagios", "openmetrics"] {
            let mut command = Command::new(binary());
            command.args([
                "--at",
                &at.to_string(),
                "--trust",
                &root,
                "--format",
                format,
                &chain,
            ]);
            let full = std::fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap();
            let output = command.stdout(full).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(code), "{format}");
            assert_eq!(
                said,
                "self_check: the report could not be written: No space left on device (os error 28): \
                 see where standard output goes\n"
            );
        }
    }
    // Nothing at all is judged for the help and the demonstration.
    for args in [&["--help"][..], &[]] {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = Command::new(binary())
            .args(args)
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3), "{args:?}");
    }
    // A reader that has gone away (`| head`) is no reason to fail, nor is a full disk below stderr.
    let mut command = Command::new(binary());
    command.args(["--at", &NOW.to_string(), "--trust", &root, &chain]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let full = || {
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let status = Command::new(binary())
        .arg("--unknown")
        .stderr(full())
        .status();
    assert_eq!(status.unwrap().code(), Some(3));
}

#[test]
fn a_damaged_block_costs_only_itself() {
    let ground = Ground::new();
    let good = pki::pem_bundle([&ground.leaf.der]);
    let cut = &good[..good.len() / 2];
    let bundle = format!(
        "{}\n{cut}\n{}",
        good,
        pki::pem_bundle([&ground.intermediate.der])
    );
    let path = ground.write("bundle.pem", bundle);
    let report = ground.json(&[&path]);
    assert_eq!((report.code, &report.chain(0)["band"]), (3, &"ok".into()));
    let message = report.finding("unreadable")["message"].as_str().unwrap();
    assert!(
        message.contains("block 2") && message.contains("bad_pem"),
        "{message}"
    );
}

#[test]
fn a_private_key_beside_certificates_is_told_and_never_printed() {
    let ground = Ground::new();
    let key = ground.leaf.key_pair.serialize_pem();
    let chain = pki::pem_bundle([&ground.leaf.der, &ground.intermediate.der]);
    let both = ground.write("both.pem", format!("{key}{chain}"));
    let secret = key.lines().nth(1).unwrap();
    for format in ["text", "json", "nagios", "openmetrics"] {
        let root = ground.path("root.pem");
        let output = run(&[
            "--at",
            &NOW.to_string(),
            "--trust",
            &root,
            "--format",
            format,
            &both,
        ]);
        let printed =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(!printed.contains(secret), "{format}");
        assert_eq!(output.status.code(), Some(0));
    }
    assert_eq!(
        ground.json(&[&both]).codes(),
        ["private_key_in_certificate_file"]
    );
    let only_key = ground.path("leaf.key");
    let report = ground.json(&[&only_key]);
    assert_eq!(report.code, 3);
    let message = report.finding("unreadable")["message"].as_str().unwrap();
    assert!(
        message.contains("a private key but no certificate"),
        "{message}"
    );
}

#[test]
fn folders_are_read_whole_and_links_once() {
    let ground = Ground::new();
    // As Kubernetes mounts a secret: ..data links to a dated folder, the names link into ..data.
    let chain = pki::pem_bundle([&ground.leaf.der, &ground.intermediate.der]);
    ground.write("mount/..2026_01_01/tls.crt", &chain);
    ground.write(
        "mount/..2026_01_01/tls.key",
        ground.leaf.key_pair.serialize_pem(),
    );
    ground.write("mount/README.txt", "no certificate, and nobody's fault");
    let mount = ground.path("mount");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink("..2026_01_01", format!("{mount}/..data")).unwrap();
        symlink("..data/tls.crt", format!("{mount}/tls.crt")).unwrap();
        symlink("..data/tls.key", format!("{mount}/tls.key")).unwrap();
        symlink(".", format!("{mount}/circle")).unwrap();
    }
    let report = ground.json(&[&mount]);
    assert_eq!((report.code, report.codes()), (0, vec![]));
    assert_eq!(report.document["chains"].as_array().unwrap().len(), 1);
    assert_eq!(report.chain(0)["source"], format!("{mount}/tls.crt"));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", format!("{mount}/broken.pem")).unwrap();
        let report = ground.json(&[&mount]);
        assert_eq!(report.code, 3);
        let message = report.finding("unreadable")["message"].as_str().unwrap();
        assert!(message.contains("broken_symlink"), "{message}");
    }
}

#[test]
#[cfg(unix)]
fn an_unreadable_file_and_a_pipe_are_findings() {
    use std::os::unix::fs::PermissionsExt as _;
    let ground = Ground::new();
    let secret = ground.write("secret.pem", pki::pem_bundle([&ground.leaf.der]));
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&secret).is_ok() {
        println!("skipped in part: this user may read everything");
    } else {
        let report = ground.json(&[&secret]);
        let message = report.finding("unreadable")["message"].as_str().unwrap();
        assert!(
            report.code == 3 && message.contains("permission_denied"),
            "{message}"
        );
    }
    let pipe = ground.path("pipe.pem");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let report = ground.json(&[&pipe]);
    let message = report.finding("unreadable")["message"].as_str().unwrap();
    assert!(
        report.code == 3 && message.contains("not_a_file"),
        "{message}"
    );
}

#[test]
fn a_file_over_the_limit_is_refused_before_it_is_read() {
    let ground = Ground::new();
    let path = ground.path("large.pem");
    // A hole of 16 MiB and one byte costs nothing to make and would cost to read.
    std::fs::File::create(&path)
        .unwrap()
        .set_len(16 * 1024 * 1024 + 1)
        .unwrap();
    let report = ground.json(&[&path]);
    let message = report.finding("unreadable")["message"].as_str().unwrap();
    assert!(
        report.code == 3 && message.contains("too_large"),
        "{message}"
    );
}

#[test]
fn a_bundle_that_begins_with_a_ca_is_a_collection_judged_by_dates() {
    let ground = Ground::new();
    let old = pki::root("Old Root", -3000, -1);
    let bundle = pki::pem_bundle([
        &ground.root.der,
        &old.der,
        &ground.leaf.der,
        &ground.intermediate.der,
    ]);
    let path = ground.write("bundle.pem", bundle);
    let report = ground.json(&[&path]);
    assert_eq!(report.code, 2);
    let chains = report.document["chains"].as_array().unwrap();
    let summary: Vec<_> = (chains.iter())
        .map(|chain| {
            let position = chain["certificates"][0]["position"].as_str().unwrap();
            (
                position,
                chain["band"].as_str().unwrap(),
                chain["rustls"].is_null(),
            )
        })
        .collect();
    let expected = [
        ("anchor", "ok", true),
        ("anchor", "expired", true),
        // The CA certificates beside it complete the leaf's path.
        ("leaf", "ok", false),
        ("intermediate 0", "ok", true),
    ];
    assert_eq!(summary, expected);
    // A chain taken apart: the leaf alone has no path, so no outlook, and only its dates count.
    let report = ground.json(&["--each", &ground.path("chain.pem")]);
    assert_eq!(
        (
            report.code,
            report.document["chains"].as_array().unwrap().len()
        ),
        (0, 2)
    );
}

#[test]
fn a_chain_that_only_strict_refuses_is_a_warning() {
    let folder = corpora::data("incidents/dst-root-x3-2021/certs");
    let file = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let ground = Ground::new();
    let served = file("leaf.pem") + &file("r3-by-isrg-x1.pem") + &file("isrg-x1-by-dst-x3.pem");
    let served = ground.write("served.pem", served);
    let root = folder.join("dst-x3-root.pem");
    let at = |at| {
        json(&[
            "--at",
            at,
            "--trust",
            root.to_str().unwrap(),
            "--name",
            "corti.li",
            &served,
        ])
    };
    let report = at("2021-10-15T00:00:00Z");
    assert_eq!((report.code, report.codes()), (1, vec!["strict_refuses"]));
    assert_eq!(report.finding("strict_refuses")["severity"], "warning");
    assert_eq!(report.chain(0)["band"], "ok");
    assert_eq!(report.chain(0)["rustls"]["verifies"], true);
    assert_eq!(report.chain(0)["strict"]["verifies"], false);
    let before = at("2021-09-30T14:01:15Z");
    let strict = &before.chain(0)["strict"];
    assert_eq!(strict["effective_not_after"], "2021-09-30T14:01:15Z");
    assert_eq!(strict["limiting"]["position"], "anchor");
    assert_eq!(before.finding("strict_ends_earlier")["position"], "anchor");
}

#[test]
fn an_intermediate_that_ends_before_the_leaf_is_told() {
    let ground = Ground::new();
    let intermediate = ground.root.intermediate("Short CA", -300, 60);
    let leaf = intermediate.leaf(&["a.example"], -10, 80);
    let path = ground.write("short.pem", pki::pem_bundle([&leaf.der, &intermediate.der]));
    let report = ground.json(&[&path]);
    let finding = report.finding("expires_before_leaf");
    assert_eq!(
        (&finding["severity"], &finding["position"]),
        (&"info".into(), &"intermediate 0".into())
    );
    assert_eq!(
        report.chain(0)["rustls"]["limiting"]["position"],
        "intermediate 0"
    );
    assert_eq!(
        report.chain(0)["rustls"]["effective_not_after"],
        pki::days(60).to_string()
    );
    // A CA certificate of 360 days with 60 left is a warning by its own thresholds.
    assert_eq!(
        (report.code, &report.chain(0)["band"]),
        (1, &"warning".into())
    );
}

#[test]
fn trust_files_that_are_empty_or_damaged_are_findings_and_the_others_count() {
    let ground = Ground::new();
    let chain = ground.path("chain.pem");
    let empty = ground.write("empty.pem", "");
    let damaged = ground.write("damaged.pem", pki::pem("CERTIFICATE", b"no certificate"));
    for bad in [&empty, &damaged] {
        let report = ground.json(&["--trust", bad, &chain]);
        assert_eq!(
            (report.code, report.codes()),
            (3, vec!["unusable_anchor"]),
            "{bad}"
        );
        assert_eq!(report.finding("unusable_anchor")["source"], bad.as_str());
        assert_eq!(report.chain(0)["rustls"]["verifies"], true);
        let alone = json(&["--at", &NOW.to_string(), "--trust", bad, &chain]);
        assert_eq!(alone.code, 2, "without any anchor nothing verifies");
        assert!(alone.codes().contains(&"no_trust_anchors"));
    }
}

#[test]
fn mozillas_anchors_judge_a_real_chain() {
    let folder = corpora::data("incidents/isrg-cross-2024-cryptography-io/certs");
    let file = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let ground = Ground::new();
    let served = ground.write("served.pem", file("leaf.pem") + &file("r3-by-isrg-x1.pem"));
    let report = json(&[
        "--mozilla",
        "--at",
        "2023-06-01T00:00:00Z",
        "--name",
        "cryptography.io",
        &served,
    ]);
    assert_eq!((report.code, &report.document["worst"]), (0, &"ok".into()));
    assert_eq!(
        report.chain(0)["rustls"]["effective_not_after"],
        "2023-08-27T18:43:59Z"
    );
    let old = json(&[
        "--mozilla",
        "--list-date",
        "2022-06-01T00:00:00Z",
        "--at",
        "2023-06-01T00:00:00Z",
        &served,
    ]);
    assert_eq!(old.code, 1);
    let finding = old.finding("anchor_list_old");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(
        finding["message"],
        "the list of trust anchors is of 2022-06-01T00:00:00Z, 365 d old: it lacks roots that were added since, and has \
         some that were distrusted; take a newer release of what it comes from"
    );
}

#[test]
fn a_wrong_command_line_exits_with_3_and_says_how() {
    for args in [
        &["--format", "xml", "x.pem"][..],
        &["--at", "yesterday", "x.pem"],
        &["--unknown"],
        &["--at"],
        &["--each"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(3), "{args:?}");
        assert!(output.stdout.is_empty());
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .contains("usage: self_check")
        );
    }
    assert_eq!(run(&["--help"]).status.code(), Some(0));
}

#[test]
fn without_arguments_it_demonstrates_itself() {
    let output = run(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    for part in [
        "intermediate 0 'Example Issuing CA' ends",
        "strict  verifies until",
        "event: ",
        "peer_expiring",
        "The handshake succeeded",
    ] {
        let in_one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(in_one_line.contains(&part), "no '{part}' in\n{text}");
    }
}

#[test]
fn nagios_and_openmetrics_have_their_form() {
    let ground = Ground::new();
    let (root, chain) = (ground.path("root.pem"), ground.path("chain.pem"));
    let at = NOW.to_string();
    let print = |format: &str, at: &str| {
        let output = run(&["--format", format, "--at", at, "--trust", &root, &chain]);
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (code, line) = print("nagios", &at);
    let expected = format!(
        "NOTAFTER OK - 1 chain checked, the first to end is {chain} in 80 d, at 2026-03-22T00:00:00Z \
         | '{chain}'=6912000s;1728000:;864000:\n"
    );
    assert_eq!((code, line), (0, expected));
    let (code, line) = print("nagios", "2026-03-22T00:00:01Z");
    assert_eq!(code, 2);
    assert!(
        line.starts_with("NOTAFTER CRITICAL - ") && line.contains("=-1s;"),
        "{line}"
    );
    assert_eq!(line.lines().count(), 1);

    let (_, text) = print("openmetrics", "2026-03-22T00:00:01Z");
    assert!(text.ends_with("# EOF\n"));
    let sample = |name: &str, label: &str| -> Vec<&str> {
        let lines = text
            .lines()
            .filter(|l| l.starts_with(&format!("{name}{{")) && l.contains(label));
        lines.map(|line| line.rsplit(' ').next().unwrap()).collect()
    };
    // Nothing vanishes at expiry.
    assert_eq!(
        sample("x509_cert_not_after", "position=\"leaf\""),
        ["1774137600"]
    );
    assert_eq!(
        sample("x509_cert_not_before", "position=\"leaf\""),
        ["1766361600"]
    );
    assert_eq!(
        sample("notafter_effective_not_after", "relying_party=\"rustls\""),
        ["0"]
    );
    assert_eq!(
        sample("notafter_chain_verifies", "relying_party=\"strict\""),
        ["0"]
    );
}
