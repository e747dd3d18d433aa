//! A folder with a certificate and its key, and the key that reloads them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use notafter::cert::Sha256Digest;
use notafter::reload::{ReloadError, ReloadSummary, ReloadingKeyBuilder};
use notafter::{Certificate, Event, EventCode, ReloadingKey, Timestamp};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use tempfile::TempDir;

use crate::support::pki::{self, Ca, Leaf, NOW};
use crate::support::tls::{self, Recorder};

/// A clock that tests set.
#[derive(Debug)]
pub struct SetTime(pub Mutex<Timestamp>);

impl TimeProvider for SetTime {
    fn current_time(&self) -> Option<UnixTime> {
        self.0.lock().unwrap().to_unix_time()
    }
}

pub struct Scene {
    pub folder: TempDir,
    pub root: Ca,
    pub issuer: Ca,
    pub events: Arc<Recorder>,
    pub clock: Arc<SetTime>,
}

impl Scene {
    pub fn new() -> Self {
        let root = pki::root("Root", -1000, 3000);
        let issuer = root.intermediate("Issuing CA", -300, 1500);
        Self {
            folder: tempfile::tempdir().unwrap(),
            root,
            issuer,
            events: Arc::default(),
            clock: Arc::new(SetTime(Mutex::new(NOW))),
        }
    }

    /// A leaf for a.example, between these days from now.
    pub fn leaf(&self, from: i64, to: i64) -> Leaf {
        self.issuer.leaf(&["a.example"], from, to)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn chain(&self, leaf: &Leaf) -> String {
        pki::pem_bundle([&leaf.der, &self.issuer.der])
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), contents).unwrap();
    }

    /// In place.
    pub fn deploy(&self, leaf: &Leaf) {
        self.write("tls.crt", self.chain(leaf));
        self.write("tls.key", leaf.key_pair.serialize_pem());
    }

    /// Certbot's way: new files, renamed over the old ones.
    pub fn deploy_by_rename(&self, leaf: &Leaf) {
        self.write("tls.crt.new", self.chain(leaf));
        self.write("tls.key.new", leaf.key_pair.serialize_pem());
        for name in ["tls.crt", "tls.key"] {
            std::fs::rename(self.path(&format!("{name}.new")), self.path(name)).unwrap();
        }
    }

    pub fn builder(&self) -> ReloadingKeyBuilder {
        ReloadingKey::builder()
            .with_provider(tls::ring())
            .with_clock(self.clock.clone())
            .with_observer(self.events.clone())
    }

    /// Of the pair that lies in the folder.
    pub fn key(&self) -> Arc<ReloadingKey> {
        self.with(|builder| builder)
    }

    pub fn with(
        &self,
        change: impl FnOnce(ReloadingKeyBuilder) -> ReloadingKeyBuilder,
    ) -> Arc<ReloadingKey> {
        let builder = self.builder();
        let builder = builder.with_pair(self.path("tls.crt"), self.path("tls.key"));
        change(builder).build().unwrap()
    }

    /// The codes of the events so far.
    pub fn told(&self) -> Vec<&'static str> {
        let events = self.events.take();
        events.iter().map(|event| event.code.as_str()).collect()
    }

    pub fn told_once(&self, code: EventCode) -> Event {
        let mut events = self.events.take();
        assert_eq!(events.len(), 1, "{events:#?}");
        let event = events.remove(0);
        assert_eq!(event.code, code, "{event}");
        event
    }
}

/// So many seconds after [`NOW`].
pub fn at(seconds: i64) -> Timestamp {
    NOW.saturating_add(seconds)
}

pub fn served(key: &ReloadingKey) -> Sha256Digest {
    key.served()[0].leaf().unwrap().fingerprint()
}

pub fn print(leaf: &Leaf) -> Sha256Digest {
    leaf.certificate().fingerprint()
}

pub fn serves(key: &ReloadingKey, leaf: &Leaf) -> bool {
    let resolved = rustls::client::ResolvesClientCert::resolve(key, &[], &SCHEMES).unwrap();
    let resolved = Certificate::from_der(&resolved.cert[0]).unwrap();
    // What is said and what is done.
    assert_eq!(resolved.fingerprint(), served(key));
    resolved.fingerprint() == print(leaf)
}

pub const SCHEMES: [rustls::SignatureScheme; 2] = [
    rustls::SignatureScheme::ECDSA_NISTP256_SHA256,
    rustls::SignatureScheme::ED25519,
];

pub fn code(summary: &ReloadSummary) -> &'static str {
    match summary.refused.as_slice() {
        [] => "",
        [error] => error.code(),
        errors => panic!("{errors:?}"),
    }
}

pub fn error(summary: &ReloadSummary) -> ReloadError {
    assert_eq!(summary.refused.len(), 1, "{summary:?}");
    summary.refused[0].clone()
}
