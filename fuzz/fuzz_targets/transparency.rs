#![no_main]
//! Are SCTs read to the byte, does every list of logs end in logs or in an error that can be printed, and does a
//! verdict hold until the second that it says?

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use notafter::cert::{Sct, SctList};
use notafter::source::SourceContents;
use notafter::transparency::{LogList, SctPolicy, SctStatus};
use notafter::{Certificate, Timestamp};
use notafter_fuzz::{assert_printable, element};

static LEAF: LazyLock<Certificate> = LazyLock::new(|| {
    let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
    let mut found = SourceContents::from_bytes("leaf.pem", pem).certificates;
    found.swap_remove(0).certificate
});

fuzz_target!(|data: &[u8]| {
    scts(data);
    match LogList::from_json(data) {
        Err(error) => assert_printable(&error.to_string()),
        Ok(list) => judged_by(&list),
    }
});

fn scts(data: &[u8]) {
    let read = SctList::from_tls(data);
    let in_extension = SctList::from_extension(&element(0x04, data));
    match (read, in_extension) {
        (Ok(list), Ok(same)) => {
            assert_eq!(list.scts, same.scts);
            assert_eq!(list.damaged.len(), same.damaged.len());
            for error in &list.damaged {
                assert!(error.offset <= data.len());
            }
            if list.unknown_versions == 0 && list.damaged.is_empty() {
                assert_eq!(written(&list.scts), data);
            }
        }
        (Err(error), Err(same)) => {
            assert!(error.offset <= data.len() && error.problem == same.problem);
            assert_printable(&error.to_string());
        }
        (read, other) => panic!("{read:?} and {other:?}"),
    }
}

fn written(scts: &[Sct]) -> Vec<u8> {
    let of_each = scts.iter().flat_map(|sct| {
        let parts: [&[u8]; 6] = [
            &[0],
            sct.log_id.as_bytes(),
            &sct.timestamp_ms.to_be_bytes(),
            &prefixed(&sct.extensions),
            &sct.signature_scheme.to_be_bytes(),
            &prefixed(&sct.signature),
        ];
        prefixed(&parts.concat())
    });
    prefixed(&of_each.collect::<Vec<_>>())
}

fn prefixed(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    [&length.to_be_bytes(), content].concat()
}

/// A real leaf with an SCT of each log besides its own.
fn judged_by(list: &LogList) {
    for problem in list.problems() {
        assert_printable(&problem.to_string());
    }
    let at = LEAF.not_before().saturating_add(86_400);
    let taken = u64::try_from(at.as_unix_seconds()).unwrap() * 1_000 - 1;
    let mut delivered = Vec::new();
    for log in list.logs().take(100) {
        let bytes = [
            &[0][..],
            log.log_id.as_bytes(),
            &taken.to_be_bytes(),
            &[0, 0, 4, 3, 0, 0],
        ];
        let bytes = prefixed(&prefixed(&bytes.concat()));
        delivered.extend(SctList::from_tls(&bytes).unwrap().scts);
    }
    let judge = |at: Timestamp| SctPolicy::browsers().judge(&LEAF, &delivered, list, at);
    let verdict = judge(at);
    assert_printable(&verdict.to_string());
    let is_met = verdict.counted >= verdict.needed
        && verdict.operators.len() >= verdict.needed_operators
        && verdict.current > 0
        && verdict.rfc6962 >= verdict.needed_rfc6962;
    assert_eq!(verdict.status == SctStatus::Met, is_met);
    if let Some(until) = verdict.met_until {
        assert!(at <= until && until < LEAF.not_after());
        assert_eq!(judge(until).status, SctStatus::Met);
        assert_ne!(judge(until.saturating_add(1)).status, SctStatus::Met);
    }
}
