//! The command of the example `pin_rotation`: arguments, exit codes and JSON, which scripts depend
//! on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::ground::{Draft, HOST, day, floor_draft, listed, pin};
use crate::support::pki::NOW;

/// The example's binary, built once: `cargo test --test it` alone would not build it.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| crate::command::example("pin_rotation"))
}

struct Ran {
    code: i32,
    lines: Vec<String>,
    stderr: String,
}

impl Ran {
    fn json(&self, line: usize) -> Value {
        serde_json::from_str(&self.lines[line]).unwrap()
    }
}

fn run(folder: &Path, args: &[&str]) -> Ran {
    let output = Command::new(binary())
        .current_dir(folder)
        .args(args)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    Ran {
        code: output.status.code().unwrap(),
        lines: text.lines().map(str::to_owned).collect(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with a floor and announcements: 11 announces 'P', 12 makes it current and retires 'O'.
fn ground() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    put("floor.json", floor_draft().payload());
    let pins = [listed(b'O', "current"), listed(b'P', "announced")];
    let first = Draft::new(11, NOW, &pins);
    put("11.json", first.signed(&[1, 2]));
    put("unsigned.json", first.signed(&[]));
    let pins = [listed(b'O', "retired"), listed(b'P', "current")];
    put("12.json", Draft::new(12, day(40), &pins).signed(&[2, 3]));
    folder
}

fn apply(folder: &TempDir, at: &str, more: &[&str]) -> Ran {
    let args = [
        "apply",
        "--floor",
        "floor.json",
        "--state",
        "state",
        "--at",
        at,
    ];
    run(folder.path(), &[&args, more].concat())
}

#[test]
fn what_is_applied_is_printed_line_by_line_and_then_what_is_in_force() {
    let folder = ground();
    let ran = apply(&folder, "2026-01-01T00:00:00Z", &["11.json"]);
    assert_eq!((ran.code, ran.lines.len()), (0, 2), "{}", ran.stderr);
    assert_eq!(
        ran.lines[0],
        r#"{"file":"11.json","outcome":"applied","code":null,"reason":null,"version":11}"#
    );
    let expected = format!(
        concat!(
            r#"{{"at":"2026-01-01T00:00:00Z","version":11,"pin_sets":[{{"hosts":["{}"],"pins":["#,
            r#"{{"pin":"{}","state":"current","position":"leaf","accepted":true,"accept_after":null}},"#,
            r#"{{"pin":"{}","state":"announced","position":"leaf","accepted":false,"accept_after":"2026-01-31T00:00:00Z"}},"#,
            r#"{{"pin":"{}","state":"rejected","position":"any","accepted":false,"accept_after":null}}"#,
            r#"]}}]}}"#
        ),
        HOST,
        pin(b'O'),
        pin(b'P'),
        // Compiled in, and listed no more; that lifts nothing.
        pin(b'X')
    );
    assert_eq!(ran.lines[1], expected);

    // Only what is in force, 30 days later, by Unix seconds.
    let ran = apply(&folder, &day(30).as_unix_seconds().to_string(), &[]);
    assert_eq!((ran.code, ran.lines.len()), (0, 1), "{}", ran.stderr);
    let in_force = ran.json(0);
    assert_eq!(in_force["at"], "2026-01-31T00:00:00Z");
    assert_eq!(in_force["pin_sets"][0]["pins"][1]["accepted"], true);

    let ran = apply(&folder, "2026-02-10T00:00:00Z", &["12.json"]);
    assert_eq!((ran.code, &ran.json(0)["version"]), (0, &json!(12)));
    let pins = ran.json(1)["pin_sets"][0]["pins"].clone();
    let told = |n: usize| (pins[n]["state"].clone(), pins[n]["accepted"].clone());
    assert_eq!(told(0), (json!("retired"), json!(false)));
    assert_eq!(told(1), (json!("current"), json!(true)));
    assert_eq!(pins[1]["accept_after"], json!(null));
}

#[test]
fn a_refusal_names_its_code_and_the_version_that_stays_in_force() {
    let folder = ground();
    let more = ["unsigned.json", "12.json", "11.json", "11.json"];
    let ran = apply(&folder, "2026-01-01T00:00:00Z", &more);
    assert_eq!((ran.code, ran.lines.len()), (1, 5));
    let told: Vec<_> = (0..4)
        .map(|n| {
            let line = ran.json(n);
            (
                line["outcome"].clone(),
                line["code"].clone(),
                line["version"].clone(),
            )
        })
        .collect();
    let refused = |code: &str| (json!("refused"), json!(code), json!(10));
    let applied = (json!("applied"), json!(null), json!(11));
    assert_eq!(
        told,
        [
            refused("threshold"),
            refused("not_yet_issued"),
            applied.clone(),
            applied
        ]
    );
    assert!(
        ran.json(0)["reason"]
            .as_str()
            .unwrap()
            .contains("0 of the keys")
    );
}

#[test]
fn the_hold_down_can_be_set_and_what_cannot_be_read_is_3() {
    let folder = ground();
    let ran = apply(
        &folder,
        "2026-01-01T00:00:00Z",
        &["--hold-down", "3600", "11.json"],
    );
    let from = ran.json(1)["pin_sets"][0]["pins"][1]["accept_after"].clone();
    assert_eq!(from, "2026-01-01T01:00:00Z");

    let missing = apply(&folder, "2026-01-01T00:00:00Z", &["none.json"]);
    assert_eq!(
        (missing.code, &missing.json(0)["code"]),
        (3, &json!("unreadable"))
    );
    let at = ["--at", "2026-01-01T00:00:00Z"];
    let cases: [&[&str]; 6] = [
        &["apply"],
        &[
            "apply",
            "--floor",
            "none.json",
            "--state",
            "state",
            at[0],
            at[1],
        ],
        &[
            "apply", "--floor", "11.json", "--state", "state", at[0], at[1],
        ],
        &[
            "apply",
            "--floor",
            "floor.json",
            "--state",
            "11.json",
            at[0],
            at[1],
        ],
        &[
            "apply",
            "--floor",
            "floor.json",
            "--state",
            "state",
            "--at",
            "noon",
        ],
        &[
            "apply",
            "--floor",
            "floor.json",
            "--state",
            "11.json/below",
            at[0],
            at[1],
            "11.json",
        ],
    ];
    for args in cases {
        let ran = run(folder.path(), args);
        assert_eq!(ran.code, 3, "{args:?}");
        assert!(ran.lines.is_empty() && !ran.stderr.is_empty(), "{args:?}");
    }
}

/// Each way of running it, with its output, and then its errors too, on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error_and_no_panic() {
    use std::process::Stdio;
    let folder = ground();
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let apply = [
        "apply",
        "--floor",
        "floor.json",
        "--state",
        "state",
        "--at",
        "2026-01-01T00:00:00Z",
        "11.json",
    ];
    let ways: [&[&str]; 3] = [&[], &["--help"], &apply];
    for args in ways {
        let run = |stderr: Stdio| {
            let mut command = Command::new(binary());
            let command = command.current_dir(folder.path()).args(args);
            command.stdout(full()).stderr(stderr).output().unwrap()
        };
        let output = run(Stdio::piped());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{args:?}: {told}");
        assert!(
            told.contains("the output could not be written"),
            "{args:?}: {told}"
        );
        assert_eq!(run(full().into()).status.code(), Some(3), "{args:?}");
    }
    // A reader that has gone away is none.
    let mut command = Command::new(binary());
    let command = command.current_dir(folder.path()).args(apply);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
