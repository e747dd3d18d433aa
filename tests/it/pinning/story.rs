//! The story that the example `pin_rotation` tells when it is given nothing.

use std::process::Command;

use crate::command::example;

#[test]
fn the_story_is_told_as_it_happened() {
    let output = Command::new(example("pin_rotation")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.lines().count() <= 24, "one screen: {said}");
    let outcome = |what: &str| {
        let line = said.lines().find(|line| line.contains(what));
        let line = line.unwrap_or_else(|| panic!("no '{what}' in {said}"));
        line.split_once(what).unwrap().1.trim().to_owned()
    };
    let expected = [
        ("the server shows its key", "accepted"),
        ("day  0  and again", "accepted, by a resumed session"),
        ("version 2 announces a successor", "applied: version 2"),
        (
            "the server swaps its key too early",
            "REFUSED: its key is announced, accepted from 2026-02-01T00:00:00Z",
        ),
        ("the hold-down is over, the server swaps", "accepted"),
        ("day 31  and again", "accepted, by a resumed session"),
        ("version 3 retires the old key", "applied: version 3"),
        (
            "the session with the old key",
            "REFUSED: its key is not pinned (any more)",
        ),
        ("day 31  the new key", "accepted"),
        (
            "the planted key",
            "REFUSED: its key is not pinned (any more)",
        ),
        ("day 40  the new key", "accepted"),
        (
            "the retired key",
            "REFUSED: its key is not pinned (any more)",
        ),
    ];
    for (what, happened) in expected {
        assert_eq!(outcome(what), happened, "{what}");
    }
    assert!(
        outcome("an announcement by the server's intruder").starts_with("REFUSED (bad_signature)")
    );
    assert!(outcome("an announcement by the stolen key").starts_with("REFUSED (threshold)"));
}
