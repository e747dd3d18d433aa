use super::der::{DerProblem, tag};
use super::{SctList, SctParseError, SctProblem, Sha256Digest};
use crate::time::Timestamp;

fn prefixed(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    [&length.to_be_bytes(), content].concat()
}

/// An SCT without its length.
fn sct(log: u8, timestamp_ms: u64, extensions: &[u8]) -> Vec<u8> {
    [
        &[0][..],
        &[log; 32],
        &timestamp_ms.to_be_bytes(),
        &prefixed(extensions),
        &[4, 3],
        &prefixed(b"signature"),
    ]
    .concat()
}

fn list(scts: &[&[u8]]) -> Vec<u8> {
    prefixed(
        &scts
            .iter()
            .flat_map(|sct| prefixed(sct))
            .collect::<Vec<_>>(),
    )
}

#[test]
fn timestamps_are_kept_to_the_millisecond_and_compared_so() {
    let read = |timestamp_ms| {
        let list = SctList::from_tls(&list(&[&sct(7, timestamp_ms, b"ext")])).unwrap();
        list.scts.into_iter().next().unwrap()
    };
    let one = read(1_000);
    assert_eq!(one.log_id, Sha256Digest::from_bytes([7; 32]));
    assert_eq!(
        (one.extensions.as_slice(), one.signature_scheme),
        (&b"ext"[..], 0x0403)
    );
    assert_eq!(one.signature, b"signature");
    let second = Timestamp::from_unix_seconds(1);
    let cases = [
        (999, 0, true, false),
        (1_000, 1, false, false),
        (1_001, 1, false, true),
        (1_999, 1, false, true),
        (u64::MAX, Timestamp::MAX.as_unix_seconds(), false, true),
    ];
    for (timestamp_ms, seconds, is_before, is_after) in cases {
        let sct = read(timestamp_ms);
        assert_eq!(sct.timestamp_ms, timestamp_ms);
        assert_eq!(sct.timestamp().as_unix_seconds(), seconds, "{timestamp_ms}");
        let compared = (sct.is_before(second), sct.is_after(second));
        assert_eq!(compared, (is_before, is_after), "{timestamp_ms}");
    }
    assert!(!read(0).is_before(Timestamp::MIN));
}

#[test]
fn a_list_that_is_none_is_refused_with_its_place() {
    use SctProblem::{Empty, TrailingBytes, Truncated};
    let good = list(&[&sct(1, 1, b"")]);
    let cases: [(&str, Vec<u8>, usize, SctProblem); 7] = [
        ("nothing", vec![], 0, Truncated),
        ("half a length", vec![0], 0, Truncated),
        ("a list of none", vec![0, 0], 2, Empty),
        ("a length that is not kept", vec![0, 3, 0, 0], 0, Truncated),
        (
            "a byte behind",
            [&good[..], &[9]].concat(),
            good.len(),
            TrailingBytes { count: 1 },
        ),
        (
            "an SCT that is longer than the list",
            prefixed(&[0, 9, 0]),
            2,
            Truncated,
        ),
        (
            "half a length in the list",
            prefixed(&[0, 1, 5, 0]),
            5,
            Truncated,
        ),
    ];
    for (what, bytes, offset, problem) in cases {
        let error = SctParseError { offset, problem };
        assert_eq!(SctList::from_tls(&bytes), Err(error), "{what}");
    }
    // Cut anywhere, it is no list; nothing panics.
    for end in 0..good.len() {
        assert!(SctList::from_tls(&good[..end]).is_err(), "{end}");
    }
}

#[test]
fn one_sct_that_cannot_be_read_loses_no_other() {
    use SctProblem::{Empty, TrailingBytes, Truncated};
    let good = sct(1, 1, b"");
    let behind = 2 + 2 + good.len() + 2;
    let cases: [(&str, Vec<u8>, usize, SctProblem); 5] = [
        ("no byte", vec![], 0, Empty),
        ("a version alone", vec![0], 1, Truncated),
        ("half a log id", good[..20].to_vec(), 1, Truncated),
        (
            "no signature",
            good[..good.len() - 11].to_vec(),
            good.len() - 11,
            Truncated,
        ),
        (
            "a byte behind",
            [&good[..], &[9]].concat(),
            good.len(),
            TrailingBytes { count: 1 },
        ),
    ];
    for (what, bad, offset, problem) in cases {
        let read = SctList::from_tls(&list(&[&good, &bad, &good])).unwrap();
        assert_eq!((read.scts.len(), read.unknown_versions), (2, 0), "{what}");
        let offset = behind + offset;
        assert_eq!(read.damaged, [SctParseError { offset, problem }], "{what}");
    }
    let newer = [&[1], &good[1..]].concat();
    let read = SctList::from_tls(&list(&[&newer, &good, b"\x07"])).unwrap();
    assert_eq!(
        (read.scts.len(), read.unknown_versions, read.damaged.len()),
        (1, 2, 0)
    );
}

#[test]
fn the_extension_holds_one_octet_string() {
    let good = list(&[&sct(1, 1, b"")]);
    let octets = |content: &[u8]| super::der::element(tag::OCTET_STRING, content);
    assert_eq!(
        SctList::from_extension(&octets(&good)),
        SctList::from_tls(&good)
    );
    let der = |offset, problem| {
        let problem = SctProblem::Der(problem);
        Err(SctParseError { offset, problem })
    };
    let behind = [&octets(&good)[..], &[5, 0]].concat();
    assert_eq!(
        SctList::from_extension(&good),
        der(
            0,
            DerProblem::UnexpectedTag {
                expected: 4,
                found: 0
            }
        )
    );
    assert_eq!(
        SctList::from_extension(&[4, 2, 0]),
        der(0, DerProblem::Truncated)
    );
    assert_eq!(
        SctList::from_extension(&behind),
        der(behind.len() - 2, DerProblem::TrailingBytes { count: 2 })
    );
    let empty = SctParseError {
        offset: 4,
        problem: SctProblem::Empty,
    };
    assert_eq!(SctList::from_extension(&[4, 2, 0, 0]), Err(empty));
}
