use notafter::pin::PinSets;
use notafter::pin::forms::{
    FormProblem, FormReadError, android, okhttp, ssl_manager, tlsa, trustkit,
};

use super::ONE;

fn problem(read: Result<PinSets, FormReadError>) -> Option<FormProblem> {
    read.err().map(|error| error.problem)
}

fn domain(number: usize) -> String {
    format!("<domain>a{number}.example</domain>")
}

fn config(domains: &str, pins: &str) -> String {
    format!(
        "<network-security-config><domain-config>{domains}<pin-set>{pins}</pin-set></domain-config>\
         </network-security-config>"
    )
}

fn pins(count: usize) -> String {
    format!("<pin digest=\"SHA-256\">{ONE}</pin>").repeat(count)
}

#[test]
fn a_form_has_1_mib_1000_hosts_and_10000_pins_at_the_most() {
    let limit = 1024 * 1024;
    for (bytes, is_read) in [(limit, true), (limit + 1, false)] {
        let mut xml = config(&domain(0), &pins(1));
        xml.push_str(&" ".repeat(bytes - xml.len()));
        let expected = FormProblem::TooLarge { bytes, limit };
        assert_eq!(problem(android::read(&xml)), (!is_read).then_some(expected));
        let mut lines = format!(".add(\"a.example\", \"sha256/{ONE}\")");
        lines.push_str(&" ".repeat(bytes - lines.len()));
        assert_eq!(okhttp::read(&lines).is_ok(), is_read);
        assert_eq!(
            ssl_manager::read(&" ".repeat(bytes)).unwrap_err().problem
                == FormProblem::TooLarge { bytes, limit },
            !is_read
        );
        assert_eq!(
            tlsa::read(&" ".repeat(bytes)).unwrap_err().problem
                == FormProblem::TooLarge { bytes, limit },
            !is_read
        );
    }
    for (hosts, is_read) in [(1_000, true), (1_001, false)] {
        let domains: String = (0..hosts).map(domain).collect();
        let (what, limit) = ("hosts", 1_000);
        let expected = FormProblem::TooMany { what, limit };
        let read = android::read(&config(&domains, &pins(1)));
        assert_eq!(problem(read), (!is_read).then_some(expected.clone()));
        let lines: String = (0..hosts)
            .map(|n| format!(".add(\"a{n}.example\", \"sha256/{ONE}\")\n"))
            .collect();
        assert_eq!(
            problem(okhttp::read(&lines)),
            (!is_read).then_some(expected)
        );
    }
    for (count, is_read) in [(10_000, true), (10_001, false)] {
        let (what, limit) = ("pins", 10_000);
        let expected = FormProblem::TooMany { what, limit };
        let read = android::read(&config(&domain(0), &pins(count)));
        assert_eq!(problem(read), (!is_read).then_some(expected.clone()));
        let arguments = format!(", \"sha256/{ONE}\"").repeat(count);
        let read = okhttp::read(&format!(".add(\"a.example\"{arguments})"));
        assert_eq!(problem(read), (!is_read).then_some(expected));
    }
}

#[test]
fn pins_that_count_for_many_patterns_are_counted_as_often() {
    // 500 pins of a domain are pins of each of the 30 hosts below it, too.
    let arguments = format!(", \"sha256/{ONE}\"").repeat(500);
    let mut lines = format!(".add(\"**.example\"{arguments})\n");
    for number in 0..30 {
        lines += &format!(".add(\"a{number}.example\", \"sha256/{ONE}\")\n");
    }
    let (what, limit) = ("pins", 10_000);
    assert_eq!(
        problem(okhttp::read(&lines)),
        Some(FormProblem::TooMany { what, limit })
    );
}

#[test]
fn a_document_has_100000_nodes_and_configs_are_16_deep_at_the_most() {
    let xml = config(
        &domain(0),
        &format!("{}{}", pins(1), "<a/>".repeat(110_000)),
    );
    let (what, limit) = ("elements", 100_000);
    assert_eq!(
        problem(android::read(&xml)),
        Some(FormProblem::TooMany { what, limit })
    );
    let plist = format!("<plist><dict>{}</dict></plist>", "<a/>".repeat(110_000));
    assert_eq!(
        problem(trustkit::read(&plist)),
        Some(FormProblem::TooMany { what, limit })
    );
    for (levels, is_read) in [(16, true), (17, false)] {
        let open: String = (0..levels)
            .map(|n| format!("<domain-config>{}", domain(n)))
            .collect();
        let set = format!("<pin-set>{}</pin-set>", pins(1));
        let close = "</domain-config>".repeat(levels);
        let xml = format!("<network-security-config>{open}{set}{close}</network-security-config>");
        let (what, limit) = ("domain-config elements within each other", 16);
        let expected = FormProblem::TooMany { what, limit };
        assert_eq!(problem(android::read(&xml)), (!is_read).then_some(expected));
    }
    // Elements of no meaning may be as deep as they like: nothing descends into them.
    let deep = format!("{}{}", "<a>".repeat(40_000), "</a>".repeat(40_000));
    let xml = format!("<network-security-config>{deep}</network-security-config>");
    assert_eq!(problem(android::read(&xml)), Some(FormProblem::NoPins));
}

#[test]
fn what_is_repeated_of_a_form_is_short_and_writes_no_lines() {
    let long = "\u{202e}x\n".repeat(10_000);
    let escaped = "\\u202ex\\n".repeat(10_000);
    let config =
        |inner: &str| format!("<network-security-config>{inner}</network-security-config>");
    let errors = [
        android::read(&config(&format!(
            "<domain-config><domain>{long}</domain></domain-config>"
        ))),
        android::read(&config(&format!(
            "<domain-config><domain includeSubdomains='{long}'>a</domain></domain-config>"
        ))),
        android::read(&format!("<{}/>", "\u{200b}x".repeat(10_000))),
        android::read(&format!("<a></{}>", "x".repeat(10_000))),
        trustkit::read(&format!(
            "<plist><dict><key>{long}</key><a/><key>{long}</key><a/></dict></plist>"
        )),
        okhttp::read(&format!(".add(\"{}\", \"\")", "\u{202e}x".repeat(10_000))),
        ssl_manager::read(&format!(r#"{{"sha256Keys": {{"{escaped}": [1]}}}}"#)),
        ssl_manager::read(&format!(r#"{{"{escaped}": 1, "{escaped}": 1}}"#)),
        tlsa::read(&format!("{long} 1 1 00")),
    ];
    for error in errors {
        let sentence = error.unwrap_err().to_string();
        assert!(sentence.len() < 4_000, "{}", sentence.len());
        let hidden = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}');
        assert!(!sentence.contains(hidden), "{sentence}");
    }
}

#[test]
fn entities_are_never_expanded() {
    let mut entities = "<!ENTITY a0 \"ha\">".to_owned();
    for n in 1..30 {
        entities += &format!("<!ENTITY a{n} \"&a{0};&a{0};\">", n - 1);
    }
    let document = |root: &str| format!("<!DOCTYPE {root} [{entities}]><{root}>&a29;</{root}>");
    let read = android::read(&document("network-security-config"));
    assert_eq!(problem(read), Some(FormProblem::Entities));
    assert_eq!(
        problem(trustkit::read(&document("plist"))),
        Some(FormProblem::Entities)
    );
}
