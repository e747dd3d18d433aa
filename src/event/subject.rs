//! What an event is about: the certificate, key or pin, and whose it is.

use std::fmt;

use crate::cert::{Certificate, Sha256Digest};
use crate::outlook::Position;
use crate::pin::SpkiPin;
use crate::time::Timestamp;

/// Names of certificates end after so many characters in events: their writers are not ours.
const MAX_NAME: usize = 256;

/// The certificate, key or pin that an event is about. Its names end after 256 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// What people call it.
    pub name: String,
    /// SHA-256 over what [`Subject::kind`] says.
    pub sha256: Sha256Digest,
    /// Where it stands; for a pin, the position that it is matched at.
    pub position: Position,
    /// Its first good second; `None` for keys and pins.
    pub not_before: Option<Timestamp>,
    /// Its last good second; `None` for keys, and for pins that never end.
    pub not_after: Option<Timestamp>,
    /// The distinguished name of its subject (RFC 4514, in the order of the encoding); `None` for
    /// keys and pins.
    pub distinguished_name: Option<String>,
    /// The distinguished name of its issuer.
    pub issuer: Option<String>,
}

impl Subject {
    /// A certificate at this position.
    pub fn of(certificate: &Certificate, position: Position) -> Self {
        Self {
            not_before: Some(certificate.not_before()),
            not_after: Some(certificate.not_after()),
            distinguished_name: Some(shortened(certificate.subject())),
            issuer: Some(shortened(certificate.issuer())),
            ..Self::nameless(
                SubjectKind::Certificate,
                certificate.fingerprint(),
                position,
            )
        }
        .with_name(certificate.short_name())
    }

    /// A raw public key, by the digest over its SubjectPublicKeyInfo.
    pub fn of_public_key(spki_sha256: Sha256Digest) -> Self {
        Self::nameless(SubjectKind::PublicKey, spki_sha256, Position::Leaf)
            .with_name("raw public key".to_owned())
    }

    /// A pin that is matched at this position, with its end where it has one. It is called what
    /// [`SpkiPin`] prints.
    pub fn of_pin(pin: &SpkiPin, position: Position, end: Option<Timestamp>) -> Self {
        Self {
            not_after: end,
            ..Self::nameless(SubjectKind::Pin, *pin.digest(), position)
        }
        .with_name(pin.to_string())
    }

    fn nameless(kind: SubjectKind, sha256: Sha256Digest, position: Position) -> Self {
        Self {
            kind,
            name: String::new(),
            sha256,
            position,
            not_before: None,
            not_after: None,
            distinguished_name: None,
            issuer: None,
        }
    }

    fn with_name(mut self, name: String) -> Self {
        self.name = shortened(name);
        self
    }
}

/// What kind of thing a [`Subject`] is, and so what its digest is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubjectKind {
    /// A certificate; the digest is its fingerprint.
    Certificate,
    /// A raw public key (RFC 7250); the digest is over the SubjectPublicKeyInfo.
    PublicKey,
    /// A pin; the digest is the pin's.
    Pin,
}

impl SubjectKind {
    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::PublicKey => "public_key",
            Self::Pin => "pin",
        }
    }
}

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

fn shortened(name: String) -> String {
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => name.get(..end).unwrap_or_default().to_owned(),
        None => name,
    }
}
