//! What a full history of announcements costs: the one that a threshold of stolen keys can fill, and
//! one that is filled to the last byte with emergencies.
#![allow(clippy::print_stderr)]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use data_encoding::BASE64;
use notafter::announce::{Envelope, PinFloor, PinFolder, StateFile};
use notafter::cert::Sha256Digest;
use notafter::pin::ExpiryRule;
use notafter::{PinStore, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::measure::slow_row;

pub(super) fn rows() {
    let (by_two, full) = (Filled::by_stolen_keys(), Filled::to_the_last_byte());
    for (name, filled) in [
        ("history_by_stolen_keys_open", &by_two),
        ("history_full_open", &full),
    ] {
        eprintln!(
            "{name}: {} bytes, version {}",
            filled.bytes(),
            filled.version
        );
        slow_row(
            name,
            "reads and hashes both copies",
            || drop(black_box(filled.open())),
            || filled.hash(),
        );
    }
    let store = by_two.open();
    let next = by_two.emergency(by_two.version + 1, &[]);
    let start = std::time::Instant::now();
    store.apply(&next, now()).unwrap();
    eprintln!(
        "an emergency upon what stolen keys filled: {:?}",
        start.elapsed()
    );
}

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_767_225_600)
}

fn key(n: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[n; 32]).unwrap()
}

fn digest(of: &[u64]) -> String {
    let bytes: Vec<_> = of.iter().flat_map(|n| n.to_be_bytes()).collect();
    let digest = Sha256Digest::of(&bytes);
    format!("sha256/{}", digest.to_base64())
}

fn payload(version: u64, emergency: bool, rejected: u64, more: &[Value], padding: usize) -> Value {
    let rejected =
        (0..rejected).map(|n| json!({ "pin": digest(&[version, n]), "state": "rejected" }));
    let own = [
        json!({ "pin": digest(&[0]), "state": "current" }),
        json!({ "pin": digest(&[1]), "state": "backup" }),
    ];
    let pins: Vec<_> = own
        .into_iter()
        .chain(rejected)
        .chain(more.iter().cloned())
        .collect();
    json!({
        "product": "bench",
        "version": version,
        "emergency": emergency,
        "issued": now().to_string(),
        "expires": now().saturating_add(90 * 86_400).to_string(),
        "pin_sets": [{ "hosts": ["api.example.com"], "pins": pins }],
        "padding": " ".repeat(padding),
    })
}

/// Signed by these, and by so many that nobody knows, which come first.
fn seal(payload: &Value, keys: &[u8], junk: u8) -> Vec<u8> {
    let payload = payload.to_string().into_bytes();
    let message = Envelope::pre_authentication_encoding(&payload);
    let all = (100..100 + junk).chain(keys.iter().copied());
    let signatures: Vec<_> = all
        .map(|n| json!({ "sig": BASE64.encode(key(n).sign(&message).as_ref()) }))
        .collect();
    let envelope = json!({
        "payloadType": Envelope::PAYLOAD_TYPE,
        "payload": BASE64.encode(&payload),
        "signatures": signatures,
    });
    envelope.to_string().into_bytes()
}

/// A folder that is full.
struct Filled {
    folder: tempfile::TempDir,
    version: u64,
}

impl Filled {
    fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            version: 10,
        }
    }

    fn open(&self) -> Arc<PinStore> {
        let pem = |n| {
            let spki = [
                &[48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0],
                key(n).public_key().as_ref(),
            ]
            .concat();
            let body = BASE64.encode(&spki);
            format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
        };
        let keys: Vec<_> = (1..=4).map(pem).collect();
        let mut floor = payload(10, false, 0, &[], 0);
        floor["authority"] = json!({ "threshold": 2, "emergency_threshold": 3, "keys": keys });
        let floor = PinFloor::from_json(floor.to_string().as_bytes()).unwrap();
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        let folder = Arc::new(PinFolder::new(self.folder.path()));
        let builder = PinStore::builder(floor, ExpiryRule::FailClosed, algorithms.all);
        let (store, _) = builder.with_storage(folder).open(now()).unwrap();
        assert_eq!(store.version(), self.version);
        store
    }

    /// Applies until it is refused.
    fn fill(&mut self, store: &PinStore, envelope: impl Fn(u64) -> Vec<u8>) {
        let mut slowest = std::time::Duration::ZERO;
        loop {
            let envelope = envelope(self.version + 1);
            let start = std::time::Instant::now();
            match store.apply(&envelope, now()) {
                Ok(_) => self.version += 1,
                Err(refused) => {
                    eprintln!(
                        "{} applied, the slowest in {slowest:?}, then {} after {:?}",
                        self.version,
                        refused.code(),
                        start.elapsed()
                    );
                    return;
                }
            }
            slowest = slowest.max(start.elapsed());
        }
    }

    fn by_stolen_keys() -> Self {
        let mut filled = Self::empty();
        let store = filled.open();
        // As many signatures as there may be, of keys that nobody knows.
        filled.fill(&store, |version| {
            seal(&payload(version, false, 4, &[], 18_000), &[1, 2], 30)
        });
        filled
    }

    fn to_the_last_byte() -> Self {
        let mut filled = Self::empty();
        let store = filled.open();
        for _ in 0..4 {
            filled.fill(&store, |version| {
                seal(&payload(version, false, 4, &[], 18_000), &[1, 2], 30)
            });
            let next = filled.emergency(filled.version + 1, &[]);
            if store.apply(&next, now()).is_ok() {
                filled.version += 1;
            }
        }
        filled.fill(&store, |version| {
            seal(&payload(version, true, 580, &[], 0), &[1, 2, 3], 0)
        });
        filled
    }

    fn emergency(&self, version: u64, more: &[Value]) -> Vec<u8> {
        seal(&payload(version, true, 4, more, 0), &[1, 2, 3], 0)
    }

    fn path(&self, file: StateFile) -> std::path::PathBuf {
        Path::new(self.folder.path()).join(file.as_str())
    }

    fn bytes(&self) -> u64 {
        std::fs::metadata(self.path(StateFile::First))
            .unwrap()
            .len()
    }

    fn hash(&self) {
        for file in [StateFile::First, StateFile::Second] {
            black_box(Sha256Digest::of(&std::fs::read(self.path(file)).unwrap()));
        }
    }
}
