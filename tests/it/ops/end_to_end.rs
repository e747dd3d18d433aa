//! The whole kit in real programs: a fleet of 1,000 instances, a Prometheus with the rules, an
//! Alertmanager, and every query of the dashboard.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use notafter::Timestamp;
use rustls::pki_types::UnixTime;
use serde_json::Value;

use super::alertmanager::Alerts;
use super::{exported, kit};
use crate::support::tools::{self, Server, serve, tool, wait_until};

const DAY: i64 = 86_400;

/// Of twenty services, when the leaf of each ends: one has expired, one is critical.
fn ends_in(service: i64) -> i64 {
    match service {
        0 => -DAY,
        1 => 5 * DAY,
        _ => (30 + service) * DAY,
    }
}

/// The page of a fleet: what the library shows, of each service for fifty instances. `count` moves
/// what counts.
fn page(fleet: &[Vec<exported::Sample>], count: u64) -> String {
    let mut page = String::new();
    for (service, samples) in fleet.iter().enumerate() {
        for number in 0..50 {
            let (service, instance) = (
                format!("s-{service:02}"),
                format!("i-{service:02}-{number}"),
            );
            let target = [
                ("service", service.as_str()),
                ("instance", instance.as_str()),
            ];
            for sample in samples {
                let is_count = sample.name.ends_with("_total");
                // One of each service is enough of what counts: there are hundreds.
                if is_count && number > 0 {
                    continue;
                }
                #[allow(clippy::cast_precision_loss)]
                let value = match sample.name.as_str() {
                    "notafter_reload_stale_since_timestamp_seconds" if number == 1 => 1.0,
                    _ if is_count => sample.value + count as f64,
                    _ => sample.value,
                };
                let _ = writeln!(page, "{} {value}", sample.series(&target));
            }
        }
    }
    page
}

/// The queries of all panels, for all services.
fn panels() -> Vec<(String, String)> {
    let dashboard: Value =
        serde_json::from_str(include_str!("../../../docs/ops/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().flat_map(|panel| {
        let title = panel["title"].as_str().unwrap();
        assert!(
            !panel["description"].as_str().unwrap().is_empty(),
            "{title}"
        );
        let targets = panel["targets"].as_array().unwrap().iter();
        targets.map(|target| {
            let query = target["expr"].as_str().unwrap();
            (title.to_owned(), query.replace("$service", ".*"))
        })
    });
    queries.collect()
}

fn encoded(query: &str) -> String {
    query.bytes().fold(String::new(), |mut text, byte| {
        let _ = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => write!(text, "{}", char::from(byte)),
            byte => write!(text, "%{byte:02X}"),
        };
        text
    })
}

fn results(prometheus: &Server, query: &str) -> Vec<Value> {
    let answer = prometheus.json(&format!("/api/v1/query?query={}", encoded(query)));
    answer["data"]["result"].as_array().unwrap().clone()
}

#[test]
fn alerts_of_a_fleet_reach_alertmanager_and_every_panel_of_the_dashboard_has_data() {
    let Some(alerts) = Alerts::start() else {
        return;
    };
    let now = Timestamp::from(UnixTime::now());
    let fleet = (0..20).map(|service| exported::of_everything(now, ends_in(service)));
    let fleet: Vec<_> = fleet.collect();
    let scrapes = AtomicU64::new(0);
    let exporter = serve(move |_| page(&fleet, scrapes.fetch_add(1, Ordering::Relaxed)));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("prometheus.yml");
    let text = format!(
        "\
global: {{ scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s }}
rule_files: [ {}, {} ]
alerting: {{ alertmanagers: [ {{ static_configs: [ {{ targets: [ '127.0.0.1:{}' ] }} ] }} ] }}
scrape_configs:
- job_name: fleet
  honor_labels: true
  static_configs: [ {{ targets: [ '127.0.0.1:{exporter}' ] }} ]
",
        kit::file("alerts.yml"),
        kit::file("records.yml"),
        alerts.port(),
    );
    std::fs::write(&config, text).unwrap();
    let Some(prometheus) = tools::prometheus(&config, &folder.path().join("data")) else {
        return;
    };
    // All 1,000 are seen, and both that are wrong.
    wait_until("the fleet is scraped", || {
        let found = results(&prometheus, "count(notafter_chain_band{source=\"served\"})");
        found.first().is_some_and(|one| one["value"][1] == "1000")
    });
    wait_until("the alerts are there", || alerts.firing().len() >= 50);
    let firing = alerts.firing();
    let of = |label: &str| -> BTreeSet<String> {
        let values = firing.iter().map(|alert| alert["labels"][label].as_str());
        values
            .map(|value| value.unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(of("alertname"), ["NotafterDark".to_owned()].into());
    assert_eq!(of("service"), ["s-00".to_owned()].into());
    assert_eq!(of("instance").len(), 50);
    let annotations = &firing[0]["annotations"];
    let url =
        "https://docs.rs/notafter/latest/notafter/guide/runbook/index.html#alert-notafterdark";
    assert_eq!(annotations["runbook_url"], url);
    assert_eq!(firing[0]["labels"]["severity"], "critical");
    // What waits for its time is seen all the same.
    wait_until("a critical one waits for its time", || {
        let query = "count by (alertname) (ALERTS{service=\"s-01\"})";
        let mut seen = results(&prometheus, query).into_iter();
        seen.any(|one| one["metric"]["alertname"] == "NotafterCritical")
    });

    let rules = prometheus.json("/api/v1/rules");
    let groups = rules["data"]["groups"].as_array().unwrap();
    let rules = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap());
    let health: BTreeSet<_> = rules.map(|rule| rule["health"].as_str().unwrap()).collect();
    assert_eq!(health, ["ok"].into());

    let panels = panels();
    assert!(panels.len() >= 18);
    for (title, query) in panels {
        wait_until(&format!("'{title}' has data: {query}"), || {
            !results(&prometheus, &query).is_empty()
        });
    }
}

#[test]
fn amtool_finds_the_configuration_good() {
    let Some(amtool) = tool("amtool") else {
        return;
    };
    let mut command = Command::new(amtool);
    let command = command
        .arg("check-config")
        .arg(kit::file("alertmanager.yml"));
    let (good, said) = tools::run_with(command, "");
    assert!(good, "{said}");
    assert!(
        said.contains("2 inhibit rules") && said.contains("2 receivers"),
        "{said}"
    );
}
