//! How do I get told under tokio, and what does a whole life of a certificate look like?
//!
//! A monitor watches one that lives for six seconds:
//!
//! ```sh
//! cargo run --example tokio_monitor
//! ```
//!
//! It becomes due, a warning, critical, and expires; then it is renewed, on disk and in what is
//! served. Every line is an event as an observer gets it, or what a readiness probe would say.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notafter::observer::InlineObserver;
use notafter::{Event, Monitor, Target, Timestamp, TrustAnchors};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(demonstrate())
}

async fn demonstrate() -> Result {
    let ca = Ca::mint()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tls.crt");
    let first = ca.leaf(6)?;
    write(&file, &first)?;

    let print = |event: &Event| {
        println!("{:<9} {}", event.severity, event.message);
    };
    let monitor = Monitor::builder()
        .with_trust_anchors(ca.anchors())
        .with_provider(rustls::crypto::ring::default_provider().into())
        .with_observer(Arc::new(InlineObserver(print)))
        .with_poll_interval(Duration::from_secs(1))
        .build()?;
    monitor.watch(
        "served",
        Target::from_chain([first]).with_expected_name("a.example"),
    );
    monitor.watch("disk", Target::from_path(&file));

    // What spawn does with a thread, a task does here.
    let changed = Arc::new(Notify::new());
    let ticking = tokio::spawn(tick_for_ever(Arc::clone(&monitor), Arc::clone(&changed)));

    println!("The first certificate lives for six seconds:\n");
    sleep(Duration::from_secs(3)).await;
    println!("ready     {}", monitor.health().ready);
    sleep(Duration::from_secs(5)).await;
    println!("ready     {}", monitor.health().ready);

    println!("\nIt is renewed, in the file and in what is served:\n");
    let renewed = ca.leaf(86_400)?;
    write(&file, &renewed)?;
    monitor.replace("served", [renewed]);
    monitor.refresh("disk");
    changed.notify_one();
    sleep(Duration::from_secs(1)).await;
    println!("ready     {}\n", monitor.health().ready);
    ticking.abort();
    println!("{}", monitor.snapshot().to_text());
    Ok(())
}

/// Ticks where blocking is allowed, then sleeps until something is due or has changed.
async fn tick_for_ever(monitor: Arc<Monitor>, changed: Arc<Notify>) {
    loop {
        let monitor = Arc::clone(&monitor);
        let ticked = tokio::task::spawn_blocking(move || monitor.tick(now()));
        let Ok(next) = ticked.await else { return };
        // Every minute at least, so that a clock that jumps is noticed.
        let left = next.seconds_since(now()).clamp(1, 60).unsigned_abs();
        let _ = timeout(Duration::from_secs(left), changed.notified()).await;
    }
}

#[allow(clippy::disallowed_methods)] // An application reads the clock.
fn now() -> Timestamp {
    UnixTime::now().into()
}

fn write(file: &Path, leaf: &CertificateDer<'_>) -> Result {
    let base64 = data_encoding::BASE64.encode(leaf);
    let lines: Vec<_> = base64
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    );
    Ok(fs::write(file, pem)?)
}

/// A CA of one's own.
struct Ca {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    fn mint() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Example CA");
        valid(&mut params, 3650 * 86_400)?;
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.der().clone();
        let issuer = Issuer::new(params, key);
        Ok(Self {
            certificate,
            issuer,
        })
    }

    /// A leaf that ends so many seconds from now.
    fn leaf(&self, seconds: i64) -> Result<CertificateDer<'static>> {
        let mut params = CertificateParams::new(["a.example".to_owned()])?;
        params
            .distinguished_name
            .push(DnType::CommonName, "a.example");
        valid(&mut params, seconds)?;
        let leaf = params.signed_by(&KeyPair::generate()?, &self.issuer)?;
        Ok(leaf.der().clone())
    }

    fn anchors(&self) -> TrustAnchors {
        TrustAnchors::builder()
            .with_certificates([&self.certificate])
            .build()
    }
}

fn valid(params: &mut CertificateParams, seconds: i64) -> Result {
    let at = |seconds| time::OffsetDateTime::from_unix_timestamp(seconds);
    let now = now().as_unix_seconds();
    params.not_before = at(now)?;
    params.not_after = at(now + seconds)?;
    Ok(())
}
