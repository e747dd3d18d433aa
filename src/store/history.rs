//! The announcements that still matter, and what they come to.

use std::sync::Arc;

use crate::announcement::{
    AnnouncementError, PinFloor, RotationState, SignedAnnouncement, WhenEmpty,
};
use crate::cert::Timestamp;

/// At most so many announcements are tried to be forgotten after each apply.
const MAX_FORGETTING: usize = 16;

/// An announcement with the instants at which it was applied and counts as first seen.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    pub(super) signed: Arc<SignedAnnouncement>,
    pub(super) at: Timestamp,
    pub(super) first_sight: Timestamp,
}

/// Announcements in their order, and the state to which they lead from the floor. An announcement
/// without which the state would be the same is forgotten.
#[derive(Debug, Clone)]
pub(super) struct History {
    origin: RotationState,
    pub(super) remembered: Vec<Remembered>,
    pub(super) state: RotationState,
}

impl History {
    pub(super) fn of_floor(floor: Arc<PinFloor>, hold_down: u32) -> Self {
        let origin = RotationState::of_floor(floor, hold_down);
        Self {
            state: origin.clone(),
            origin,
            remembered: Vec::new(),
        }
    }

    /// The history with one more announcement.
    pub(super) fn with(
        &self,
        signed: SignedAnnouncement,
        now: Timestamp,
    ) -> Result<Self, AnnouncementError> {
        let state = signed.apply_to(&self.state, WhenEmpty::Refuse, now)?;
        let mut next = self.clone();
        next.remembered.push(Remembered {
            signed: Arc::new(signed),
            at: now,
            first_sight: state.latest(),
        });
        next.state = state;
        next.forget_what_does_not_matter();
        Ok(next)
    }

    /// One more announcement that was applied before. What is signed counts again only as far as
    /// it did then.
    pub(super) fn recall(
        &mut self,
        signed: SignedAnnouncement,
        at: Timestamp,
        first_sight: Timestamp,
    ) -> Result<(), AnnouncementError> {
        let remembered = Remembered {
            signed: Arc::new(signed),
            at,
            first_sight,
        };
        self.state = remembered.apply_to(&self.state)?;
        self.remembered.push(remembered);
        Ok(())
    }

    fn forget_what_does_not_matter(&mut self) {
        let mut index = self.remembered.len().saturating_sub(1 + MAX_FORGETTING);
        while index + 1 < self.remembered.len() {
            let mut fewer = self.remembered.clone();
            fewer.remove(index);
            let mut replayed = Ok(self.origin.clone());
            for remembered in &fewer {
                replayed = replayed.and_then(|state| remembered.apply_to(&state));
            }
            if replayed.as_ref() == Ok(&self.state) {
                self.remembered = fewer;
            } else {
                index += 1;
            }
        }
    }
}

impl Remembered {
    fn apply_to(&self, state: &RotationState) -> Result<RotationState, AnnouncementError> {
        let mut state = state.clone();
        state.was_seen(self.first_sight);
        self.signed
            .apply_to(&state, WhenEmpty::KeepAccepted, self.at)
    }
}
