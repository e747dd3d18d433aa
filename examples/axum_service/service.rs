//! What the service knows of its certificates: reloaded by one part, judged by the other.

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use notafter::event::Role;
use notafter::reload::AtStart;
use notafter::session::{ClosingPace, OpenConnections, RestsOn};
use notafter::{
    Certificate, Event, EventCode, Loader, Monitor, ReloadingKey, SessionGuard, Severity, Target,
    Timestamp, TrustAnchors,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::ServerSessionMemoryCache;
use time::OffsetDateTime;

use crate::args::Args;
use crate::client_trust::ClientTrust;
use crate::listener::{Counter, CountsByCode};

pub struct Service {
    pub key: Arc<ReloadingKey>,
    pub monitor: Arc<Monitor>,
    pub connections: OpenConnections,
    /// Connections that were told to end, and those of them that had to be cut off.
    pub told: Counter,
    pub overdue: Counter,
    pub failed_handshakes: Counter,
    /// Those that failed, by the code of what they failed of.
    pub handshake_errors: CountsByCode,
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
        let pace = ClosingPace::default()
            .with_removal_seconds(args.drain_seconds.into())
            // Processes of one fleet do not move in step.
            .with_seed(std::process::id().into());
        let service = Self {
            client_trust,
            key,
            monitor,
            connections: OpenConnections::with_pace(pace),
            told: Counter::default(),
            overdue: Counter::default(),
            failed_handshakes: Counter::default(),
            handshake_errors: CountsByCode::default(),
            served,
            trusts: !args.trust.is_empty(),
        };
        let chain = Target::from_chain(service.chain());
        service.monitor.watch(service.served.as_str(), chain);
        let skew = Target::from_watched(service.key.clone());
        service.monitor.watch(SKEW, skew);
        if let Some(trust) = &service.client_trust {
            trust.watch_by(&service.monitor);
            // From now on it is known which anchors count.
            let anchors = trust.anchors();
            service.connections.follow_anchors(&anchors, now());
        }
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
                let verifier = trust.verifier();
                let mut config = builder
                    .with_client_cert_verifier(verifier.clone())
                    .with_cert_resolver(self.key.clone());
                // No resumed session outlives the anchor or the list that it rests on.
                let sessions = ServerSessionMemoryCache::new(SESSIONS);
                config.session_storage = SessionGuard::default().server(verifier, sessions);
                config
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Looks at the files once; what was swapped is judged from now on.
    pub fn poll(&self) {
        self.reload(Look::AsUsual);
    }

    /// Reads them all, for somebody says that they have been written.
    #[cfg(unix)]
    pub fn reload_now(&self) {
        self.reload(Look::Now);
    }

    fn reload(&self, look: Look) {
        let stale = self.key.stale_since();
        let summary = match look {
            Look::AsUsual => self.key.poll(now()),
            Look::Now => self.key.reload_now(),
        };
        if let Some(trust) = &self.client_trust {
            if trust.look(look, &self.monitor, now()) {
                self.end_those_of_removed_anchors(trust);
            }
        }
        if summary.swapped > 0 {
            self.monitor.replace(&self.served, self.chain());
            self.end_those_of_before();
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

    /// What a connection with this client's chain rests on, if it showed one.
    pub fn rests_on(&self, client: &[Certificate]) -> RestsOn {
        let served = self.key.served();
        let leaf = served.first().and_then(|pair| pair.leaf());
        let trust = self.client_trust.as_ref().filter(|_| !client.is_empty());
        let timeline = trust.and_then(|trust| trust.judge().timeline(client, None).ok());
        let paths = timeline.map_or_else(Vec::new, |timeline| timeline.rustls.paths);
        // The last of its paths; its leaf where there is none.
        let client_end = paths.iter().map(|path| path.window.not_after).max();
        let client_end = client_end.or(client.first().map(Certificate::not_after));
        let ends = client_end
            .into_iter()
            .chain(leaf.map(Certificate::not_after));
        let rests_on = RestsOn::until(ends.min().unwrap_or(Timestamp::MAX))
            .with_anchors(paths.iter().map(|path| path.anchor.spki_sha256));
        // Let in by what was in force a moment ago, it ends like those of before: its own key is no anchor.
        let unfounded = client.first().filter(|_| paths.is_empty());
        let rests_on = rests_on.with_anchors(unfounded.map(Certificate::spki_sha256));
        match leaf {
            Some(leaf) => rests_on.with_identity(leaf),
            None => rests_on,
        }
    }

    /// Tells those connections that are due, at most once a second.
    pub fn end_connections(&self) {
        let now = now();
        if self.connections.next_due().is_some_and(|due| due <= now) {
            let tick = self.connections.tick(now);
            self.told.add(tick.told as u64);
            self.overdue.add(tick.overdue as u64);
        }
    }

    /// Ends what was opened by clients all of whose anchors are gone.
    fn end_those_of_removed_anchors(&self, trust: &ClientTrust) {
        let now = now();
        let removal = self.connections.follow_anchors(&trust.anchors(), now);
        if removal.connections > 0 {
            let message = format!(
                "{} connections rest on anchors that are no more, and end by {}",
                removal.connections, removal.deadline
            );
            let (code, severity) = (EventCode::ReloadSucceeded, Severity::Warning);
            let event = Event::new(now, code, severity, Role::Anchor, message);
            print(&event.with_affected(removal.connections));
        }
    }

    /// Ends what was opened with a certificate that is not served any more.
    fn end_those_of_before(&self) {
        let served = self.key.served();
        let leaves = served.iter().filter_map(|pair| pair.leaf());
        let removal = self.connections.follow_identities(leaves, now());
        if removal.connections > 0 {
            eprintln!(
                "{} connections on a certificate of before end by {}",
                removal.connections, removal.deadline
            );
        }
    }
}

/// How files are looked at.
#[derive(Clone, Copy)]
#[cfg_attr(not(unix), allow(dead_code))]
pub enum Look {
    /// Read where they may have changed, and waited for where they may be half-written.
    AsUsual,
    /// Read, and taken for whole.
    Now,
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
