//! A real Alertmanager takes what the application posts.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use notafter::alert::Matter;
use notafter::event::Role;
use notafter::payload::Alertmanager;
use notafter::{Band, Event, EventCode, Severity, Timestamp};
use rustls::pki_types::UnixTime;
use serde_json::Value;

use crate::support::pki::{self, NOW};
use crate::support::tools::{Running, Server, get, post, serve, tool, wait_until};

/// An Alertmanager, and what it told its receiver.
pub struct Alerts {
    server: Server,
    notified: Arc<Mutex<Vec<Value>>>,
    _folder: tempfile::TempDir,
}

impl Alerts {
    /// Starts one on a port of its own; `None` where there is none.
    pub fn start() -> Option<Self> {
        let program = tool("prometheus-alertmanager")?;
        let notified = Arc::new(Mutex::new(Vec::new()));
        let receiver = Arc::clone(&notified);
        let webhook = serve(move |request| {
            let notice: Value = serde_json::from_str(&request.body).unwrap();
            let alerts = notice["alerts"].as_array().unwrap();
            receiver.lock().unwrap().extend(alerts.clone());
            String::new()
        });
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("alertmanager.yml");
        let text = format!(
            "\
route: {{ receiver: test, group_by: [alertname], group_wait: 100ms, group_interval: 100ms }}
receivers: [ {{ name: test, webhook_configs: [ {{ url: 'http://127.0.0.1:{webhook}/', send_resolved: true }} ] }} ]
"
        );
        std::fs::write(&config, text).unwrap();
        let server = Server::start("/-/ready", |port| {
            let mut command = Command::new(&program);
            command
                .arg(format!("--config.file={}", config.display()))
                .arg(format!(
                    "--storage.path={}",
                    folder.path().join("data").display()
                ))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg("--cluster.listen-address=");
            command
        });
        Some(Self {
            server,
            notified,
            _folder: folder,
        })
    }

    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// What fires.
    pub fn firing(&self) -> Vec<Value> {
        let alerts = self.server.json("/api/v2/alerts");
        alerts.as_array().unwrap().clone()
    }

    fn post(&self, alerts: &Alertmanager, event: &Event) {
        for body in alerts.bodies(event) {
            let answer = post(self.server.port, "/api/v2/alerts", &body);
            let (status, said) = answer.unwrap();
            assert_eq!(status, 200, "{said}");
        }
    }

    /// The fingerprints that the receiver was told of as this.
    fn notified(&self, status: &str) -> Vec<String> {
        let notified = self.notified.lock().unwrap();
        let of_status = notified.iter().filter(|alert| alert["status"] == status);
        let prints = of_status.map(|alert| alert["fingerprint"].as_str().unwrap().to_owned());
        prints.collect()
    }
}

fn now() -> Timestamp {
    UnixTime::now().into()
}

fn event(code: EventCode, band: Band, at: Timestamp, names: &[&str]) -> Event {
    let event = Event::new(at, code, Severity::of_band(band), Role::OwnServer, "x");
    let matters = names.iter().map(|name| {
        Matter::new(EventCode::Expiring, Role::OwnServer).with_name((*name).to_owned())
    });
    let event = event.with_bands(None, band);
    matters.fold(event, Event::with_matter)
}

#[test]
fn alertmanager_takes_each_matter_as_one_alert_and_resolves_those_that_recover() {
    let Some(alerts) = Alerts::start() else {
        return;
    };
    let payloads = Alertmanager::builder()
        .with_label("service", "billing")
        .build()
        .unwrap();
    let names = ["a", "b", "c \"\\\n\u{202e}é"];
    alerts.post(
        &payloads,
        &event(EventCode::Expiring, Band::Warning, now(), &names),
    );
    assert_eq!(alerts.firing().len(), 3);
    // It gets worse: they are the same alerts.
    alerts.post(
        &payloads,
        &event(EventCode::Expired, Band::Expired, now(), &names),
    );
    let firing = alerts.firing();
    assert_eq!(firing.len(), 3);
    assert!(
        firing
            .iter()
            .all(|alert| alert["annotations"]["code"] == "expired")
    );
    assert!(
        firing
            .iter()
            .all(|alert| alert["labels"]["service"] == "billing")
    );
    wait_until("the receiver is told", || {
        alerts.notified("firing").len() >= 3
    });
    // One recovers, told by a clock that is ahead.
    let ahead = now().saturating_add(30);
    alerts.post(
        &payloads,
        &event(EventCode::Recovered, Band::Ok, ahead, &["b"]),
    );
    let mut left: Vec<_> = alerts.firing();
    left.retain(|alert| alert["labels"]["name"] == "b");
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(alerts.firing().len(), 2);
    wait_until("the receiver is told", || {
        !alerts.notified("resolved").is_empty()
    });
    let resolved = alerts.notified("resolved");
    assert!(alerts.notified("firing").contains(&resolved[0]));
}

/// The example's binary, built once: `cargo test --test it` alone would not build it.
fn example() -> &'static Path {
    static BINARY: OnceLock<std::path::PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| crate::command::example("post_alerts"))
}

#[test]
fn the_example_posts_what_fires_what_is_said_again_and_what_recovers() {
    let Some(alerts) = Alerts::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let today = now().seconds_since(NOW) / 86_400;
    let root = pki::root("Root", today - 1000, today + 3000);
    let (trust, file) = (folder.path().join("ca.pem"), folder.path().join("tls.crt"));
    std::fs::write(&trust, pki::pem_bundle([&root.der])).unwrap();
    let deploy = |from, to| {
        let leaf = root.leaf(&["a.example"], today + from, today + to);
        let new = folder.path().join("new");
        std::fs::write(&new, pki::pem_bundle([&leaf.der])).unwrap();
        std::fs::rename(new, &file).unwrap();
    };
    deploy(-90, -1);
    let mut command = Command::new(example());
    command
        .arg(alerts.server.url("/"))
        .args(["--label", "service=billing", "--poll", "1", "--repeat", "1"])
        .arg("--trust")
        .args([&trust, &file]);
    let _example = Running::start(&mut command);

    wait_until("it fires", || !alerts.firing().is_empty());
    let [first] = alerts.firing().try_into().unwrap();
    assert_eq!(first["labels"]["alertname"], "notafter_expiring");
    assert_eq!(first["labels"]["name"], file.to_str().unwrap());
    assert_eq!(first["annotations"]["code"], "expired");
    let runbook = first["annotations"]["runbook_url"].as_str().unwrap();
    assert!(runbook.ends_with("/guide/runbook/index.html#event-expired"));

    wait_until("it is said again", || {
        alerts.firing()[0]["endsAt"] != first["endsAt"]
    });
    let [again] = alerts.firing().try_into().unwrap();
    assert_eq!(again["fingerprint"], first["fingerprint"]);
    assert_eq!(again["startsAt"], first["startsAt"]);

    deploy(-1, 89);
    wait_until("it recovers", || alerts.firing().is_empty());
    wait_until("the receiver is told", || {
        !alerts.notified("resolved").is_empty()
    });
    let resolved = alerts.notified("resolved");
    assert_eq!(first["fingerprint"], resolved[0].as_str());
    assert!(get(alerts.server.port, "/-/healthy").is_some());
}
