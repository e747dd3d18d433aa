//! How many handshakes a wrapper accepted and refused, by reason, whatever is told of them.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "metrics")]
use super::published_counts::PublishedCounts;
use super::refusal_reason::RefusalReason;
use crate::event::Role;

const REASONS: usize = RefusalReason::ALL.len();

/// How many handshakes a wrapper accepted and refused since it was built.
///
/// Each handshake in which a peer showed a certificate or a key counts once, when it is decided: as
/// accepted, after the peer proved that it has the key; or as refused, by its reason. One that is given
/// up before that, by a peer that leaves early, is neither. Resumed handshakes, which no verifier is
/// asked about, are not counted, nor are those that a peer refuses: ask
/// [`explain`](crate::explain::explain) about those.
///
/// # How many clients were refused because their certificates have expired?
/// ```
/// use notafter::WatchingClientVerifier;
/// use notafter::verifier::RefusalReason;
/// fn expired(verifier: &WatchingClientVerifier) -> u64 {
///     verifier.handshakes().refused(RefusalReason::Expired)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeCounts {
    role: Role,
    accepted: u64,
    /// In the order of [`RefusalReason::ALL`].
    refused: [u64; REASONS],
}

impl HandshakeCounts {
    /// Whose certificates were looked at: [`Role::PeerServer`] or [`Role::PeerClient`].
    pub const fn role(&self) -> Role {
        self.role
    }

    /// How many were accepted.
    pub const fn accepted(&self) -> u64 {
        self.accepted
    }

    /// How many were refused for this reason.
    pub fn refused(&self, reason: RefusalReason) -> u64 {
        let count = self.refused.get(reason as usize);
        count.copied().unwrap_or_default()
    }

    /// How many were refused for any reason.
    pub fn refused_total(&self) -> u64 {
        self.refused.iter().copied().fold(0, u64::saturating_add)
    }

    /// Every reason with its count, those that did not occur included.
    pub fn by_reason(&self) -> impl Iterator<Item = (RefusalReason, u64)> {
        let reasons = RefusalReason::ALL.iter().copied();
        reasons.zip(self.refused.iter().copied())
    }
}

/// Counts the handshakes of one wrapper.
#[derive(Debug)]
pub(super) struct HandshakeCounters {
    role: Role,
    accepted: AtomicU64,
    refused: [AtomicU64; REASONS],
    #[cfg(feature = "metrics")]
    published: Option<PublishedCounts>,
}

impl HandshakeCounters {
    pub(super) fn new(role: Role) -> Self {
        Self {
            role,
            accepted: AtomicU64::new(0),
            refused: array::from_fn(|_| AtomicU64::new(0)),
            #[cfg(feature = "metrics")]
            published: None,
        }
    }

    /// Counts in the recorder that is installed now, too.
    #[cfg(feature = "metrics")]
    pub(super) fn publish(&mut self) {
        self.published = Some(PublishedCounts::new(self.role));
    }

    /// A peer was accepted, and proved that it has its key.
    pub(super) fn count_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        if let Some(published) = &self.published {
            published.count_accepted();
        }
    }

    /// A peer was refused.
    pub(super) fn count_refused(&self, reason: RefusalReason) {
        if let Some(count) = self.refused.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        #[cfg(feature = "metrics")]
        if let Some(published) = &self.published {
            published.count_refused(reason);
        }
    }

    pub(super) fn now(&self) -> HandshakeCounts {
        HandshakeCounts {
            role: self.role,
            accepted: self.accepted.load(Ordering::Relaxed),
            refused: array::from_fn(|reason| {
                let count = self.refused.get(reason);
                count.map_or(0, |count| count.load(Ordering::Relaxed))
            }),
        }
    }
}
