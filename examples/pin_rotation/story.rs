//! The whole story on loopback: real handshakes, real signatures, a clock that is set.

use std::error::Error;
use std::io;
use std::sync::Arc;

use data_encoding::BASE64;
use notafter::announce::{Envelope, PinFloor, PinFolder, PreviousAnnouncement};
use notafter::pin::ExpiryRule;
use notafter::{
    PinStore, PinnedClientConfigs, SpkiPin, Timestamp, TrustAnchors, WatchingServerVerifier,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::client::WebPkiServerVerifier;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};

use crate::loopback::{Ca, Clock, Identity, NAME, connect};

const DAY: i64 = 86_400;

/// The SubjectPublicKeyInfo of an Ed25519 key up to the key (RFC 8410).
const ED25519: [u8; 12] = [48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0];

/// Tells it.
pub fn run() -> Result<(), Box<dyn Error>> {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    let clock = Clock::at(start);
    let ca = Ca::mint(start)?;
    let [old, new, spare] = [
        ca.identity(&clock)?,
        ca.identity(&clock)?,
        ca.identity(&clock)?,
    ];
    let offline = Offline::new()?;
    let folder = tempfile::tempdir()?;
    let world = World {
        clock,
        ca,
        offline,
        folder: folder.path().to_owned(),
    };
    let floor = json!([pin(old.pin, "current"), pin(spare.pin, "backup")]);
    let store = world.store(&floor)?;
    let configs = world.client(&store)?;
    let meet = |server: &Identity| -> Result<String, Box<dyn Error>> {
        connect(configs.current()?, server)
    };

    say(&format!(
        "{NAME} is pinned: its key and a spare one are compiled in (version 1). Three keys that are kept\n\
         offline may announce others: two of them sign, and a new key is held down for 30 days."
    ))?;
    world.day(0, "the server shows its key", &meet(&old)?)?;
    world.day(0, "and again", &meet(&old)?)?;

    let announced = json!([
        pin(old.pin, "current"),
        pin(spare.pin, "backup"),
        pin(new.pin, "announced")
    ]);
    world.to_day(1);
    let first = payload(2, world.now(), &announced);
    let signed = world.offline.announce(&first, &[0, 1]);
    world.apply(&store, 1, "version 2 announces a successor", &signed)?;
    world.to_day(10);
    world.day(10, "the server swaps its key too early", &meet(&new)?)?;
    world.day(10, "back to the old key", &meet(&old)?)?;
    world.to_day(31);
    store.tick(world.now());
    world.day(31, "the hold-down is over, the server swaps", &meet(&new)?)?;
    world.day(31, "somewhere the old key is still in use", &meet(&old)?)?;
    world.day(31, "and again", &meet(&old)?)?;

    let promoted = json!([
        pin(new.pin, "current"),
        pin(spare.pin, "backup"),
        pin(old.pin, "retired")
    ]);
    let second = following(store.in_force(), payload(3, world.now(), &promoted));
    let signed = world.offline.announce(&second, &[0, 2]);
    world.apply(&store, 31, "version 3 retires the old key", &signed)?;
    world.day(31, "the session with the old key", &meet(&old)?)?;
    world.day(31, "the new key", &meet(&new)?)?;

    say(
        "Somebody breaks into the server, announces a key planted there, and steals an offline key:",
    )?;
    world.to_day(40);
    let evil = world.ca.identity(&world.clock)?;
    let planted = json!([pin(new.pin, "current"), pin(evil.pin, "current")]);
    let third = following(store.in_force(), payload(4, world.now(), &planted));
    let own = Offline::new()?.announce(&third, &[0, 1]);
    world.apply(&store, 40, "an announcement by the server's intruder", &own)?;
    let stolen = world.offline.announce(&third, &[0]);
    world.apply(&store, 40, "an announcement by the stolen key", &stolen)?;
    world.day(40, "the planted key", &meet(&evil)?)?;

    say("The process starts again, from the folder that it kept:")?;
    drop(store);
    let store = world.store(&floor)?;
    let configs = world.client(&store)?;
    let meet = |server: &Identity| connect(configs.current()?, server);
    say(&format!("  version {} is in force", store.version()))?;
    world.day(40, "the new key", &meet(&new)?)?;
    world.day(40, "the retired key", &meet(&old)?)?;
    Ok(())
}

struct World {
    clock: Arc<Clock>,
    ca: Ca,
    offline: Offline,
    folder: std::path::PathBuf,
}

impl World {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn to_day(&self, day: i64) {
        let start = Timestamp::from_unix_seconds(1_767_225_600);
        self.clock.set(start.saturating_add(day * DAY));
    }

    fn day(&self, day: i64, what: &str, outcome: &str) -> io::Result<()> {
        say(&format!("  day {day:>2}  {what:<42} {outcome}"))
    }

    fn apply(&self, store: &PinStore, day: i64, what: &str, envelope: &[u8]) -> io::Result<()> {
        let outcome = match store.apply(envelope, self.now()) {
            Ok(applied) => format!("applied: version {}", applied.version),
            Err(refused) => {
                let said = refused.to_string();
                let said = said.split(':').next().unwrap_or_default();
                format!("REFUSED ({}): {said}", refused.code())
            }
        };
        self.day(day, what, &outcome)
    }

    fn store(&self, pins: &Value) -> Result<Arc<PinStore>, Box<dyn Error>> {
        let start = Timestamp::from_unix_seconds(1_767_225_600);
        let mut payload = payload(1, start, pins);
        if let Some(fields) = payload.as_object_mut() {
            fields.insert("authority".to_owned(), self.offline.authority());
        }
        let floor = PinFloor::from_json(payload.to_string().as_bytes())?;
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        let (store, _) = PinStore::builder(floor, ExpiryRule::FailClosed, algorithms.all)
            .with_storage(Arc::new(PinFolder::new(&self.folder)))
            .open(self.now())?;
        Ok(store)
    }

    /// A client whose every connection begins with the pins as they are then.
    fn client(
        &self,
        store: &Arc<PinStore>,
    ) -> Result<PinnedClientConfigs<rustls::Error>, Box<dyn Error>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let anchors = TrustAnchors::builder()
            .with_certificates([&self.ca.root])
            .build();
        let roots = Arc::new(RootCertStore::from(&anchors));
        let inner = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build()?;
        let verifier = WatchingServerVerifier::builder(inner)
            .with_provider(provider.clone())
            .with_trust_anchors(anchors)
            .with_pins(Arc::clone(store) as _)
            .build()?;
        let clock = Arc::clone(&self.clock);
        Ok(PinnedClientConfigs::new(verifier, move |verifier| {
            let builder =
                ClientConfig::builder_with_details(provider.clone(), clock.clone() as Arc<_>);
            Ok(builder
                .with_safe_default_protocol_versions()?
                .dangerous()
                .with_custom_certificate_verifier(verifier)
                .with_no_client_auth())
        }))
    }
}

/// Three keys that would lie in safes.
struct Offline([Ed25519KeyPair; 3]);

impl Offline {
    fn new() -> Result<Self, Box<dyn Error>> {
        let random = ring::rand::SystemRandom::new();
        let key = || -> Result<Ed25519KeyPair, Box<dyn Error>> {
            let pkcs8 =
                Ed25519KeyPair::generate_pkcs8(&random).map_err(|error| error.to_string())?;
            let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref());
            Ok(key.map_err(|error| error.to_string())?)
        };
        Ok(Self([key()?, key()?, key()?]))
    }

    fn authority(&self) -> Value {
        let pem = |key: &Ed25519KeyPair| {
            let spki = [&ED25519, key.public_key().as_ref()].concat();
            let body = BASE64.encode(&spki);
            format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
        };
        let keys: Vec<_> = self.0.iter().map(pem).collect();
        json!({ "threshold": 2, "emergency_threshold": 3, "keys": keys })
    }

    /// As the openssl command line would do it: see docs/ANNOUNCEMENTS.md.
    fn announce(&self, payload: &Value, by: &[usize]) -> Vec<u8> {
        let payload = payload.to_string().into_bytes();
        let signed = Envelope::pre_authentication_encoding(&payload);
        let keys = by.iter().filter_map(|index| self.0.get(*index));
        let signatures: Vec<_> = keys
            .map(|key| json!({ "keyid": "", "sig": BASE64.encode(key.sign(&signed).as_ref()) }))
            .collect();
        let envelope = json!({
            "payloadType": Envelope::PAYLOAD_TYPE,
            "payload": BASE64.encode(&payload),
            "signatures": signatures,
        });
        envelope.to_string().into_bytes()
    }
}

fn payload(version: u64, issued: Timestamp, pins: &Value) -> Value {
    json!({
        "product": "story",
        "version": version,
        "issued": issued.to_string(),
        "expires": issued.saturating_add(200 * DAY).to_string(),
        "pin_sets": [{ "hosts": [NAME], "pins": pins }],
    })
}

/// Each announcement names the one before it.
fn following(previous: Option<PreviousAnnouncement>, mut payload: Value) -> Value {
    if let Some((known, fields)) = previous.zip(payload.as_object_mut()) {
        let previous = json!({ "version": known.version, "sha256": known.sha256.to_string() });
        fields.insert("previous".to_owned(), previous);
    }
    payload
}

fn pin(pin: SpkiPin, state: &str) -> Value {
    json!({ "pin": pin.to_string(), "state": state })
}

fn say(line: &str) -> io::Result<()> {
    crate::print(&format!("{line}\n"))
}
