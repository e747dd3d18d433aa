use std::time::Duration;

use notafter::pin::forms::FormPlace;
use notafter::pin::forms::hpkp::PublicKeyPins;
use notafter::pin::{ExpiryRule, PinMode, PinPosition, PinSetStanding};

use super::{ONE, TWO, data, key, scope, time};

#[test]
fn the_examples_of_rfc_7469_are_read_and_written() {
    let received = time("2026-11-27T00:00:00Z");
    let mut ages = Vec::new();
    for value in data("rfc7469-examples.txt").lines() {
        let header = PublicKeyPins::parse(PinMode::Enforce, value).unwrap();
        let written = PublicKeyPins::parse(PinMode::Enforce, &header.to_string());
        assert_eq!(written.as_ref(), Ok(&header));
        let host = "example.com".try_into().unwrap();
        let set = header.to_pin_set(&host, received).unwrap();
        let seconds = header.max_age.unwrap().as_secs();
        let end = received.saturating_add(i64::try_from(seconds).unwrap());
        assert_eq!(set.expiry(), Some((end, ExpiryRule::FailOpenLoudly)));
        assert_eq!(set.standing(end), PinSetStanding::InForce);
        assert_eq!(set.standing(end.saturating_add(1)), PinSetStanding::Open);
        assert!(
            set.pins()
                .iter()
                .all(|pin| pin.position == PinPosition::Any)
        );
        let expected = match header.include_subdomains {
            true => "**.example.com",
            false => "example.com",
        };
        assert_eq!(set.scopes(), [scope(expected)]);
        let again = PublicKeyPins::from_pin_set(&set, received).unwrap();
        let mut without_reports = header.clone();
        without_reports.report_uri = None;
        assert_eq!(again, without_reports);
        ages.push((seconds, header.pins.len(), header.report_uri.is_some()));
    }
    let expected = [
        (3_000, 2, false),
        (2_592_000, 2, false),
        (2_592_000, 2, true),
        (259_200, 2, false),
        (10_000, 3, false),
    ];
    assert_eq!(ages, expected);
}

#[test]
fn what_is_only_told_about_is_remembered_by_nobody() {
    let value = format!(
        "pin-sha256=\"{ONE}\"; pin-sha256=\"{TWO}\"; max-age=5; report-uri=\"https://a.example/\""
    );
    let header = PublicKeyPins::parse(PinMode::ReportOnly, &value).unwrap();
    assert_eq!(header.header_name(), "Public-Key-Pins-Report-Only");
    assert_eq!(header.max_age, None);
    let now = time("2026-11-27T00:00:00Z");
    let set = header
        .to_pin_set(&"a.example".try_into().unwrap(), now)
        .unwrap();
    assert_eq!((set.mode(), set.expiry()), (PinMode::ReportOnly, None));
    let again = PublicKeyPins::from_pin_set(&set, now).unwrap();
    assert_eq!(
        again.to_string(),
        format!("pin-sha256=\"{ONE}\"; pin-sha256=\"{TWO}\"")
    );
}

#[test]
fn names_know_no_case_unknown_directives_say_nothing_and_quotes_are_taken_off() {
    let value = format!(
        "  PIN-SHA256=\"{ONE}\"\t;\tpin-sha1=\"AAAA\"; Max-Age=\"6\\0\" ; IncludeSubDomains; strict=\"a;b\\\"=\"; other; \
         pin-sha256=\"{TWO}\"; pin-sha256=\"{TWO}\"; x=y "
    );
    let header = PublicKeyPins::parse(PinMode::Enforce, &value).unwrap();
    assert_eq!(header.pins, [key(ONE), key(TWO)]);
    assert_eq!(header.max_age, Some(Duration::from_secs(60)));
    assert!(header.include_subdomains);
    // More seconds than there are until the last year is for ever.
    let value =
        format!("pin-sha256=\"{ONE}\"; pin-sha256=\"{TWO}\"; max-age=99999999999999999999999999");
    let header = PublicKeyPins::parse(PinMode::Enforce, &value).unwrap();
    let now = time("2026-11-27T00:00:00Z");
    let set = header
        .to_pin_set(&"a.example".try_into().unwrap(), now)
        .unwrap();
    assert_eq!(set.expiry().unwrap().0, notafter::Timestamp::MAX);
}

#[test]
fn what_is_not_of_the_grammar_is_refused_with_its_column() {
    let (one, two) = (
        format!("pin-sha256=\"{ONE}\""),
        format!("pin-sha256=\"{TWO}\""),
    );
    let cases = [
        (
            "",
            "1",
            "'the end' stands where the name of a directive is expected",
        ),
        (
            &format!("{one}; {two}; max-age=1;"),
            "129",
            "'the end' stands where the name of a directive is expected",
        ),
        (
            &format!("{one}, {two}; max-age=1"),
            "58",
            "',' stands where a semicolon is expected",
        ),
        (
            &format!("{one} {two}; max-age=1"),
            "59",
            "'p' stands where a semicolon is expected",
        ),
        (&format!("pin-sha256={ONE}; max-age=1"), "12", "'='"),
        (
            "max-age =1",
            "9",
            "'=' stands where a semicolon is expected",
        ),
        ("max-age= 1", "9", "' ' stands where a value is expected"),
        (
            "a=\"b",
            "5",
            "'the end' stands where a closing quote is expected",
        ),
        (
            "a=\"b\u{7}\"",
            "5",
            "'\\u{7}' stands where a closing quote is expected",
        ),
        (
            "a=\"b\\\n\"",
            "6",
            "'\\n' stands where a character after \\ is expected",
        ),
        (
            "max-age=1; MAX-AGE=1",
            "12",
            "'max-age' stands twice, so that nobody can say which one counts: keep one",
        ),
        (
            "a; a=b",
            "4",
            "'a' stands twice, so that nobody can say which one counts: keep one",
        ),
        ("max-age", "1", "the number of seconds is missing: add it"),
        (
            "max-age=-1",
            "1",
            "'-1' stands where a number of seconds is expected",
        ),
        (
            "max-age=\"\"",
            "1",
            "'' stands where a number of seconds is expected",
        ),
        (
            "includeSubDomains=true",
            "1",
            "'true' stands where no value is expected",
        ),
        (
            "report-uri=https",
            "1",
            "'https' stands where a URI between quotes is expected",
        ),
        (
            "report-uri=\"a b\"",
            "1",
            "'a b' stands where a URI between quotes is expected",
        ),
        (
            "pin-sha256=AAAA",
            "1",
            "'AAAA' stands where a pin between quotes is expected",
        ),
        ("pin-sha256", "1", "a pin is missing: add it"),
        (
            "pin-sha256=\"AAAA\"",
            "1",
            "it is not the base64 of a SHA-256 digest: copy the pin again, all 44 characters of it",
        ),
        (&format!("{one}; {two}"), "", "max-age is missing: add it"),
        (
            &format!("{one}; {one}; max-age=1"),
            "",
            "this form asks for 2 distinct pins, and it has 1: add the pin of a key kept offline",
        ),
    ];
    for (value, column, sentence) in cases {
        let error = PublicKeyPins::parse(PinMode::Enforce, value).unwrap_err();
        if sentence == "'='" {
            // The padding of base64 is of no token.
            let place = error.place.to_string();
            assert_eq!(place, "line 1, column 55", "{value}");
            continue;
        }
        let place = match column {
            "" => FormPlace::Whole.to_string(),
            column => format!("line 1, column {column}"),
        };
        assert_eq!(error.to_string(), format!("{place}: {sentence}"), "{value}");
    }
}

#[test]
fn a_host_that_is_to_be_forgotten_and_one_without_a_name_are_not_pinned() {
    let now = time("2026-11-27T00:00:00Z");
    let header = PublicKeyPins::parse(PinMode::Enforce, "max-age=0").unwrap();
    let error = header
        .to_pin_set(&"a.example".try_into().unwrap(), now)
        .unwrap_err();
    let expected = "these pins: max-age=0 tells clients to forget the pins of this host: there is nothing to go by";
    assert_eq!(error.to_string(), expected);
    let value = format!("pin-sha256=\"{ONE}\"; pin-sha256=\"{TWO}\"; max-age=5");
    let header = PublicKeyPins::parse(PinMode::Enforce, &value).unwrap();
    let error = header
        .to_pin_set(&"10.0.0.1".try_into().unwrap(), now)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "these pins: '10.0.0.1' stands where the name of a host is expected"
    );
}
