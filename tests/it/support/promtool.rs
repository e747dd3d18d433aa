//! Prometheus's own judge of metrics, configurations and rules.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Whether Debian's package `prometheus` is there. Where everything must run, it must be.
pub fn is_there(program: &str) -> bool {
    let there = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !there {
        assert!(
            std::env::var_os("CI").is_none(),
            "{program} is missing: install prometheus"
        );
        println!("skipped: {program} is not installed");
    }
    there
}

/// Runs it over this input, and gives whether it is content and what it says.
pub fn promtool(args: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new("promtool")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}
