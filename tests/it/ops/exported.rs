//! What the library exports: a recorder for the `metrics` facade that can be read as a page, and one
//! of everything that shows metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use notafter::observer::MetricsObserver;
use notafter::pin::{ExpiryRule, FixedPins};
use notafter::reload::ReloadingKey;
use notafter::revocation::Crls;
use notafter::{
    Monitor, PinSet, SpkiPin, Target, Timestamp, WatchingClientVerifier, WatchingServerVerifier,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::server::WebPkiClientVerifier;

use crate::support::pki::{self, NOW, days};
use crate::support::tls::{SetTime, ring};

/// One series and its value.
pub struct Sample {
    pub name: String,
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

impl Sample {
    /// The series as Prometheus reads it, with these labels of a target before its own.
    pub fn series(&self, target: &[(&str, &str)]) -> String {
        let target = target.iter().copied();
        let own = self.labels.iter();
        let own = own.map(|(name, value)| (name.as_str(), value.as_str()));
        let labels = target.chain(own).map(|(name, value)| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            format!("{name}=\"{}\"", value.replace('\n', "\\n"))
        });
        format!("{}{{{}}}", self.name, labels.collect::<Vec<_>>().join(","))
    }
}

#[derive(Clone)]
struct Cell {
    value: Arc<AtomicU64>,
    is_counter: bool,
}

/// Keeps what it is told.
#[derive(Default)]
pub struct Exported {
    described: Mutex<BTreeSet<String>>,
    shown: Mutex<BTreeMap<(String, Vec<(String, String)>), Cell>>,
}

impl Exported {
    pub fn samples(&self) -> Vec<Sample> {
        let shown = self.shown.lock().unwrap();
        let samples = shown.iter().map(|((name, labels), cell)| {
            let bits = cell.value.load(Ordering::Relaxed);
            let value = match cell.is_counter {
                #[allow(clippy::cast_precision_loss)]
                true => bits as f64,
                false => f64::from_bits(bits),
            };
            let (name, labels) = (name.clone(), labels.clone());
            Sample {
                name,
                labels,
                value,
            }
        });
        samples.collect()
    }

    fn cell(&self, key: &Key, is_counter: bool) -> Arc<AtomicU64> {
        let labels = key
            .labels()
            .map(|label| (label.key().to_owned(), label.value().to_owned()));
        let series = (key.name().to_owned(), labels.collect());
        let mut shown = self.shown.lock().unwrap();
        let cell = shown.entry(series).or_insert_with(|| Cell {
            value: Arc::default(),
            is_counter,
        });
        cell.value.clone()
    }

    fn describe(&self, name: &KeyName) {
        self.described
            .lock()
            .unwrap()
            .insert(name.as_str().to_owned());
    }
}

impl Recorder for Exported {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }
    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }
    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key, true))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key, false))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// What a service shows that has one of everything, its leaf ending in so many seconds from `now`.
pub fn of_everything(now: Timestamp, leaf_ends_in: i64) -> Vec<Sample> {
    let exported = Exported::default();
    let today = now.seconds_since(NOW) / 86_400;
    let root = pki::root("Root", today - 1000, today + 3000);
    let issuer = root.intermediate("Issuing CA", today - 300, today + 1500);
    let leaf = issuer.leaf_with(&["a.example"], 0, 0, |params| {
        let at = |seconds: i64| {
            let t = now.saturating_add(seconds).as_unix_seconds();
            time::OffsetDateTime::from_unix_timestamp(t).unwrap()
        };
        (params.not_before, params.not_after) = (at(leaf_ends_in - 90 * 86_400), at(leaf_ends_in));
    });
    let folder = tempfile::tempdir().unwrap();
    let (certificates, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    std::fs::write(&certificates, pki::pem_bundle([&leaf.der, &issuer.der])).unwrap();
    std::fs::write(&key, leaf.key_pair.serialize_pem()).unwrap();
    let roots = Arc::new(RootCertStore::from(&pki::anchors([&root])));
    metrics::with_local_recorder(&exported, || {
        let monitor = Monitor::builder()
            .with_trust_anchors(pki::anchors([&root]))
            .with_provider(ring())
            .with_observer(Arc::new(MetricsObserver::new()))
            .with_metrics()
            .build()
            .unwrap();
        monitor.watch("served", Target::from_chain([leaf.der, issuer.der.clone()]));
        monitor.watch("roots", Target::from_anchors(pki::anchors([&root])));
        let (this, next) = (days(today - 1), days(today + 29));
        let list = pki::crl_between(&issuer, this, next, &[]);
        let lists = Crls::builder().with_der(&list).unwrap().build();
        monitor.watch("lists", Target::from_crls(lists));
        let pin = |ca: &pki::Ca| SpkiPin::from_certificate(&ca.certificate());
        let pins = PinSet::builder()
            .with_current(pin(&root))
            .with_backup(pin(&issuer))
            .with_scope("a.example".parse().unwrap())
            .with_expiry(days(today + 300), ExpiryRule::FailClosed)
            .build()
            .unwrap();
        monitor.watch("pins", Target::from_pins(Arc::new(FixedPins::new(pins))));
        let missing = folder.path().join("missing.crt");
        monitor.watch("missing", Target::from_path(missing));
        let reloading = ReloadingKey::builder()
            .with_pair(&certificates, &key)
            .with_provider(ring())
            .with_clock(SetTime::at(now))
            .with_metrics("key")
            .build();
        // A leaf that has ended is not loaded; its numbers are there all the same.
        drop(reloading);
        let servers = WebPkiServerVerifier::builder_with_provider(roots.clone(), ring());
        WatchingServerVerifier::builder(servers.build().unwrap())
            .with_metrics()
            .build()
            .unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(roots, ring());
        WatchingClientVerifier::builder(clients.build().unwrap())
            .with_metrics()
            .build()
            .unwrap();
        monitor.tick(now);
    });
    exported.samples()
}

/// The name of every metric that the library has a description for, or shows.
pub fn names() -> BTreeSet<String> {
    let exported = Exported::default();
    metrics::with_local_recorder(&exported, || {
        let monitor = Monitor::builder()
            .with_trust_anchors(pki::anchors([&pki::root("Root", -1, 1)]))
            .with_provider(ring())
            .with_metrics();
        monitor.build().unwrap();
    });
    let described = exported.described.into_inner().unwrap();
    let shown = of_everything(NOW, 80 * 86_400);
    let shown = shown.into_iter().map(|sample| sample.name);
    let names: BTreeSet<_> = described.into_iter().chain(shown).collect();
    assert!(names.len() >= 35, "{names:?}");
    names
}
