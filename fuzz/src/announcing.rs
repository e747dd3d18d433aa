//! Announcements: keys that are always the same, a floor, what was signed by enough of them, and what
//! was not.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use base64_simd::STANDARD as BASE64;
use notafter::announce::{Envelope, PinFloor, PinStorage, StateFile, StoreNotice};
use notafter::cert::Sha256Digest;
use notafter::pin::{ExpiryRule, PinsInForce as _};
use notafter::{PinStore, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::{NOW, algorithms, assert_printable};

pub const DAY: i64 = 86_400;
pub const HOLD_DOWN_DAYS: i64 = 30;
const HOST: &str = "api.example.com";
/// What no floor and no quorum ever called a pin to be accepted.
const NEVER: [u8; 2] = [b'Z', b'X'];

pub fn day(days: i64) -> Timestamp {
    NOW.saturating_add(days * DAY)
}

/// A signed payload.
pub struct Signed {
    pub envelope: Vec<u8>,
    /// Each pin's letter and state.
    pub pins: Vec<(u8, &'static str)>,
    pub issued: Timestamp,
    pub emergency: bool,
    /// Whether enough of the floor's keys, or of those that it handed over to, signed it.
    pub counts: bool,
}

/// Histories of one product, some of which exclude each other, and forgeries.
pub static POOL: LazyLock<Vec<Signed>> = LazyLock::new(pool);

pub static FLOOR: LazyLock<PinFloor> = LazyLock::new(|| {
    let pins = [(b'O', "current"), (b'B', "backup"), (b'X', "rejected")];
    let mut floor = draft(10, 0, &pins);
    floor["expires"] = day(1000).to_string().into();
    floor["authority"] = authority(&[1, 2, 3, 4]);
    PinFloor::from_json(floor.to_string().as_bytes()).expect("a floor")
});

/// A store upon the floor, with the notices of its opening.
pub fn open(
    storage: Option<Arc<dyn PinStorage>>,
    now: Timestamp,
) -> (Arc<PinStore>, Vec<StoreNotice>) {
    let hold_down = u64::try_from(HOLD_DOWN_DAYS * DAY).expect("days");
    let builder = PinStore::builder(FLOOR.clone(), ExpiryRule::FailClosed, algorithms());
    let builder = builder.with_hold_down(std::time::Duration::from_secs(hold_down));
    let builder = match storage {
        Some(storage) => builder.with_storage(storage),
        None => builder,
    };
    builder
        .open(now)
        .expect("the floor's keys can be verified with")
}

/// The letters of the pins that are accepted, after what must hold of any store at any instant before
/// the floor's end.
pub fn accepted(store: &PinStore, now: Timestamp) -> Vec<u8> {
    let generation = store.generation();
    let sets: Vec<_> = generation.sets.iter().collect();
    let [set] = sets.as_slice() else {
        panic!("the hosts are the floor's: {generation:?}");
    };
    assert_eq!(set.scopes(), [HOST.parse().expect("a host")]);
    let accepted: Vec<_> = set
        .accepted(now)
        .map(|pin| pin.key.digest().as_bytes()[0])
        .collect();
    assert!(!accepted.is_empty(), "nobody would be let in");
    for never in NEVER {
        assert!(!accepted.contains(&never), "no quorum said so");
    }
    for (letter, issued) in &*ANNOUNCED {
        let early = now < issued.saturating_add(HOLD_DOWN_DAYS * DAY);
        assert!(
            !early || !accepted.contains(letter),
            "{} at {now}",
            char::from(*letter)
        );
    }
    accepted
}

/// When those pins that are only ever announced were first, at the earliest.
static ANNOUNCED: LazyLock<BTreeMap<u8, Timestamp>> = LazyLock::new(|| {
    let mut first = BTreeMap::new();
    for signed in POOL.iter().filter(|signed| signed.counts) {
        for (letter, _) in signed
            .pins
            .iter()
            .filter(|(_, state)| *state == "announced")
        {
            let issued = first.entry(*letter).or_insert(signed.issued);
            *issued = signed.issued.min(*issued);
        }
    }
    let at_once = POOL
        .iter()
        .filter(|signed| signed.counts && signed.emergency);
    at_once
        .flat_map(|signed| &signed.pins)
        .for_each(|(letter, _)| {
            first.remove(letter);
        });
    first
});

pub fn all_printable(notices: &[StoreNotice]) {
    notices
        .iter()
        .for_each(|notice| assert_printable(&notice.to_string()));
}

fn pool() -> Vec<Signed> {
    let base = [(b'O', "current"), (b'B', "backup")];
    let with = |more: &[(u8, &'static str)]| [&base, more].concat();
    let mut pool = Vec::new();
    let mut add = |value: Value, pins: &[(u8, &'static str)], keys: &[u8], counts| {
        let payload = value.to_string().into_bytes();
        pool.push(Signed {
            envelope: seal(&payload, keys),
            pins: pins.to_vec(),
            issued: value["issued"]
                .as_str()
                .expect("a text")
                .parse()
                .expect("an instant"),
            emergency: value["emergency"] == json!(true),
            counts,
        });
        payload
    };
    let announced = with(&[(b'P', "announced")]);
    let first = add(draft(11, 0, &announced), &announced, &[1, 2], true);
    let second = add(
        following(draft(12, 1, &base), 11, &first),
        &base,
        &[2, 3],
        true,
    );
    let again = following(draft(13, 5, &announced), 12, &second);
    let third = add(again.clone(), &announced, &[1, 4], true);
    let mut unbroken = again;
    unbroken["unbroken_since"] = 13.into();
    add(unbroken, &announced, &[1, 4], true);
    let promoted = [(b'P', "current"), (b'O', "retired")];
    add(
        following(draft(14, 40, &promoted), 13, &third),
        &promoted,
        &[1, 2],
        true,
    );
    // Another second one.
    let other = with(&[(b'R', "announced")]);
    let fork = add(
        following(draft(12, 2, &other), 11, &first),
        &other,
        &[1, 2],
        true,
    );
    let mut handover = following(draft(13, 3, &other), 12, &fork);
    handover["authority"] = authority(&[5, 6, 7]);
    let handover = add(handover, &other, &[1, 2, 5, 6], true);
    let next = with(&[(b'R', "announced"), (b'S', "announced")]);
    add(
        following(draft(14, 50, &next), 13, &handover),
        &next,
        &[5, 6],
        true,
    );
    let mut emergency = following(draft(15, 6, &[]), 13, &third);
    let skipping = [(b'O', "rejected"), (b'Q', "current"), (b'B', "backup")];
    emergency["pin_sets"] = sets(&skipping);
    emergency["emergency"] = true.into();
    add(emergency, &skipping, &[1, 2, 3], true);
    // Forgeries: too few keys, too few for an emergency, keys of nobody, another product, no chain.
    let forged = [(b'Z', "current"), (b'O', "current"), (b'X', "current")];
    add(draft(11, 0, &forged), &forged, &[1], false);
    let mut emergency = draft(11, 0, &forged);
    emergency["emergency"] = true.into();
    add(emergency, &forged, &[1, 2], false);
    add(draft(11, 0, &forged), &forged, &[5, 6, 7], false);
    let mut foreign = draft(11, 0, &forged);
    foreign["product"] = "other".into();
    add(foreign, &forged, &[1, 2, 3], false);
    pool
}

fn sets(pins: &[(u8, &'static str)]) -> Value {
    let pin = |(letter, state): &(u8, &str)| json!({ "pin": format!("sha256/{}", BASE64.encode_to_string(digest(*letter))), "state": state });
    json!([{ "hosts": [HOST], "pins": pins.iter().map(pin).collect::<Vec<_>>() }])
}

/// A digest that begins with its letter and is no placeholder.
fn digest(letter: u8) -> [u8; 32] {
    let mut digest = *Sha256Digest::of(&[letter]).as_bytes();
    digest[0] = letter;
    digest
}

fn draft(version: u64, issued: i64, pins: &[(u8, &'static str)]) -> Value {
    json!({
        "product": "app",
        "version": version,
        "issued": day(issued).to_string(),
        "expires": day(issued + 300).to_string(),
        "pin_sets": sets(pins),
    })
}

fn following(mut draft: Value, version: u64, payload: &[u8]) -> Value {
    let sha256 = Sha256Digest::of(payload).to_string();
    draft["previous"] = json!({ "version": version, "sha256": sha256 });
    draft
}

fn key(number: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[number; 32]).expect("32 bytes")
}

fn authority(keys: &[u8]) -> Value {
    let pem = |number: &u8| {
        let spki = [
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ];
        let spki = [&spki, key(*number).public_key().as_ref()].concat();
        let body = BASE64.encode_to_string(spki);
        format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
    };
    let keys: Vec<_> = keys.iter().map(pem).collect();
    json!({ "threshold": 2, "emergency_threshold": 3, "keys": keys })
}

pub fn seal(payload: &[u8], keys: &[u8]) -> Vec<u8> {
    let message = Envelope::pre_authentication_encoding(payload);
    let sign = |number: &u8| {
        let signature = BASE64.encode_to_string(key(*number).sign(&message).as_ref());
        json!({ "keyid": number.to_string(), "sig": signature })
    };
    let signatures: Vec<_> = keys.iter().map(sign).collect();
    let payload = BASE64.encode_to_string(payload);
    let envelope = json!({ "payloadType": Envelope::PAYLOAD_TYPE, "payload": payload, "signatures": signatures });
    envelope.to_string().into_bytes()
}

/// The JSON of a copy that a store wrote, to be changed.
pub static GENUINE: LazyLock<Value> = LazyLock::new(|| {
    let disk = Arc::new(Disk::default());
    let (store, _) = open(Some(disk.clone()), NOW);
    store.apply(&POOL[0].envelope, NOW).expect("it was signed");
    let bytes = disk.get(StateFile::First).expect("it was written");
    let text = std::str::from_utf8(&bytes).expect("a text");
    let (json, _) = text.split_once("\nsha256 ").expect("with its checksum");
    serde_json::from_str(json).expect("JSON")
});

/// Files in memory, of which steps can be made to fail.
#[derive(Debug, Default)]
pub struct Disk {
    files: Mutex<HashMap<(StateFile, bool), Vec<u8>>>,
    /// So many steps succeed before one fails.
    pub before_fault: Mutex<Option<u32>>,
}

impl Disk {
    pub fn put(&self, file: StateFile, bytes: Option<Vec<u8>>) {
        let mut files = self.files.lock().expect("no panic");
        match bytes {
            Some(bytes) => drop(files.insert((file, false), bytes)),
            None => drop(files.remove(&(file, false))),
        }
    }

    pub fn get(&self, file: StateFile) -> Option<Vec<u8>> {
        self.files
            .lock()
            .expect("no panic")
            .get(&(file, false))
            .cloned()
    }

    fn step(&self) -> io::Result<()> {
        let mut left = self.before_fault.lock().expect("no panic");
        match left.as_mut() {
            None => Ok(()),
            Some(0) => {
                *left = None;
                Err(io::Error::other("no space left"))
            }
            Some(steps) => {
                *steps -= 1;
                Ok(())
            }
        }
    }
}

impl PinStorage for Disk {
    fn read(&self, file: StateFile) -> io::Result<Option<Vec<u8>>> {
        Ok(self.get(file))
    }

    fn write_new(&self, file: StateFile, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        self.files
            .lock()
            .expect("no panic")
            .insert((file, true), bytes.to_vec());
        Ok(())
    }

    fn sync_new(&self, _: StateFile) -> io::Result<()> {
        self.step()
    }

    fn rename_new(&self, file: StateFile) -> io::Result<()> {
        self.step()?;
        let mut files = self.files.lock().expect("no panic");
        let bytes = files.remove(&(file, true)).ok_or(io::ErrorKind::NotFound)?;
        files.insert((file, false), bytes);
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.step()
    }
}
