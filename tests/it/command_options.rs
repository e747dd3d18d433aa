//! The options of the command `self_check` that reach beyond one report of files: standard input,
//! time limits, watching, and what a terminal gets to see.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use time::OffsetDateTime;

use crate::command::binary;
use crate::support::peers::Peer;
use crate::support::pki::{self, NOW};

struct Ground {
    folder: tempfile::TempDir,
    root: pki::Ca,
}

impl Ground {
    /// A root that counts now by any clock of the tests.
    fn new() -> Self {
        let ground = Self {
            folder: tempfile::tempdir().unwrap(),
            root: pki::root("Root", -1000, 9000),
        };
        ground.write("root.pem", &pki::pem_bundle([&ground.root.der]));
        ground
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, contents: &str) {
        std::fs::write(self.path(name), contents).unwrap();
    }

    /// A chain that began and ends so many days from now by the clock.
    fn chain(&self, from: i64, to: i64) -> String {
        let now = OffsetDateTime::now_utc();
        let leaf = self.root.leaf_with(&["a.example"], 0, 0, |params| {
            params.not_before = now + time::Duration::days(from);
            params.not_after = now + time::Duration::days(to);
        });
        pki::pem_bundle([&leaf.der])
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(["--trust", &self.path("root.pem")]).args(args);
        command
    }

    /// What it says to this input.
    fn run(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may not read all of it.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn certificates_come_from_standard_input_too() {
    let ground = Ground::new();
    let leaf = ground.root.leaf(&["a.example"], -10, 80);
    let pem = pki::pem_bundle([&leaf.der]);
    let at = NOW.to_string();
    let json = |input: &[u8]| -> (i32, Value) {
        let output = ground.run(
            &["--at", &at, "--format", "json", "--name", "a.example", "-"],
            input,
        );
        (
            output.status.code().unwrap(),
            serde_json::from_slice(&output.stdout).unwrap(),
        )
    };
    for input in [pem.as_bytes(), leaf.der.as_ref()] {
        let (code, report) = json(input);
        assert_eq!((code, &report["chains"][0]["source"]), (0, &"stdin".into()));
    }
    let said = |report: &Value| {
        report["findings"][0]["message"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (code, report) = json(b"");
    assert_eq!(code, 3);
    assert!(
        said(&report).starts_with("stdin: the file is empty "),
        "{report}"
    );
    let (code, report) = json(&vec![b' '; 16 * 1024 * 1024 + 1]);
    assert_eq!(code, 3);
    let expected = "stdin: over 16777216 bytes, which are the limit (too_large)";
    assert!(said(&report).starts_with(expected), "{report}");

    let twice = ground.run(&["-", "-"], pem.as_bytes());
    assert_eq!(twice.status.code(), Some(3));
    assert!(text(twice.stderr).starts_with("name - once: standard input is read once\n"));
}

#[test]
fn a_look_ends_in_time_whatever_the_endpoint_does() {
    let ground = Ground::new();
    for peer in [Peer::hanging(), Peer::dripping()] {
        let endpoint = peer.endpoint();
        let output = ground.run(&["--timeout", "0.3", "--format", "nagios", &endpoint], b"");
        assert_eq!(output.status.code(), Some(3));
        let expected = format!(
            "NOTAFTER UNKNOWN - {endpoint}: {endpoint}: it accepted the connection, and showed no certificate within \
             0.3 s (connection); look whether it hangs; `--timeout SECONDS` waits longer\n"
        );
        assert_eq!(text(output.stdout), expected);
    }
    for wrong in ["0", "-1", "soon", "inf", "1e400"] {
        let output = ground.run(&["--timeout", wrong, "127.0.0.1:1"], b"");
        assert_eq!(output.status.code(), Some(3), "{wrong}");
        assert!(output.stdout.is_empty(), "{wrong}");
    }
}

#[test]
fn endpoints_that_hang_hold_up_few_others() {
    // Each answers once all of them are asked.
    let listeners: Vec<_> = (0..16)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
        .collect();
    let endpoints: Vec<_> = listeners
        .iter()
        .map(|listener| format!("127.0.0.1:{}", listener.local_addr().unwrap().port()))
        .collect();
    let answering = std::thread::spawn(move || {
        let streams: Vec<_> = listeners
            .iter()
            .map(|listener| listener.accept().unwrap().0)
            .collect();
        for mut stream in streams {
            stream.write_all(b"220 mail.example ESMTP\r\n").unwrap();
            let _ = stream.read(&mut [0; 4096]);
        }
    });
    let args: Vec<_> = ["--timeout", "60"]
        .into_iter()
        .chain(endpoints.iter().map(String::as_str))
        .collect();
    let output = text(Ground::new().run(&args, b"").stdout);
    answering.join().unwrap();
    let told = output.matches("say `--starttls smtp`").count();
    let in_order: Vec<_> = output
        .lines()
        .filter_map(|line| line.strip_prefix("  critical  unreadable "))
        .collect();
    assert_eq!(
        (told, in_order),
        (16, endpoints.iter().map(String::as_str).collect()),
        "{output}"
    );
}

/// A command that is watching, ended when it is dropped.
struct Watching {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Watching {
    fn begin(mut command: Command) -> Self {
        let mut child = command
            .arg("--watch")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[cfg(unix)]
fn watching_prints_events_until_a_signal_ends_it() {
    use std::os::unix::process::ExitStatusExt as _;
    let ground = Ground::new();
    let path = ground.path("tls.pem");
    for (format, is_json) in [("text", false), ("json", true)] {
        ground.write("tls.pem", &ground.chain(-90, -1));
        let mut watching =
            Watching::begin(ground.command(&["--every", "1", "--format", format, &path]));
        let mut event = |code: &str, severity: &str| {
            let line = watching.next();
            if is_json {
                let event: Value = serde_json::from_str(&line).unwrap();
                assert_eq!(
                    (&event["code"], &event["severity"]),
                    (&code.into(), &severity.into())
                );
                assert_eq!(event["source"], path.as_str());
            } else {
                assert!(
                    line.contains(&format!(" {severity} {code}: {path}")),
                    "{line}"
                );
            }
        };
        event("expired", "critical");
        // As a renewal goes: in one step.
        ground.write("renewed.pem", &ground.chain(-1, 89));
        std::fs::rename(ground.path("renewed.pem"), &path).unwrap();
        event("recovered", "info");

        let pid = watching.child.id().to_string();
        assert!(
            // The shell's own: a machine may have no other.
            Command::new("sh")
                .args(["-c", &format!("kill -TERM {pid}")])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(watching.child.wait().unwrap().signal(), Some(15));
        let mut said = String::new();
        watching
            .child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(
            said,
            "self_check: 1 watched, events follow until a signal ends it\n"
        );
    }
}

#[test]
fn watching_names_what_it_cannot_trust_and_does_not_begin_without_anybody_to_trust() {
    let ground = Ground::new();
    ground.write("tls.pem", &ground.chain(-90, -1));
    let (path, missing) = (ground.path("tls.pem"), ground.path("missing.pem"));
    let complaint = format!("self_check: trust anchor {missing} cannot be used: ");
    let mut alone = Command::new(binary());
    let alone = alone.args(["--watch", "--trust", &missing, &path]).output();
    let alone = alone.unwrap();
    let said = text(alone.stderr);
    assert_eq!(alone.status.code(), Some(3), "{said}");
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].starts_with(&complaint), "{said}");
    assert!(
        lines[1].starts_with("self_check: there is no trust anchor to judge by"),
        "{said}"
    );

    let mut watching = Watching::begin(ground.command(&["--trust", &missing, &path]));
    assert!(watching.next().contains(" critical expired"));
    watching.child.kill().unwrap();
    let mut said = String::new();
    let mut stderr = watching.child.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert!(
        said.starts_with(&complaint) && said.contains("\nself_check: 1 watched"),
        "{said}"
    );
}

#[test]
fn watching_ends_when_nobody_reads_any_more_and_is_no_success_when_it_cannot_write() {
    let ground = Ground::new();
    ground.write("tls.pem", &ground.chain(-90, -1));
    let path = ground.path("tls.pem");
    let mut child = ground
        .command(&["--watch", &path])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    #[cfg(target_os = "linux")]
    {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = ground
            .command(&["--watch", &path])
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3));
        let said = text(output.stderr);
        assert!(
            said.contains("an event could not be written: No space left on device"),
            "{said}"
        );
    }
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    let ground = Ground::new();
    let cases: [(&[&str], &str); 9] = [
        (
            &["--dates-only", "x"],
            "--dates-only does not go with --trust or --mozilla: leave one of them out",
        ),
        (
            &["--watch", "-"],
            "--watch does not go with -: leave one of them out",
        ),
        (
            &["--watch", "--at", "0", "x"],
            "--watch does not go with --at: leave one of them out",
        ),
        (
            &["--watch", "--each", "x"],
            "--watch does not go with --each: leave one of them out",
        ),
        (
            &["--watch", "--key", "x", "x"],
            "--watch does not go with --key: leave one of them out",
        ),
        (
            &["--watch", "--fail-on", "expired", "x"],
            "--watch does not go with --fail-on: leave one of them out",
        ),
        (
            &["--watch", "--format", "nagios", "x"],
            "--watch does not go with --format other than text or json: leave one of them out",
        ),
        (&["--every", "5", "x"], "--every is for --watch: give both"),
        (
            &["--starttls", "pop3", "x"],
            "'pop3' is no protocol with STARTTLS",
        ),
    ];
    for (args, expected) in cases {
        let output = ground.run(args, b"");
        assert_eq!(output.status.code(), Some(3), "{args:?}");
        let said = text(output.stderr);
        assert!(
            said.contains(expected) && said.contains("usage: self_check"),
            "{args:?}: {said}"
        );
    }
}

/// Runs it with a terminal for standard output and standard error, by `script` of util-linux.
#[cfg(target_os = "linux")]
fn on_a_terminal(command: &Command, environment: &[(&str, &str)]) -> Option<String> {
    let quoted =
        |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap().replace('\'', "'\\''"));
    let words: Vec<_> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(quoted)
        .collect();
    let run = Command::new("script")
        .args(["-qec", &words.join(" "), "/dev/null"])
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output();
    match run {
        Ok(output) => Some(text(output.stdout)),
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "script is missing: {error}"
            );
            println!("skipped: script is missing ({error})");
            None
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn severities_have_colours_on_a_terminal_unless_somebody_objects() {
    let ground = Ground::new();
    ground.write("tls.pem", &ground.chain(-90, -1));
    ground.write("ok.pem", &ground.chain(-1, 89));
    let (path, ok) = (ground.path("tls.pem"), ground.path("ok.pem"));
    let Some(said) = on_a_terminal(&ground.command(&[&path]), &[]) else {
        return;
    };
    assert!(
        said.contains(", worst: \u{1b}[31mexpired\u{1b}[0m\r\n"),
        "{said:?}"
    );
    assert!(
        said.contains("\r\n  \u{1b}[31mcritical\u{1b}[0m  expired "),
        "{said:?}"
    );
    let said = on_a_terminal(&ground.command(&[&ok]), &[]).unwrap();
    assert!(
        said.contains(", worst: \u{1b}[32mok\u{1b}[0m\r\n"),
        "{said:?}"
    );
    for environment in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "")] {
        let said = on_a_terminal(&ground.command(&[&path]), &[environment]).unwrap();
        assert!(!said.contains('\u{1b}'), "{environment:?}: {said:?}");
    }
    for format in ["json", "nagios", "openmetrics"] {
        let said = on_a_terminal(&ground.command(&["--format", format, &path]), &[]).unwrap();
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
    // And none where it is no terminal.
    let said = text(ground.run(&[&path], b"").stdout);
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_long_look_says_on_a_terminal_how_far_it_is() {
    let ground = Ground::new();
    let peer = Peer::hanging();
    let endpoint = peer.endpoint();
    let slow = ground.command(&["--timeout", "4", &endpoint]);
    let Some(said) = on_a_terminal(&slow, &[("NO_COLOR", "1")]) else {
        return;
    };
    let line = format!("\r\u{1b}[K0 of 1 done, now {endpoint}");
    assert!(said.contains(&line), "{said:?}");
    // It is taken away before the report.
    let (_, report) = said.rsplit_once("\r\u{1b}[K").unwrap();
    assert!(report.starts_with("0 chains at "), "{said:?}");
    // What is over soon, and what nobody sees, shows none.
    ground.write("ok.pem", &ground.chain(-1, 89));
    let output = ground.run(
        &["--timeout", "0.1", &endpoint, &ground.path("ok.pem")],
        b"",
    );
    assert_eq!(text(output.stderr), "");
}

#[test]
fn the_help_fits_a_terminal() {
    let help = text(
        Command::new(binary())
            .arg("--help")
            .output()
            .unwrap()
            .stdout,
    );
    for line in help.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    // Every option of it is in the documents, too.
    let documents = include_str!("../../docs/SELF-CHECK.md");
    let options = help
        .split_whitespace()
        .filter(|word| word.starts_with("--"));
    let mut count = 0;
    for option in options {
        count += 1;
        let option = option.trim_end_matches([',', ':', ';']);
        assert!(
            documents.contains(&format!("`{option}")),
            "{option} is not documented"
        );
    }
    assert!(count >= 13, "{help}");
}
