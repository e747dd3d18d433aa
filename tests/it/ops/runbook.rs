//! The runbook: an entry for whatever can wake somebody, and commands that can be typed.

use std::collections::BTreeSet;
use std::process::Command;

use notafter::EventCode;
use notafter::event::Runbook;

use crate::guide;
use crate::support::tools;

const RUNBOOK: &str = include_str!("../../../docs/ops/RUNBOOK.md");

/// What is found on machines of those who are on call.
const PROGRAMS: [&str; 39] = [
    "amtool",
    "apt-get",
    "ausearch",
    "awk",
    "base64",
    "cargo",
    "certbot",
    "chmod",
    "chronyc",
    "cp",
    "curl",
    "cut",
    "date",
    "df",
    "dig",
    "dmesg",
    "eu-stack",
    "findmnt",
    "grep",
    "head",
    "journalctl",
    "keytool",
    "ls",
    "namei",
    "od",
    "openssl",
    "promtool",
    "self_check",
    "sed",
    "sort",
    "ss",
    "sudo",
    "systemctl",
    "tail",
    "timedatectl",
    "timeout",
    "touch",
    "uniq",
    "wc",
];

/// The part of an entry, from its heading to the next.
fn entry(heading: &str) -> &'static str {
    let start = format!("\n### {heading}\n");
    let (_, rest) = RUNBOOK
        .split_once(&start)
        .unwrap_or_else(|| panic!("no entry: {heading}"));
    rest.split("\n#").next().unwrap()
}

/// What is between fences.
fn blocks(text: &str) -> Vec<&str> {
    let fenced = text.split("```sh\n").skip(1);
    fenced
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// The queries that it says to ask Prometheus.
pub fn queries() -> Vec<String> {
    let asked = RUNBOOK
        .split("promtool query instant \"$PROMETHEUS\" '")
        .skip(1);
    asked
        .map(|rest| rest.split('\'').next().unwrap().to_owned())
        .collect()
}

fn all_entries() -> Vec<String> {
    let events = EventCode::ALL.iter();
    let events = events.map(|code| format!("Event `{code}`"));
    let findings = guide::finding_codes().into_iter();
    let findings = findings.map(|code| format!("Finding `{code}`"));
    let alerts = include_str!("../../../docs/ops/alerts.yml");
    let alerts = alerts.split("- alert: ").skip(1);
    let alerts = alerts.map(|rest| format!("Alert `{}`", rest.lines().next().unwrap()));
    events.chain(findings).chain(alerts).collect()
}

#[test]
fn every_event_finding_and_alert_has_an_entry_with_what_it_means_what_to_do_and_what_to_type() {
    let entries = all_entries();
    for heading in &entries {
        let entry = entry(heading);
        for part in ["**Means.** ", "**Look.** ", "**Do.** "] {
            let lines = entry.lines().filter(|line| line.starts_with(part));
            assert_eq!(lines.count(), 1, "{heading}: {part}");
        }
        let typed = blocks(entry);
        assert!(
            typed.iter().any(|block| !block.trim().is_empty()),
            "{heading}"
        );
    }
    let headings = RUNBOOK.lines().filter_map(|line| line.strip_prefix("### "));
    let known: BTreeSet<_> = entries.iter().map(String::as_str).collect();
    for heading in headings {
        assert!(known.contains(heading), "there is no {heading}");
    }
}

#[test]
fn the_url_of_every_event_leads_to_its_entry() {
    let anchors = guide::anchors(RUNBOOK);
    assert_eq!(guide::pages()["runbook"], "docs/ops/RUNBOOK.md");
    for code in EventCode::ALL {
        let url = Runbook::default().url(*code);
        let (page, anchor) = url.split_once('#').unwrap();
        let expected = "https://docs.rs/notafter/latest/notafter/guide/runbook/index.html";
        assert_eq!(page, expected);
        assert!(anchors.iter().any(|there| there == anchor), "{anchor}");
    }
}

#[test]
fn what_the_runbook_says_to_type_is_known_to_a_shell_and_names_what_exists() {
    let usage = include_str!("../../../examples/self_check/args.rs");
    let blocks = blocks(RUNBOOK);
    let script = blocks.concat();
    let (good, said) = tools::run_with(Command::new("sh").arg("-n"), &script);
    assert!(good, "{said}");
    let given: BTreeSet<_> = blocks[0]
        .split_whitespace()
        .map(|word| word.split('=').next().unwrap())
        .collect();
    assert!(given.len() >= 10, "{given:?}");
    let mut options = 0;
    for line in script.lines().skip(blocks[0].lines().count()) {
        for variable in line.split("\"$").skip(1) {
            let end = variable.find(|c: char| !c.is_ascii_uppercase() && c != '_');
            let name = &variable[..end.unwrap_or(variable.len())];
            assert!(given.contains(name) || name.is_empty(), "{name} in {line}");
        }
        let program = line.split([' ', ';']).next().unwrap();
        assert!(PROGRAMS.contains(&program), "{program} in {line}");
        if program == "self_check" {
            for option in line
                .split_whitespace()
                .filter(|word| word.starts_with("--"))
            {
                options += 1;
                assert!(
                    usage.contains(&format!("  {option} ")),
                    "{option} in {line}"
                );
            }
        }
    }
    assert!(options >= 10, "the commands were not read: {options}");
}
