//! The two copies of what is remembered of roots: finding the better one, and replacing both.

use std::io;
use std::sync::Arc;

use super::book::RootBook;
use super::root_copy::{RootCopy, VerifiedRoots};
use crate::announce::store::copy_file::CopyError;
use crate::announce::store::{WriteTurn, replace};
use crate::announce::{Durability, PinStorage, StateFile, StoreNotice};
use crate::cert::{Sha256Digest, SignatureAlgorithms};
use crate::time::Timestamp;

const COPIES: [StateFile; 2] = [StateFile::FirstRoots, StateFile::SecondRoots];

const MARKER: &[u8] =
    b"Next root keys were kept in this folder. Without roots-1 and roots-2 they are lost.\n";

/// What is on disk, as far as it is known.
#[derive(Debug)]
pub(super) struct RootCopies {
    storage: Arc<dyn PinStorage>,
    copies: [OnDisk; 2],
    sequence: u64,
    is_marked: bool,
}

/// What is known of one copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDisk {
    /// It holds what is remembered; this is its digest.
    Good(Sha256Digest),
    /// It is absent, damaged, or holds something else: it is replaced.
    ToReplace,
    /// It may be good, and newer: it is not overwritten.
    Unreadable,
}

type ReadCopy = Result<Option<(RootCopy, Sha256Digest)>, CopyError>;

/// What was found on disk.
#[derive(Debug, Default)]
pub(super) struct FoundRoots {
    /// `None` where there is nothing.
    pub(super) book: Option<RootBook>,
    pub(super) notices: Vec<StoreNotice>,
}

impl RootCopies {
    pub(super) fn new(storage: Arc<dyn PinStorage>) -> Self {
        Self {
            storage,
            copies: [OnDisk::ToReplace; 2],
            sequence: 0,
            is_marked: false,
        }
    }

    /// Waits for the turn to write, as long as the storage finds bearable.
    pub(super) fn turn(&self) -> WriteTurn {
        WriteTurn::wait(&*self.storage)
    }

    /// Whether one of them may hold what could not be read.
    pub(super) fn is_unreadable(&self) -> bool {
        self.copies.contains(&OnDisk::Unreadable)
    }

    /// Whether both hold what is remembered.
    pub(super) fn are_whole(&self) -> bool {
        self.copies
            .iter()
            .all(|copy| matches!(copy, OnDisk::Good(_)))
    }

    /// Reads both copies and verifies what the newer one holds.
    pub(super) fn open(
        &mut self,
        algorithms: SignatureAlgorithms,
        known_past: Timestamp,
    ) -> FoundRoots {
        let marker = self.storage.read(StateFile::RootsMarker);
        self.is_marked = matches!(&marker, Ok(Some(bytes)) if bytes == MARKER);
        let kept_before = !matches!(marker, Ok(None));
        let exposed = self.storage.exposure();
        let copies = self.read();
        let all_absent = copies.iter().all(|copy| matches!(copy, Ok(None)));
        let mut found = FoundRoots::default();
        for (file, copy) in COPIES.into_iter().zip(&copies) {
            let reason = match copy {
                Ok(Some(_)) => continue,
                Ok(None) if all_absent && !kept_before => continue,
                Ok(None) => "it is not there".to_owned(),
                Err(CopyError::Damaged(reason) | CopyError::Unreadable(reason)) => reason.clone(),
            };
            let damaged = StoreNotice::CopyDamaged { file, reason };
            found.notices.push(damaged);
        }
        match self.take(copies, algorithms, known_past) {
            Some(VerifiedRoots { book, refused }) => {
                found
                    .notices
                    .extend(refused.iter().map(|reason| does_not_count(reason)));
                found.book = Some(book);
            }
            None if !found.notices.is_empty() => found.notices.push(StoreNotice::RootStateLost),
            None => {}
        }
        let exposed = exposed.map(|reason| StoreNotice::StateExposed { reason });
        found.notices.extend(exposed);
        found
    }

    /// What another process wrote since the last look; `None` where nothing happened there.
    pub(super) fn look(
        &mut self,
        algorithms: SignatureAlgorithms,
        known_past: Timestamp,
    ) -> Option<RootBook> {
        let unchanged = COPIES.into_iter().zip(self.copies).all(|(file, known)| {
            let bytes = self.storage.read(file).ok().flatten();
            let digest = bytes.map(|bytes| Sha256Digest::of(&bytes));
            digest.is_some_and(|digest| known == OnDisk::Good(digest))
        });
        if unchanged {
            return None;
        }
        let copies = self.read();
        let taken = self.take(copies, algorithms, known_past)?;
        Some(taken.book)
    }

    /// Replaces both copies, a bad one first: until its replacement is safe, the good one stays.
    pub(super) fn save(
        &mut self,
        book: &RootBook,
        turn: &WriteTurn,
    ) -> (Durability, Option<String>) {
        if let WriteTurn::Others(reason) = turn {
            self.copies = self.copies.map(|copy| match copy {
                OnDisk::Good(_) => OnDisk::ToReplace,
                other => other,
            });
            return (Durability::MemoryOnly, Some(reason.clone()));
        }
        let sequence = self.sequence.saturating_add(1);
        let bytes = RootCopy::of(book, sequence).encode();
        let digest = Sha256Digest::of(&bytes);
        let (mut saved, mut problem) = (0, None);
        let mut order: Vec<_> = COPIES.into_iter().zip(&mut self.copies).collect();
        order.sort_by_key(|(_, copy)| matches!(copy, OnDisk::Good(_)));
        for (file, copy) in order {
            let replaced = match copy {
                OnDisk::Unreadable => Err(io::Error::other(
                    "it cannot be read, so it is not overwritten",
                )),
                _ => replace(&*self.storage, file, &bytes),
            };
            match replaced {
                Ok(()) => {
                    *copy = OnDisk::Good(digest);
                    saved += 1;
                }
                Err(error) => {
                    if *copy != OnDisk::Unreadable {
                        *copy = OnDisk::ToReplace;
                    }
                    problem = Some(format!("{file}: {error}"));
                }
            }
        }
        if saved > 0 {
            self.sequence = sequence;
            if !self.is_marked {
                self.is_marked = replace(&*self.storage, StateFile::RootsMarker, MARKER).is_ok();
            }
        }
        let durability = match saved {
            0 => Durability::MemoryOnly,
            1 => Durability::OneCopy,
            _ => Durability::Kept,
        };
        (durability, problem)
    }

    /// What is remembered is another now than what lies on disk.
    pub(super) fn outdate(&mut self) {
        self.copies = self.copies.map(|copy| match copy {
            OnDisk::Good(_) => OnDisk::ToReplace,
            other => other,
        });
    }

    fn read(&self) -> [ReadCopy; 2] {
        COPIES.map(|file| {
            let bytes = self.storage.read(file);
            let bytes = bytes.map_err(|error| CopyError::of_reading(&error))?;
            let Some(bytes) = bytes else {
                return Ok(None);
            };
            let copy = RootCopy::decode(&bytes)?;
            Ok(Some((copy, Sha256Digest::of(&bytes))))
        })
    }

    /// The copy that was written last, and which of both hold the same.
    fn take(
        &mut self,
        copies: [ReadCopy; 2],
        algorithms: SignatureAlgorithms,
        known_past: Timestamp,
    ) -> Option<VerifiedRoots> {
        let whole = copies
            .iter()
            .filter_map(|copy| copy.as_ref().ok()?.as_ref());
        let newest = whole.max_by_key(|(copy, _)| copy.sequence).cloned();
        self.copies = copies.map(|copy| match (copy, &newest) {
            (Err(CopyError::Unreadable(_)), _) => OnDisk::Unreadable,
            (Ok(Some((_, digest))), Some((_, newest))) if digest == *newest => OnDisk::Good(digest),
            _ => OnDisk::ToReplace,
        });
        let (copy, _) = newest?;
        self.sequence = self.sequence.max(copy.sequence);
        let verified = copy.verified(algorithms, known_past);
        if !verified.refused.is_empty() {
            self.outdate();
        }
        Some(verified)
    }
}

fn does_not_count(reason: &str) -> StoreNotice {
    StoreNotice::CopyDamaged {
        file: StateFile::FirstRoots,
        reason: format!("a root in it does not count: {reason}"),
    }
}
