//! Work that is spread over the processor's cores: an edge, for it starts threads.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// So many pieces of work are worth a thread.
const WORTH_A_THREAD: usize = 16;

/// For each core.
const MANY_PORTIONS: usize = 16;

/// The cores that may be used besides that of whoever has the work: as many together as the
/// process has, however many ask, and also where work within work asks again.
#[derive(Debug)]
pub(super) struct Cores {
    spare: AtomicUsize,
}

impl Default for Cores {
    /// Those that the operating system gives this process.
    fn default() -> Self {
        let all = thread::available_parallelism().map_or(1, usize::from);
        Self {
            spare: AtomicUsize::new(all.saturating_sub(1)),
        }
    }
}

impl Cores {
    /// What comes of each, in their order. Small numbers are worked off here alone. A panic in one
    /// is a panic here.
    pub(super) fn map<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> R + Sync,
    ) -> Vec<R> {
        let taken = self.take(items.len() / WORTH_A_THREAD);
        if taken.cores == 0 {
            return items.iter().map(work).collect();
        }
        // So many at a time that whoever is at the last ones is not waited for.
        let portion = (items.len() / (MANY_PORTIONS * (taken.cores + 1))).clamp(1, 64);
        let portions: Vec<&[T]> = items.chunks(portion).collect();
        let next = AtomicUsize::new(0);
        let share = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(portion) = portions.get(number) else {
                    return done;
                };
                let results: Vec<R> = portion.iter().map(&work).collect();
                done.push((number, results));
            }
        };
        let mut done = thread::scope(|scope| {
            let helper = || thread::Builder::new().name("notafter-judge".to_owned());
            // Where there is no thread to be had, the others do it.
            let helpers: Vec<_> = (0..taken.cores)
                .map_while(|_| helper().spawn_scoped(scope, share).ok())
                .collect();
            let mut done = share();
            for helper in helpers {
                match helper.join() {
                    Ok(more) => done.extend(more),
                    Err(panic) => resume_unwind(panic),
                }
            }
            done
        });
        done.sort_unstable_by_key(|(number, _)| *number);
        done.into_iter().flat_map(|(_, results)| results).collect()
    }

    /// As many as are to be had, at most so many.
    fn take(&self, most: usize) -> TakenCores<'_> {
        let less = |spare: usize| Some(spare - spare.min(most));
        let spare = &self.spare;
        let before = spare.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        TakenCores {
            of: self,
            cores: before.unwrap_or_default().min(most),
        }
    }
}

/// Given back when dropped.
struct TakenCores<'c> {
    of: &'c Cores,
    cores: usize,
}

impl Drop for TakenCores<'_> {
    fn drop(&mut self) {
        self.of.spare.fetch_add(self.cores, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn whatever_is_spread_comes_back_in_order_and_its_cores_are_given_back() {
        let cores = Cores {
            spare: AtomicUsize::new(3),
        };
        let most = AtomicUsize::new(0);
        let items: Vec<usize> = (0..1_000).collect();
        let squares = cores.map(&items, |n| {
            // Work within work takes what is left, and no more.
            let inner = cores.map(&items, |m| *m);
            assert_eq!(inner.len(), 1_000);
            most.fetch_max(3 - cores.spare.load(Ordering::Acquire), Ordering::AcqRel);
            n * n
        });
        assert!(
            squares
                .iter()
                .zip(&items)
                .all(|(square, n)| *square == n * n)
        );
        assert_eq!(most.into_inner(), 3);
        assert_eq!(cores.spare.load(Ordering::Acquire), 3);
        let panicking = || cores.map(&items, |n| assert_ne!(*n, 500, "told"));
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        assert_eq!(cores.spare.load(Ordering::Acquire), 3);
        assert_eq!(cores.map(&items[..3], |n| *n), [0, 1, 2]);
    }
}
