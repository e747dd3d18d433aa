//! The commands of the document, run as they stand there.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use notafter::announce::{AnnouncementError, PinFloor};
use notafter::{SpkiPin, Timestamp};

use super::ground::{DAY, Ground};
use super::vectors::blocks;
use crate::support::tools::tool;

/// Up to the announcement of version 11, signed by both.
const ANNOUNCED: [&str; 6] = ["tools", "keys", "servers", "floor", "announce", "review"];

/// The only block of this name.
fn block(name: &str) -> String {
    let [only] = blocks(&format!("run: {name}"))
        .try_into()
        .unwrap_or_else(|found| panic!("{name}: {found:?}"));
    only
}

/// Runs blocks one after the other, in one shell.
fn shell(shell: &str, folder: &Path, script: &[String]) -> Output {
    Command::new(shell)
        .args(["-c", &script.join("\n")])
        .current_dir(folder)
        .output()
        .unwrap()
}

fn run(folder: &Path, names: &[&str]) {
    let script: Vec<_> = names.iter().map(|name| block(name)).collect();
    let output = shell("sh", folder, &script);
    assert!(
        output.status.success(),
        "{names:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn at(instant: &str) -> Timestamp {
    instant.parse().unwrap()
}

/// A device with the floor of the folder, that has heard of version 11 at once.
struct Device {
    folder: tempfile::TempDir,
    ground: Ground,
}

impl Device {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), &ANNOUNCED);
        let floor = fs::read(folder.path().join("floor.json")).unwrap();
        let floor = PinFloor::from_json(&floor).unwrap();
        let start = floor.issued();
        let ground = Ground::on(floor, None, start);
        Self { folder, ground }
    }

    fn apply(&self, name: &str, now: Timestamp) -> Result<Vec<&'static str>, AnnouncementError> {
        let file = self.folder.path().join(name);
        let applied = self.ground.store.apply_file(file, now)?;
        Ok(applied
            .notices
            .iter()
            .map(notafter::announce::StoreNotice::as_str)
            .collect())
    }

    /// The accepted ones of these keys.
    fn accepted(&self, now: Timestamp) -> Vec<&'static str> {
        let accepted = |name: &&str| {
            let Ok(pem) = fs::read(self.folder.path().join(format!("{name}.pub.pem"))) else {
                return false;
            };
            let pin = SpkiPin::from_pem(&pem).unwrap();
            let mut pins = self.ground.pins().into_iter();
            pins.any(|listed| listed.key == pin && listed.is_accepted(now))
        };
        let names = ["server", "backup", "successor", "spare"];
        names.into_iter().filter(accepted).collect()
    }
}

#[test]
fn what_the_document_says_signs_an_announcement_that_is_applied() {
    if tool("openssl").is_none() {
        return;
    }
    let script = [block("tools"), block("announce")].join("\n");
    assert!(script.contains("pkeyutl") && script.contains("dgst -sha256 -sign"));
    let device = Device::new();
    let early = device.apply("announcement-11.json", at("2026-01-01T00:00:00Z"));
    assert_eq!(early.unwrap_err().code(), "not_yet_issued");
    let seen = at("2026-02-01T12:00:00Z");
    let told = device.apply("announcement-11.json", seen).unwrap();
    assert_eq!(told, ["announcement_applied", "pin_successor_pending"]);
    let ripe = seen.saturating_add(30 * DAY);
    assert_eq!(
        device.accepted(ripe.saturating_add(-1)),
        ["server", "backup"]
    );
    assert_eq!(device.accepted(ripe), ["server", "backup", "successor"]);
    // What openssl verifies is what was signed.
    run(device.folder.path(), &["tools", "verify"]);
    let read = |name: &str| fs::read(device.folder.path().join(name)).unwrap();
    assert_eq!(read("received.json"), read("payload-11.json"));
}

#[test]
fn a_changed_envelope_or_payload_is_verified_by_nobody() {
    if tool("openssl").is_none() {
        return;
    }
    let device = Device::new();
    let file = device.folder.path().join("announcement-11.json");
    let genuine = fs::read_to_string(&file).unwrap();
    let (head, tail) = genuine.split_once("\"payload\":\"ey").unwrap();
    fs::write(&file, format!("{head}\"payload\":\"eY{tail}")).unwrap();
    let output = shell(
        "sh",
        device.folder.path(),
        &[block("tools"), block("verify")],
    );
    assert!(!output.status.success());

    // A pin is exchanged between the first signature and the second, or a fourth one put in.
    let payload = device.folder.path().join("payload-11.json");
    let genuine = fs::read_to_string(&payload).unwrap();
    let successor = fs::read(device.folder.path().join("successor.pub.pem")).unwrap();
    let successor = SpkiPin::from_pem(&successor).unwrap().to_string();
    let planted = SpkiPin::from_spki_der(b"planted").to_string();
    for changed in [
        genuine.replace(&successor, &planted),
        genuine.replace(
            "\"pins\": [",
            &format!("\"pins\": [{{\"pin\": \"{planted}\", \"state\": \"current\"}},"),
        ),
    ] {
        assert_ne!(changed, genuine);
        fs::write(&payload, changed).unwrap();
        // Also where the first signer did sign it.
        for signed in [false, true] {
            let sign = if signed {
                "sign payload-11.json key-1"
            } else {
                ""
            };
            let script = [block("tools"), sign.to_owned(), block("review")];
            let output = shell("sh", device.folder.path(), &script);
            assert!(!output.status.success(), "{signed}");
        }
    }
}

#[test]
fn promotion() {
    if tool("openssl").is_none() {
        return;
    }
    let device = Device::new();
    device
        .apply("announcement-11.json", at("2026-02-01T12:00:00Z"))
        .unwrap();
    run(device.folder.path(), &["tools", "promote"]);
    let now = at("2026-03-10T12:00:00Z");
    let due = device.ground.store.tick(now);
    assert_eq!(due[0].as_str(), "pin_successor_due");
    let told = device.apply("announcement-12.json", now).unwrap();
    assert!(told.contains(&"pin_successor_promoted"), "{told:?}");
    assert!(!told.contains(&"announcement_forked"), "{told:?}");
    assert_eq!(device.accepted(now), ["backup", "successor"]);
}

#[test]
fn withdrawal() {
    if tool("openssl").is_none() {
        return;
    }
    let device = Device::new();
    device
        .apply("announcement-11.json", at("2026-02-01T12:00:00Z"))
        .unwrap();
    run(device.folder.path(), &["tools", "withdraw"]);
    let told = device.apply("announcement-12.json", at("2026-02-10T12:00:00Z"));
    assert_eq!(
        told.unwrap(),
        ["announcement_applied", "pin_successor_withdrawn"]
    );
    assert_eq!(
        device.accepted(at("2026-04-10T00:00:00Z")),
        ["server", "backup"]
    );
}

#[test]
fn emergency() {
    if tool("openssl").is_none() {
        return;
    }
    let device = Device::new();
    device
        .apply("announcement-11.json", at("2026-02-01T12:00:00Z"))
        .unwrap();
    run(device.folder.path(), &["tools", "emergency"]);
    let now = at("2026-02-10T12:00:00Z");
    let told = device.apply("announcement-12.json", now).unwrap();
    assert!(told.contains(&"announcement_emergency"), "{told:?}");
    assert_eq!(device.accepted(now), ["backup", "spare"]);
}

#[test]
fn handover() {
    if tool("openssl").is_none() {
        return;
    }
    let device = Device::new();
    device
        .apply("announcement-11.json", at("2026-02-01T12:00:00Z"))
        .unwrap();
    run(device.folder.path(), &["tools", "handover"]);
    let now = at("2026-02-10T12:00:00Z");
    let told = device.apply("announcement-12.json", now).unwrap();
    assert!(told.contains(&"authority_pending"), "{told:?}");
    let told = device.ground.store.tick(now.saturating_add(30 * DAY));
    assert!(
        told.iter()
            .any(|notice| notice.as_str() == "authority_changed")
    );
}

/// A pin is that of the key, whatever holds it; and of anything else there is none.
#[test]
fn the_pin_command_takes_keys_and_certificates_and_fails_for_all_else() {
    if tool("openssl").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["tools", "keys", "servers"]);
    let key = fs::read(folder.path().join("server.pub.pem")).unwrap();
    let expected = SpkiPin::from_pem(&key).unwrap().to_string();
    fs::write(folder.path().join("empty.pem"), b"").unwrap();
    fs::write(folder.path().join("garbage.pem"), b"garbage\n").unwrap();
    let torn = &key[..key.len() / 2];
    fs::write(folder.path().join("torn.pem"), torn).unwrap();
    for name in ["sh", "bash"] {
        if tool(name).is_none() {
            continue;
        }
        let with = |line: &str| {
            let script = [block("tools"), line.to_owned(), "echo went on".to_owned()];
            shell(name, folder.path(), &script)
        };
        for file in ["server.pem", "server.pub.pem", "server.crt.pem"] {
            let output = with(&format!("it=$(pin {file})\nprintf '%s ' \"$it\""));
            let text = String::from_utf8(output.stdout).unwrap();
            assert_eq!(text, format!("{expected} went on\n"), "{name} {file}");
        }
        for file in ["sever.pem", "empty.pem", "garbage.pem", "torn.pem", "."] {
            let output = with(&format!("it=$(pin {file})"));
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(
                !output.status.success() && text.is_empty(),
                "{name} {file}: {text}"
            );
            assert!(!output.stderr.is_empty(), "{name} {file}");
        }
        // A private key gets into no floor.
        for file in ["key-1.pem", "key-9.pub.pem", "server.crt.pem"] {
            let output = with(&format!("it=$(public_key {file})"));
            assert!(!output.status.success(), "{name} {file}");
        }
    }
}

/// Each block, with each file that it needs missing in its turn: it fails, and leaves no envelope and
/// no floor behind.
#[test]
fn no_block_goes_on_without_a_file_that_it_needs() {
    if tool("openssl").is_none() {
        return;
    }
    let needed: [(&str, &[&str], &str); 7] = [
        (
            "floor",
            &["server.crt", "backup.pub", "key-1.pub", "key-4.pub"],
            "floor.json",
        ),
        (
            "announce",
            &["server.crt", "backup.pub", "successor.pub", "key-1"],
            "payload-11.json.key-1.sig",
        ),
        (
            "review",
            &["key-1.pub", "key-4", "successor.pub"],
            "announcement-11.json",
        ),
        (
            "promote",
            &[
                "server.crt",
                "backup.pub",
                "successor.pub",
                "key-2",
                "key-2.pub",
            ],
            "announcement-12.json",
        ),
        (
            "withdraw",
            &["server.crt", "backup.pub", "key-1"],
            "announcement-12.json",
        ),
        (
            "emergency",
            &["server.crt", "backup.pub", "key-4"],
            "announcement-12.json",
        ),
        (
            "handover",
            &["server.crt", "backup.pub", "key-1"],
            "announcement-12.json",
        ),
    ];
    let device = Device::new();
    for (name, files, made) in needed {
        for file in files {
            let path = device.folder.path().join(format!("{file}.pem"));
            let made = device.folder.path().join(made);
            let aside = device.folder.path().join("aside");
            let _ = fs::remove_file(&made);
            fs::rename(&path, &aside).unwrap();
            let output = shell("sh", device.folder.path(), &[block("tools"), block(name)]);
            fs::rename(&aside, &path).unwrap();
            assert!(!output.status.success(), "{name} without {file}");
            let left = fs::read(&made).unwrap_or_default();
            assert!(left.is_empty(), "{name} without {file}");
        }
        run(device.folder.path(), &["tools", name]);
    }
}
