//! What one call at a time changes: the history, its copies on disk, and what is still to be told.

use std::sync::Arc;

use super::applied::Durability;
use super::changes::{StateAt, changes, stale};
use super::copies::{Copies, SavedCopies};
use super::history::History;
use super::storage::WriteTurn;
use super::{PinStorage, StoreNotice};
use crate::announce::PinFloor;
use crate::cert::SignatureAlgorithms;
use crate::time::Timestamp;

/// The latest instant is written down when it has moved by so many seconds.
const NOTE_TIME_EVERY: i64 = 24 * 60 * 60;

/// What was seen so many seconds after now shows that a clock is wrong, or that somebody wrote it.
const FAR_AHEAD: i64 = 24 * 60 * 60;

/// What one call at a time changes.
pub(super) struct Writer {
    pub(super) history: History,
    /// `None` where nothing is kept over a restart.
    copies: Option<Copies>,
    /// The latest instant that is on disk.
    noted: Timestamp,
    /// Up to when changes have been told.
    told: Timestamp,
    /// What could not be told yet, because the call that found it failed.
    untold: Vec<StoreNotice>,
}

impl Writer {
    pub(super) fn new(
        origin: History,
        storage: Option<Arc<dyn PinStorage>>,
        now: Timestamp,
    ) -> Self {
        Self {
            noted: origin.state.latest(),
            told: now,
            untold: Vec::new(),
            history: origin,
            copies: storage.map(Copies::new),
        }
    }

    /// Takes over what was kept, upon the floor alone.
    pub(super) fn open(&mut self, floor: &PinFloor, algorithms: SignatureAlgorithms) {
        let Some(copies) = &mut self.copies else {
            self.untold.push(StoreNotice::HoldDownCannotEnd);
            return;
        };
        let found = copies.open(&self.history, floor, algorithms);
        self.untold.extend(found.notices);
        if let Some(history) = found.history {
            self.history = history;
        }
    }

    /// The first look at the clock, once it is settled what holds.
    pub(super) fn begin(&mut self, floor: &PinFloor, turn: &WriteTurn, now: Timestamp) {
        let latest = self.history.state.latest();
        if latest.seconds_since(now) > FAR_AHEAD {
            self.untold.push(StoreNotice::StateAhead { latest, now });
        }
        self.noted = latest;
        self.history.state.reach(now);
        if !self.is_kept() {
            self.save(floor, turn);
        }
        self.untold.extend(stale(&self.history.state, None, now));
    }

    /// What there is to hold after another look at the disk; `None` where nothing happened there.
    pub(super) fn look_at_disk(
        &mut self,
        origin: &History,
        algorithms: SignatureAlgorithms,
        now: Timestamp,
    ) -> Option<History> {
        let copies = self.copies.as_mut()?;
        let found = copies.refresh(&self.history, origin, algorithms, now);
        self.untold.extend(found.notices);
        found.history
    }

    /// Goes on with what another process did: the instants that were reached here stay reached.
    pub(super) fn take_over(&mut self, next: History, now: Timestamp) {
        let reached = self.history.state.latest();
        if next.is_alike(&self.history) {
            self.history = next;
        } else {
            self.noted = next.state.latest();
            let version = next.state.version();
            self.move_to(next, vec![StoreNotice::TakenOver { version }], now);
        }
        self.history.state.reach(reached);
    }

    /// Goes on with another history, for these reasons.
    pub(super) fn move_to(&mut self, next: History, why: Vec<StoreNotice>, now: Timestamp) {
        let changes = changes(
            self.state_at(self.told),
            StateAt {
                state: &next.state,
                at: now,
            },
        );
        self.untold.extend(why);
        self.untold.extend(changes);
        self.history = next;
        self.told = now;
    }

    /// Lets time pass up to `now`, and saves where that is due.
    pub(super) fn pass_time(&mut self, floor: &PinFloor, turn: &WriteTurn, now: Timestamp) {
        let matured = changes(self.state_at(self.told), self.state_at(now));
        let stale = stale(&self.history.state, Some(self.told), now);
        self.untold.extend(matured.into_iter().chain(stale));
        self.told = now;
        self.history.state.reach(now);
        let moved = self.history.state.latest().seconds_since(self.noted);
        let time_to_note = moved >= NOTE_TIME_EVERY && turn.is_ours();
        if time_to_note || !self.is_kept() {
            self.save(floor, turn);
        }
    }

    const fn state_at(&self, at: Timestamp) -> StateAt<'_> {
        StateAt {
            state: &self.history.state,
            at,
        }
    }

    /// Whether both copies hold what is in force.
    pub(super) fn is_kept(&self) -> bool {
        self.copies.as_ref().is_some_and(Copies::are_whole)
    }

    /// Without a folder, nobody else has a turn.
    pub(super) fn turn(&self) -> WriteTurn {
        let copies = self.copies.as_ref();
        copies.map_or_else(WriteTurn::of_nobody_else, Copies::turn)
    }

    pub(super) fn save(&mut self, floor: &PinFloor, turn: &WriteTurn) -> Durability {
        let Some(copies) = &mut self.copies else {
            return Durability::MemoryOnly;
        };
        let SavedCopies { copies, problem } = copies.save(&self.history, floor, turn);
        if copies > 0 {
            self.noted = self.history.state.latest();
        }
        let notice = problem.map(|reason| StoreNotice::NotSaved { copies, reason });
        self.untold.extend(notice);
        match copies {
            0 => Durability::MemoryOnly,
            1 => Durability::OneCopy,
            _ => Durability::Kept,
        }
    }

    /// What there is to say now; it is said once.
    pub(super) fn take_notices(&mut self) -> Vec<StoreNotice> {
        std::mem::take(&mut self.untold)
    }
}
