//! What being told costs: handshakes with an observer, and ticks of a monitor.

use std::cell::Cell;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use notafter::alert::RepeatPolicy;
use notafter::monitor::{Evaluation, MonitorBuilder};
use notafter::observer::QueuedObserver;
use notafter::{
    Event, Monitor, Observer, Target, ThresholdPolicy, Timestamp, TrustAnchors,
    WatchingServerVerifier,
};
use rustls::DigitallySignedStruct;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::chains::Chain;
use super::measure::row;
use super::wrapper::{any_signature, signature};

pub(super) fn rows() {
    let chain = Chain::mint(&[400]);
    // First, while there is no freed memory that could be used again.
    memory(&chain);
    let fine = ThresholdPolicy::default();
    // Warned of from the first day on, so that there is something to tell.
    let worrying = ThresholdPolicy::fixed_days(3_000, 3_000, 3_000).unwrap();
    for (name, policy) in [
        ("observer_path", fine),
        ("observer_path_each_tells", worrying),
    ] {
        let (told, untold) = (
            Peer::new(&chain, policy, true),
            Peer::new(&chain, policy, false),
        );
        row(name, "no observer", || told.verify(), || untold.verify());
    }
    for subjects in [1_000, 10_000, 100_000] {
        tick(subjects);
    }
}

/// A verifier and what it is asked about, second by second.
struct Peer {
    verifier: Arc<WatchingServerVerifier>,
    leaf: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    name: ServerName<'static>,
    signature: DigitallySignedStruct,
    now: Cell<u64>,
}

impl Peer {
    fn new(chain: &Chain, policy: ThresholdPolicy, observed: bool) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = Arc::new(RootCertStore::from(&chain.anchors));
        let inner = WebPkiServerVerifier::builder_with_provider(roots, provider.clone());
        let inner: Arc<dyn ServerCertVerifier> = inner.build().unwrap();
        let mut builder = WatchingServerVerifier::builder(any_signature(&inner))
            .with_provider(provider)
            .with_policy(policy)
            .with_repeat(
                RepeatPolicy::never()
                    .with_band(notafter::Band::Critical, Some(Duration::from_secs(1))),
            );
        // Nobody is told in the other case, and so it is said what the wrapper is for.
        builder = builder.with_trust_age(Duration::from_secs(60));
        if observed {
            let look = Arc::new(|event: &Event| {
                black_box(event);
            });
            let queue = QueuedObserver::spawn(look, NonZeroUsize::new(1024).unwrap()).unwrap();
            builder = builder.with_observer(queue);
        }
        Self {
            verifier: builder.build().unwrap(),
            leaf: chain.certificates.first().unwrap().der().clone(),
            intermediates: chain.intermediates.clone(),
            name: ServerName::try_from("a.example").unwrap(),
            signature: signature(),
            now: Cell::new(chain.now.to_unix_time().unwrap().as_secs()),
        }
    }

    fn verify(&self) {
        // A second later each time: told each time where it is told at all.
        self.now.set(self.now.get() + 1);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(self.now.get()));
        let verdict =
            self.verifier
                .verify_server_cert(&self.leaf, &self.intermediates, &self.name, &[], now);
        black_box(verdict.unwrap());
        // Told once the server has proved that it has its key.
        let proven = self
            .verifier
            .verify_tls13_signature(&[], &self.leaf, &self.signature);
        black_box(proven.unwrap());
    }
}

/// A tick with nothing due, against one look at each subject.
fn tick(subjects: i64) {
    let monitor = monitor(TrustAnchors::builder().build());
    let start = Timestamp::from_unix_seconds(1_767_225_600);
    let changes: Vec<_> = (1..=subjects)
        .map(|n| start.saturating_add(1_000_000_000 + n))
        .collect();
    for (n, change) in changes.iter().copied().enumerate() {
        let quiet = move |_: Timestamp| Evaluation::new(Vec::new(), Some(change));
        monitor.watch(n.to_string(), Target::from_watched(Arc::new(quiet)));
    }
    monitor.tick(start);
    let name = format!("monitor_tick_{subjects}");
    let now = Cell::new(start);
    let later = || {
        now.set(now.get().saturating_add(1));
        now.get()
    };
    row(
        &name,
        "a look at each subject",
        || {
            black_box(monitor.tick(later()));
        },
        || {
            let now = later();
            let due = black_box(&changes).iter().filter(|change| **change <= now);
            black_box(due.count());
        },
    );
}

/// Not times but bytes: what the process grows by for each chain of leaf and intermediate, none of
/// which shares a byte with another.
fn memory(chain: &Chain) {
    const CHAINS: usize = 10_000;
    let monitor = monitor(chain.anchors.clone());
    let der = chain.bytes() * CHAINS;
    let before = resident();
    for n in 0..CHAINS {
        let ders = chain.certificates.iter().map(|c| c.der().clone());
        monitor.watch(format!("chain {n}"), Target::from_chain(ders));
    }
    monitor.tick(chain.now);
    assert!(monitor.health_at(chain.now).ready);
    #[allow(clippy::cast_precision_loss)] // Bytes, far below 2^52.
    let [grown, der] = [resident().saturating_sub(before), der].map(|n| n as f64 / CHAINS as f64);
    let ratio = grown / der;
    println!("monitor_bytes_per_chain\t{grown:.1}\tits DER\t{der:.1}\t{ratio:.3}");
}

/// The resident bytes of this process (Linux; 0 elsewhere).
pub(super) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kilobytes.unwrap_or_default() * 1024
}

fn monitor(anchors: TrustAnchors) -> Arc<Monitor> {
    monitor_builder(anchors).build().unwrap()
}

/// Evaluates nothing but what is due, and tells nobody.
pub(super) fn monitor_builder(anchors: TrustAnchors) -> MonitorBuilder {
    Monitor::builder()
        .with_trust_anchors(anchors)
        .with_provider(rustls::crypto::ring::default_provider().into())
        .with_interval(Duration::from_secs(u64::from(u32::MAX)))
        .with_observer(Arc::new(Nobody))
}

struct Nobody;

impl Observer for Nobody {
    fn observe(&self, _: &Event) {}

    fn is_prompt(&self) -> bool {
        true
    }
}
