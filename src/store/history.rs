//! The announcements that still matter, and what they come to.

use std::sync::Arc;

use crate::announcement::{
    AnnouncementError, PinFloor, RotationState, SignedAnnouncement, SuccessorRule,
};
use crate::cert::Timestamp;

/// At most so many announcements are tried to be forgotten after each apply.
const MAX_FORGETTING: usize = 16;

/// And so many are applied again for that, however many there are.
const MAX_APPLIED_AGAIN: usize = 512;

/// Without an emergency, so many announcements are remembered since the last one.
const MAX_PLAIN: usize = 128;

/// With so many bytes, as they are kept.
const MAX_PLAIN_BYTES: usize = 4 * 1024 * 1024;

/// Without an emergency, all that is remembered has so many: the rest of what can be kept is for
/// emergencies, for which there is room whoever filled the history.
const MAX_BYTES_BEFORE_EMERGENCY: usize = 12 * 1024 * 1024;

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

    /// The same with another rule for successors, before anything is applied.
    pub(super) fn with_successors(mut self, rule: SuccessorRule) -> Self {
        self.origin = self.origin.with_successors(rule);
        self.state = self.state.with_successors(rule);
        self
    }

    /// The history with one more announcement.
    pub(super) fn with(
        &self,
        signed: SignedAnnouncement,
        now: Timestamp,
    ) -> Result<Self, AnnouncementError> {
        let state = signed.apply_to(&self.state, now)?;
        let signed = signed.trimmed(&self.state, now);
        let mut next = self.clone();
        next.remembered.push(Remembered {
            signed: Arc::new(signed),
            at: now,
            first_sight: state.latest(),
        });
        next.state = state;
        next.forget_what_does_not_matter();
        next.check_room()?;
        Ok(next)
    }

    /// A threshold of stolen keys must not be able to fill the history, so that nothing could take
    /// them their power.
    fn check_room(&self) -> Result<(), AnnouncementError> {
        let is_plain = |remembered: &&Remembered| !remembered.signed.announcement().emergency;
        let plain = self.remembered.iter().rev().take_while(is_plain);
        let (announcements, bytes) = plain.fold((0, 0), |(count, bytes), remembered| {
            (count + 1, bytes + remembered.kept_bytes())
        });
        let all: usize = self.remembered.iter().map(Remembered::kept_bytes).sum();
        let fits = announcements <= MAX_PLAIN && bytes <= MAX_PLAIN_BYTES;
        if announcements == 0 || (fits && all <= MAX_BYTES_BEFORE_EMERGENCY) {
            return Ok(());
        }
        Err(AnnouncementError::HistoryFull {
            announcements,
            bytes,
            limit: MAX_PLAIN_BYTES.min(MAX_BYTES_BEFORE_EMERGENCY.saturating_sub(all - bytes)),
        })
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
        // Where there are many, others are tried each time.
        let count = u64::try_from(self.remembered.len()).unwrap_or(u64::MAX);
        let start = if self.remembered.len() > MAX_FORGETTING {
            self.state.version() % count
        } else {
            0
        };
        let mut index = usize::try_from(start).unwrap_or_default();
        let tries = MAX_APPLIED_AGAIN / self.remembered.len().max(1);
        for _ in 0..tries.clamp(1, MAX_FORGETTING) {
            if index + 1 >= self.remembered.len() {
                return;
            }
            // What is remembered without one is counted from the last emergency.
            let kept = self.remembered.get(index);
            if kept.is_some_and(|kept| kept.signed.announcement().emergency) {
                index += 1;
                continue;
            }
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
    /// How many bytes it takes in a copy: in base64, with its instants.
    fn kept_bytes(&self) -> usize {
        self.signed.bytes().len().div_ceil(3) * 4 + 100
    }

    fn apply_to(&self, state: &RotationState) -> Result<RotationState, AnnouncementError> {
        self.signed.apply_again(state, self.at, self.first_sight)
    }
}
