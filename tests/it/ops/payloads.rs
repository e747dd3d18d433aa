//! Events in the forms that others take.

use std::collections::BTreeSet;

use notafter::alert::{Condition, Matter, RepeatPolicy, Transitions};
use notafter::cert::Sha256Digest;
use notafter::event::{Role, Runbook};
use notafter::payload::{Alertmanager, Chat, CloudEvents, PayloadError, SeverityLabel};
use notafter::{Band, Event, EventCode, Severity};
use serde_json::{Value, json};

use crate::support::pki::{NOW, days};

fn condition(name: &str, band: Band) -> Condition {
    let code = match band {
        Band::Ok => EventCode::Recovered,
        Band::Expired => EventCode::Expired,
        _ => EventCode::Expiring,
    };
    let message = format!("{name} is {band}");
    let event = Event::new(NOW, code, Severity::of_band(band), Role::OwnServer, message);
    let matter = Matter::new(EventCode::Expiring, Role::OwnServer).with_name(name.to_owned());
    Condition::new(matter, band, event)
}

fn transitions() -> Transitions {
    Transitions::new(std::num::NonZeroUsize::new(100_000).unwrap())
}

/// All alerts of an event, whatever the bodies.
fn alerts(alertmanager: &Alertmanager, event: &Event) -> Vec<Value> {
    let bodies = alertmanager.bodies(event);
    let read = bodies.map(|body| serde_json::from_str::<Vec<Value>>(&body).unwrap());
    read.flatten().collect()
}

#[test]
fn a_matter_is_one_alert_however_it_stands_and_ends_when_it_recovers() {
    let alertmanager = Alertmanager::builder()
        .with_label("service", "billing")
        .build()
        .unwrap();
    let mut transitions = transitions();
    // Repeated daily, hourly, hourly; over at once; and what is due resolves what was worse.
    let cases = [
        (Band::Warning, Some("2026-01-03T00:05:00Z")),
        (Band::Critical, Some("2026-01-01T02:05:00Z")),
        (Band::Expired, Some("2026-01-01T02:05:00Z")),
        (Band::Ok, None),
        (Band::Warning, Some("2026-01-03T00:05:00Z")),
        (Band::Due, None),
    ];
    for (band, ends_at) in cases {
        let events = transitions.tell([condition("served", band)], NOW);
        let [alert] = alerts(&alertmanager, &events[0]).try_into().unwrap();
        let labels = json!({
            "alertname": "notafter_expiring",
            "role": "own_server",
            "name": "served",
            "service": "billing",
        });
        assert_eq!(alert["labels"], labels, "{band}");
        let (starts, ends) = match ends_at {
            Some(ends) => ("2026-01-01T00:00:00Z", ends),
            None => ("2025-12-31T23:59:00Z", "2025-12-31T23:59:00Z"),
        };
        assert_eq!(alert["startsAt"], starts, "{band}");
        assert_eq!(alert["endsAt"], ends, "{band}");
    }
}

#[test]
fn an_alert_says_what_its_event_says() {
    let mut transitions = transitions();
    let conditions = ["a", "b"].map(|name| {
        let mut condition = condition(name, Band::Expired).with_cause(Sha256Digest::of(b"CA"));
        condition.event = condition.event.with_effective_not_after(days(-1));
        condition
    });
    let [event] = transitions.tell(conditions, NOW).try_into().unwrap();
    let runbook = Runbook::new("https://wiki.example/tls").unwrap();
    let alertmanager = Alertmanager::builder().with_runbook(runbook);
    let [a, b] = alerts(&alertmanager.build().unwrap(), &event)
        .try_into()
        .unwrap();
    assert_eq!(
        (&a["labels"]["name"], &b["labels"]["name"]),
        (&json!("a"), &json!("b"))
    );
    let expected = json!({
        "summary": "b: expired",
        "description": "2 share this cause: a, b; a is expired",
        "severity": "critical",
        "code": "expired",
        "band": "expired",
        "effective_not_after": "2025-12-31T00:00:00Z",
        "affected": "2",
        "runbook_url": "https://wiki.example/tls#event-expired",
    });
    assert_eq!(b["annotations"], expected);
}

#[test]
fn of_those_that_are_told_together_each_recovers_by_itself() {
    let alertmanager = Alertmanager::builder().build().unwrap();
    let mut transitions = transitions();
    let cause = Sha256Digest::of(b"CA");
    let all: Vec<_> = (0..1_201).map(|n| format!("served {n}")).collect();
    let told = all.iter();
    let told = told.map(|name| condition(name, Band::Critical).with_cause(cause));
    let [event] = transitions.tell(told, NOW).try_into().unwrap();
    let bodies: Vec<_> = alertmanager.bodies(&event).collect();
    let sizes = bodies.iter().map(|body| {
        let alerts: Vec<Value> = serde_json::from_str(body).unwrap();
        alerts.len()
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [500, 500, 201]);
    let fired: BTreeSet<_> = alerts(&alertmanager, &event)
        .iter()
        .map(|alert| alert["labels"]["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(fired.len(), all.len());
    // Three of them are renewed, each with a certificate of its own.
    let renewed = all.iter().take(3).map(|name| condition(name, Band::Ok));
    let events = transitions.tell(renewed, NOW);
    assert_eq!(events.len(), 3);
    for (event, name) in events.iter().zip(&all) {
        let [alert] = alerts(&alertmanager, event).try_into().unwrap();
        assert_eq!(alert["labels"]["name"], *name);
        assert_eq!(alert["endsAt"], "2025-12-31T23:59:00Z");
    }
}

#[test]
fn an_alert_lasts_twice_as_long_as_until_its_event_is_said_again() {
    let minutes = Alertmanager::builder().with_repeat(RepeatPolicy::every_minutes(10));
    let never = Alertmanager::builder()
        .with_repeat(RepeatPolicy::never())
        .with_once_lasting(std::time::Duration::from_secs(3_600));
    let cases = [
        (minutes, "2026-01-01T00:25:00Z"),
        (never, "2026-01-01T01:00:00Z"),
    ];
    for (builder, ends) in cases {
        let event = &transitions().tell([condition("x", Band::Critical)], NOW)[0];
        let alert = &alerts(&builder.build().unwrap(), event)[0];
        assert_eq!(alert["endsAt"], ends);
    }
}

#[test]
fn with_severities_as_labels_one_alert_of_a_matter_fires_at_a_time() {
    let alertmanager = Alertmanager::builder()
        .with_severity_label(SeverityLabel::With)
        .build()
        .unwrap();
    let mut transitions = transitions();
    let cases = [
        (Band::Warning, [true, false]),
        (Band::Critical, [false, true]),
        (Band::Ok, [false, false]),
    ];
    for (band, expected) in cases {
        let event = &transitions.tell([condition("x", band)], NOW)[0];
        let alerts = alerts(&alertmanager, event);
        let severities = alerts.iter().map(|alert| &alert["labels"]["severity"]);
        assert!(severities.eq(["warning", "critical"].map(Value::from).iter()));
        let fires = |alert: &Value| alert["startsAt"] == "2026-01-01T00:00:00Z";
        assert_eq!([fires(&alerts[0]), fires(&alerts[1])], expected, "{band}");
    }
}

#[test]
fn what_is_said_once_is_an_alert_for_a_day_and_what_is_mild_is_none() {
    let alertmanager = Alertmanager::builder().build().unwrap();
    let event = |code, severity| {
        Event::new(NOW, code, severity, Role::Announcement, "x").with_host("h.example".to_owned())
    };
    let emergency = event(EventCode::AnnouncementEmergency, Severity::Warning);
    let [alert] = alerts(&alertmanager, &emergency).try_into().unwrap();
    let labels = json!({
        "alertname": "notafter_announcement_emergency",
        "role": "announcement",
        "name": "h.example",
    });
    assert_eq!(alert["labels"], labels);
    assert_eq!(alert["endsAt"], "2026-01-02T00:00:00Z");
    for severity in [Severity::Info, Severity::Unproven] {
        let mild = event(EventCode::AnnouncementApplied, severity);
        assert!(alerts(&alertmanager, &mild).is_empty());
    }
    // A reload that recovers and has a warning to give does both.
    let matter = Matter::new(EventCode::ReloadFailed, Role::OwnServer).with_name("f".to_owned());
    let both = event(EventCode::ReloadSucceeded, Severity::Warning)
        .with_matter(matter)
        .with_bands(Some(Band::Critical), Band::Ok);
    let [over, warning] = alerts(&alertmanager, &both).try_into().unwrap();
    assert_eq!(over["labels"]["alertname"], "notafter_reload_failed");
    assert_eq!(over["endsAt"], "2025-12-31T23:59:00Z");
    assert_eq!(warning["labels"]["alertname"], "notafter_reload_succeeded");
    assert_eq!(warning["endsAt"], "2026-01-02T00:00:00Z");
}

#[test]
fn labels_are_named_as_prometheus_names_them_and_none_is_the_matters() {
    let names = [
        ("service", None),
        ("_x9", None),
        ("", Some(false)),
        ("9x", Some(false)),
        ("a-b", Some(false)),
        ("ä", Some(false)),
        ("alertname", Some(true)),
        ("severity", Some(true)),
    ];
    for (name, refused) in names {
        let expected = refused.map(|reserved| match reserved {
            true => PayloadError::ReservedLabel { name: name.into() },
            false => PayloadError::LabelName { name: name.into() },
        });
        let built = Alertmanager::builder().with_label(name, "x").build();
        assert_eq!(built.err(), expected, "{name}");
    }
}

const HOSTILE: &str = "<!channel> <@U1> @everyone & <https://evil.example|db> [x](https://evil) *b*\nfired: \u{202e}gnp";

fn hostile() -> Event {
    Event::new(
        NOW,
        EventCode::Expired,
        Severity::Critical,
        Role::PeerServer,
        HOSTILE,
    )
}

#[test]
fn a_message_in_slack_mentions_nobody_and_links_to_the_runbook_alone() {
    let text = Chat::slack().text(&hostile());
    let expected = "*critical* `expired`: &lt;!channel&gt; &lt;@\u{200b}U1&gt; @\u{200b}everyone &amp; \
        &lt;https://evil.example|db&gt; [x](https://evil) *b*\\u{a}fired: \\u{202e}gnp\n\
        _peer_server, 2026-01-01T00:00:00Z_ \
        <https://docs.rs/notafter/latest/notafter/guide/runbook/index.html#event-expired|runbook>";
    assert_eq!(text, expected);
    let runbook = Runbook::new("https://w/?a=(1)&b").unwrap();
    let text = Chat::slack().with_runbook(runbook).text(&hostile());
    assert!(
        text.ends_with(" <https://w/?a=(1)&amp;b#event-expired|runbook>"),
        "{text}"
    );
}

#[test]
fn a_message_in_teams_mentions_nobody_and_links_to_the_runbook_alone() {
    let runbook = Runbook::new("https://w/?a=(1)&b").unwrap();
    let text = Chat::teams().with_runbook(runbook).text(&hostile());
    let expected = "**critical** `expired`: &lt;\\!channel&gt; &lt;@\u{200b}U1&gt; @\u{200b}everyone &amp; \
        &lt;https://evil.example\\|db&gt; \\[x\\]\\(https://evil\\) \\*b\\*\\\\u\\{a\\}fired: \\\\u\\{202e\\}gnp\n\n\
        peer\\_server, 2026-01-01T00:00:00Z [runbook](https://w/?a=%281%29&b#event-expired)";
    assert_eq!(text, expected);
}

#[test]
fn a_message_of_a_chat_has_2000_characters_at_the_most() {
    for chat in [Chat::slack(), Chat::teams()] {
        let said = |length| {
            let mut event = hostile();
            event.message = "<".repeat(length);
            chat.text(&event).matches("&lt;").count()
        };
        assert_eq!(
            (said(2_000), said(2_001), said(100_000)),
            (2_000, 2_000, 2_000)
        );
        let mut event = hostile();
        event.message = "x".repeat(2_001);
        assert!(chat.text(&event).contains("x…\n"));
    }
}

#[test]
fn a_cloud_event_has_what_the_specification_asks_for() {
    let runbook = Runbook::new("https://wiki.example/tls").unwrap();
    let cloud_events = CloudEvents::new("/services/billing/1")
        .unwrap()
        .with_runbook(runbook);
    let event = &transitions().tell([condition("served\n", Band::Expired)], NOW)[0];
    let body: Value = serde_json::from_str(&cloud_events.body(event)).unwrap();
    let mut data: Value = serde_json::from_str(&event.to_json()).unwrap();
    assert_eq!(
        data["runbook_url"],
        "https://docs.rs/notafter/latest/notafter/guide/runbook/index.html#event-expired"
    );
    data["runbook_url"] = "https://wiki.example/tls#event-expired".into();
    let expected = json!({
        "specversion": "1.0",
        "id": body["id"],
        "source": "/services/billing/1",
        "type": "rs.docs.notafter.expired",
        "subject": "served\\u{a}",
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "data": data,
    });
    assert_eq!(body, expected);
    assert_eq!(body["id"].as_str().unwrap().len(), 64);
}

#[test]
fn a_cloud_events_id_is_that_of_one_event_alone() {
    let cloud_events = CloudEvents::new("urn:x").unwrap();
    let id = |event: &Event| {
        let body: Value = serde_json::from_str(&cloud_events.body(event)).unwrap();
        body["id"].as_str().unwrap().to_owned()
    };
    let event = hostile();
    assert_eq!(id(&event), id(&event.clone()));
    let mut later = event.clone();
    later.at = NOW.saturating_add(1);
    let matter = |name: &str| {
        let matter = Matter::new(EventCode::Expiring, Role::OwnServer);
        event.clone().with_matter(matter.with_name(name.to_owned()))
    };
    let others = [
        later,
        event.clone().with_host("a".to_owned()),
        matter("a"),
        matter("a\" None\nexpiring own_server Some(\"b"),
        matter("a").with_matter(Matter::new(EventCode::Expiring, Role::OwnServer)),
    ];
    let ids: BTreeSet<_> = others.iter().chain([&event]).map(id).collect();
    assert_eq!(ids.len(), 6);
}

#[test]
fn a_cloud_events_source_and_type_are_what_they_must_be() {
    for (source, is_one) in [
        ("/services/a", true),
        ("urn:uuid:1", true),
        ("https://a.example/%20", true),
        ("", false),
        ("a b", false),
        ("ä", false),
    ] {
        let source_uri = source.to_owned();
        let expected = (!is_one).then_some(PayloadError::EventSource { source_uri });
        assert_eq!(CloudEvents::new(source).err(), expected, "{source}");
    }
    for (prefix, is_one) in [
        ("com.example", true),
        ("a-1", true),
        ("", false),
        ("A", false),
        ("a..b", false),
    ] {
        let typed = CloudEvents::new("/").unwrap().with_type_prefix(prefix);
        let prefix = prefix.to_owned();
        let expected = (!is_one).then_some(PayloadError::TypePrefix { prefix });
        assert_eq!(typed.err(), expected);
    }
}
