//! What a configuration rests on and rustls cannot see: which object decides, and in which epoch.

use std::hash::{BuildHasher as _, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// An epoch that rises with every change of the pins, the trust or the identity.
#[derive(Debug, Default)]
pub struct EpochInForce(AtomicU64);

impl EpochInForce {
    /// Something changed.
    pub fn advance(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// Puts the epoch of now, in a fixed width, into what a configuration is known by.
    pub(crate) fn hash_into(&self, hasher: &mut dyn Hasher) {
        hasher.write(&self.0.load(Ordering::Acquire).to_be_bytes());
    }
}

/// The number of one object, which no other has, in no other process either: what pointers were for.
#[derive(Debug)]
pub(crate) struct Instance(u64);

impl Instance {
    pub(crate) fn new() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }

    pub(crate) fn hash_into(&self, hasher: &mut dyn Hasher) {
        hasher.write(&self.0.to_be_bytes());
    }
}
