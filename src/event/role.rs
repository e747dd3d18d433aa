//! Whose it is.

use std::fmt;

/// Whose certificate (or what else) an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// What this process serves with.
    OwnServer,
    /// What this process shows to servers as a client.
    OwnClient,
    /// A server that this process connects to.
    PeerServer,
    /// A client that connects to this process.
    PeerClient,
    /// A trust anchor.
    Anchor,
    /// A pin or a set of them.
    Pin,
    /// A stapled OCSP response.
    Staple,
    /// A revocation list.
    Crl,
    /// A signed announcement of pins.
    Announcement,
    /// The monitor itself.
    Monitor,
}

impl Role {
    /// Every role, for metrics that want to start at zero.
    pub const ALL: [Self; 10] = [
        Self::OwnServer,
        Self::OwnClient,
        Self::PeerServer,
        Self::PeerClient,
        Self::Anchor,
        Self::Pin,
        Self::Staple,
        Self::Crl,
        Self::Announcement,
        Self::Monitor,
    ];

    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnServer => "own_server",
            Self::OwnClient => "own_client",
            Self::PeerServer => "peer_server",
            Self::PeerClient => "peer_client",
            Self::Anchor => "anchor",
            Self::Pin => "pin",
            Self::Staple => "staple",
            Self::Crl => "crl",
            Self::Announcement => "announcement",
            Self::Monitor => "monitor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
