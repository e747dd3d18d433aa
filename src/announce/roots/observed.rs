//! What became of a certificate that was shown.

use super::held_root::HeldRoot;
use crate::announce::{Durability, StoreNotice};
use crate::cert::{Certificate, NextRootKey};
use crate::pin::{Acceptance, SpkiPin};
use crate::time::Timestamp;

/// What became of a certificate that was shown to [`RootAnnouncedPins`](super::RootAnnouncedPins).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObservedRoot {
    /// What it did.
    pub outcome: RootOutcome,
    /// The next key of the root that is concerned; `None` where that was withdrawn.
    pub next: Option<AnnouncedRootKey>,
    /// How safely it is kept.
    pub durability: Durability,
    /// What there is to say about it.
    pub notices: Vec<StoreNotice>,
}

/// What a certificate did that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootOutcome {
    /// A pinned root names a next key for the first time, or another one than before: its hold-down began.
    Announced,
    /// Nothing that was not known; a newer certificate may have taken the place of an older one.
    Known,
    /// It has the key that a pinned root names by SHA-384 or SHA-512, which is a pin from now on. The hold-down
    /// goes on as it was.
    Confirmed,
    /// A newer certificate of the root names no next key any more.
    Withdrawn,
}

/// The next key of a pinned root, as the root's own certificate announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnnouncedRootKey {
    /// The newest certificate of the root that was seen.
    pub root: Certificate,
    /// What that says.
    pub next: NextRootKey,
    /// Since when it is known to say so.
    pub first_sight: Timestamp,
    /// The pin; `None` where the key is named by SHA-384 or SHA-512, and was not seen yet.
    pub pin: Option<SpkiPin>,
    /// From when on the pin counts, where that of its root does; never where the hold-down would end after
    /// the root's certificate.
    pub acceptance: Acceptance,
}

impl AnnouncedRootKey {
    pub(super) fn of(root: &HeldRoot, hold_down_seconds: i64) -> Option<Self> {
        Some(Self {
            root: root.certificate.clone(),
            next: root.next.clone()?,
            first_sight: root.first_sight,
            pin: root.next_pin(),
            acceptance: root.acceptance(hold_down_seconds),
        })
    }
}
