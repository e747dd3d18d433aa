//! The commands of the document, run as they stand there.

use std::fs;
use std::process::Command;

use notafter::{AnnouncementError, PinFloor};

use super::ground::{DAY, Ground};
use super::vectors::blocks;

#[test]
fn what_the_document_says_signs_an_announcement_that_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let script = blocks("run").join("\n");
    assert!(script.contains("pkeyutl") && script.contains("dgst -sha256 -sign"));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();

    let floor = PinFloor::from_json(&read("floor.json")).unwrap();
    let start = floor.issued();
    let ground = Ground::on(floor, None, start);
    let announcement = read("announcement.json");
    let early = ground.store.apply(&announcement, start).unwrap_err();
    assert!(
        matches!(early, AnnouncementError::NotYetIssued { .. }),
        "{early}"
    );
    let seen = "2026-02-01T12:00:00Z"
        .parse::<notafter::Timestamp>()
        .unwrap();
    ground.store.apply(&announcement, seen).unwrap();
    let accepted = |now| {
        ground
            .pins()
            .iter()
            .filter(|pin| pin.is_accepted(now))
            .count()
    };
    assert_eq!(accepted(seen.saturating_add(30 * DAY - 1)), 2);
    assert_eq!(accepted(seen.saturating_add(30 * DAY)), 3);

    // The pin that the commands computed is the one that we compute.
    let key = Command::new("openssl")
        .args(["pkey", "-in", "successor.pem", "-pubout"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let pin = notafter::SpkiPin::of_pem(&key.stdout).unwrap();
    assert_eq!(ground.pins()[2].pin, pin);
}
