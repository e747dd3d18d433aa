//! A staple's outlook: its status with the dates that it states.

use std::fmt;

use super::StapleStatus;
use crate::cert::{Certificate, Sha256Digest};
use crate::time::Timestamp;

/// What a stapled OCSP response is worth at one instant, and until when.
///
/// The dates are those that the response states (RFC 6960, 4.2.2.1), `None` where it was not read
/// so far. They are mere claims unless [`StapleStatus::is_authentic`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StapleOutlook {
    /// What it says, or why it says nothing.
    pub status: StapleStatus,
    /// The instant that was asked about.
    pub judged_at: Timestamp,
    /// producedAt: when it was signed.
    pub produced_at: Option<Timestamp>,
    /// thisUpdate: when the status was known to be right.
    pub this_update: Option<Timestamp>,
    /// nextUpdate: the last second before newer information is there; `None` too where the
    /// responder states none.
    pub next_update: Option<Timestamp>,
    /// The fingerprint of the leaf that was asked about.
    pub leaf_sha256: Sha256Digest,
    /// SHA-256 over the bytes that were judged.
    pub staple_sha256: Sha256Digest,
}

/// What a response states about its own time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StatedDates {
    pub(super) produced_at: Option<Timestamp>,
    pub(super) this_update: Option<Timestamp>,
    pub(super) next_update: Option<Timestamp>,
}

impl StapleOutlook {
    pub(super) fn new(
        status: StapleStatus,
        dates: StatedDates,
        (response, leaf): (&[u8], &Certificate),
        judged_at: Timestamp,
    ) -> Self {
        Self {
            status,
            judged_at,
            produced_at: dates.produced_at,
            this_update: dates.this_update,
            next_update: dates.next_update,
            leaf_sha256: leaf.fingerprint(),
            staple_sha256: Sha256Digest::of(response),
        }
    }

    /// The stable code of the status, in snake case.
    pub const fn code(&self) -> &'static str {
        self.status.code()
    }

    /// Whether it says good at the instant asked about.
    pub const fn is_good(&self) -> bool {
        self.good_until().is_some()
    }

    /// The staple's cliff: the last second at which it says good, from the instant asked about on
    /// without a gap. `None` where it does not say good at that instant.
    pub const fn good_until(&self) -> Option<Timestamp> {
        match self.status {
            StapleStatus::Good { until } => Some(until),
            _ => None,
        }
    }
}

impl fmt::Display for StapleOutlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)
    }
}
