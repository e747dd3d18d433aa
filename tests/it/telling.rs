//! What is told: the shape of events, and the engine that says things once.

use notafter::event::{PeerReach, Role, Subject};
use notafter::outlook::Position;
use notafter::{Band, Certificate, Event, EventCode, Severity, SpkiPin};

use crate::support::pki::{self, NOW, days};

#[test]
fn an_event_in_json_has_stable_names_and_absolute_instants() {
    let root = pki::root("Root", -10, 3000);
    let leaf = root.leaf(&["a.example"], -70, 20);
    let certificate = Certificate::from_der(&leaf.der).unwrap();
    let subject = Subject::of(&certificate, Position::Leaf);
    let event = Event::new(
        NOW,
        EventCode::PeerExpiring,
        Severity::Warning,
        Role::PeerServer,
        "have it renewed",
    )
    .with_host("a.example".to_owned())
    .with_subject(subject)
    .with_bands(Some(Band::Due), Band::Warning)
    .with_threshold_seconds(20 * 86_400)
    .with_reach(PeerReach::Until(days(20)));
    let json: serde_json::Value = serde_json::from_str(&event.to_json()).unwrap();
    let expected = serde_json::json!({
        "at": "2026-01-01T00:00:00Z",
        "code": "peer_expiring",
        "severity": "warning",
        "role": "peer_server",
        "host": "a.example",
        "identity": null,
        "source": null,
        "subject": {
            "kind": "certificate",
            "name": "a.example",
            "sha256": certificate.fingerprint().to_string(),
            "position": "leaf",
            "not_before": "2025-10-23T00:00:00Z",
            "not_after": "2026-01-21T00:00:00Z",
            "distinguished_name": certificate.subject(),
            "issuer": "CN=Root",
        },
        "band_before": "due",
        "band": "warning",
        "reach": "until",
        "effective_not_after": "2026-01-21T00:00:00Z",
        "time_left": 1_728_000,
        "threshold": 1_728_000,
        "affected": 1,
        "message": "have it renewed",
        "runbook_url": "https://docs.rs/notafter/latest/notafter/guide/runbook/index.html#event-peer_expiring",
    });
    assert_eq!(json, expected);
    assert_eq!(serde_json::to_value(&event).unwrap(), expected);
}

#[test]
fn a_pin_can_be_the_subject() {
    let pin: SpkiPin = "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M="
        .parse()
        .unwrap();
    let subject = Subject::of_pin(&pin, Position::Anchor, Some(days(3)));
    assert_eq!(subject.name, pin.to_string());
    let event = Event::new(NOW, EventCode::PinMismatch, Severity::Info, Role::Pin, "")
        .with_subject(subject);
    assert_eq!(event.time_left_seconds, Some(3 * 86_400));
}

#[test]
fn codes_and_roles_are_told_apart_by_their_names() {
    let mut names: Vec<_> = EventCode::ALL.iter().map(|code| code.as_str()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    let mut names = Role::ALL.map(Role::as_str).to_vec();
    names.dedup();
    assert_eq!(names.len(), Role::ALL.len());
}
