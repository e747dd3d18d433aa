//! What can be said to the application.

use std::fmt;

use crate::cert::{Certificate, Sha256Digest, Timestamp};
use crate::outlook::Position;
use crate::policy::Band;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Good to know.
    Info,
    /// A person should look in working hours.
    Warning,
    /// Something is dark, or about to be.
    Critical,
}

impl Severity {
    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// How much a certificate in this band matters.
    pub const fn of_band(band: Band) -> Self {
        match band {
            Band::Ok | Band::Due => Self::Info,
            Band::Warning => Self::Warning,
            Band::Critical | Band::NotYetValid | Band::Expired | Band::Broken => Self::Critical,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whose certificate an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// A server that this process connected to.
    PeerServer,
    /// A client that connected to this process.
    PeerClient,
}

impl Role {
    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PeerServer => "peer_server",
            Self::PeerClient => "peer_client",
        }
    }
}

/// What happened. [`EventCode::as_str`] is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventCode {
    /// A certificate on the path of an accepted peer is due, a warning, or critical.
    PeerExpiring,
    /// The inner verifier refused a peer because a certificate has expired.
    PeerExpired,
    /// The inner verifier refused a peer because a certificate is not valid yet.
    PeerNotYetValid,
    /// A peer's chain that was in a worse band is ok (again).
    PeerRecovered,
    /// Pins refused a peer that the inner verifier accepted.
    PinMismatch,
    /// A server's stapled OCSP response is not good, or is missing where it must not be.
    StapleNotGood,
    /// A server's staple is good again.
    StapleRecovered,
    /// The inner verifier accepted a peer whose leaf our own walk cannot read.
    PeerUnreadable,
}

impl EventCode {
    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PeerExpiring => "peer_expiring",
            Self::PeerExpired => "peer_expired",
            Self::PeerNotYetValid => "peer_not_yet_valid",
            Self::PeerRecovered => "peer_recovered",
            Self::PinMismatch => "pin_mismatch",
            Self::StapleNotGood => "staple_not_good",
            Self::StapleRecovered => "staple_recovered",
            Self::PeerUnreadable => "peer_unreadable",
        }
    }
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The certificate that an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// What people call it.
    pub name: String,
    /// SHA-256 over the certificate (over the SubjectPublicKeyInfo for raw public keys).
    pub sha256: Sha256Digest,
    /// Where it stands.
    pub position: Position,
    /// Its last good second; `None` for raw public keys.
    pub not_after: Option<Timestamp>,
}

impl Subject {
    pub(crate) fn of(certificate: &Certificate, position: Position) -> Self {
        Self {
            name: certificate.short_name(),
            sha256: certificate.fingerprint(),
            position,
            not_after: Some(certificate.not_after()),
        }
    }
}

/// Until when a peer's chain verifies, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerReach {
    /// The effective notAfter over the paths to the caller's own trust anchors.
    Until(Timestamp),
    /// Without trust anchors that accept the chain nothing is known beyond its leaf.
    UnknownBeyondLeaf {
        /// The leaf's last good second: it cannot verify for longer than that.
        leaf_not_after: Timestamp,
    },
}

impl fmt::Display for PeerReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Until(end) => write!(f, "verifies until {end}"),
            Self::UnknownBeyondLeaf { leaf_not_after } => {
                write!(f, "unknown beyond its leaf, which ends at {leaf_not_after}")
            }
        }
    }
}

/// Something that the application should know. Printed as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// When it was noticed (the time that rustls passed in).
    pub at: Timestamp,
    /// What happened.
    pub code: EventCode,
    /// How much it matters.
    pub severity: Severity,
    /// Whose certificate it is.
    pub role: Role,
    /// The name that the connection was made to; `None` for TLS clients.
    pub host: Option<String>,
    /// The certificate at fault.
    pub subject: Option<Subject>,
    /// The band told of before this event, if any.
    pub band_before: Option<Band>,
    /// The band now.
    pub band: Option<Band>,
    /// Until when the chain verifies.
    pub reach: Option<PeerReach>,
    /// A sentence that says what to do.
    pub message: String,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, severity, code) = (self.at, self.severity, self.code);
        write!(f, "{at} {severity} {code}: {}", self.message)
    }
}
