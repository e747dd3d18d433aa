//! Events into the `tracing` facade.

use super::Observer;
use crate::event::{Event, Role, Severity};
use crate::text::visible;
use crate::time::Timestamp;

/// Writes events to `tracing`, target `notafter`: critical ones as errors, warnings as warnings,
/// the rest as information.
///
/// Fields have OpenTelemetry's names where it has some (`tls.server.not_after`,
/// `tls.server.subject`, `tls.server.issuer`, `tls.server.hash.sha256`, `tls.server.not_before`,
/// the same under `tls.client`, and `server.address`; semantic conventions, registry of TLS
/// attributes), and begin with `notafter.` where it has none. What is not known is left out.
///
/// It is called on its own thread, for a subscriber may write to a disk or a network.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TracingObserver;

impl TracingObserver {
    /// Makes an observer that writes to the current subscriber of the thread that it is called on.
    pub const fn new() -> Self {
        Self
    }
}

/// The fields that only one side has, empty for the other.
#[derive(Default)]
struct TlsSide {
    subject: Option<String>,
    issuer: Option<String>,
    sha256: Option<String>,
    not_before: Option<String>,
    not_after: Option<String>,
}

impl TlsSide {
    fn of(event: &Event) -> Self {
        let Some(subject) = &event.subject else {
            return Self::default();
        };
        let text = |t: Option<Timestamp>| t.map(|t| t.to_string());
        Self {
            subject: subject.distinguished_name.clone(),
            issuer: subject.issuer.clone(),
            // OpenTelemetry wants hashes in upper case.
            sha256: Some(subject.sha256.to_string().to_ascii_uppercase()),
            not_before: text(subject.not_before),
            not_after: text(subject.not_after),
        }
    }
}

macro_rules! write {
    ($level:ident, $event:ident) => {{
        let (server, client, other) = match $event.role {
            Role::OwnServer | Role::PeerServer => {
                (TlsSide::of($event), TlsSide::default(), TlsSide::default())
            }
            Role::OwnClient | Role::PeerClient => {
                (TlsSide::default(), TlsSide::of($event), TlsSide::default())
            }
            _ => (TlsSide::default(), TlsSide::default(), TlsSide::of($event)),
        };
        let subject = $event.subject.as_ref();
        let source = $event.source.as_deref().map(visible);
        let host = $event.host.as_deref().map(visible);
        let position = subject.map(|subject| subject.position.to_string());
        let effective = $event.effective_not_after.map(|t| t.to_string());
        ::tracing::event!(
            target: "notafter",
            ::tracing::Level::$level,
            notafter.at = $event.at.to_string(),
            notafter.code = $event.code.as_str(),
            notafter.role = $event.role.as_str(),
            notafter.source = source.as_deref(),
            notafter.name = subject.map(|subject| subject.name.as_str()),
            notafter.position = position.as_deref(),
            notafter.band_before = $event.band_before.map(crate::policy::Band::as_str),
            notafter.band = $event.band.map(crate::policy::Band::as_str),
            notafter.effective_not_after = effective.as_deref(),
            notafter.time_left = $event.time_left_seconds,
            notafter.threshold = $event.threshold_seconds,
            notafter.affected = $event.affected,
            notafter.follows_from = $event.follows_from.map(crate::event::EventCode::as_str),
            notafter.hash.sha256 = other.sha256.as_deref(),
            notafter.not_after = other.not_after.as_deref(),
            notafter.identity = $event.identity.as_ref().map(crate::identity::PeerIdentity::as_str),
            server.address = host.as_deref(),
            tls.server.subject = server.subject.as_deref(),
            tls.server.issuer = server.issuer.as_deref(),
            tls.server.hash.sha256 = server.sha256.as_deref(),
            tls.server.not_before = server.not_before.as_deref(),
            tls.server.not_after = server.not_after.as_deref(),
            tls.client.subject = client.subject.as_deref(),
            tls.client.issuer = client.issuer.as_deref(),
            tls.client.hash.sha256 = client.sha256.as_deref(),
            tls.client.not_before = client.not_before.as_deref(),
            tls.client.not_after = client.not_after.as_deref(),
            "{}",
            visible(&$event.message)
        );
    }};
}

impl Observer for TracingObserver {
    fn observe(&self, event: &Event) {
        match event.severity {
            Severity::Critical => write!(ERROR, event),
            Severity::Warning => write!(WARN, event),
            Severity::Info | Severity::Unproven => write!(INFO, event),
        }
    }
}
