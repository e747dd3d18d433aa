//! Chains seen before: their assessment holds until the next change, so it is not made again.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};

use super::decide::Assessment;
use crate::cert::{Sha256Digest, Timestamp};
use crate::policy::Band;
#[cfg(feature = "json")]
use crate::transition::SavedStateError;
use crate::transition::{Matter, RepeatPolicy, Telling, Transitions};

/// Bounded memory of peers: the chain seen longest ago is forgotten first.
#[derive(Debug)]
pub(super) struct Memory {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    seen: LruCache<Sha256Digest, Seen>,
    transitions: Transitions,
}

#[derive(Debug)]
struct Seen {
    since: Timestamp,
    assessment: Assessment,
}

impl Memory {
    pub(super) fn new(capacity: NonZeroUsize, repeat: RepeatPolicy) -> Self {
        Self {
            state: Mutex::new(State {
                seen: LruCache::new(capacity),
                transitions: Transitions::new(capacity).with_repeat(repeat),
            }),
        }
    }

    /// The assessment of this chain, if it was made before and still holds at `now`.
    pub(super) fn recall(&self, key: &Sha256Digest, now: Timestamp) -> Option<Assessment> {
        let mut state = self.state();
        let seen = state.seen.get(key)?;
        // Before it was made (the clock was set back) it says nothing.
        let holds = seen.since <= now && now < seen.assessment.until;
        holds.then(|| seen.assessment.clone())
    }

    pub(super) fn remember(&self, key: Sha256Digest, assessment: Assessment, since: Timestamp) {
        self.state().seen.put(key, Seen { since, assessment });
    }

    /// Whether to tell that this matter is in this band now.
    pub(super) fn observe(&self, matter: Matter, band: Band, now: Timestamp) -> Option<Telling> {
        self.state().transitions.observe(matter, band, now)
    }

    /// How many matters were forgotten for lack of room.
    pub(super) fn evictions(&self) -> u64 {
        self.state().transitions.evictions()
    }

    #[cfg(feature = "json")]
    pub(super) fn save(&self) -> String {
        self.state().transitions.save()
    }

    #[cfg(feature = "json")]
    pub(super) fn restore(&self, saved: &str) -> Result<(), SavedStateError> {
        self.state().transitions.restore_from(saved)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of ours panics under the lock, and the state is whole between any two calls.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What tells one presented chain under one name from any other.
pub(super) fn chain_key(
    host: Option<&str>,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    staple: &[u8],
) -> Sha256Digest {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        // With its length before each part, no two lists give the same stream of bytes.
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    part(host.unwrap_or_default().as_bytes());
    part(leaf);
    part(staple);
    intermediates.iter().for_each(|der| part(der));
    Sha256Digest::from_bytes(hash.finalize().into())
}
