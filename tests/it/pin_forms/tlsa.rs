use notafter::PinSet;
use notafter::pin::forms::tlsa::{NoPinRecord, TlsaRecord, pin_set, read, to_records, write};
use notafter::pin::{Pin, PinPosition, PinSets, PinState};

use super::{ONE, TWO, assert_refused, data, key, keys_for, scope, sets};

const HEX: &str = "0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3";

#[test]
fn records_are_pins_by_the_rules_of_rfc_7671_or_say_why_they_are_none() {
    let key = key(ONE);
    let cases = [
        ([3, 1, 1], Ok(PinPosition::Leaf)),
        ([2, 1, 1], Ok(PinPosition::Ca)),
        ([0, 1, 1], Err(NoPinRecord::Pkix { usage: 0 })),
        ([1, 1, 1], Err(NoPinRecord::Pkix { usage: 1 })),
        ([4, 1, 1], Err(NoPinRecord::UnknownUsage { usage: 4 })),
        ([255, 1, 1], Err(NoPinRecord::UnknownUsage { usage: 255 })),
        ([3, 0, 1], Err(NoPinRecord::Selector { selector: 0 })),
        ([2, 2, 1], Err(NoPinRecord::Selector { selector: 2 })),
        (
            [3, 1, 0],
            Err(NoPinRecord::MatchingType { matching_type: 0 }),
        ),
        (
            [3, 1, 2],
            Err(NoPinRecord::MatchingType { matching_type: 2 }),
        ),
        (
            [2, 1, 3],
            Err(NoPinRecord::MatchingType { matching_type: 3 }),
        ),
    ];
    for ([usage, selector, matching_type], expected) in cases {
        let presented = format!("{usage} {selector} {matching_type} {HEX}");
        let record: TlsaRecord = presented.parse().unwrap();
        assert_eq!(record.to_string(), presented);
        let wire = record.to_wire();
        assert_eq!(wire[..3], [usage, selector, matching_type]);
        assert_eq!(wire[3..], key.digest().as_bytes()[..]);
        assert_eq!(TlsaRecord::from_wire(&wire), Ok(record.clone()));
        let pin = expected.map(|position| Pin::new(key, PinState::Current).with_position(position));
        assert_eq!(record.to_pin(), pin, "{presented}");
    }
    let short: TlsaRecord = "3 1 1 00ff".parse().unwrap();
    let sentence = "the pin's digest has 2 bytes, SHA-256 has 32: copy the pin again";
    assert_eq!(short.to_pin().unwrap_err().to_string(), sentence);
    for wire in [&[][..], &[3, 1], &[3, 1, 1]] {
        let error = TlsaRecord::from_wire(wire).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the association data of a TLSA record is missing: add it"
        );
    }
}

#[test]
fn records_are_read_as_zone_files_and_dig_present_them() {
    let (start, end) = HEX.split_at(20);
    let generic = format!(r"\# 35 030101 {start} {end}");
    for data in [
        format!("3 1 1 {HEX}"),
        format!("3 1 1 {} {end}", start.to_uppercase()),
        format!("DANE-EE SPKI SHA2-256 {HEX}"),
        format!("_443._tcp.A.example. 3600 IN TLSA 3 1 1 {HEX} ; the key in use"),
        format!("_443._tcp.a.example IN TLSA (\n 3 1 1 ; of the leaf\n {start}\n {end} )"),
        format!("\n; none\n_443._tcp.a.example. TYPE52 {generic}"),
        generic.clone(),
    ] {
        let pins = read(&data).unwrap();
        assert_eq!(keys_for(&pins, "a.example"), Some(vec![key(ONE)]), "{data}");
        let is_of_a_host = data.contains("example");
        assert_eq!(
            keys_for(&pins, "b.example").is_none(),
            is_of_a_host,
            "{data}"
        );
    }
}

#[test]
fn sets_are_written_and_read_again() {
    let leaf = PinSet::builder()
        .with_current(key(ONE))
        .with_current_ca(key(TWO));
    let hosts = leaf
        .clone()
        .with_scope(scope("a.example"))
        .with_scope(scope("b.example"));
    let pins = sets([hosts.build().unwrap()]);
    let zone = write(&pins, 443).unwrap();
    assert_eq!(zone.lines().count(), 4);
    assert!(
        zone.starts_with(&format!("_443._tcp.a.example. IN TLSA 3 1 1 {HEX}\n")),
        "{zone}"
    );
    assert_eq!(read(&zone), Ok(pins));
    let set = leaf.build().unwrap();
    let records = to_records(&set).unwrap();
    assert_eq!(pin_set(&records, None), Ok(set.clone()));
    let pins = PinSets::from(set);
    assert_eq!(read(&write(&pins, 25).unwrap()), Ok(pins));
    let wire: Vec<_> = records.iter().map(TlsaRecord::to_wire).collect();
    let again: Result<Vec<_>, _> = wire
        .iter()
        .map(|wire| TlsaRecord::from_wire(wire))
        .collect();
    assert_eq!(again, Ok(records));
}

#[test]
fn what_is_no_pin_is_refused_with_its_line_and_not_left_out() {
    let good = format!("_443._tcp.a.example. IN TLSA 3 1 1 {HEX}");
    let pkix = "usage 1 (PKIX) constrains what public CAs vouch for, and is no pin by itself: publish usage 3, or 2 \
                for a CA (RFC 7671, 4)";
    let services = "its host has records of another port or transport too, which a pin set cannot tell apart: read \
                    them one by one";
    let cases = [
        (
            format!("{good}\n  _443._tcp.a.example. IN TLSA 1 1 1 {HEX}"),
            "2:3",
            pkix,
        ),
        (
            format!("{good}\n_25._tcp.a.example. IN TLSA 3 1 1 {HEX}"),
            "2:1",
            services,
        ),
        (
            format!("{good}\n_443._udp.A.EXAMPLE IN TLSA 3 1 1 {HEX}"),
            "2:1",
            services,
        ),
        (
            "3 1 1".to_owned(),
            "1:1",
            "'3 1 1' stands where a TLSA record like 3 1 1 HEX is expected",
        ),
        (
            "3 1 1 0".to_owned(),
            "1:1",
            "'0' stands where hexadecimal is expected",
        ),
        (
            "3 256 1 00".to_owned(),
            "1:1",
            "'256' stands where a number from 0 to 255 is expected",
        ),
        (
            r"\# 3 030101".to_owned(),
            "1:1",
            "the association data of a TLSA record is missing: add it",
        ),
        (
            r"\# 35 030101".to_owned(),
            "1:1",
            "'35' stands where the number of bytes is expected",
        ),
        (
            "TLSA 3 1 1 00".to_owned(),
            "1:1",
            "the name of the record's owner is missing: add it",
        ),
        (
            "\n (3 1 1\n 00".to_owned(),
            "2:2",
            "the closing ) is missing: add it",
        ),
        (
            "3 1 1 00 )".to_owned(),
            "1:1",
            "')' stands where a field is expected",
        ),
        (
            "; nothing".to_owned(),
            "these pins",
            "it pins no key of any host: there is nothing to go by",
        ),
    ];
    for (zone, place, sentence) in cases {
        assert_refused(&zone, read(&zone), place, sentence);
    }
    // Those of RFC 6698 are of CAs' certificates, of SHA-512, and of a whole certificate.
    let pkix = pkix.replace("usage 1", "usage 0");
    assert_refused(
        "RFC 6698",
        read(&data("rfc6698-examples.zone")),
        "1:1",
        &pkix,
    );
    let none: TlsaRecord = format!("3 0 1 {HEX}").parse().unwrap();
    let records = [TlsaRecord::of_leaf(&key(ONE)), none];
    let error = pin_set(&records, None).unwrap_err();
    let expected = "records[1]: selector 0 is not of the key (1) but of the certificate, which is replaced while the key \
                    stays: publish it with selector 1";
    assert_eq!(error.to_string(), expected);
}
