//! The announcements that still matter, and what they come to.

use std::sync::Arc;
use std::time::Duration;

use super::kept::{AsideAnnouncement, HoldingAnnouncement, KeptAnnouncement};
use crate::announce::rules::{AppliedBefore, Arrival, WhenEmpty, apply, open_again};
use crate::announce::{
    AnnouncementError, PinFloor, RotationState, SignedAnnouncement, SuccessorRule,
};
use crate::cert::SignatureAlgorithms;
use crate::time::Timestamp;

/// At most so many announcements are tried to be forgotten after each apply.
const MAX_FORGETTING: usize = 16;

/// At most so many are applied again for that, however many there are.
const MAX_APPLIED_AGAIN: usize = 512;

/// Without an emergency, so many announcements are remembered since the last one.
const MAX_PLAIN: usize = 128;

/// Those since the last emergency have at most so many bytes, as they are kept.
const MAX_PLAIN_BYTES: usize = 4 * 1024 * 1024;

/// Without an emergency, all that is remembered has so many: the rest of what can be kept is for
/// emergencies, for which there is room whoever filled the history.
const MAX_BYTES_BEFORE_EMERGENCY: usize = 12 * 1024 * 1024;

/// Announcements in their order, and the state to which they lead from the floor. An announcement
/// without which the state would be the same is forgotten.
#[derive(Debug, Clone)]
pub(super) struct History {
    origin: RotationState,
    remembered: Vec<HoldingAnnouncement>,
    aside: Vec<AsideAnnouncement>,
    pub(super) state: RotationState,
}

impl History {
    pub(super) fn of_floor(floor: Arc<PinFloor>, hold_down: Duration) -> Self {
        let origin = RotationState::of_floor(floor, hold_down);
        Self {
            state: origin.clone(),
            origin,
            remembered: Vec::new(),
            aside: Vec::new(),
        }
    }

    /// The history with another rule for successors, before anything is applied.
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
        let state = apply(&self.state, Arrival::of(&signed), WhenEmpty::Refuse, now)?;
        let signed = signed.trimmed(&self.state, now);
        let mut next = self.clone();
        // Brought again, it holds now.
        next.aside
            .retain(|aside| aside.kept.envelope != signed.bytes());
        next.remembered.push(HoldingAnnouncement {
            signed: Arc::new(signed),
            applied: AppliedBefore {
                at: now,
                first_sight: state.latest(),
                ruled: Some(self.state.authority_at(now).fingerprint()),
            },
        });
        next.state = state;
        next.forget_what_does_not_matter();
        next.check_room()?;
        Ok(next)
    }

    /// A threshold of stolen keys must not be able to fill the history, so that nothing could take
    /// them their power.
    fn check_room(&self) -> Result<(), AnnouncementError> {
        let is_plain =
            |remembered: &&HoldingAnnouncement| !remembered.signed.announcement().emergency;
        let plain = self.remembered.iter().rev().take_while(is_plain);
        let (announcements, bytes) = plain.fold((0, 0), |(count, bytes), remembered| {
            (count + 1, bytes + remembered.kept_bytes())
        });
        let all: usize = self
            .remembered
            .iter()
            .map(HoldingAnnouncement::kept_bytes)
            .sum();
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

    /// What was kept, applied again to this floor: what its version replaces only rejects, what is
    /// newer holds as far as it can, and what does not hold is set aside.
    pub(super) fn with_kept(
        &self,
        mut kept: Vec<KeptAnnouncement>,
        algorithms: SignatureAlgorithms,
    ) -> Self {
        let mut history = self.clone();
        kept.sort_by_cached_key(KeptAnnouncement::version);
        kept.dedup_by(|one, other| one.envelope == other.envelope);
        let newer = kept.partition_point(|kept| kept.version() <= self.origin.version());
        let newer = kept.split_off(newer);
        if let Some(first) = kept.first() {
            let mut past = Self {
                state: self.origin.before_version(first.version()),
                ..self.clone()
            };
            for kept in kept {
                let verified = past.recall(kept.clone(), algorithms);
                history.set_aside(kept, verified, None);
            }
            history.origin = self.origin.with_rejections_of(&past.state);
            history.state = history.origin.clone();
        }
        for kept in newer {
            history.recall(kept, algorithms);
        }
        history
    }

    /// This history with what another process did since. Of what may hold here, only what is newer
    /// counts: of what came before, nobody can insert or remove anything. What cannot hold here is
    /// another configuration's, and kept for it.
    pub(super) fn continued_by(
        &self,
        theirs: &[KeptAnnouncement],
        floor_alone: &Self,
        now: Timestamp,
        algorithms: SignatureAlgorithms,
    ) -> Self {
        let in_force = self.state.version();
        let unknown = theirs.iter().filter(|kept| !self.knows(kept)).cloned();
        let (mut newer, older): (Vec<_>, Vec<_>) =
            unknown.partition(|kept| kept.version() > in_force);
        let (replaced, older): (Vec<_>, Vec<_>) = older
            .into_iter()
            .partition(|kept| kept.version() <= floor_alone.state.version());
        let mut next = self.clone();
        if !replaced.is_empty() {
            next = floor_alone.with_kept([self.kept(), replaced].concat(), algorithms);
            next.state.reach(self.state.latest());
        }
        for kept in older {
            let opened = open_again(&kept.envelope, &self.state, kept.applied.at, algorithms);
            if let Err(reason) = opened {
                next.set_aside(kept, false, Some(reason));
            }
        }
        newer.sort_by_cached_key(KeptAnnouncement::version);
        for mut kept in newer {
            // Between when we last looked and now, whatever is written there.
            let applied = &mut kept.applied;
            applied.at = applied.at.max(next.state.latest()).min(now);
            applied.first_sight = applied.first_sight.min(now);
            next.recall(kept, algorithms);
        }
        next
    }

    /// Nothing of it holds, but nothing is lost.
    pub(super) fn all_set_aside(&self, reason: &AnnouncementError) -> Self {
        let mut history = self.clone();
        for remembered in std::mem::take(&mut history.remembered) {
            let announcement = remembered.signed.announcement();
            history.origin.reject_only(announcement);
            history.set_aside(remembered.kept(), true, Some(reason.clone()));
        }
        history.state = history.origin.clone();
        history
    }

    /// What `next` has in addition is kept, but does not hold.
    pub(super) fn set_newer_aside(&mut self, next: &Self, reason: &AnnouncementError) {
        for kept in next.kept() {
            if !self.knows(&kept) {
                self.set_aside(kept, false, Some(reason.clone()));
            }
        }
    }

    /// All that is kept, in the order of their versions.
    pub(super) fn kept(&self) -> Vec<KeptAnnouncement> {
        let aside = self.aside.iter().map(|aside| {
            let mut kept = aside.kept.clone();
            kept.aside = true;
            (aside.version, kept)
        });
        let remembered = self.remembered.iter().map(|remembered| {
            let version = remembered.signed.announcement().version;
            (version, remembered.kept())
        });
        let mut kept: Vec<_> = aside.chain(remembered).collect();
        kept.sort_by_key(|(version, _)| *version);
        kept.into_iter().map(|(_, kept)| kept).collect()
    }

    /// How many announcements hold.
    pub(super) fn len(&self) -> usize {
        self.remembered.len()
    }

    /// Whether nothing holds but the floor.
    pub(super) fn is_floor_alone(&self) -> bool {
        self.remembered.is_empty()
    }

    /// Whether nothing was ever kept.
    pub(super) fn is_untouched(&self) -> bool {
        self.remembered.is_empty() && self.aside.is_empty()
    }

    /// Whether all that `other` sets aside is kept here too.
    pub(super) fn keeps_aside_of(&self, other: &Self) -> bool {
        other.aside.iter().all(|aside| self.knows(&aside.kept))
    }

    /// What does not hold and is not replaced by the floor either, with its version and the reason.
    pub(super) fn refused(
        &self,
    ) -> impl Iterator<Item = (&KeptAnnouncement, u64, &AnnouncementError)> {
        self.aside.iter().filter_map(|aside| {
            let reason = aside.reason.as_ref()?;
            Some((&aside.kept, aside.version, reason))
        })
    }

    pub(super) fn knows(&self, kept: &KeptAnnouncement) -> bool {
        let aside = self
            .aside
            .iter()
            .map(|aside| aside.kept.envelope.as_slice());
        let remembered = self.remembered.iter().map(|r| r.signed.bytes());
        remembered.chain(aside).any(|known| known == kept.envelope)
    }

    /// Whether both come to the same.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.state.is_alike(&other.state)
    }

    /// One more announcement that was applied before. What is signed counts again only as far as
    /// it did then. Whether it rejects what it says.
    fn recall(&mut self, kept: KeptAnnouncement, algorithms: SignatureAlgorithms) -> bool {
        let signed = match open_again(&kept.envelope, &self.state, kept.applied.at, algorithms) {
            Ok(signed) => Arc::new(signed),
            Err(reason) => {
                self.set_aside(kept, false, Some(reason));
                return false;
            }
        };
        let remembered = HoldingAnnouncement {
            signed,
            applied: kept.applied,
        };
        match remembered.apply_to(&self.state) {
            Ok(state) => {
                self.state = state;
                self.remembered.push(remembered);
            }
            Err(reason) => {
                let own = may_hold_elsewhere(&reason);
                if own {
                    for state in [&mut self.state, &mut self.origin] {
                        state.reject_only(remembered.signed.announcement());
                    }
                }
                self.set_aside(kept, own, Some(reason));
                return own;
            }
        }
        true
    }

    fn set_aside(
        &mut self,
        kept: KeptAnnouncement,
        verified: bool,
        reason: Option<AnnouncementError>,
    ) {
        AsideAnnouncement::new(kept, verified, reason).push_to(&mut self.aside);
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

/// Whether it is this floor or this configuration for which an announcement does not hold. Nothing
/// else lets it reject: another product's never held here.
const fn may_hold_elsewhere(reason: &AnnouncementError) -> bool {
    matches!(
        reason,
        AnnouncementError::Widened { .. }
            | AnnouncementError::EmptySet { .. }
            | AnnouncementError::Authority { .. }
            | AnnouncementError::FastForward { .. }
    )
}
