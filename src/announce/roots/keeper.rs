//! What one call at a time changes: what is known of roots, its copies on disk, and what is still to be told.

use std::sync::Arc;

use super::book::{Grounds, RootBook, RootEntry};
use super::copies::RootCopies;
use crate::announce::store::WriteTurn;
use crate::announce::{Durability, PinStorage, StoreNotice};
use crate::cert::SignatureAlgorithms;
use crate::time::Timestamp;

/// The latest instant is written down when it has moved by so many seconds.
const NOTE_TIME_EVERY: i64 = 24 * 60 * 60;

/// What was seen so many seconds after now shows that a clock is wrong, or that somebody wrote it.
const FAR_AHEAD: i64 = 24 * 60 * 60;

/// What one call at a time changes.
#[derive(Debug)]
pub(super) struct RootKeeper {
    pub(super) book: RootBook,
    /// `None` where nothing is kept over a restart.
    copies: Option<RootCopies>,
    known_past: Timestamp,
    /// Nothing could be read yet: what was kept counts as it was once it can.
    is_blind: bool,
    /// The latest instant that is on disk.
    noted: Timestamp,
    /// When the disk was last looked at.
    looked: Timestamp,
    /// Up to when changes have been told.
    pub(super) told: Timestamp,
    /// What could not be told yet, because the call that found it failed.
    pub(super) untold: Vec<StoreNotice>,
}

impl RootKeeper {
    pub(super) fn new(
        storage: Option<Arc<dyn PinStorage>>,
        known_past: Timestamp,
        now: Timestamp,
    ) -> Self {
        Self {
            book: RootBook::new(known_past),
            copies: storage.map(RootCopies::new),
            known_past,
            is_blind: false,
            noted: known_past,
            looked: now,
            told: now,
            untold: Vec::new(),
        }
    }

    /// Takes over what was kept.
    pub(super) fn open(&mut self, algorithms: SignatureAlgorithms) {
        let Some(copies) = &mut self.copies else {
            self.untold.push(StoreNotice::HoldDownCannotEnd);
            return;
        };
        let found = copies.open(algorithms, self.known_past);
        self.untold.extend(found.notices);
        match found.book {
            Some(book) => self.book = book,
            None => self.is_blind = copies.is_unreadable(),
        }
    }

    /// The first look at the clock, once it is settled what was kept.
    pub(super) fn begin(&mut self, turn: &WriteTurn, now: Timestamp) {
        let latest = self.book.latest;
        if latest.seconds_since(now) > FAR_AHEAD {
            self.untold.push(StoreNotice::StateAhead { latest, now });
        }
        self.noted = latest;
        self.book.reach(now);
        if !self.is_kept() {
            self.save(turn);
        }
    }

    /// What another process saw since, as if it were seen here, between the last look and now.
    pub(super) fn look_at_disk(&mut self, grounds: Grounds<'_>) -> Vec<RootEntry> {
        let Some(copies) = &mut self.copies else {
            return Vec::new();
        };
        let theirs = copies.look(grounds.algorithms, self.known_past);
        let looked = std::mem::replace(&mut self.looked, grounds.now);
        let Some(theirs) = theirs else {
            return Vec::new();
        };
        if std::mem::take(&mut self.is_blind) {
            self.book.resume(theirs);
            self.outdate();
            return Vec::new();
        }
        let mut entries = Vec::new();
        for root in &theirs.roots {
            let mut known = self.book.roots.iter();
            if !known.any(|known| known.certificate == root.certificate) {
                let now = root.first_sight.max(looked).min(grounds.now);
                let seen = self
                    .book
                    .observe(&root.certificate, Grounds { now, ..grounds });
                entries.extend(seen);
            }
            let mut known = self.book.roots.iter_mut();
            let same = known.find(|known| known.key == root.key);
            if let (Some(spki), Some(same)) = (&root.next_spki, same) {
                same.learn(spki);
            }
        }
        if self.book.roots != theirs.roots {
            self.outdate();
        }
        entries
    }

    /// Remembers that `now` was reached, and saves where that is due.
    pub(super) fn pass_time(&mut self, turn: &WriteTurn, now: Timestamp) {
        self.told = now;
        self.book.reach(now);
        let moved = self.book.latest.seconds_since(self.noted);
        let is_due = moved >= NOTE_TIME_EVERY && turn.is_ours() && self.copies.is_some();
        if is_due || !self.is_kept() {
            self.save(turn);
        }
    }

    /// Whether both copies hold what is known.
    pub(super) fn is_kept(&self) -> bool {
        self.copies.as_ref().is_some_and(RootCopies::are_whole)
    }

    /// What is known is another now than what lies on disk.
    pub(super) fn outdate(&mut self) {
        if let Some(copies) = &mut self.copies {
            copies.outdate();
        }
    }

    /// Without a folder, nobody else has a turn.
    pub(super) fn turn(&self) -> WriteTurn {
        let copies = self.copies.as_ref();
        copies.map_or_else(WriteTurn::of_nobody_else, RootCopies::turn)
    }

    pub(super) fn save(&mut self, turn: &WriteTurn) -> Durability {
        let Some(copies) = &mut self.copies else {
            return Durability::MemoryOnly;
        };
        let (durability, problem) = copies.save(&self.book, turn);
        let copies = match durability {
            Durability::Kept => 2,
            Durability::OneCopy => 1,
            Durability::MemoryOnly => 0,
        };
        if copies > 0 {
            self.noted = self.book.latest;
        }
        let notice = problem.map(|reason| StoreNotice::NotSaved { copies, reason });
        self.untold.extend(notice);
        durability
    }

    /// What there is to say now; it is said once.
    pub(super) fn take_notices(&mut self) -> Vec<StoreNotice> {
        std::mem::take(&mut self.untold)
    }
}
