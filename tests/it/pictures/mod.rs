//! The report as a picture: SVG, and a timeline for terminals.

mod limits;
mod reports;
mod svg;
mod timeline;

use std::path::Path;
use std::process::{Command, Stdio};

use notafter::self_check::Theme;

use crate::support::pki::{self, NOW};
use reports::{addtrust, blind, check, empty, fleet, small};

#[test]
fn nothing_and_nothing_but_failures_have_pictures_that_say_so() {
    let cases = [
        (
            empty(),
            vec![
                "nothing was judged at 2026-01-01T00:00:00Z",
                "nothing was checked: give it a chain, a file or a folder",
            ],
        ),
        (
            blind(),
            vec![
                "no certificate was judged: see the findings",
                "unreadable 10.0.0.7:443",
                "connection refused",
            ],
        ),
    ];
    for (report, expected) in cases {
        for text in [report.to_svg(Theme::Auto), report.to_timeline(80)] {
            for part in &expected {
                assert!(text.contains(part), "no '{part}' in {text}");
            }
            assert!(!text.contains("next cliff"), "there is nothing to explain");
        }
    }
}

#[test]
fn what_fails_now_and_what_fails_next_stand_first() {
    let report = fleet();
    let text = report.to_timeline(400);
    let lines: Vec<_> = text.lines().take(3).collect();
    assert_eq!(lines[0], "14 chains at 2026-01-01T00:00:00Z, worst: broken");
    assert!(
        lines[1]
            .starts_with("3 fail now, the worst: stranger.pem: the issuer of leaf, 'Nobody', is "),
        "{text}"
    );
    assert_eq!(
        lines[2],
        "next failure in 8 d, at 2026-01-09T00:00:01Z: critical.example:443 goes dark when its leaf \
         'critical.example' ends at 2026-01-09T00:00:00Z"
    );
    // And the worst chain first.
    let svg = report.to_svg(Theme::Light);
    let place = |source: &str| svg.find(&format!(">{source}</text>")).unwrap();
    let order = [
        "stranger.pem",
        "expired.example:443",
        "later.example:443",
        "critical.example:443",
        "gap.pem",
        "due.example:443",
        "old.pem",
        "ok.example:443",
    ];
    let places: Vec<_> = order.iter().map(|source| place(source)).collect();
    assert!(places.is_sorted(), "{places:?}");
    // Above what looks fine: what could not be read.
    let mut report = small();
    report.findings = blind().findings;
    let title = "1 chain at 2026-01-01T00:00:00Z, worst: unreadable (critical)";
    for text in [report.to_svg(Theme::Light), report.to_timeline(80)] {
        assert!(text.contains(title), "{text}");
    }
}

#[test]
fn the_pictures_of_the_documents_are_what_is_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let report = addtrust();
    let page = std::fs::read_to_string(root.join("docs/SELF-CHECK.md")).unwrap();
    let timeline = report.to_timeline(80);
    assert!(
        page.contains(&format!("```text\n{timeline}```\n")),
        "docs/SELF-CHECK.md should hold\n{timeline}"
    );
    let svg = report.to_svg(Theme::Auto);
    let drawn = root.join("target/self-check.svg");
    let kept = std::fs::read_to_string(root.join("docs/self-check.svg")).unwrap_or_default();
    if svg != kept {
        std::fs::write(&drawn, &svg).unwrap();
        panic!(
            "docs/self-check.svg is another picture: look at target/self-check.svg, and copy it there"
        );
    }
}

#[test]
fn the_command_draws_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf(&["a.example"], -30, 60);
    std::fs::write(path("root.pem"), pki::pem_bundle([&root.der])).unwrap();
    std::fs::write(path("chain.pem"), pki::pem_bundle([&leaf.der])).unwrap();
    let print = |format: &str, columns: Option<&str>| {
        let mut command = Command::new(crate::command::example("self_check"));
        command.args(["--format", format, "--at", &NOW.to_string(), "--trust"]);
        command.args([path("root.pem"), path("chain.pem")]);
        command
            .env_remove("COLUMNS")
            .envs(columns.map(|n| ("COLUMNS", n)));
        let output = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let report = check(pki::anchors([&root]))
        .with_path(path("chain.pem"))
        .at(NOW)
        .build()
        .unwrap()
        .run();
    assert_eq!(print("svg", None), report.to_svg(Theme::Auto));
    for (columns, width) in [
        (None, 80),
        (Some("60"), 60),
        (Some("120"), 120),
        (Some("x"), 80),
    ] {
        assert_eq!(print("timeline", columns), report.to_timeline(width));
    }
}
