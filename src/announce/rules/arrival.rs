//! An announcement as it comes in.

use crate::announce::handover::Handover;
use crate::announce::signers::Signers;
use crate::announce::{Announcement, SignedAnnouncement};
use crate::cert::Sha256Digest;

/// An announcement as it comes in.
#[derive(Clone, Copy)]
pub(in crate::announce) struct Arrival<'a> {
    pub(super) announcement: &'a Announcement,
    /// The digest of the payload's bytes, as signed.
    pub(super) payload: Sha256Digest,
    pub(super) signed: &'a dyn Signers,
    /// Earlier announcements that came along, the oldest first.
    pub(super) handovers: &'a [Handover],
}

impl<'a> Arrival<'a> {
    pub(in crate::announce) fn of(signed: &'a SignedAnnouncement) -> Self {
        Self {
            announcement: signed.announcement(),
            payload: signed.payload(),
            signed: signed.signed(),
            handovers: signed.handovers(),
        }
    }
}

/// What happens to an announcement that would leave a host without a pin accepted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::announce) enum WhenEmpty {
    /// It is refused.
    Refuse,
    /// The pins accepted before go on being accepted, else the floor's, else those that it lists. For
    /// what was applied already: when the hold-down is configured longer afterwards, neither the version
    /// nor a rejection gets lost.
    KeepAccepted,
}
