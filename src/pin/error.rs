//! What goes wrong with pins: a peer is refused because of its keys, or a set cannot be what it should.

use std::fmt;

use thiserror::Error;

use super::{Acceptance, ExpiryRule, Pin, PinScope, PinState, SpkiPin};
use crate::identity::PeerIdentity;
use crate::outlook::Position;
use crate::time::Timestamp;

/// Why pins refused a peer. rustls carries it inside of `CertificateError::Other`;
/// [`pin_error`](crate::pin_error) finds it again.
///
/// `Debug` prints the sentence too: many clients show nothing else of an error from rustls.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinError {
    /// None of the keys that count is pinned.
    #[error(
        "{} showed {}, where {} is expected{}: \
         if the peer changed its key on purpose, deploy its new pin, else treat this as an attack",
        peer(.host, .identity), list(.presented, ", "), accepted(.expected), misses(.near_misses)
    )]
    Mismatch {
        /// The name that the connection was made to; `None` for TLS clients.
        host: Option<String>,
        /// Who the peer says it is, where peers are known by identities.
        identity: Option<PeerIdentity>,
        /// The keys that were compared: the leaf's, and those of the path that verified where
        /// pins of CAs or anchors take part.
        presented: Vec<PresentedKey>,
        /// The pins accepted at that instant.
        expected: Vec<Pin>,
        /// Pins of keys that were shown, and why they did not count.
        near_misses: Vec<NearMiss>,
    },
    /// The leaf's key is known to be in wrong hands.
    #[error(
        "{} showed the key {key}, which is rejected: whoever holds it must not be spoken to", peer(.host, .identity)
    )]
    Rejected {
        /// The name that the connection was made to; `None` for TLS clients.
        host: Option<String>,
        /// Who the peer says it is, where peers are known by identities.
        identity: Option<PeerIdentity>,
        /// The key.
        key: SpkiPin,
    },
    /// The pin set is past its date, and its rule is to refuse from then on.
    #[error(
        "the pins of {} ended at {not_after}, and they fail closed: deploy a new pin set",
        peer(.host, .identity)
    )]
    SetExpired {
        /// The name that the connection was made to; `None` for TLS clients.
        host: Option<String>,
        /// Who the peer says it is, where peers are known by identities.
        identity: Option<PeerIdentity>,
        /// The set's last good second.
        not_after: Timestamp,
    },
    /// Pins of CAs or anchors take part, and no path verifies with the verifier's own trust
    /// anchors.
    #[error(
        "no path of {} verifies with the trust anchors that its pins are compared on ({reason}): \
         give the verifier the anchors that the inner verifier has",
        peer(.host, .identity)
    )]
    NoPath {
        /// The name that the connection was made to; `None` for TLS clients.
        host: Option<String>,
        /// Who the peer says it is, where peers are known by identities.
        identity: Option<PeerIdentity>,
        /// Why no path verifies.
        reason: String,
    },
    /// No pins are known for this name, and nothing but pins could vouch for it.
    #[error("no pins are known for {}, and nothing else vouches for it: add a pin set for it", peer(.host, .identity))]
    NotPinned {
        /// The name that the connection was made to; `None` for TLS clients.
        host: Option<String>,
        /// Who the peer says it is, where peers are known by identities.
        identity: Option<PeerIdentity>,
    },
    /// The leaf's key cannot be read, so it cannot be one of the pinned ones.
    #[error("the key of {} cannot be read, so no pin can match: {reason}", peer(.host, .identity))]
    Unreadable {
        /// The name that the connection was made to; `None` for TLS clients.
        host: Option<String>,
        /// Who the peer says it is, where peers are known by identities.
        identity: Option<PeerIdentity>,
        /// What is wrong with the certificate.
        reason: String,
    },
}

impl PinError {
    /// Says from when on the refusal ends by itself: a shown key is announced, and accepted from
    /// then on.
    pub fn accepted_from(&self) -> Option<Timestamp> {
        match self {
            Self::Mismatch { near_misses, .. } => {
                near_misses.iter().filter_map(NearMiss::accepted_from).min()
            }
            _ => None,
        }
    }
}

impl fmt::Debug for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key that was compared with pins. Only its digest is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresentedKey {
    /// Where it stands on the path.
    pub position: Position,
    /// Its digest.
    pub pin: SpkiPin,
}

impl PresentedKey {
    pub(crate) const fn leaf(pin: SpkiPin) -> Self {
        Self {
            position: Position::Leaf,
            pin,
        }
    }
}

impl fmt::Display for PresentedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as its {}", self.pin, self.position)
    }
}

/// A pin of a key that was shown and did not count.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearMiss {
    /// The pin.
    pub pin: Pin,
    /// Where its key was shown.
    pub shown_at: Position,
}

impl NearMiss {
    /// Says from when on this pin will be accepted where it was shown.
    pub fn accepted_from(&self) -> Option<Timestamp> {
        match self.pin.acceptance {
            Acceptance::From(from)
                if self.pin.state.can_be_accepted()
                    && self.pin.position.includes(self.shown_at) =>
            {
                Some(from)
            }
            _ => None,
        }
    }
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, shown) = (self.pin.state, self.shown_at);
        write!(f, "the key of its {shown} is ")?;
        match (self.accepted_from(), state) {
            (Some(from), _) => write!(f, "{state}, accepted from {from}"),
            (None, PinState::Retired | PinState::Rejected) => write!(f, "{state}"),
            (None, _) => write!(f, "{state} at another position: {}", self.pin.position),
        }
    }
}

/// Pins that cannot be a set, or sets that cannot stand beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinSetError {
    /// One pin is to be accepted and not to be accepted.
    #[error(
        "the pin {pin} is both {} and {}: keep the one that is meant",
        .states[0], .states[1]
    )]
    Contradiction {
        /// The pin.
        pin: SpkiPin,
        /// The two states.
        states: [PinState; 2],
    },
    /// No pin is ever accepted, so every peer would be refused for ever.
    #[error(
        "none of its pins is ever accepted, so it would refuse every peer: add the pin of the key in use and of one kept offline"
    )]
    NoUsablePin,
    /// The same hosts are named twice.
    #[error("the hosts {scope} are named twice: name them once, with all of their pins")]
    RepeatedScope {
        /// The hosts.
        scope: PinScope,
    },
    /// What is left out is no hosts.
    #[error(
        "{scope} are identities, and only hosts can be left unpinned: give them a pin set of their own"
    )]
    UnpinnedIdentity {
        /// The identities.
        scope: PinScope,
    },
    /// Two sets are for every peer.
    #[error("two sets name no hosts, so both are for every peer: keep one, or name the hosts")]
    RepeatedCatchAll,
}

/// A pin set that does not last as long as it should.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinSetEndsError {
    /// No pin is accepted at the instant asked for.
    #[error("no pin is accepted at {now}{}: add the pin of the key in use", first_accepted(.first))]
    NothingAccepted {
        /// The instant.
        now: Timestamp,
        /// When the first one will be, if any.
        first: Option<Timestamp>,
    },
    /// The set's own date comes first.
    #[error(
        "the pin set ends at {end}, {left} s from now, and should last {wanted} s: release a new one before that"
    )]
    TooSoon {
        /// The set's last good second.
        end: Timestamp,
        /// How many seconds that leaves.
        left: i64,
        /// How many were asked for.
        wanted: i64,
        /// What happens then.
        rule: ExpiryRule,
    },
}

fn peer(host: &Option<String>, identity: &Option<PeerIdentity>) -> String {
    let name = host.as_deref().unwrap_or("the client");
    match identity {
        Some(identity) => format!("{name}, which says that it is {},", identity.brief()),
        None => name.to_owned(),
    }
}

fn list(items: &[impl fmt::Display], between: &str) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(between)
}

fn accepted(pins: &[Pin]) -> String {
    let pins: Vec<_> = pins
        .iter()
        .map(|pin| format!("{} at {}", pin.key, pin.position))
        .collect();
    match pins.as_slice() {
        [] => "no key at all".to_owned(),
        _ => pins.join(" or "),
    }
}

fn misses(misses: &[NearMiss]) -> String {
    match misses {
        [] => String::new(),
        _ => format!(" ({})", list(misses, "; ")),
    }
}

fn first_accepted(first: &Option<Timestamp>) -> String {
    let first = first.map(|first| format!(", the first from {first} on"));
    first.unwrap_or_default()
}
