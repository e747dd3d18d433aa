//! One announcement as it is kept, whether it holds here or not.

use std::sync::Arc;

use crate::announce::rules::{AppliedBefore, apply_again};
use crate::announce::{
    Announcement, AnnouncementError, Envelope, RotationState, SignedAnnouncement,
};

/// So many bytes of announcements that do not hold are kept: two dozen of the largest, a thousand of
/// the usual ones. What is left of a copy has room for what holds, and for an emergency.
const MAX_ASIDE_BYTES: usize = 2 * 1024 * 1024;

/// An announcement as it is kept. Nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptAnnouncement {
    pub(super) envelope: Vec<u8>,
    pub(super) applied: AppliedBefore,
    /// Did not hold where it was written.
    pub(super) aside: bool,
}

impl KeptAnnouncement {
    /// What it claims; nothing is verified. Without any, it comes last.
    pub(super) fn version(&self) -> u64 {
        let envelope = Envelope::parse(&self.envelope).ok();
        let claimed = envelope.and_then(|e| Announcement::from_json(e.payload()).ok());
        claimed.map_or(u64::MAX, |announcement| announcement.version)
    }
}

/// An announcement that holds.
#[derive(Debug, Clone)]
pub(super) struct HoldingAnnouncement {
    pub(super) signed: Arc<SignedAnnouncement>,
    pub(super) applied: AppliedBefore,
}

impl HoldingAnnouncement {
    /// How many bytes it takes in a copy: in base64, with its instants and who ruled.
    pub(super) fn kept_bytes(&self) -> usize {
        self.signed.bytes().len().div_ceil(3) * 4 + 200
    }

    pub(super) fn apply_to(
        &self,
        state: &RotationState,
    ) -> Result<RotationState, AnnouncementError> {
        apply_again(&self.signed, state, self.applied)
    }

    pub(super) fn kept(&self) -> KeptAnnouncement {
        KeptAnnouncement {
            envelope: self.signed.bytes().to_vec(),
            applied: self.applied,
            aside: false,
        }
    }
}

/// An announcement that does not hold with this floor and configuration. It may with another, so it
/// is not forgotten.
#[derive(Debug, Clone)]
pub(super) struct AsideAnnouncement {
    pub(super) kept: KeptAnnouncement,
    pub(super) version: u64,
    /// Enough of the keys that could announce signed it for this product: what it rejects is rejected.
    verified: bool,
    /// `None` where the floor's version replaces it.
    pub(super) reason: Option<AnnouncementError>,
}

impl AsideAnnouncement {
    pub(super) fn new(
        kept: KeptAnnouncement,
        verified: bool,
        reason: Option<AnnouncementError>,
    ) -> Self {
        Self {
            version: kept.version(),
            kept,
            verified,
            reason,
        }
    }

    /// Adds it to those that are kept. Where there are too many bytes of them, the oldest go first that
    /// nobody here could have signed.
    pub(super) fn push_to(self, all: &mut Vec<Self>) {
        all.push(self);
        let mut bytes: usize = all.iter().map(|aside| aside.kept.envelope.len()).sum();
        while bytes > MAX_ASIDE_BYTES {
            let oldest = all.iter().enumerate();
            let oldest = oldest.min_by_key(|(_, aside)| (aside.verified, aside.version));
            let Some((oldest, _)) = oldest else {
                return;
            };
            bytes -= all.remove(oldest).kept.envelope.len();
        }
    }
}
