#![no_main]
//! What can somebody without keys do who writes the state's copies, and does any of it panic?

use std::sync::Arc;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use notafter::announce::StateFile;
use notafter::cert::Sha256Digest;
use notafter_fuzz::announcing::{Disk, GENUINE, POOL, accepted, all_printable, day, open};
use notafter_fuzz::assert_printable;
use serde_json::{Value, json};

#[derive(Arbitrary, Debug)]
struct Case {
    copies: [Option<Written>; 2],
    has_marker: bool,
    day: u16,
    later: u8,
    applied: Vec<u8>,
    meanwhile: Option<Written>,
}

#[derive(Arbitrary, Debug)]
struct Written {
    format: u8,
    sequence: u64,
    floor_version: u8,
    is_of_other_authority: bool,
    latest: i16,
    announcements: Vec<Kept>,
    /// A field more, or another type in the place of one.
    odd: Option<u8>,
    damage: Vec<(u16, u8)>,
    cut: Option<u16>,
    is_damaged_before_the_checksum: bool,
}

#[derive(Arbitrary, Debug)]
struct Kept {
    which: u8,
    applied: i64,
    first_sight: i16,
    aside: bool,
}

fuzz_target!(|case: Case| {
    let disk = Arc::new(Disk::default());
    for (file, copy) in [StateFile::First, StateFile::Second]
        .into_iter()
        .zip(&case.copies)
    {
        disk.put(file, copy.as_ref().map(Written::bytes));
    }
    if case.has_marker {
        disk.put(StateFile::Marker, Some(Vec::new()));
    }
    let now = day(i64::from(case.day % 800));
    let (store, notices) = open(Some(disk.clone()), now);
    all_printable(&notices);
    accepted(&store, now);
    let later = now.saturating_add(i64::from(case.later) * 43_200);
    let mut version = store.version();
    for which in case.applied.iter().take(8) {
        let signed = &POOL[usize::from(*which) % POOL.len()];
        match store.apply(&signed.envelope, later) {
            Err(error) => assert_printable(&error.to_string()),
            Ok(applied) => {
                assert!(signed.counts, "it was signed by too few");
                all_printable(&applied.notices);
            }
        }
        assert!(
            store.version() >= version,
            "a running store never goes back"
        );
        version = store.version();
        accepted(&store, later);
    }
    if let Some(meanwhile) = &case.meanwhile {
        disk.put(StateFile::First, Some(meanwhile.bytes()));
    }
    all_printable(&store.tick(later));
    assert!(
        store.version() >= version,
        "a running store never goes back"
    );
    accepted(&store, later);
    let (store, notices) = open(Some(disk), later);
    all_printable(&notices);
    accepted(&store, later);
});

impl Written {
    fn bytes(&self) -> Vec<u8> {
        let mut json = self.json().to_string().into_bytes();
        if self.is_damaged_before_the_checksum {
            self.damage(&mut json);
        }
        let checksum = Sha256Digest::of(&json);
        let mut bytes = [json, format!("\nsha256 {checksum}\n").into_bytes()].concat();
        if !self.is_damaged_before_the_checksum {
            self.damage(&mut bytes);
        }
        bytes
    }

    fn json(&self) -> Value {
        let kept = |kept: &Kept| {
            let envelope = &POOL[usize::from(kept.which) % POOL.len()].envelope;
            let mut value = json!({
                "applied": kept.applied,
                "first_sight": day(kept.first_sight.into()).as_unix_seconds(),
                "envelope": base64_simd::STANDARD.encode_to_string(envelope),
            });
            if kept.aside {
                value["aside"] = true.into();
            }
            value
        };
        let mut value = GENUINE.clone();
        if self.format >= 250 {
            value["format"] = self.format.into();
        }
        if self.floor_version >= 200 {
            value["floor_version"] = self.floor_version.into();
        }
        if self.is_of_other_authority {
            value["floor_authority"] = "other".into();
        }
        value["sequence"] = self.sequence.into();
        value["latest"] = day(self.latest.into()).as_unix_seconds().into();
        value["announcements"] = self.announcements.iter().take(12).map(kept).collect();
        let fields = [
            "format",
            "sequence",
            "floor_authority",
            "latest",
            "announcements",
            "more",
        ];
        if let Some(odd) = self.odd {
            value[fields[usize::from(odd) % fields.len()]] = json!([{ "odd": i64::MIN }]);
        }
        value
    }

    fn damage(&self, bytes: &mut Vec<u8>) {
        for (place, value) in self.damage.iter().take(4) {
            let place = usize::from(*place) % bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(place) {
                *byte = *value;
            }
        }
        if let Some(cut) = self.cut {
            bytes.truncate(usize::from(cut));
        }
    }
}
