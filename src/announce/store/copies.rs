//! The two copies: finding the better one, and replacing both.

use std::io;
use std::sync::Arc;

use super::StoreNotice;
use super::copy_file::CopyError;
use super::history::History;
use super::kept::KeptAnnouncement;
use super::state_copy::{self, StateCopy};
use super::storage::{PinStorage, StateFile, WriteTurn, replace};
use crate::announce::PinFloor;
use crate::cert::Sha256Digest;
use crate::cert::SignatureAlgorithms;
use crate::time::Timestamp;

const COPIES: [StateFile; 2] = [StateFile::First, StateFile::Second];

const MARKER: &[u8] = b"Pins were kept in this folder. Without pins-1 and pins-2 they are lost.\n";

/// What is on disk, as far as it is known.
#[derive(Debug)]
pub(super) struct Copies {
    storage: Arc<dyn PinStorage>,
    /// The digest of the bytes that were last read or written, where they are good.
    good: [Option<Sha256Digest>; 2],
    /// What could not be read may be good, and newer than what is in force: it is not overwritten.
    unreadable: [bool; 2],
    sequence: u64,
    marked: bool,
}

/// A copy whose bytes are whole, with what it comes to here.
#[derive(Debug, Clone)]
struct WholeCopy {
    copy: StateCopy,
    kept: Vec<KeptAnnouncement>,
    history: History,
    digest: Sha256Digest,
}

/// `None` where there is no copy.
type ReadCopy = Result<Option<WholeCopy>, CopyError>;

/// What became of saving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SavedCopies {
    pub(super) copies: u8,
    /// Why not more.
    pub(super) problem: Option<String>,
}

/// What was found on disk.
#[derive(Debug)]
pub(super) struct FoundCopies {
    /// What is to be in force: the better of the copies, or what has been taken over from them.
    pub(super) history: Option<History>,
    pub(super) notices: Vec<StoreNotice>,
}

impl Copies {
    pub(super) fn new(storage: Arc<dyn PinStorage>) -> Self {
        Self {
            storage,
            good: [None, None],
            unreadable: [false, false],
            sequence: 0,
            marked: false,
        }
    }

    /// Whether both were good when last looked at.
    pub(super) fn are_whole(&self) -> bool {
        self.good.iter().all(Option::is_some)
    }

    /// Waits for the turn to write, as long as the storage finds bearable.
    pub(super) fn turn(&self) -> WriteTurn {
        WriteTurn::wait(&*self.storage)
    }

    /// Reads both copies and verifies what they hold.
    pub(super) fn open(
        &mut self,
        origin: &History,
        floor: &PinFloor,
        by: SignatureAlgorithms,
    ) -> FoundCopies {
        let marker = self.storage.read(StateFile::Marker);
        self.marked = matches!(&marker, Ok(Some(bytes)) if bytes == MARKER);
        let kept_before = !matches!(marker, Ok(None));
        let exposed = self.storage.exposure();
        let exposed = exposed.map(|reason| StoreNotice::StateExposed { reason });
        let copies = self.read(origin, by);
        let all_absent = copies.iter().all(|copy| matches!(copy, Ok(None)));
        let mut notices = Vec::new();
        for (file, found) in COPIES.into_iter().zip(&copies) {
            let reason = match found {
                Ok(Some(_)) => continue,
                Ok(None) if all_absent && !kept_before => continue,
                Ok(None) => "it is not there".to_owned(),
                Err(CopyError::Damaged(reason) | CopyError::Unreadable(reason)) => reason.clone(),
            };
            notices.push(StoreNotice::CopyDamaged { file, reason });
        }
        let best = self.best(copies);
        if best.is_none() && !notices.is_empty() {
            let floor = floor.version();
            notices.push(StoreNotice::StateLost { floor });
        }
        if let Some(WholeCopy { copy, history, .. }) = &best {
            let regrown = regrown(copy, history, floor);
            let discarded = matches!(regrown, Some(StoreNotice::StateDiscarded { .. }));
            notices.extend(regrown);
            if !discarded {
                notices.extend(does_not_hold(history, |kept| kept.aside));
            }
            if StateCopy::of(history, floor, copy.sequence) != *copy {
                // So that what was told now is not told again.
                self.good = [None, None];
            }
        }
        notices.extend(exposed);
        FoundCopies {
            history: best.map(|best| best.history),
            notices,
        }
    }

    /// Looks whether another process has moved on, or something happened to the copies. What is newer
    /// there continues `ours`; nothing that `ours` has is given up.
    pub(super) fn refresh(
        &mut self,
        ours: &History,
        origin: &History,
        by: SignatureAlgorithms,
        now: Timestamp,
    ) -> FoundCopies {
        let known = self.good;
        let unchanged = COPIES.into_iter().zip(known).all(|(file, known)| {
            let bytes = self.storage.read(file).ok().flatten();
            known.is_some() && bytes.map(|bytes| Sha256Digest::of(&bytes)) == known
        });
        let mut found = FoundCopies {
            history: None,
            notices: Vec::new(),
        };
        if unchanged {
            return found;
        }
        let opened_blind = self.unreadable.contains(&true) && ours.is_untouched();
        let copies = self.read(origin, by);
        for ((file, copy), known) in COPIES.into_iter().zip(&copies).zip(known) {
            let reason = match copy {
                Ok(None) => "it is not there any more".to_owned(),
                Err(CopyError::Damaged(reason) | CopyError::Unreadable(reason)) => reason.clone(),
                Ok(Some(_)) => continue,
            };
            // What was bad before has been told.
            if known.is_some() {
                let damaged = StoreNotice::CopyDamaged { file, reason };
                found.notices.push(damaged);
            }
        }
        let next = if opened_blind {
            let best = self.best(copies.clone());
            best.map_or_else(|| ours.clone(), |best| best.history)
        } else {
            let whole = copies
                .iter()
                .filter_map(|copy| copy.as_ref().ok()?.as_ref());
            whole.fold(ours.clone(), |next, whole| {
                next.continued_by(&whole.kept, origin, now, by)
            })
        };
        if self.recognise(&next, copies, known) {
            let in_force = next.state.version();
            found.notices.push(StoreNotice::StateAltered { in_force });
        }
        found
            .notices
            .extend(does_not_hold(&next, |kept| ours.knows(kept)));
        found.history = Some(next);
        found
    }

    /// Remembers which copies come to the same as `next`, and whether one of those that did has been
    /// changed into something else.
    fn recognise(
        &mut self,
        next: &History,
        copies: [ReadCopy; 2],
        known: [Option<Sha256Digest>; 2],
    ) -> bool {
        let mut altered = false;
        self.unreadable = copies.each_ref().map(is_unreadable);
        self.good = [None, None];
        let copies = copies.map(|copy| copy.ok().flatten());
        for ((good, copy), known) in self.good.iter_mut().zip(copies).zip(known) {
            let Some(WholeCopy {
                copy,
                history,
                digest,
                ..
            }) = copy
            else {
                continue;
            };
            if history.is_alike(next) {
                self.sequence = self.sequence.max(copy.sequence);
                *good = history.keeps_aside_of(next).then_some(digest);
            } else {
                altered |= known.is_some_and(|known| known != digest);
            }
        }
        altered
    }

    fn read(&self, origin: &History, by: SignatureAlgorithms) -> [ReadCopy; 2] {
        let [first, second] = COPIES.map(|file| self.storage.read(file));
        let same = matches!((&first, &second), (Ok(Some(one)), Ok(Some(other))) if one == other);
        let verified = |read: io::Result<Option<Vec<u8>>>| {
            let Some(bytes) = read.map_err(|error| CopyError::of_reading(&error))? else {
                return Ok(None);
            };
            let copy = StateCopy::decode(&bytes)?;
            let kept = copy.kept()?;
            let mut history = origin.with_kept(kept.clone(), by);
            history.state.reach(copy.latest());
            let digest = Sha256Digest::of(&bytes);
            Ok(Some(WholeCopy {
                copy,
                kept,
                history,
                digest,
            }))
        };
        let first = verified(first);
        let second = if same {
            first.clone()
        } else {
            verified(second)
        };
        [first, second]
    }

    /// Remembers which copies are good; the better one has the higher version.
    fn best(&mut self, copies: [ReadCopy; 2]) -> Option<WholeCopy> {
        self.good = [None, None];
        self.unreadable = copies.each_ref().map(is_unreadable);
        let found = copies.map(|copy| copy.ok().flatten());
        let rank = |whole: &WholeCopy| (whole.history.state.version(), whole.copy.sequence);
        let best = found.iter().flatten().map(rank).max()?;
        for (good, copy) in self.good.iter_mut().zip(&found) {
            let newest = copy.as_ref().filter(|copy| rank(copy) == best);
            *good = newest.map(|whole| whole.digest);
        }
        self.sequence = self.sequence.max(best.1);
        let mut newest = found.into_iter().flatten();
        newest.find(|whole| rank(whole) == best)
    }

    /// Replaces both copies, a bad one first: until its replacement is safe, the good one stays.
    pub(super) fn save(
        &mut self,
        history: &History,
        floor: &PinFloor,
        turn: &WriteTurn,
    ) -> SavedCopies {
        if let WriteTurn::Others(reason) = turn {
            self.good = [None, None];
            return SavedCopies {
                copies: 0,
                problem: Some(reason.clone()),
            };
        }
        let sequence = self.sequence.saturating_add(1);
        let bytes = StateCopy::of(history, floor, sequence).encode();
        let digest = Sha256Digest::of(&bytes);
        let mut saved = SavedCopies {
            copies: 0,
            problem: None,
        };
        let mut order = [0, 1];
        order.sort_by_key(|index| self.good.get(*index).is_some_and(Option::is_some));
        for index in order {
            let Some((file, good)) = COPIES.get(index).zip(self.good.get_mut(index)) else {
                continue;
            };
            let unreadable = self
                .unreadable
                .get(index)
                .is_some_and(|unreadable| *unreadable);
            let replaced = if unreadable {
                Err(io::Error::other(
                    "it cannot be read, so it is not overwritten",
                ))
            } else {
                replace(&*self.storage, *file, &bytes)
            };
            match replaced {
                Ok(()) => {
                    *good = Some(digest);
                    saved.copies += 1;
                    self.sequence = sequence;
                }
                Err(error) => {
                    *good = None;
                    saved.problem = Some(format!("{file}: {error}"));
                }
            }
        }
        if saved.copies > 0 && !self.marked {
            self.marked = replace(&*self.storage, StateFile::Marker, MARKER).is_ok();
        }
        saved
    }

    /// How many bytes a copy of this history has; `None` where it fits.
    pub(super) fn too_large(history: &History, floor: &PinFloor) -> Option<usize> {
        let bytes = StateCopy::of(history, floor, u64::MAX).encode().len();
        (bytes > state_copy::MAX_BYTES).then_some(bytes)
    }
}

const fn is_unreadable(copy: &ReadCopy) -> bool {
    matches!(copy, Err(CopyError::Unreadable(_)))
}

/// What there is to say where the floor or the configuration is another than the one that the copy
/// was written under.
fn regrown(copy: &StateCopy, history: &History, floor: &PinFloor) -> Option<StoreNotice> {
    let grown_from = copy.floor_version();
    if copy.is_replaced_by(floor) && history.is_floor_alone() {
        let floor = floor.version();
        return Some(StoreNotice::StateDiscarded { grown_from, floor });
    }
    (grown_from < floor.version()).then(|| StoreNotice::StateRebased {
        floor: floor.version(),
        version: history.state.version(),
    })
}

/// What does not hold and was not told before.
fn does_not_hold(
    history: &History,
    told: impl Fn(&KeptAnnouncement) -> bool,
) -> Option<StoreNotice> {
    let new = history.refused().filter(|(kept, ..)| !told(kept));
    let new: Vec<_> = new.collect();
    let (_, version, reason) = new.last()?;
    Some(StoreNotice::StateDoesNotHold {
        count: new.len(),
        version: *version,
        reason: (*reason).clone(),
    })
}
