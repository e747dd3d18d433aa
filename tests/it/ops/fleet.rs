//! A fleet of 1,000 instances: what the recording rules make of it, computed here a second time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::kit;
use crate::support::promtool::{is_there, promtool};

const DAY: i64 = 86_400;
const SERVICES: usize = 25;
const INSTANCES: usize = 1_000;

/// One instance, as far as the rules see it.
struct Instance {
    service: usize,
    name: String,
    /// The ends of its leaf and of its intermediate.
    ends: [i64; 2],
    band: u8,
}

/// Services end one after the other. In each fifth, three instances were left out of the renewal; in
/// two, one instance is broken, and in one nothing has ended yet that is about to.
fn fleet() -> Vec<Instance> {
    let instance = |number: usize| {
        let (service, place) = (number % SERVICES, number / SERVICES);
        let day = i64::try_from(service).unwrap() + 1;
        let left_out = service % 5 == 0 && place < 3;
        let end = if left_out { day } else { day + 30 } * DAY;
        let band = match (service, place) {
            (7 | 8, 39) => 6,
            _ if left_out && service < 10 => 3,
            _ if left_out => 1,
            _ => 0,
        };
        Instance {
            service,
            name: format!("i-{number:04}"),
            ends: [end, 400 * DAY],
            band,
        }
    };
    (0..INSTANCES).map(instance).collect()
}

fn name(service: usize) -> String {
    format!("s-{service:02}")
}

/// What a query is to give: the value for each set of labels.
fn expected(query: &str, labels: &str, values: &BTreeMap<usize, f64>) -> String {
    let mut text = format!("  - expr: '{query}'\n    eval_time: 2m\n    exp_samples:\n");
    for (service, value) in values {
        let service = name(*service);
        let labels = labels.replace("SERVICE", &service);
        let _ = writeln!(
            text,
            "    - labels: '{query}{{{labels}}}'\n      value: {value}"
        );
    }
    text
}

#[allow(clippy::cast_precision_loss)]
fn float(number: i64) -> f64 {
    number as f64
}

#[test]
fn of_a_thousand_instances_the_worst_the_next_to_end_and_those_behind_are_recorded() {
    if !is_there("promtool") {
        return;
    }
    let fleet = fleet();
    let mut series = String::new();
    for instance in &fleet {
        let (service, name) = (name(instance.service), &instance.name);
        let target = format!("job=\"tls\",service=\"{service}\",instance=\"{name}\"");
        let mut show = |metric: &str, labels: &str, values: &str| {
            let _ = writeln!(
                series,
                "  - series: '{metric}{{{target}{labels}}}'\n    values: '{values}'"
            );
        };
        for (position, end) in ["leaf", "intermediate 0"].iter().zip(instance.ends) {
            let labels = format!(",source=\"served\",position=\"{position}\"");
            show("x509_cert_not_after", &labels, &format!("{end}+0x3"));
        }
        let band = format!("{}+0x3", instance.band);
        show("notafter_chain_band", ",source=\"served\"", &band);
        // The first of each service looked a minute before.
        let looked = match instance.name.as_str() < "i-0025" {
            true => "0 0 60 120",
            false => "0 60 120 180",
        };
        show("notafter_last_evaluated_timestamp_seconds", "", looked);
    }
    let mut worst = BTreeMap::new();
    let mut first: BTreeMap<usize, i64> = BTreeMap::new();
    let mut last: BTreeMap<usize, i64> = BTreeMap::new();
    for instance in &fleet {
        let [end, _] = instance.ends;
        let band = worst.entry(instance.service).or_insert(0.0);
        *band = f64::max(*band, f64::from(instance.band));
        let (service, of) = (instance.service, end);
        first
            .entry(service)
            .and_modify(|e| *e = of.min(*e))
            .or_insert(of);
        last.entry(service)
            .and_modify(|e| *e = of.max(*e))
            .or_insert(of);
    }
    let left = first.iter().map(|(s, end)| (*s, float(end - 120)));
    let skew = first.iter().map(|(s, end)| (*s, float(last[s] - end)));
    let behind = first.iter().filter(|(s, end)| last[s] > **end);
    let behind = behind.map(|(s, _)| (*s, 3.0));
    let mut next: Vec<_> = first.iter().map(|(s, end)| (*end, *s)).collect();
    next.sort_unstable();
    let next = next.into_iter().take(20).map(|(end, s)| (s, float(end)));
    let ages = (0..SERVICES).map(|s| (s, 60.0));
    let (of_service, of_source) = (
        "job=\"tls\", service=\"SERVICE\"",
        "job=\"tls\", service=\"SERVICE\", source=\"served\"",
    );
    let behind: BTreeMap<_, _> = behind.collect();
    assert_eq!(behind.len(), 5);
    let asked = [
        expected("service:notafter_band:max", of_service, &worst),
        expected("service:x509_cert_left_seconds:min", of_service, &left.collect()),
        expected("fleet:x509_cert_not_after:bottom20", of_source, &next.collect()),
        expected("service_source:x509_cert_not_after_skew_seconds:max", of_source, &skew.collect()),
        expected("service_source:notafter_instances_behind:count", of_source, &behind),
        expected("service:notafter_heartbeat_age_seconds:max", of_service, &ages.collect()),
        "  - expr: 'sum by (band) (service_band:notafter_instances:count)'\n    eval_time: 2m\n    exp_samples:\n".to_owned(),
        by_band(&fleet),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tests.yml");
    let text = format!(
        "rule_files: [ {} ]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  input_series:\n{series}  promql_expr_test:\n{}",
        kit::file("records.yml"),
        asked.concat()
    );
    std::fs::write(&file, text).unwrap();
    let (good, said) = promtool(&["test", "rules", file.to_str().unwrap()], "");
    assert!(good, "{said}");
}

fn by_band(fleet: &[Instance]) -> String {
    let mut counts = BTreeMap::new();
    for instance in fleet {
        *counts.entry(instance.band).or_insert(0) += 1;
    }
    assert_eq!(counts.values().sum::<i32>(), 1_000);
    let sample =
        |(band, count)| format!("    - labels: '{{band=\"{band}\"}}'\n      value: {count}\n");
    counts.into_iter().map(sample).collect()
}
