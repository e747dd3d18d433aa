use super::*;

fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn window(start: &str, end: &str) -> String {
    format!(r#"{{"suggestedWindow":{{"start":"{start}","end":"{end}"}}}}"#)
}

#[test]
fn reads_windows_with_any_offset_and_passes_over_what_it_does_not_know() {
    let body = br#"{"suggestedWindow":{"start":"2025-01-02T04:00:00.25+01:00","end":"2025-01-03T04:00:00Z","x":1},
        "explanationURL":"https://ca.example/why","extra":[null]}"#;
    let info = RenewalInfo::from_json(body).unwrap();
    assert_eq!(info.start, t("2025-01-02T03:00:00Z"));
    assert_eq!(info.end, t("2025-01-03T04:00:00Z"));
    assert_eq!(
        info.explanation_url.as_deref(),
        Some("https://ca.example/why")
    );
}

#[test]
fn an_explanation_that_should_not_reach_a_log_is_left_out() {
    let long = format!("https://ca.example/{}", "a".repeat(2_048));
    for url in [
        "javascript:alert(1)",
        "https://a b",
        "https://ca\\u001b[2J",
        "",
        &long,
    ] {
        let body = window("2025-01-02T04:00:00Z", "2025-01-03T04:00:00Z");
        let body = body.replacen('{', &format!(r#"{{"explanationURL":"{url}","#), 1);
        let info = RenewalInfo::from_json(body.as_bytes()).unwrap();
        assert_eq!(info.explanation_url, None, "{url}");
    }
}

#[test]
fn bad_input_gets_its_error() {
    let (start, end) = ("2025-01-02T04:00:00Z", "2025-01-03T04:00:00Z");
    let cases = [
        (String::new(), "line 1, column 0: EOF while parsing a value"),
        (
            "{}".to_owned(),
            "line 1, column 2: missing field `suggestedWindow`",
        ),
        ("[]".to_owned(), "line 1, column 2: invalid length 0"),
        (format!("{} x", window(start, end)), "trailing characters"),
        (
            r#"{"suggestedWindow":{"start":1}}"#.to_owned(),
            "invalid type: integer `1`, expected a string",
        ),
        (
            r#"{"suggestedWindow":{"start":"2025-01-02T04:00:00Z"}}"#.to_owned(),
            "missing field `end`",
        ),
        (
            r#"{"suggestedWindow":{},"suggestedWindow":{}}"#.to_owned(),
            "missing field `start`",
        ),
        (
            window(start, end).replacen('{', r#"{"explanationURL":7,"#, 1),
            "invalid type: integer `7`, expected a string",
        ),
        (
            window("\\u001b[2Jnow\\n", end),
            "the start of the suggested window, '\\u{1b}[2Jnow\\n', is not an RFC 3339 instant",
        ),
        (
            window("yesterday", end),
            "the start of the suggested window, 'yesterday', is not an RFC 3339 instant",
        ),
        (
            window(start, "1735876800"),
            "the end of the suggested window, '1735876800', is not",
        ),
        (
            window(start, "2025-02-30T00:00:00Z"),
            "'2025-02-30T00:00:00Z', is not an RFC 3339",
        ),
        (
            window(start, start),
            "ends at 2025-01-02T04:00:00Z, not after its start at 2025-01-02T04:00:00Z",
        ),
        (
            window(end, start),
            "ends at 2025-01-02T04:00:00Z, not after its start at 2025-01-03T04:00:00Z",
        ),
        (" ".repeat(65_537), "has 65537 bytes, more than 65536"),
    ];
    for (body, expected) in cases {
        let error = RenewalInfo::from_json(body.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expected), "{body}: {error}");
    }
    for cut in 0..window(start, end).len() {
        assert!(RenewalInfo::from_json(&window(start, end).as_bytes()[..cut]).is_err());
    }
}

#[test]
fn the_instant_is_spread_evenly_and_never_past() {
    let info =
        RenewalInfo::from_json(window("2025-01-02T00:00:00Z", "2025-01-02T00:00:09Z").as_bytes())
            .unwrap();
    let start = info.start;
    let mut hits = [0; 10];
    for n in 0..1_000_u64 {
        let chosen = info.chosen(n * (u64::MAX / 999));
        hits[usize::try_from(chosen.seconds_since(start)).unwrap()] += 1;
    }
    assert!(
        hits.iter().all(|hits| (99..=101).contains(hits)),
        "{hits:?}"
    );
    assert_eq!(info.renew_at(0, start.saturating_add(-5)), start);
    assert_eq!(info.renew_at(u64::MAX, start), info.end);
    assert_eq!(
        info.renew_at(0, start.saturating_add(5)),
        start.saturating_add(5)
    );
    assert_eq!(
        info.renew_at(0, info.end.saturating_add(500)),
        info.end.saturating_add(500)
    );
}

#[test]
fn retry_after_is_held_between_a_minute_and_a_day() {
    let now = t("2025-01-02T00:00:00Z");
    let cases = [
        (None, 21_600),
        (Some("21600"), 21_600),
        (Some(" 120 "), 120),
        (Some("0"), 60),
        (Some("59"), 60),
        (Some("86401"), 86_400),
        (Some("99999999999999999999999"), 86_400),
        (Some("-5"), 21_600),
        (Some("1.5"), 21_600),
        (Some("soon"), 21_600),
        (Some(""), 21_600),
        (Some("Thu, 02 Jan 2025 01:00:00 GMT"), 3_600),
        (Some("Wed, 01 Jan 2025 01:00:00 GMT"), 60),
        (Some("Fri, 02 Jan 2026 01:00:00 GMT"), 86_400),
    ];
    for (header, expected) in cases {
        let at = RenewalInfo::ask_again_at(header, now);
        assert_eq!(at.seconds_since(now), expected, "{header:?}");
    }
}
