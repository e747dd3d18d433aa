//! Servers of which no handshake is accepted any more. A refused server proved nothing, so each
//! refusal is told by number alone; that nothing gets through for minutes is a fact about us.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::cert::Timestamp;

/// After so many seconds without an accepted handshake, and so many refused ones, it is told.
const SECONDS: i64 = 300;
const REFUSALS: usize = 3;

/// For each server name, for how long nothing but refusals came. Bounded: the name refused longest
/// ago is forgotten first.
#[derive(Debug)]
pub(super) struct LockOuts {
    /// Whether any name is in it: mostly none is, and no lock is taken.
    any: AtomicBool,
    capacity: NonZeroUsize,
    names: Mutex<LruCache<String, LockOut>>,
}

/// A run of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LockOut {
    pub(super) since: Timestamp,
    pub(super) refusals: usize,
}

impl LockOuts {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            any: AtomicBool::new(false),
            capacity,
            // Bounded by `refused`: room that nobody fills is not asked for.
            names: Mutex::new(LruCache::unbounded()),
        }
    }

    /// Counts a refusal; hands back the run that it belongs to once that is long enough to tell.
    pub(super) fn refused(&self, host: &str, now: Timestamp) -> Option<LockOut> {
        self.any.store(true, Ordering::Release);
        let mut names = self.names();
        let run = names.get_or_insert_mut(host.to_owned(), || LockOut {
            since: now,
            refusals: 0,
        });
        run.refusals = run.refusals.saturating_add(1);
        // A clock that was set back begins a run anew.
        run.since = run.since.min(now);
        let run = *run;
        if names.len() > self.capacity.get() {
            names.pop_lru();
        }
        let is_long = now.seconds_since(run.since) >= SECONDS && run.refusals >= REFUSALS;
        is_long.then_some(run)
    }

    /// A handshake was accepted; hands back the run that this ended.
    pub(super) fn accepted(&self, host: &str) -> Option<LockOut> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut names = self.names();
        let run = names.pop(host);
        self.any.store(!names.is_empty(), Ordering::Release);
        run
    }

    /// Whether a run of refusals of this name goes on.
    pub(super) fn concerns(&self, host: &str) -> bool {
        self.any.load(Ordering::Acquire) && self.names().contains(host)
    }

    fn names(&self) -> MutexGuard<'_, LruCache<String, LockOut>> {
        // No code of ours panics under the lock, and it is whole between any two calls.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_minutes_of_nothing_but_refusals_are_a_lock_out() {
        let at = Timestamp::from_unix_seconds;
        let lock_outs = LockOuts::new(NonZeroUsize::MIN);
        let refused = |second| {
            lock_outs
                .refused("a.example", at(second))
                .map(|r| r.refusals)
        };
        assert!(!lock_outs.concerns("a.example"));
        assert_eq!([0, 299, 299].map(refused), [None, None, None]);
        assert_eq!(refused(300), Some(4));
        assert!(lock_outs.concerns("a.example") && !lock_outs.concerns("b.example"));
        // Two refusals are no lock-out, however far apart.
        assert_eq!(
            lock_outs.accepted("a.example").map(|run| run.refusals),
            Some(4)
        );
        assert_eq!(lock_outs.accepted("a.example"), None);
        assert_eq!([0, 9_000].map(refused), [None, None]);
        assert_eq!(refused(9_001), Some(3));
        // There is room for one name.
        assert_eq!(lock_outs.refused("b.example", at(0)), None);
        assert!(!lock_outs.concerns("a.example"));
    }
}
