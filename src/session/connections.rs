//! Long-lived connections: how many are open on chains that have ended since.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::time::Timestamp;

/// Counts open connections by the end of the chain that they were opened with.
///
/// TLS looks at certificates in handshakes only: a connection that stays open for weeks outlives
/// its peer's certificate, and one's own, unseen. Memory grows with the number of distinct ends,
/// not of connections.
///
/// # How many of my connections would not be accepted any more?
/// ```
/// use notafter::session::OpenConnections;
/// use notafter::Timestamp;
/// let connections = OpenConnections::new();
/// let end: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let connection = connections.open(end); // keep it as long as the connection
/// assert_eq!(connections.outliving(end), 0);
/// assert_eq!(connections.outliving(end.saturating_add(1)), 1);
/// drop(connection);
/// assert_eq!(connections.outliving(end.saturating_add(1)), 0);
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct OpenConnections {
    ends: Arc<Ends>,
}

#[derive(Debug, Default)]
struct Ends(Mutex<BTreeMap<Timestamp, usize>>);

impl OpenConnections {
    /// Counts no connection yet. Clones count the same connections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a connection whose chain is good until `end`, its last good second (the earlier one,
    /// where both sides showed certificates), until the returned guard is dropped.
    pub fn open(&self, end: Timestamp) -> OpenConnection {
        *self.ends.lock().entry(end).or_default() += 1;
        OpenConnection {
            ends: Arc::clone(&self.ends),
            end,
        }
    }

    /// Counts those that are open.
    pub fn len(&self) -> usize {
        self.ends.lock().values().sum()
    }

    /// Says whether none is open.
    pub fn is_empty(&self) -> bool {
        self.ends.lock().is_empty()
    }

    /// Counts those open now that outlive their chain at `now`: a gauge, also of a future instant.
    pub fn outliving(&self, now: Timestamp) -> usize {
        self.ends.lock().range(..now).map(|(_, count)| count).sum()
    }

    /// Finds the earliest end of a chain among open connections that lies at or after `now`.
    pub fn next_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.ends.lock().range(now..).next().map(|(end, _)| *end)
    }
}

/// One open connection; drop it when the connection closes.
#[derive(Debug)]
#[must_use = "the connection counts as closed when this is dropped"]
pub struct OpenConnection {
    ends: Arc<Ends>,
    end: Timestamp,
}

impl OpenConnection {
    /// Returns the last second at which its chain is good.
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// Says whether it outlives its chain at `now`.
    pub fn outlives(&self, now: Timestamp) -> bool {
        self.end < now
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let mut ends = self.ends.lock();
        if let Some(count) = ends.get_mut(&self.end) {
            *count -= 1;
            if *count == 0 {
                ends.remove(&self.end);
            }
        }
    }
}

impl Ends {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Timestamp, usize>> {
        // Nothing in here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_those_beyond_their_end_and_forgets_closed_ones() {
        let connections = OpenConnections::new();
        let t = Timestamp::from_unix_seconds;
        let (a, b, c) = (
            connections.open(t(100)),
            connections.open(t(100)),
            connections.open(t(200)),
        );
        let counts = |now| connections.outliving(t(now));
        assert_eq!((counts(100), counts(101), counts(201)), (0, 2, 3));
        assert_eq!(connections.next_end(t(100)), Some(t(100)));
        assert_eq!(connections.next_end(t(101)), Some(t(200)));
        assert!(!a.outlives(t(100)) && a.outlives(t(101)));
        drop(a);
        assert_eq!((counts(101), connections.len()), (1, 2));
        drop((b, c));
        assert!(connections.is_empty());
        assert_eq!(connections.ends.lock().len(), 0);
    }
}
