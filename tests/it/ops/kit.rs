//! The files under `docs/ops/`: what they ask for is there, and what they say leads somewhere.

use std::collections::BTreeSet;

use super::exported;
use crate::guide;
use crate::support::promtool::{is_there, promtool};

const ALERTS: &str = include_str!("../../../docs/ops/alerts.yml");
const RECORDS: &str = include_str!("../../../docs/ops/records.yml");
const RUNBOOK: &str = include_str!("../../../docs/ops/RUNBOOK.md");

/// Where the kit lies.
pub fn file(name: &str) -> String {
    format!("{}/docs/ops/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What Prometheus makes itself.
const OF_PROMETHEUS: [&str; 2] = ["up", "ALERTS"];

/// The metrics that are ours, or that a rule records, in a text.
fn asked_for(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = text.split(|c| !is_part(c));
    let metrics = words.filter(|word| {
        let ours = word.starts_with("notafter_") || word.starts_with("x509_cert_");
        ours || word.contains(':') && !word.starts_with(':') && !word.ends_with(':')
    });
    metrics.map(str::to_owned).collect()
}

/// The series that `records.yml` makes.
fn recorded() -> BTreeSet<String> {
    let records = RECORDS.split("- record: ").skip(1);
    let names = records.map(|rest| rest.lines().next().unwrap().to_owned());
    names.collect()
}

/// The expressions of rules, without their comments and texts.
fn expressions(rules: &str) -> String {
    let mut kept = String::new();
    for rule in rules.split("expr:").skip(1) {
        let end = rule.find("\n    for:").or(rule.find("\n    labels:"));
        let end = end.or(rule.find("\n  - record:")).unwrap_or(rule.len());
        let lines = rule[..end].lines();
        for line in lines.filter(|line| !line.trim_start().starts_with('#')) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn every_metric_that_the_kit_asks_for_is_exported() {
    let mut known = exported::names();
    known.extend(recorded());
    let dashboard = include_str!("../../../docs/ops/dashboard.json");
    for (file, text, least) in [
        ("alerts.yml", expressions(ALERTS), 20),
        ("records.yml", expressions(RECORDS), 6),
        ("dashboard.json", dashboard.to_owned(), 15),
        ("RUNBOOK.md", super::runbook::queries().join("\n"), 8),
    ] {
        let asked = asked_for(&text);
        assert!(asked.len() >= least, "{file} was not read: {asked:?}");
        for metric in asked {
            assert!(known.contains(&metric), "{file} asks for {metric}");
        }
    }
    assert!(OF_PROMETHEUS.iter().all(|metric| !known.contains(*metric)));
}

#[test]
fn promtool_finds_the_rules_good_and_their_tests_pass() {
    if !is_there("promtool") {
        return;
    }
    let rules = [file("alerts.yml"), file("records.yml")];
    let (good, said) = promtool(&["check", "rules", &rules[0], &rules[1]], "");
    assert!(good && !said.contains("duplicate"), "{said}");
    for tests in [
        "alerts_test.yml",
        "lives_test.yml",
        "lives_of_398_days_test.yml",
    ] {
        let (good, said) = promtool(&["test", "rules", &file(tests)], "");
        assert!(good, "{tests}: {said}");
    }
}

#[test]
fn every_alert_says_how_grave_it_is_and_leads_to_its_entry() {
    let anchors = guide::anchors(RUNBOOK);
    let tests = [
        include_str!("../../../docs/ops/alerts_test.yml"),
        include_str!("../../../docs/ops/lives_test.yml"),
    ];
    let alerts: Vec<_> = ALERTS.split("- alert: ").skip(1).collect();
    assert!(alerts.len() >= 20);
    for alert in alerts {
        let name = alert.lines().next().unwrap();
        let page = "https://docs.rs/notafter/latest/notafter/guide/runbook/index.html#";
        let (_, anchor) = alert.split_once(&format!("runbook_url: {page}")).unwrap();
        let anchor = anchor.lines().next().unwrap();
        let entry = format!("alert-{}", name.to_lowercase());
        assert!(anchors.contains(&entry), "{name} has no entry");
        let of_code = ["event-{{ $labels.code }}", "finding-{{ $labels.code }}"];
        assert!(anchor == entry || of_code.contains(&anchor), "{anchor}");
        let severities = ["warning", "critical"];
        let is_grave = |severity: &&str| alert.contains(&format!("{{ severity: {severity} }}"));
        assert_eq!(
            severities.iter().filter(|s| is_grave(s)).count(),
            1,
            "{name}"
        );
        assert!(alert.contains("summary: '") && alert.contains("description: '"));
        // One test at least has it fire.
        let fires = tests
            .iter()
            .flat_map(|test| test.split("alertname: "))
            .any(|test| {
                let mut lines = test.lines();
                lines.next() == Some(name)
                    && lines.next().is_some_and(|l| l.ends_with("exp_alerts:"))
            });
        assert!(fires, "{name} is not tested");
    }
    let entries = RUNBOOK.split("\n### Alert `").skip(1);
    for entry in entries.map(|rest| rest.split('`').next().unwrap()) {
        assert!(ALERTS.contains(&format!("- alert: {entry}\n")), "{entry}");
    }
}

#[test]
fn queries_of_the_runbook_can_be_asked() {
    if !is_there("promtool") {
        return;
    }
    let queries = super::runbook::queries();
    assert!(queries.len() >= 15, "{queries:?}");
    let records = queries.iter().map(|query| {
        let query = serde_json::to_string(query).unwrap();
        format!("  - {{ record: \"x:x\", expr: {query} }}\n")
    });
    let rules = format!(
        "groups:\n- name: x\n  rules:\n{}",
        records.collect::<String>()
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    std::fs::write(&file, rules).unwrap();
    let (good, said) = promtool(&["check", "rules", file.to_str().unwrap()], "");
    assert!(good, "{said}");
}
