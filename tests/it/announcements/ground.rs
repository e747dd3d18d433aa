//! Announcements for tests: keys that are always the same, drafts, and a store to try them on.

use std::sync::Arc;

use data_encoding::BASE64;
use notafter::announce::{AnnouncementError, Applied, Envelope, PinFloor, PinStorage, StoreNotice};
use notafter::pin::{ExpiryRule, Pin, PinsInForce as _};
use notafter::{PinStore, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::support::pki::NOW;

pub const DAY: i64 = 86_400;
pub const PRODUCT: &str = "app";
pub const HOST: &str = "api.example.com";

/// So many days after the tests' now.
pub fn day(days: i64) -> Timestamp {
    second(days * DAY)
}

pub fn second(seconds: i64) -> Timestamp {
    NOW.saturating_add(seconds)
}

/// One of the Ed25519 keys; the floor's authority has 1 to 4.
pub fn key(n: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[n; 32]).unwrap()
}

pub fn public_pem(spki: &[u8]) -> String {
    let body = BASE64.encode(spki);
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

pub fn pem(n: u8) -> String {
    let prefix = [
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    public_pem(&[&prefix, key(n).public_key().as_ref()].concat())
}

/// The pin of some key, told apart by its letter.
pub fn pin(letter: u8) -> String {
    format!("sha256/{}", BASE64.encode(&[letter; 32]))
}

pub fn listed(letter: u8, state: &str) -> Value {
    json!({ "pin": pin(letter), "state": state })
}

pub fn at_position(letter: u8, state: &str, position: &str) -> Value {
    json!({ "pin": pin(letter), "state": state, "position": position })
}

pub fn announced_after(letter: u8, after: Timestamp) -> Value {
    json!({ "pin": pin(letter), "state": "announced", "accept_after": after.to_string() })
}

pub fn authority(keys: &[u8], threshold: u64, emergency: Option<u64>) -> Value {
    let keys: Vec<_> = keys.iter().map(|n| pem(*n)).collect();
    json!({ "threshold": threshold, "emergency_threshold": emergency, "keys": keys })
}

/// A payload in the making: issued at the day, to be applied for 90 days.
#[derive(Clone)]
pub struct Draft(pub Value);

impl Draft {
    pub fn new(version: u64, issued: Timestamp, pins: &[Value]) -> Self {
        Self(json!({
            "product": PRODUCT,
            "version": version,
            "issued": issued.to_string(),
            "expires": issued.saturating_add(90 * DAY).to_string(),
            "pin_sets": [{ "hosts": [HOST], "pins": pins }],
        }))
    }

    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0[field] = value.into();
        self
    }

    pub fn expiring(self, at: Timestamp) -> Self {
        self.with("expires", at.to_string())
    }

    /// Made after that one.
    pub fn following(self, other: &Self) -> Self {
        let digest = notafter::cert::Sha256Digest::of(&other.payload());
        let version = other.0["version"].clone();
        let previous = json!({ "version": version, "sha256": digest.to_string() });
        self.with("previous", previous)
    }

    pub fn payload(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }

    pub fn signed(&self, keys: &[u8]) -> Vec<u8> {
        seal(&self.payload(), keys)
    }
}

pub fn sign(payload: &[u8], n: u8) -> Value {
    let message = Envelope::pre_authentication_encoding(payload);
    let sig = BASE64.encode(key(n).sign(&message).as_ref());
    json!({ "keyid": format!("key {n}"), "sig": sig })
}

pub fn seal(payload: &[u8], keys: &[u8]) -> Vec<u8> {
    let signatures: Vec<_> = keys.iter().map(|n| sign(payload, *n)).collect();
    envelope(payload, &signatures)
}

pub fn envelope(payload: &[u8], signatures: &[Value]) -> Vec<u8> {
    let envelope = json!({
        "payloadType": Envelope::PAYLOAD_TYPE,
        "payload": BASE64.encode(payload),
        "signatures": signatures,
    });
    envelope.to_string().into_bytes()
}

/// The envelope with earlier ones that came along.
pub fn bringing(envelope: &[u8], handovers: &[Vec<u8>]) -> Vec<u8> {
    let read = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).unwrap() };
    let mut envelope = read(envelope);
    envelope["handovers"] = handovers.iter().map(|bytes| read(bytes)).collect();
    envelope.to_string().into_bytes()
}

/// Version 10, issued now: 'O' is current, 'B' the backup, 'X' rejected; keys 1 to 4, of which two
/// announce and three skip the hold-down.
pub fn floor_draft() -> Draft {
    let pins = [
        listed(b'O', "current"),
        listed(b'B', "backup"),
        listed(b'X', "rejected"),
    ];
    Draft::new(10, NOW, &pins)
        .expiring(day(1000))
        .with("authority", authority(&[1, 2, 3, 4], 2, Some(3)))
}

pub fn floor() -> PinFloor {
    PinFloor::from_json(&floor_draft().payload()).unwrap()
}

pub fn algorithms() -> &'static [&'static dyn pki_types::SignatureVerificationAlgorithm] {
    rustls::crypto::ring::default_provider()
        .signature_verification_algorithms
        .all
}

/// A store, with the notices of its opening.
pub struct Ground {
    pub store: Arc<PinStore>,
    pub notices: Vec<StoreNotice>,
}

impl Ground {
    pub fn new() -> Self {
        Self::on(floor(), None, NOW)
    }

    pub fn on(floor: PinFloor, storage: Option<Arc<dyn PinStorage>>, now: Timestamp) -> Self {
        let mut builder = PinStore::builder(floor, ExpiryRule::FailClosed, algorithms());
        if let Some(storage) = storage {
            builder = builder.with_storage(storage);
        }
        let (store, notices) = builder.open(now).unwrap();
        Self { store, notices }
    }

    /// The draft as the one that follows what is in force, unless it says itself what it follows, or
    /// is no newer.
    pub fn next(&self, draft: &Draft) -> Draft {
        let newer = draft.0["version"].as_u64() > Some(self.store.version());
        match self.store.in_force() {
            Some(known) if newer && draft.0.get("previous").is_none() => draft.clone().with(
                "previous",
                json!({ "version": known.version, "sha256": known.sha256.to_string() }),
            ),
            _ => draft.clone(),
        }
    }

    /// Signed by these, as the one that follows.
    pub fn by(
        &self,
        keys: &[u8],
        draft: &Draft,
        now: Timestamp,
    ) -> Result<Applied, AnnouncementError> {
        self.store.apply(&self.next(draft).signed(keys), now)
    }

    /// Signed by two.
    pub fn apply(&self, draft: &Draft, now: Timestamp) -> Result<Applied, AnnouncementError> {
        self.by(&[1, 2], draft, now)
    }

    /// Says that it is an emergency, and is signed by three.
    pub fn emergency(&self, draft: &Draft, now: Timestamp) -> Result<Applied, AnnouncementError> {
        self.by(&[1, 2, 3], &draft.clone().with("emergency", true), now)
    }

    /// The pins of the first host, as listed.
    pub fn pins(&self) -> Vec<Pin> {
        self.pins_of(HOST)
    }

    pub fn pins_of(&self, host: &str) -> Vec<Pin> {
        let generation = self.store.generation();
        let set = generation.sets.for_server(&host.try_into().unwrap());
        set.unwrap().pins().to_vec()
    }

    /// The letters of the leaf pins accepted at an instant.
    pub fn accepted(&self, now: Timestamp) -> String {
        accepted(&self.pins(), now)
    }

    /// From when on the pin is accepted.
    pub fn from(&self, letter: u8) -> notafter::pin::Acceptance {
        let wanted = pin(letter);
        let pins = self.pins();
        let found = pins.iter().find(|pin| pin.key.to_string() == wanted);
        found.unwrap().acceptance
    }
}

pub fn accepted(pins: &[Pin], now: Timestamp) -> String {
    let accepted = pins.iter().filter(|pin| pin.is_accepted(now));
    accepted
        .map(|pin| char::from(pin.key.digest().as_bytes()[0]))
        .collect()
}
