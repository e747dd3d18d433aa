//! A real Prometheus scrapes the service; its rule fires and resolves across a renewal.

use serde_json::Value;

use super::ground::{Ground, wait_until};
use crate::support::promtool::{is_there, promtool};
use crate::support::tools::{self, Server};

const DAY: i64 = 86_400;

#[test]
fn promtool_finds_nothing_to_say_about_the_metrics() {
    if !is_there("promtool") {
        return;
    }
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-10 * DAY, 80 * DAY));
    let (ca, crl) = (ground.path("ca.pem"), ground.path("clients.crl"));
    std::fs::write(&crl, ground.lists(-DAY, &[])).unwrap();
    let service = ground.serve(&["--client-ca", &ca, "--client-crl", &crl]);
    // What failed is counted by its code.
    assert!(service.get(&ground.client(), "/metrics").is_err());
    let known = ground.client_with(&ground.leaf(-DAY, 80 * DAY));
    let metrics = service.get(&known, "/metrics").unwrap().body;
    assert_eq!(
        promtool(&["check", "metrics"], &metrics),
        (true, String::new())
    );
    // It does look.
    let broken = metrics.replace("# HELP notafter_reloads_total", "# nothing");
    let (_, said) = promtool(&["check", "metrics"], &broken);
    assert!(
        said.contains("notafter_reloads_total no help text"),
        "{said}"
    );
}

struct Prometheus(Server);

impl Prometheus {
    /// Starts one that watches this service, on a free port; `None` where there is none.
    fn start(ground: &Ground, service: u16) -> Option<Self> {
        if !is_there("promtool") {
            return None;
        }
        let rules = "\
groups:
- name: certificates
  rules:
  - alert: CertificateEndsSoon
    expr: x509_cert_not_after{position=\"leaf\"} - time() < 20 * 86400
";
        std::fs::write(ground.path("rules.yml"), rules).unwrap();
        let config = format!(
            "\
global: {{ scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }}
rule_files: [ rules.yml ]
scrape_configs:
- job_name: service
  scheme: https
  tls_config: {{ ca_file: {}, server_name: localhost }}
  static_configs: [ {{ targets: [ '127.0.0.1:{service}' ] }} ]
",
            ground.path("ca.pem")
        );
        let file = ground.path("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let (good, said) = promtool(&["check", "config", &file], "");
        assert!(good, "{said}");
        tools::prometheus(file.as_ref(), ground.path("data").as_ref()).map(Self)
    }

    fn alerts(&self) -> Vec<Value> {
        let answer = self.0.json("/api/v1/alerts");
        answer["data"]["alerts"].as_array().unwrap().clone()
    }

    /// The values of this query.
    fn query(&self, query: &str) -> Vec<String> {
        let answer = self.0.json(&format!("/api/v1/query?query={query}"));
        let results = answer["data"]["result"].as_array().unwrap();
        let values = results.iter().map(|result| result["value"][1].as_str());
        values.map(|value| value.unwrap().to_owned()).collect()
    }
}

#[test]
fn a_rule_over_the_end_fires_and_resolves_across_a_renewal() {
    let ground = Ground::new();
    let (old, new) = (ground.leaf(-80 * DAY, 10 * DAY), ground.leaf(-60, 90 * DAY));
    ground.deploy(&old);
    let service = ground.serve(&["--poll", "100"]);
    let Some(prometheus) = Prometheus::start(&ground, service.port) else {
        return;
    };
    wait_until("the alert fires", || {
        let alerts = prometheus.alerts();
        alerts.iter().any(|alert| alert["state"] == "firing")
    });
    let labels = &prometheus.alerts()[0]["labels"];
    assert_eq!(labels["alertname"], "CertificateEndsSoon");
    assert_eq!(
        labels["sha256"],
        old.certificate().fingerprint().to_string()
    );

    ground.deploy(&new);
    wait_until("the alert is resolved", || prometheus.alerts().is_empty());
    // Because of the renewal, and not because nothing is scraped any more.
    assert_eq!(prometheus.query("up"), ["1"]);
    let end = new.certificate().not_after().as_unix_seconds().to_string();
    let query = "x509_cert_not_after%7Bposition%3D%22leaf%22%7D";
    assert_eq!(prometheus.query(query), [end]);
    assert_eq!(prometheus.query("notafter_reloads_total"), ["1"]);
}
