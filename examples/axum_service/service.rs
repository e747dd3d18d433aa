//! What the service knows of its certificates: reloaded by one part, judged by the other.

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use notafter::observer::InlineObserver;
use notafter::reload::{AtStart, ReloadSummary};
use notafter::session::OpenConnections;
use notafter::{
    Event, Loader, Monitor, ReloadingKey, SessionGuard, Target, Timestamp, TrustAnchors,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::ServerSessionMemoryCache;
use time::OffsetDateTime;

use crate::args::Args;
use crate::client_trust::ClientTrust;
use crate::listener::Counter;

pub struct Service {
    pub key: Arc<ReloadingKey>,
    pub monitor: Arc<Monitor>,
    pub connections: OpenConnections,
    pub failed_handshakes: Counter,
    /// Where clients are asked for certificates.
    pub client_trust: Option<ClientTrust>,
    /// The name under which the served chain is watched: its file.
    served: String,
    /// Whether it was said by which anchors to judge.
    pub trusts: bool,
}

impl Service {
    pub fn new(
        args: &Args,
        (cert, key): (PathBuf, PathBuf),
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Box<dyn Error>> {
        let anchors = Arc::new(match args.trust.as_slice() {
            [] => TrustAnchors::from_os(),
            files => anchors(files)?,
        });
        let monitor = Monitor::builder()
            .with_trust_anchors(Arc::clone(&anchors))
            .with_provider(Arc::clone(provider))
            .with_observer(Arc::new(print))
            .build()?;
        let served = cert.display().to_string();
        let key = ReloadingKey::builder()
            .with_pair(cert, key)
            .with_provider(Arc::clone(provider))
            .with_observer(Arc::new(print))
            .with_settle_seconds(2)
            // What verifies by them is not replaced by what does not.
            .with_trust_anchors(anchors)
            // A service that answers 503 on /ready tells more than one that does not start.
            .with_at_start(AtStart::AcceptOutOfDate)
            .build()?;
        let client_trust = match &args.client_ca {
            None => None,
            Some(ca) => {
                // A damaged file stops the start.
                self::anchors(std::slice::from_ref(ca))?;
                Some(ClientTrust::new(ca, args.client_crl.as_deref(), provider)?)
            }
        };
        let service = Self {
            client_trust,
            key,
            monitor,
            connections: OpenConnections::new(),
            failed_handshakes: Counter::default(),
            served,
            trusts: !args.trust.is_empty(),
        };
        let chain = Target::from_chain(service.chain());
        service.monitor.watch(service.served.as_str(), chain);
        let skew = Target::from_watched(service.key.clone());
        service.monitor.watch(SKEW, skew);
        // Nothing is asked for before this is known.
        service.monitor.tick(now());
        Ok(service)
    }

    pub fn tls(&self, provider: &Arc<CryptoProvider>) -> Result<ServerConfig, Box<dyn Error>> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()?;
        let mut config = match &self.client_trust {
            None => builder
                .with_no_client_auth()
                .with_cert_resolver(self.key.clone()),
            Some(trust) => {
                let verifier = trust.verifier(provider)?;
                let mut config = builder
                    .with_client_cert_verifier(verifier.clone())
                    .with_cert_resolver(self.key.clone());
                // No resumed session outlives the anchor or the list that it rests on.
                let sessions = ServerSessionMemoryCache::new(SESSIONS);
                config.session_storage = SessionGuard::default().server(&verifier, sessions);
                config
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Looks at the files once; what was swapped is judged from now on.
    pub fn poll(&self) {
        self.reload(|key| key.poll(now()));
    }

    /// Reads them all, for somebody says that they have been written.
    #[cfg(unix)]
    pub fn reload_now(&self) {
        self.reload(ReloadingKey::reload_now);
    }

    fn reload(&self, look: impl FnOnce(&ReloadingKey) -> ReloadSummary) {
        let stale = self.key.stale_since();
        let summary = look(&self.key);
        if let Some(trust) = &self.client_trust {
            trust.poll(now());
        }
        if summary.swapped > 0 {
            self.monitor.replace(&self.served, self.chain());
        }
        if summary.swapped > 0 || stale != self.key.stale_since() {
            self.monitor.refresh(SKEW);
        }
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        let served = self.key.served();
        let certificates = served.iter().flat_map(|pair| &pair.certificates);
        certificates.map(|c| c.der().clone()).collect()
    }

    /// The last good second of the served leaf.
    pub fn served_until(&self) -> Option<Timestamp> {
        Some(self.key.served().first()?.leaf()?.not_after())
    }
}

/// As many as rustls keeps by default.
const SESSIONS: usize = 256;

const SKEW: &str = "skew";

fn anchors(files: &[PathBuf]) -> Result<TrustAnchors, Box<dyn Error>> {
    let mut builder = TrustAnchors::builder();
    for file in files {
        for source in Loader::new().load(file) {
            builder = builder.with_source(&source);
        }
    }
    let anchors = builder.build();
    match anchors.errors() {
        [] if anchors.is_empty() => Err("there is no trust anchor in the files given".into()),
        [] => Ok(anchors),
        [error, ..] => Err(error.clone().into()),
    }
}

/// Whether the service has said where it listens.
static SAID_WHERE: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// What there is to tell may be told from now on.
pub fn said_where() {
    let (said, changed) = &SAID_WHERE;
    *said.lock().unwrap_or_else(PoisonError::into_inner) = true;
    changed.notify_all();
}

/// On the observer's own thread. It waits for the first line of output, for scripts read that.
pub fn print(event: &Event) {
    let (said, changed) = &SAID_WHERE;
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = changed.wait_timeout_while(said, Duration::from_secs(10), |said| !*said);
    drop(waited);
    eprintln!("{event}");
}

pub fn now() -> Timestamp {
    Timestamp::from_unix_seconds(OffsetDateTime::now_utc().unix_timestamp())
}
