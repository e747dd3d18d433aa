#![no_main]
//! Is every file of pins that is read written again, to be read as the same pins, and can every refusal be printed?

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use notafter::pin::forms::hpkp::PublicKeyPins;
use notafter::pin::forms::tlsa::TlsaRecord;
use notafter::pin::forms::{
    FormProblem, FormReadError, FormWriteError, android, okhttp, public_key_pinning, ssl_manager,
    tlsa, trustkit, wultra,
};
use notafter::pin::{PinMode, PinSets};
use notafter::{PinSet, Timestamp};
use notafter_fuzz::assert_printable;

fuzz_target!(|data: &[u8]| {
    let Some((form, data)) = data.split_first() else {
        return;
    };
    if let Ok(record) = TlsaRecord::from_wire(data) {
        assert_eq!(record.to_wire(), data);
        assert_eq!(record.to_string().parse(), Ok(record.clone()));
        if let Err(error) = record.to_pin() {
            assert_printable(&error.to_string());
        }
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match form % 8 {
        0 => same(text, android::read, android::write),
        1 => same(text, trustkit::read, trustkit::write),
        2 => same(text, tlsa::read, |pins| tlsa::write(pins, 443)),
        3 => same(text, ssl_manager::read, ssl_manager::write),
        4 => same(text, public_key_pinning::read, public_key_pinning::write),
        5 => patterns(text),
        6 => header(text),
        _ => {
            if let Err(error) = wultra::read(text, &[]) {
                assert_printable(&error.to_string());
            }
        }
    }
});

type Read = fn(&str) -> Result<PinSets, FormReadError>;
type Write = fn(&PinSets) -> Result<String, FormWriteError>;

/// Names are written in lower case, so that those of a form may stand in another order.
fn same(text: &str, read: Read, write: Write) {
    let pins = match read(text) {
        Err(error) => return assert_printable(&error.to_string()),
        Ok(pins) => pins,
    };
    let written = write(&pins).expect("what the form says, it can say");
    let again = read(&written).expect("what is written can be read");
    assert_eq!(by_scope(&again), by_scope(&pins), "{written}");
}

/// Pins may stand in another order, and a pin of a wide pattern is written for each one that it covers.
fn patterns(text: &str) {
    let pins = match okhttp::read(text) {
        Err(error) => return assert_printable(&error.to_string()),
        Ok(pins) => pins,
    };
    let written = okhttp::write(&pins).expect("what OkHttp says, it can say");
    match okhttp::read(&written) {
        Ok(again) => assert_eq!(by_scope(&again), by_scope(&pins)),
        Err(error) => {
            let too_large = matches!(
                error.problem,
                FormProblem::TooLarge { .. } | FormProblem::TooMany { .. }
            );
            assert!(too_large, "{error}");
        }
    }
}

/// What counts for each scope; nothing for those that are left out.
fn by_scope(pins: &PinSets) -> BTreeMap<String, Option<PinSet>> {
    let mut found = BTreeMap::new();
    for set in pins.iter() {
        let mut alone = PinSet::builder().with_mode(set.mode());
        let mut pins: Vec<_> = set.pins().iter().collect();
        pins.sort_by_key(|pin| (pin.key, pin.position.as_str()));
        for pin in pins {
            alone = alone.with_pin(pin.clone());
        }
        if let Some((not_after, rule)) = set.expiry() {
            alone = alone.with_expiry(not_after, rule);
        }
        let alone = alone.build().expect("it is a set");
        for scope in set.scopes() {
            found.insert(scope.to_string(), Some(alone.clone()));
        }
        if set.scopes().is_empty() {
            found.insert(String::new(), Some(alone));
        }
    }
    let unpinned = pins
        .unpinned()
        .iter()
        .map(|scope| (scope.to_string(), None));
    found.extend(unpinned);
    found
}

fn header(text: &str) {
    let now = Timestamp::from_unix_seconds(1_795_262_400);
    let host = "a.example".try_into().expect("it is a name");
    for mode in [PinMode::Enforce, PinMode::ReportOnly] {
        let header = match PublicKeyPins::parse(mode, text) {
            Err(error) => return assert_printable(&error.to_string()),
            Ok(header) => header,
        };
        assert_eq!(
            PublicKeyPins::parse(mode, &header.to_string()).as_ref(),
            Ok(&header)
        );
        match header.to_pin_set(&host, now) {
            Err(error) => assert_printable(&error.to_string()),
            Ok(set) => {
                let again = PublicKeyPins::from_pin_set(&set, now).expect("it came of a header");
                assert_eq!(again.pins, header.pins);
                assert_eq!(again.to_pin_set(&host, now), Ok(set));
            }
        }
    }
}
