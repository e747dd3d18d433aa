//! Which of a client's sessions began with the identity that it shows now.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use crate::renewal::IdentityInForce;

/// So many names that connections began under are known, and no session under another one is resumed: what
/// two tables of 65,536 places hold, of about 600 kB each.
const MAX_NAMES: usize = 57_344;

/// Follows the identity of a client, by the names under which its connections began.
///
/// A session says not with which identity it began, and a server may send it long after the handshake.
/// So a name that a connection began under before the identity changed may have sessions of
/// before for as long as that connection is open, which nobody knows.
#[derive(Debug)]
pub(super) struct FollowedIdentity {
    identity: Arc<dyn IdentityInForce>,
    names: Mutex<BegunNames>,
}

/// Names by a keyed hash.
#[derive(Debug, Default)]
struct BegunNames {
    epoch: u64,
    /// No connection began under them but in this epoch.
    now: HashSet<u64>,
    before: HashSet<u64>,
    hasher: RandomState,
}

impl FollowedIdentity {
    pub(super) fn new(identity: Arc<dyn IdentityInForce>) -> Self {
        Self {
            identity,
            names: Mutex::default(),
        }
    }

    /// That a connection begins under this name; whether all sessions under it are of the identity
    /// that is shown now.
    pub(super) fn begins(&self, host: &str) -> bool {
        // No code of ours panics under the lock, and it is whole between any two calls.
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock: epochs arrive in order. Before the connection reads its identity,
        // which is of this epoch or of a later one.
        let epoch = self.identity.epoch();
        names.begins(&host.to_ascii_lowercase(), epoch)
    }
}

impl BegunNames {
    fn begins(&mut self, host: &str, epoch: u64) -> bool {
        if epoch != self.epoch {
            let names = std::mem::take(&mut self.now);
            self.before.extend(names);
            self.epoch = epoch;
        }
        let name = self.hasher.hash_one(host);
        if self.before.contains(&name) {
            return false;
        }
        if self.now.len().saturating_add(self.before.len()) < MAX_NAMES {
            self.now.insert(name);
        }
        self.now.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_while_no_connection_under_it_began_in_another_epoch() {
        let mut names = BegunNames::default();
        assert!(names.begins("a", 0));
        assert!(names.begins("a", 0));
        assert!(!names.begins("a", 1));
        assert!(names.begins("b", 1));
        assert!(names.begins("b", 1));
        assert!(!names.begins("b", 3));
        assert!(!names.begins("a", 3), "for good");
        assert!(names.begins("c", 3));
    }

    #[test]
    fn beyond_so_many_names_nothing_is_known_of_others() {
        let mut names = BegunNames::default();
        for number in 0..MAX_NAMES {
            assert!(names.begins(&number.to_string(), 0), "{number}");
        }
        assert!(!names.begins("one more", 0));
        assert!(names.begins("0", 0));
        assert!(!names.begins("one more", 1));
        assert!(!names.begins("0", 1));
        assert_eq!((names.now.len(), names.before.len()), (0, MAX_NAMES));
    }
}
