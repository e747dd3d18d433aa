use super::*;
use crate::time::Timestamp;

/// A certificate with these parts of its validity, otherwise the smallest that is well-formed.
fn with_validity(not_before: &[u8], not_after: &[u8]) -> Vec<u8> {
    let validity = sequence(&[not_before, not_after].concat());
    let algorithm = sequence(&[0x06, 0x01, 0x2a]);
    let name = sequence(&[]);
    let spki = sequence(&[&algorithm[..], &[0x03, 0x02, 0x00, 0x01]].concat());
    let tbs = [
        &[0xa0, 0x03, 0x02, 0x01, 0x02][..],
        &[0x02, 0x01, 0x01],
        &algorithm,
        &name,
        &validity,
        &name,
        &spki,
    ];
    let signature = [0x03, 0x02, 0x00, 0x01];
    sequence(&[&sequence(&tbs.concat())[..], &algorithm, &signature].concat())
}

fn sequence(content: &[u8]) -> Vec<u8> {
    element(0x30, content)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let header = if length < 0x80 {
        vec![tag, length]
    } else {
        vec![tag, 0x81, length]
    };
    [&header[..], content].concat()
}

fn utc(text: &str) -> Vec<u8> {
    element(0x17, text.as_bytes())
}

fn generalized(text: &str) -> Vec<u8> {
    element(0x18, text.as_bytes())
}

#[test]
fn times_are_read_to_the_second() {
    let cases = [
        (utc("500101000000Z"), "1950-01-01T00:00:00Z"),
        (utc("491231235959Z"), "2049-12-31T23:59:59Z"),
        (utc("991231235959Z"), "1999-12-31T23:59:59Z"),
        (utc("000229120000Z"), "2000-02-29T12:00:00Z"),
        (generalized("00000101000000Z"), "0000-01-01T00:00:00Z"),
        (generalized("00010101000000Z"), "0001-01-01T00:00:00Z"),
        (generalized("19691231235959Z"), "1969-12-31T23:59:59Z"),
        (generalized("20500101000000Z"), "2050-01-01T00:00:00Z"),
        (generalized("99991231235959Z"), "9999-12-31T23:59:59Z"),
    ];
    for (time, expected) in cases {
        let der = with_validity(&time, &time);
        let facts = CertificateFacts::parse(&der).unwrap();
        assert_eq!(facts.validity().not_after.to_string(), expected);
        let parsed: Timestamp = expected.parse().unwrap();
        assert_eq!(facts.validity().not_before, parsed);
    }
}

#[test]
fn times_that_no_calendar_or_profile_has_are_refused() {
    let cases = [
        utc("210229000000Z"),
        utc("211301000000Z"),
        utc("210001000000Z"),
        utc("210100000000Z"),
        utc("210101240000Z"),
        utc("210101006000Z"),
        utc("210101000060Z"),
        utc("2101010000Z"),
        utc("210101000000"),
        utc("210101000000+0000"),
        utc("2101010000 0Z"),
        utc(""),
        generalized("20210101000000.5Z"),
        generalized("21000229000000Z"),
        generalized("210101000000Z"),
    ];
    let good = utc("210101000000Z");
    for time in cases {
        let error = CertificateFacts::parse(&with_validity(&time, &good)).unwrap_err();
        assert_eq!(error.problem, DerProblem::BadTime, "{time:?}");
        let error = CertificateFacts::parse(&with_validity(&good, &time)).unwrap_err();
        assert_eq!(error.problem, DerProblem::BadTime, "{time:?}");
    }
}

#[test]
fn what_is_not_der_is_refused_with_its_place() {
    let good = with_validity(&utc("210101000000Z"), &utc("310101000000Z"));
    assert!(CertificateFacts::parse(&good).is_ok());
    let change = |position: usize, bytes: &[u8]| {
        let mut der = good.clone();
        der.splice(position..=position, bytes.iter().copied());
        der
    };
    let cases = [
        (vec![], 0, DerProblem::Truncated),
        (vec![0x30], 1, DerProblem::Truncated),
        (vec![0x30, 0x80, 0, 0], 1, DerProblem::IndefiniteLength),
        (
            vec![0x30, 0x85, 0, 0, 0, 0, 1],
            1,
            DerProblem::LengthTooLarge,
        ),
        (vec![0x30, 0x81, 0x7f], 1, DerProblem::NonMinimalLength),
        (vec![0x30, 0x82, 0, 0xff], 1, DerProblem::NonMinimalLength),
        (
            vec![0x30, 0x83, 0, 0xff, 0xff],
            1,
            DerProblem::NonMinimalLength,
        ),
        (
            vec![0x30, 0x84, 0, 0xff, 0xff, 0xff],
            1,
            DerProblem::NonMinimalLength,
        ),
        (
            vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            0,
            DerProblem::Truncated,
        ),
        (
            change(0, &[0x31]),
            0,
            DerProblem::UnexpectedTag {
                expected: 0x30,
                found: 0x31,
            },
        ),
        (
            [&good[..], &[1, 2]].concat(),
            good.len(),
            DerProblem::TrailingBytes { count: 2 },
        ),
        // The version says 4.
        (change(8, &[3]), 8, DerProblem::BadVersion),
    ];
    for (der, offset, problem) in cases {
        let error = CertificateFacts::parse(&der).unwrap_err();
        assert_eq!(
            (error.offset, error.problem),
            (offset, problem),
            "{der:02x?}"
        );
    }
}

#[test]
fn the_first_alternative_name_is_a_dns_name_if_there_is_one() {
    let names = |names: &[(u8, &[u8])]| {
        let names: Vec<_> = names
            .iter()
            .map(|(kind, name)| element(*kind, name))
            .collect();
        sequence(&names.concat())
    };
    let cases = [
        (
            names(&[
                (0x86, b"spiffe://a/b"),
                (0x87, &[10, 0, 0, 1]),
                (0x82, b"*.a.example"),
            ]),
            Some("*.a.example"),
        ),
        (
            names(&[
                (0x86, b"spiffe://a/b"),
                (0x87, &[1, 2, 3]),
                (0x87, &[10, 0, 0, 1]),
            ]),
            Some("10.0.0.1"),
        ),
        (
            names(&[(0x81, b"a@b.example"), (0x86, b"spiffe://a/b")]),
            Some("spiffe://a/b"),
        ),
        (
            names(&[(0xa0, b"other"), (0x81, b"a@b.example")]),
            Some("a@b.example"),
        ),
        (names(&[(0x82, b"a\n.example")]), Some("a\\u{a}.example")),
        (
            names(&[(0x82, b"\xff"), (0x82, b"b.example")]),
            Some("b.example"),
        ),
        (names(&[(0xa4, b"")]), None),
        (vec![0x30, 0x05], None),
    ];
    for (extension, expected) in cases {
        assert_eq!(alt_names::first(&extension).as_deref(), expected);
    }
}

#[test]
fn names_show_and_never_write_lines_of_their_own() {
    let attribute = |kind: u8, value: &[u8]| {
        let oid = [0x06, 0x03, 0x55, 0x04, 0x03];
        element(0x31, &sequence(&[&oid[..], &element(kind, value)].concat()))
    };
    let cases: [(u8, &[u8], &str); 9] = [
        (0x0c, "Zürich".as_bytes(), "CN=Zürich"),
        (0x13, b"a\nb\x1b[31m", "CN=a\\u{a}b\\u{1b}[31m"),
        (0x0c, "a\u{202e}b".as_bytes(), "CN=a\\u{202e}b"),
        (0x14, b"Z\xfcrich", "CN=Zürich"),
        (0x1e, b"\x00A\x20\xac", "CN=A€"),
        (0x1e, b"\x00A\x20", "CN=#004120"),
        (0x1c, b"\x00\x00\x00A", "CN=A"),
        (0x0c, b"\xff", "CN=#ff"),
        (0x02, b"\x05", "CN=#05"),
    ];
    for (kind, value, expected) in cases {
        assert_eq!(name::readable(&attribute(kind, value)), expected);
    }
    assert_eq!(name::readable(&[]), "");
    assert_eq!(name::readable(&[0x31, 0x05, 0x00]), "<unreadable>");
    let unknown = element(0x31, &sequence(&[0x06, 0x02, 0x88, 0x37, 0x0c, 0x01, b'x']));
    assert_eq!(name::readable(&unknown), "2.999=x");
}
