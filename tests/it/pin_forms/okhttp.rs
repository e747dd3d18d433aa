use notafter::PinSet;
use notafter::SpkiPin;
use notafter::pin::forms::okhttp::{read, write};
use notafter::pin::{PinPosition, PinSets};

use super::{ONE, TWO, anywhere, assert_refused, data, key, keys_for, of_hosts, scope, sets};

#[test]
fn the_example_of_okhttps_documentation_pins_four_keys_anywhere_on_the_path() {
    let pins = read(&data("okhttp-documentation.java.txt")).unwrap();
    let set = pins.iter().next().unwrap();
    assert_eq!(set.scopes(), [scope("publicobject.com")]);
    assert_eq!((set.pins().len(), set.expiry()), (4, None));
    assert!(
        set.pins()
            .iter()
            .all(|pin| pin.position == PinPosition::Any)
    );
    let lines = write(&pins).unwrap();
    assert_eq!(lines.lines().count(), 4);
    assert_eq!(read(&lines), Ok(pins));
}

/// What OkHttp does (`CertificatePinner.findMatchingPins`), in other words.
fn okhttps(patterns: &[(&str, &str)], host: &str) -> Vec<SpkiPin> {
    let matches = |pattern: &str| match pattern.strip_prefix("**.") {
        Some(domain) => host == domain || host.ends_with(&format!(".{domain}")),
        None => match pattern.strip_prefix("*.") {
            Some(domain) => host.split_once('.').is_some_and(|(_, rest)| rest == domain),
            None => host == pattern,
        },
    };
    let matching = patterns.iter().filter(|(pattern, _)| matches(pattern));
    let mut keys: Vec<_> = matching.map(|(_, pin)| key(pin)).collect();
    keys.sort();
    keys.dedup();
    keys
}

#[test]
fn of_patterns_that_cover_one_host_the_pins_of_all_count_as_in_okhttp() {
    let [three, four] =
        ["three", "four"].map(|n| SpkiPin::from_spki_der(n.as_bytes()).digest().to_base64());
    let scopes = [
        "**.example.com",
        "*.example.com",
        "www.example.com",
        "**.a.example.com",
        "*.a.example.com",
        "example.com",
    ];
    let hosts = [
        "example.com",
        "www.example.com",
        "a.example.com",
        "b.a.example.com",
        "c.b.a.example.com",
        "x.www.example.com",
        "b.example.com",
        "example.org",
    ];
    let pins = [ONE, TWO, three.as_str(), four.as_str()];
    // Each choice of three patterns, in each order.
    for first in scopes {
        for second in scopes {
            for third in scopes {
                let patterns = [
                    (first, pins[0]),
                    (second, pins[1]),
                    (third, pins[2]),
                    (first, pins[3]),
                ];
                let code: String = patterns
                    .iter()
                    .map(|(pattern, pin)| format!(".add(\"{pattern}\", \"sha256/{pin}\")\n"))
                    .collect();
                let read_pins = read(&code).unwrap();
                for host in hosts {
                    let mut ours = keys_for(&read_pins, host).unwrap_or_default();
                    ours.sort();
                    assert_eq!(ours, okhttps(&patterns, host), "{host} of\n{code}");
                }
                // And what is written of it means the same.
                let again = read(&write(&read_pins).unwrap()).unwrap();
                for host in hosts {
                    let sorted = |pins: &PinSets| {
                        let mut keys = keys_for(pins, host).unwrap_or_default();
                        keys.sort();
                        keys
                    };
                    assert_eq!(sorted(&again), sorted(&read_pins), "{host} of\n{code}");
                }
            }
        }
    }
}

#[test]
fn source_text_of_java_and_kotlin_is_read_past_all_that_is_no_pin() {
    let code = format!(
        "// .add(\"old.example\", \"sha256/{TWO}\")\n/* .add(\"older.example\", \"x\") */\nchar quote = '\"';\n\
         String url = \"https://a.example/.add(\\\"\";\n val pinner = CertificatePinner.Builder().apply {{\n\
         add(\n   \"*.example.com\", // all of them\n   \"sha256/{ONE}\",\n   \"sha256/{TWO}\",\n )\n}}.build()\npadd(1)"
    );
    let pins = read(&code).unwrap();
    assert_eq!(
        keys_for(&pins, "a.example.com"),
        Some(vec![key(ONE), key(TWO)])
    );
    assert_eq!(pins.iter().count(), 1);
}

#[test]
fn what_is_no_literal_pin_is_refused_where_it_stands() {
    let cases = [
        (
            format!(".add(HOST, \"sha256/{ONE}\")"),
            "1:6",
            "'HOST' stands where a literal string is expected",
        ),
        (
            ".add(\"a.example\", PIN)".to_owned(),
            "1:19",
            "'PIN' stands where a literal string is expected",
        ),
        (
            format!(".add(\"a.example\",\n \"sha1/{ONE}\")"),
            "2:2",
            "a digest by 'sha1' is no pin, only SHA-256 is: compute the pin again from the key",
        ),
        (
            format!(".add(\"a.example\", \"{ONE}\")"),
            "1:19",
            &format!("'{ONE}' stands where sha256/ and base64 is expected"),
        ),
        (
            ".add(\"a.example\", \"sha256/$PIN\")".to_owned(),
            "1:19",
            "it is not the base64 of a SHA-256 digest: copy the pin again, all 44 characters of it",
        ),
        (
            ".add(\"a.example\")".to_owned(),
            "1:6",
            "a pin is missing: add it",
        ),
        (
            ".add(\"a.example\" + x)".to_owned(),
            "1:18",
            "'+' stands where a comma or ) is expected",
        ),
        (
            ".add(\"a.example".to_owned(),
            "1:16",
            "'the end' stands where a closing quote is expected",
        ),
        (
            "fun nothing() {}".to_owned(),
            "these pins",
            "it pins no key of any host: there is nothing to go by",
        ),
    ];
    for (code, place, sentence) in cases {
        assert_refused(&code, read(&code), place, sentence);
    }
    let error = read(&format!(".add(\"*.*.example\", \"sha256/{ONE}\")")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("line 1, column 6: '*.*.example' names no hosts"),
        "{error}"
    );
}

#[test]
fn sets_of_which_more_pins_would_count_are_not_written() {
    let wide = PinSet::builder()
        .with_pin(anywhere(ONE))
        .with_scope(scope("**.example.com"));
    let wide = wide.build().unwrap();
    let of_a = |host: &str, pins: &[&str]| {
        let mut set = PinSet::builder().with_scope(scope(host));
        for pin in pins {
            set = set.with_pin(anywhere(pin));
        }
        set.build().unwrap()
    };
    let error = write(&sets([wide.clone(), of_a("a.example.com", &[TWO])])).unwrap_err();
    let expected = "a CertificatePinner of OkHttp cannot say all of pin set 1: a.example.com is also covered by \
                    **.example.com, and in it the pins of both count for it: give the more specific hosts the pins of the \
                    others too";
    assert_eq!(error.to_string(), expected);
    assert!(write(&sets([of_a("a.example.com", &[TWO, ONE]), wide])).is_ok());
    let one_label = of_a("*.example.com", &[ONE]);
    let below_a = of_a("**.a.example.com", &[TWO]);
    let error = write(&sets([below_a.clone(), one_label.clone()])).unwrap_err();
    assert_eq!(error.set, Some(0));
    let common = of_a("a.example.com", &[TWO, ONE]);
    assert!(write(&sets([below_a, one_label, common])).is_ok());
    assert!(write(&sets([of_hosts(&["**.example.com", "a.example.com"])])).is_ok());
}
