//! The two copies: finding the better one, and replacing both.

use std::io;
use std::sync::Arc;

use super::copy::{self, Copy, Unfit};
use super::history::History;
use super::{PinStorage, StateFile, StoreNotice};
use crate::announcement::{Algorithms, PinFloor};
use crate::cert::Sha256Digest;

const COPIES: [StateFile; 2] = [StateFile::First, StateFile::Second];

const MARKER: &[u8] = b"Pins were kept in this folder. Without pins-1 and pins-2 they are lost.\n";

/// What is on disk, as far as it is known.
#[derive(Debug)]
pub(super) struct Shelf {
    storage: Arc<dyn PinStorage>,
    /// The digest of the bytes that were last read or written, where they are good.
    good: [Option<Sha256Digest>; 2],
    sequence: u64,
    marked: bool,
}

/// A copy that holds, with the digest of its bytes; `None` where there is none.
type Verified = Result<Option<(Copy, History, Sha256Digest)>, Unfit>;

/// What became of saving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) copies: u8,
    /// Why not more.
    pub(super) problem: Option<String>,
}

/// What was found on disk.
#[derive(Debug)]
pub(super) struct Found {
    /// The better of the copies that hold.
    pub(super) history: Option<History>,
    pub(super) notices: Vec<StoreNotice>,
}

impl Shelf {
    pub(super) fn new(storage: Arc<dyn PinStorage>) -> Self {
        Self {
            storage,
            good: [None, None],
            sequence: 0,
            marked: false,
        }
    }

    /// Whether both copies were good when last looked at.
    pub(super) fn is_whole(&self) -> bool {
        self.good.iter().all(Option::is_some)
    }

    /// Reads both copies and verifies what they hold.
    pub(super) fn open(&mut self, origin: &History, floor: &PinFloor, by: Algorithms) -> Found {
        let marker = self.storage.read(StateFile::Marker);
        self.marked = matches!(&marker, Ok(Some(bytes)) if bytes == MARKER);
        let kept_before = !matches!(marker, Ok(None));
        let copies = self.read(origin, floor, by);
        let all_absent = copies.iter().all(|copy| matches!(copy, Ok(None)));
        let mut notices = Vec::new();
        let mut unfit = Vec::new();
        for (file, found) in COPIES.into_iter().zip(&copies) {
            let reason = match found {
                Ok(Some(_)) => continue,
                Ok(None) if all_absent && !kept_before => continue,
                Ok(None) => "it is not there".to_owned(),
                Err(Unfit::OtherFloor { version }) => {
                    unfit.push(StoreNotice::StateDiscarded {
                        grown_from: *version,
                        floor: floor.version(),
                    });
                    continue;
                }
                Err(Unfit::Damaged(reason)) => reason.clone(),
            };
            notices.push(StoreNotice::CopyDamaged { file, reason });
        }
        let history = self.better(copies);
        if history.is_none() {
            if let Some(discarded) = unfit.pop() {
                notices.push(discarded);
            } else if !notices.is_empty() {
                notices.push(StoreNotice::StateLost {
                    floor: floor.version(),
                });
            }
        }
        Found { history, notices }
    }

    /// Looks whether another process has moved on; gives what is on disk where it is newer than
    /// `ours`.
    pub(super) fn refresh(
        &mut self,
        ours: &History,
        origin: &History,
        floor: &PinFloor,
        by: Algorithms,
    ) -> Option<History> {
        let unchanged = COPIES.into_iter().zip(self.good).all(|(file, known)| {
            let bytes = self.storage.read(file).ok().flatten();
            known.is_some() && bytes.map(|bytes| Sha256Digest::of(&bytes)) == known
        });
        if unchanged {
            return None;
        }
        let before = self.sequence;
        let copies = self.read(origin, floor, by);
        let found = self.better(copies)?;
        let (theirs, ours) = (found.state.version(), ours.state.version());
        if (theirs, self.sequence) > (ours, before) {
            return Some(found);
        }
        // An older state was put back: ours goes over it.
        self.good = [None, None];
        None
    }

    fn read(&self, origin: &History, floor: &PinFloor, by: Algorithms) -> [Verified; 2] {
        let [first, second] = COPIES.map(|file| self.storage.read(file));
        let same = matches!((&first, &second), (Ok(Some(one)), Ok(Some(other))) if one == other);
        let verified = |read: io::Result<Option<Vec<u8>>>| {
            let unreadable = |error: io::Error| Unfit::Damaged(format!("cannot be read: {error}"));
            let Some(bytes) = read.map_err(unreadable)? else {
                return Ok(None);
            };
            let copy = Copy::decode(&bytes)?;
            let history = copy.replay(origin.clone(), floor, by)?;
            Ok(Some((copy, history, Sha256Digest::of(&bytes))))
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
    fn better(&mut self, copies: [Verified; 2]) -> Option<History> {
        self.good = [None, None];
        let found = copies.map(|copy| copy.ok().flatten());
        let rank = |(copy, history, _): &(Copy, History, Sha256Digest)| {
            (history.state.version(), copy.sequence)
        };
        let best = found.iter().flatten().map(rank).max()?;
        for (good, copy) in self.good.iter_mut().zip(&found) {
            let newest = copy.as_ref().filter(|copy| rank(copy) == best);
            *good = newest.map(|(_, _, digest)| *digest);
        }
        self.sequence = self.sequence.max(best.1);
        let mut newest = found
            .into_iter()
            .flatten()
            .filter(|copy| rank(copy) == best);
        newest.next().map(|(_, history, _)| history)
    }

    /// Replaces both copies, a bad one first: until its replacement is safe, the good one stays.
    pub(super) fn save(&mut self, history: &History, floor: &PinFloor) -> Saved {
        let sequence = self.sequence.saturating_add(1);
        let bytes = Copy::of(history, floor, sequence).encode();
        let digest = Sha256Digest::of(&bytes);
        let mut saved = Saved {
            copies: 0,
            problem: None,
        };
        let mut order = [0, 1];
        order.sort_by_key(|index| self.good.get(*index).is_some_and(Option::is_some));
        for index in order {
            let Some((file, good)) = COPIES.get(index).zip(self.good.get_mut(index)) else {
                continue;
            };
            match replace(&*self.storage, *file, &bytes) {
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
        let bytes = Copy::of(history, floor, u64::MAX).encode().len();
        (bytes > copy::MAX_BYTES).then_some(bytes)
    }
}

fn replace(storage: &dyn PinStorage, file: StateFile, bytes: &[u8]) -> io::Result<()> {
    storage.write_new(file, bytes)?;
    storage.sync_new(file)?;
    storage.rename_new(file)?;
    storage.sync_folder()
}
