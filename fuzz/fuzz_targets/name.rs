#![no_main]
//! Can a Name, or a subjectAltName, hide anything from, or write lines into, what people read?

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use notafter::Certificate;
use notafter_fuzz::{assert_printable, element};

/// What stands around the names of a certificate that nobody signed.
struct Frame {
    head: Vec<u8>,
    key: Vec<u8>,
    tail: Vec<u8>,
}

static FRAME: LazyLock<Frame> = LazyLock::new(|| {
    let algorithm = element(0x30, &element(0x06, &[0x2b, 0x65, 0x70]));
    let key = element(0x30, &[algorithm.clone(), element(0x03, &[0; 33])].concat());
    Frame {
        head: [
            element(0xa0, &[2, 1, 2]),
            element(0x02, &[7]),
            algorithm.clone(),
        ]
        .concat(),
        key,
        tail: [algorithm, element(0x03, &[0; 65])].concat(),
    }
});

fuzz_target!(|data: &[u8]| {
    let (name, alternative) = data.split_at(
        data.len()
            .min(usize::from(data.first().copied().unwrap_or(0)) * 4),
    );
    let name = element(0x30, name.get(1..).unwrap_or_default());
    let time = element(0x17, b"260101000000Z");
    let dates = element(0x30, &[time.clone(), time].concat());
    let extension = [
        element(0x06, &[0x55, 0x1d, 0x11]),
        element(0x04, alternative),
    ]
    .concat();
    let extensions = element(0xa3, &element(0x30, &element(0x30, &extension)));
    let Frame { head, key, tail } = &*FRAME;
    let tbs = [head, &name, &dates, &name, key, &extensions]
        .map(Vec::as_slice)
        .concat();
    let der = element(0x30, &[element(0x30, &tbs), tail.clone()].concat());
    let certificate = Certificate::from_der(der).expect("its frame is well-formed");
    for text in [
        certificate.subject(),
        certificate.issuer(),
        certificate.short_name(),
        certificate.issuer_short_name(),
        format!("{certificate:?}"),
    ] {
        assert_printable(&text);
    }
    assert!(certificate.is_self_issued());
    assert!(certificate.short_name().chars().count() <= 128);
    assert!(!certificate.short_name().is_empty());
    let _ = certificate
        .details()
        .map(|details| details.subject_alt_names.first());
});
