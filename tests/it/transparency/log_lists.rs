//! Lists of logs, as Chromium ships them, and as they come damaged.

use notafter::Timestamp;
use notafter::transparency::{Log, LogKind, LogList, LogListError, LogState};
use serde_json::{Value, json};

use super::log_id;

const OF_2026: &[u8] = include_bytes!("../../data/transparency/log_list-2026.json");

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_list_of_chrome_is_read_with_its_tiled_logs() {
    let list = LogList::from_json(OF_2026).unwrap();
    assert_eq!(list.problems(), []);
    assert_eq!(list.len(), 19);
    assert_eq!(list.published(), Some(at("2026-06-16T13:37:21Z")));
    assert_eq!(list.counts_until(), Some(at("2026-08-25T13:37:20Z")));
    let named = |name: &str| {
        let mut logs = list.logs();
        logs.find(|log| log.name().contains(name)).unwrap()
    };
    let cases = [
        ("Argon2026h1", "Google", LogKind::Rfc6962, LogState::Usable),
        (
            "Mammoth2026h1",
            "Sectigo",
            LogKind::Rfc6962,
            LogState::ReadOnly,
        ),
        (
            "Oak2026h1",
            "Let's Encrypt",
            LogKind::Rfc6962,
            LogState::Retired,
        ),
        (
            "Sycamore2026h2",
            "Let's Encrypt",
            LogKind::StaticCtApi,
            LogState::Usable,
        ),
    ];
    for (name, operator, kind, state) in cases {
        let log = named(name);
        assert_eq!(
            (log.operator.as_str(), log.kind),
            (operator, kind),
            "{name}"
        );
        assert_eq!(
            log.state_at(at("2026-07-01T00:00:00Z")),
            Some(state),
            "{name}"
        );
        assert_eq!(list.get(&log.log_id), Some(log));
    }
    let oak = named("Oak2026h1");
    assert_eq!(oak.retired_since(), Some(at("2026-02-28T00:00:00Z")));
    // Before it was retired, it was in force.
    assert_eq!(
        oak.state_at(at("2026-02-27T23:59:59Z")),
        Some(LogState::Usable)
    );
    let interval = named("Sycamore2026h2").temporal_interval.unwrap();
    assert_eq!(interval.start_inclusive, at("2026-06-18T00:00:00Z"));
    assert_eq!(interval.end_exclusive, at("2026-12-17T00:00:00Z"));
}

/// A list of one log that has this field, too.
fn with(field: &str, value: &Value) -> Vec<u8> {
    let mut log = json!({
        "log_id": log_id(1).to_base64(),
        "description": "One",
        "state": { "usable": { "timestamp": "2025-01-01T00:00:00Z" } },
    });
    log[field] = value.clone();
    let good = json!({
        "log_id": log_id(2).to_base64(),
        "state": { "usable": { "timestamp": "2025-01-01T00:00:00Z" } },
    });
    let document = json!({ "operators": [{ "name": "A", "logs": [log, good] }] });
    document.to_string().into_bytes()
}

#[test]
fn what_is_wrong_with_one_log_loses_no_other() {
    let usable = Some(LogState::Usable);
    let two = log_id(2).to_base64();
    let cases = [
        ("later", json!({ "more": 1.5 }), usable, None),
        (
            "log_id",
            json!("AAAA"),
            None,
            Some(("log_id", "'AAAA' is no base64 of 32 bytes")),
        ),
        (
            "log_id",
            json!(7),
            None,
            Some(("log_id", "there is no text 'log_id'")),
        ),
        (
            "key",
            json!("AAAA"),
            None,
            Some(("key", "its SHA-256 is not the log_id")),
        ),
        (
            "state",
            json!(null),
            None,
            Some(("state", "it is not stated, so nothing of this log counts")),
        ),
        (
            "state",
            json!({ "frozen": { "timestamp": "2025-01-01T00:00:00Z" } }),
            None,
            Some((
                "state",
                "'frozen' is no state that is known, so it does not count",
            )),
        ),
        (
            "state",
            json!({ "usable": {} }),
            None,
            Some(("state", "there is no text 'timestamp'")),
        ),
        (
            "temporal_interval",
            json!({ "start_inclusive": "2026-01-01T00:00:00Z" }),
            usable,
            Some(("temporal_interval", "there is no text 'end_exclusive'")),
        ),
        (
            "previous_operators",
            json!([{ "name": "B" }]),
            usable,
            Some(("previous_operators", "there is no text 'end_time'")),
        ),
    ];
    for (field, value, state, problem) in cases {
        let list = LogList::from_json(&with(field, &value)).unwrap();
        let one = list.get(&log_id(1));
        let now = at("2026-01-01T00:00:00Z");
        assert_eq!(
            one.and_then(|log| log.state_at(now)),
            state,
            "{field} {value}"
        );
        let problems: Vec<_> = list.problems().iter().map(ToString::to_string).collect();
        let expected = problem.map(|(place, reason)| {
            format!("operators[0].logs[0].{place} of the list of logs: {reason}")
        });
        assert_eq!(problems, Vec::from_iter(expected), "{field} {value}");
        assert_eq!(list.get(&log_id(2)).unwrap().operator, "A");
    }
    let twice = LogList::from_json(&with("log_id", &json!(two))).unwrap();
    assert_eq!((twice.len(), twice.problems().len()), (1, 1));
    assert_eq!(twice.problems()[0].place, "operators[0].logs[1]");
}

#[test]
fn what_is_no_list_is_refused() {
    let too_large = vec![b' '; 4 * 1024 * 1024 + 1];
    let nobody = json!({ "operators": [{ "logs": [] }, { "name": "A", "logs": 7 }] }).to_string();
    let cases: [(&[u8], LogListError); 5] = [
        (b"[]", LogListError::NoOperators),
        (b"{\"operators\": {}}", LogListError::NoOperators),
        (b"{\"operators\": []}", LogListError::NoLogs),
        (nobody.as_bytes(), LogListError::NoLogs),
        (
            &too_large,
            LogListError::TooLarge {
                bytes: 4 * 1024 * 1024 + 1,
                limit: 4 * 1024 * 1024,
            },
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(LogList::from_json(bytes), Err(expected));
    }
    let error = LogList::from_json(b"{\n \"operators\": [,]}").unwrap_err();
    assert!(
        matches!(error, LogListError::Json { line: 2, .. }),
        "{error}"
    );
    // The largest that is read is read.
    let mut padded = OF_2026.to_vec();
    padded.resize(4 * 1024 * 1024, b' ');
    assert_eq!(LogList::from_json(&padded).unwrap().len(), 19);
    // Of many problems the first hundred are kept.
    let logs: Vec<_> = (0..300).map(|_| json!({})).collect();
    let good =
        json!({ "log_id": log_id(1).to_base64(), "state": { "usable": { "timestamp": "0" } } });
    let document = json!({ "operators": [{ "name": "A", "logs": logs, "tiled_logs": [good] }] });
    let list = LogList::from_json(document.to_string().as_bytes()).unwrap();
    assert_eq!((list.len(), list.problems().len()), (1, 100));
    let repeated = LogList::builder()
        .with_log(Log::new(log_id(1), "A"))
        .with_log(Log::new(log_id(1), "B"));
    assert_eq!(
        repeated.build(),
        Err(LogListError::Repeated { log_id: log_id(1) })
    );
    assert_eq!(LogList::builder().build(), Err(LogListError::NoLogs));
}

#[test]
fn names_in_a_list_are_short() {
    let name = "n".repeat(129);
    let document = json!({ "operators": [{ "name": name, "logs": [{
        "log_id": log_id(1).to_base64(),
        "description": name,
        "state": { (name.as_str()): {} },
    }] }] });
    let list = LogList::from_json(document.to_string().as_bytes()).unwrap();
    let log = list.get(&log_id(1)).unwrap();
    assert_eq!((log.operator.len(), log.name().len()), (128, 128));
    let reason = &list.problems()[0].reason;
    assert!(reason.contains(&"n".repeat(128)) && !reason.contains(&name));
}

#[test]
fn a_state_holds_from_its_second_on() {
    let [qualified, usable, retired] = [
        "2025-01-01T00:00:00Z",
        "2025-03-01T00:00:00Z",
        "2026-01-01T00:00:00Z",
    ]
    .map(at);
    let log = Log::new(log_id(1), "A")
        .with_state(LogState::Retired, retired)
        .with_state(LogState::Qualified, qualified)
        .with_state(LogState::Usable, usable);
    let cases = [
        (qualified.saturating_add(-1), LogState::Qualified),
        (qualified, LogState::Qualified),
        (usable.saturating_add(-1), LogState::Qualified),
        (usable, LogState::Usable),
        (retired.saturating_add(-1), LogState::Usable),
        (retired, LogState::Retired),
    ];
    for (instant, state) in cases {
        assert_eq!(log.state_at(instant), Some(state), "{instant}");
    }
    assert_eq!(Log::new(log_id(1), "A").state_at(usable), None);
    let pending = Log::new(log_id(1), "A").with_state(LogState::Pending, usable);
    assert_eq!(pending.state_at(qualified), Some(LogState::Pending));
}
