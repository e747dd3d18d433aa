//! What the service says about itself.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use notafter::Timestamp;
use serde_json::{Value, json};

use crate::client_trust::ClientTrust;
use crate::service::{Service, now};

pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route(
            "/",
            get(|| async { "see /metrics, /ready and /certificates\n" }),
        )
        .route("/metrics", get(metrics))
        .route("/ready", get(ready))
        .route("/certificates", get(certificates))
        .with_state(service)
}

/// Prometheus text: the report's gauges, and what only the service knows.
async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let mut report = service.monitor.snapshot();
    // The key knows it at once, and the monitor at its next tick.
    report
        .gauges
        .retain(|reported| reported.gauge.name != STALE_SINCE);
    let report = report.to_openmetrics();
    let mut text = report.trim_end_matches("# EOF\n").to_owned();
    let key = &service.key;
    let seconds = Timestamp::as_unix_seconds;
    let stale_since = key.stale_since().map_or(0, seconds);
    let outliving = service.connections.outliving(now());
    let families = [
        (
            "notafter_reloads_total",
            "counter",
            "Changed certificates that were served instead of the one before.",
            key.reloads_total().to_string(),
        ),
        (
            "notafter_reload_failures_total",
            "counter",
            "Changed certificates or keys that could not be served.",
            key.reload_failures_total().to_string(),
        ),
        (
            STALE_SINCE,
            "gauge",
            "Since when nothing on disk can be served, Unix seconds; 0 where disk and serving agree.",
            stale_since.to_string(),
        ),
        (
            "notafter_reload_last_polled_timestamp_seconds",
            "gauge",
            "When the files were last looked at, Unix seconds.",
            seconds(key.last_polled()).to_string(),
        ),
        (
            "notafter_connections",
            "gauge",
            "Open connections.",
            service.connections.len().to_string(),
        ),
        (
            "notafter_connections_outliving_chain",
            "gauge",
            "Open connections on a certificate, ours or the client's, that has ended since.",
            outliving.to_string(),
        ),
        (
            "notafter_connections_closing",
            "gauge",
            "Open connections that were told to end.",
            service.connections.closing().to_string(),
        ),
        (
            "notafter_connections_told_total",
            "counter",
            "Connections told to end before their chain, or after a renewal.",
            service.told.get().to_string(),
        ),
        (
            "notafter_connections_overdue_total",
            "counter",
            "Connections cut off at their deadline.",
            service.overdue.get().to_string(),
        ),
        (
            "notafter_handshake_failures_total",
            "counter",
            "Handshakes that failed or took too long; clients that left early are none.",
            service.failed_handshakes.get().to_string(),
        ),
    ];
    let client_trust = service.client_trust.as_ref();
    let of_clients = client_trust.map(ClientTrust::metrics).unwrap_or_default();
    for (name, kind, help, value) in families.into_iter().chain(of_clients) {
        // Writing into a String cannot fail.
        let _ = write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
        );
    }
    text.push_str(&handshakes(&service));
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response()
}

const STALE_SINCE: &str = "notafter_reload_stale_since_timestamp_seconds";

/// How handshakes ended: whom the verifier refused, and what both sides complained about.
fn handshakes(service: &Service) -> String {
    let mut text = String::new();
    if let Some(trust) = &service.client_trust {
        let counts = trust.verifier().handshakes();
        let role = counts.role();
        let (accepted, refused) = (
            "notafter_handshakes_accepted_total",
            "notafter_handshakes_refused_total",
        );
        text.push_str(&head(
            accepted,
            "Peers that were accepted and proved that they have their key, by role.",
        ));
        text.push_str(&format!(
            "{accepted}{{role=\"{role}\"}} {}\n",
            counts.accepted()
        ));
        text.push_str(&head(
            refused,
            "Peers that were refused, by role and reason.",
        ));
        for (reason, count) in counts.by_reason() {
            text.push_str(&format!(
                "{refused}{{role=\"{role}\",reason=\"{reason}\"}} {count}\n"
            ));
        }
    }
    let errors = "notafter_handshake_errors_total";
    text.push_str(&head(
        errors,
        "Handshakes that failed, by what they failed of; own_ is what clients refuse of ours.",
    ));
    for (code, count) in service.handshake_errors.all() {
        text.push_str(&format!("{errors}{{code=\"{code}\"}} {count}\n"));
    }
    text
}

fn head(name: &str, help: &str) -> String {
    format!("# HELP {name} {help}\n# TYPE {name} counter\n")
}

/// For readiness probes, never for liveness: a restart renews nothing.
async fn ready(State(service): State<Arc<Service>>) -> Response {
    let now = now();
    let mut reasons = Vec::new();
    for pair in service.key.served() {
        let Some(leaf) = pair.leaf() else { continue };
        let (file, name) = (pair.certificate_file.display(), leaf.short_name());
        let (code, message) = if leaf.not_after() < now {
            let end = leaf.not_after();
            (
                "expired",
                format!("{file}: the leaf '{name}' expired at {end}"),
            )
        } else if now < leaf.not_before() {
            let begin = leaf.not_before();
            (
                "not_yet_valid",
                format!("{file}: the leaf '{name}' is not valid before {begin}"),
            )
        } else {
            continue;
        };
        reasons.push(json!({ "code": code, "source": file.to_string(), "message": message }));
    }
    if service.trusts {
        let health = service.monitor.health_at(now);
        for reason in health.reasons.iter().filter(|reason| reason.not_ready) {
            let known = reasons
                .iter()
                .any(|known: &Value| known["code"] == reason.code);
            if !known {
                reasons.push(json!({
                    "code": reason.code,
                    "source": reason.source,
                    "message": reason.message,
                }));
            }
        }
    }
    let status = if reasons.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut document = json!({
        "at": now.to_string(),
        "ready": reasons.is_empty(),
        "reasons": reasons,
    });
    let served = service.key.served();
    let refused = served.iter().filter_map(|pair| pair.error.as_ref());
    let mut warnings: Vec<_> = refused
        .map(|error| json!({ "code": error.code(), "message": error.to_string() }))
        .collect();
    if let Some(trust) = &service.client_trust {
        warnings.extend(trust.warnings(now));
    }
    if service.client_trust.is_some() || !warnings.is_empty() {
        document["warnings"] = warnings.into();
    }
    let body = format!("{document:#}\n");
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn certificates(State(service): State<Arc<Service>>) -> Response {
    let body = service.monitor.snapshot().to_json() + "\n";
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
