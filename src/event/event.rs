//! One event.

use std::fmt;

use super::{EventCode, Matter, PeerReach, Role, Severity, Subject};
use crate::identity::PeerIdentity;
use crate::policy::Band;
use crate::text::visible;
#[cfg(feature = "json")]
use crate::text::visible_json;
use crate::time::Timestamp;

/// Something that the application should know. Printed as one line.
///
/// Fields are added over time: make one with [`Event::new`] and the `with_` methods.
///
/// # How do I try out my observer?
/// ```
/// use notafter::{Band, Event, EventCode, Severity, Timestamp};
/// use notafter::event::Role;
/// let at: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let event = Event::new(at, EventCode::PeerExpiring, Severity::Warning, Role::PeerServer, "renew it")
///     .with_host("db.example".to_owned())
///     .with_bands(Some(Band::Due), Band::Warning)
///     .with_time_left_seconds(86_400);
/// assert_eq!(event.to_string(), "2026-01-01T00:00:00Z warning peer_expiring: renew it");
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The instant of the evaluation that noticed it (in a handshake, the time that rustls passed
    /// in).
    pub at: Timestamp,
    /// What happened.
    pub code: EventCode,
    /// How much it matters.
    pub severity: Severity,
    /// Whose it is.
    pub role: Role,
    /// The name that the connection was made to; `None` for TLS clients and for what is not met
    /// in a connection.
    pub host: Option<String>,
    /// Who the peer is, where peers are known by identities and it proved itself before.
    pub identity: Option<PeerIdentity>,
    /// The file, the folder, or the name under which it is watched.
    pub source: Option<String>,
    /// The certificate, key or pin at fault.
    pub subject: Option<Subject>,
    /// The band told of before this event, if any.
    pub band_before: Option<Band>,
    /// The band now.
    pub band: Option<Band>,
    /// Until when a peer's chain verifies.
    pub reach: Option<PeerReach>,
    /// The last second at which the chain verifies, over all paths; `None` where it does not, or
    /// where that is not known.
    pub effective_not_after: Option<Timestamp>,
    /// Seconds from `at` until the subject's last good second; negative once it is over.
    pub time_left_seconds: Option<i64>,
    /// How many seconds before the subject's last good second the band began.
    pub threshold_seconds: Option<i64>,
    /// For how many matters it speaks: more than 1 where many share one cause, and where peers
    /// that proved nothing are told of by number.
    pub affected: usize,
    /// The event that tells of the same already, where this one is a consequence of it: a note then,
    /// whatever its band, so that one expiry wakes somebody once.
    pub follows_from: Option<EventCode>,
    /// What it is about, as it is told again and told as recovered: several where many share one
    /// cause; empty for what is said once and does not last, and for peers that proved nothing.
    pub matters: Vec<Matter>,
    /// A sentence that says what to do; what could not be seen in foreign names is escaped.
    pub message: String,
}

impl Event {
    /// Makes an event of which no more is known than this.
    pub fn new(
        at: Timestamp,
        code: EventCode,
        severity: Severity,
        role: Role,
        message: impl Into<String>,
    ) -> Self {
        Self {
            at,
            code,
            severity,
            role,
            host: None,
            identity: None,
            source: None,
            subject: None,
            band_before: None,
            band: None,
            reach: None,
            effective_not_after: None,
            time_left_seconds: None,
            threshold_seconds: None,
            affected: 1,
            follows_from: None,
            matters: Vec::new(),
            message: visible(&message.into()),
        }
    }

    /// Names the host that the connection was made to.
    #[must_use]
    pub fn with_host(mut self, host: impl Into<Option<String>>) -> Self {
        self.host = host.into();
        self
    }

    /// Says who the peer is that proved itself.
    #[must_use]
    pub fn with_identity(mut self, identity: impl Into<Option<PeerIdentity>>) -> Self {
        self.identity = identity.into();
        self
    }

    /// Names the file, the folder, or what it is watched under.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Option<String>>) -> Self {
        self.source = source.into();
        self
    }

    /// Says what is at fault; with its end, also the time left until then.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<Option<Subject>>) -> Self {
        self.subject = subject.into();
        let end = self.subject.as_ref().and_then(|subject| subject.not_after);
        self.time_left_seconds = end.map(|end| end.seconds_since(self.at));
        self
    }

    /// Sets the band told of before, and the band now.
    #[must_use]
    pub fn with_bands(mut self, before: Option<Band>, now: Band) -> Self {
        self.band_before = before;
        self.band = Some(now);
        self
    }

    /// Says until when a peer's chain verifies.
    #[must_use]
    pub fn with_reach(mut self, reach: PeerReach) -> Self {
        self.reach = Some(reach);
        if let PeerReach::Until(end) = reach {
            self.effective_not_after = Some(end);
        }
        self
    }

    /// Sets the last second at which the chain verifies.
    #[must_use]
    pub fn with_effective_not_after(mut self, end: impl Into<Option<Timestamp>>) -> Self {
        self.effective_not_after = end.into();
        self
    }

    /// Sets the seconds left; negative once it is over.
    #[must_use]
    pub fn with_time_left_seconds(mut self, seconds: impl Into<Option<i64>>) -> Self {
        self.time_left_seconds = seconds.into();
        self
    }

    /// Sets how many seconds before the end the band began.
    #[must_use]
    pub fn with_threshold_seconds(mut self, seconds: impl Into<Option<i64>>) -> Self {
        self.threshold_seconds = seconds.into();
        self
    }

    /// Says for how many matters it speaks.
    #[must_use]
    pub fn with_affected(mut self, matters: usize) -> Self {
        self.affected = matters;
        self
    }

    /// Names the event that tells of the same already.
    #[must_use]
    pub fn with_follows_from(mut self, primary: impl Into<Option<EventCode>>) -> Self {
        self.follows_from = primary.into();
        self
    }

    /// Adds a matter that it is about.
    #[must_use]
    pub fn with_matter(mut self, matter: Matter) -> Self {
        self.matters.push(matter);
        self
    }

    /// The event as one line of JSON, as `serde` writes it too.
    ///
    /// Instants are RFC 3339 in UTC, spans are seconds, and what is not known is `null`;
    /// `follows_from` is there where it says something.
    #[cfg(feature = "json")]
    pub fn to_json(&self) -> String {
        // Strings and numbers in a fixed shape: there is nothing here that could fail to serialize.
        visible_json(&serde_json::to_string(self).unwrap_or_default())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, severity, code) = (self.at, self.severity, self.code);
        write!(f, "{at} {severity} {code}: {}", visible(&self.message))
    }
}
