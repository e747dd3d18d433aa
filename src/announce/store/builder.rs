//! How a store begins.

use std::sync::Arc;

use super::history::History;
use super::{PinStorage, PinStore, StoreNotice};
use crate::announce::{Algorithms, FloorError, PinFloor, SuccessorRule};
use crate::pin::{ExpiryRule, PinMode};
use crate::time::Timestamp;

/// How long a new pin is held down unless set otherwise: 30 days.
const DEFAULT_HOLD_DOWN: u32 = 30 * 24 * 60 * 60;

/// Configures a [`PinStore`].
#[derive(Debug)]
#[must_use]
pub struct PinStoreBuilder {
    pub(super) floor: Arc<PinFloor>,
    pub(super) expiry: ExpiryRule,
    pub(super) algorithms: Algorithms,
    pub(super) hold_down: u32,
    pub(super) successors: SuccessorRule,
    pub(super) mode: PinMode,
    pub(super) storage: Option<Arc<dyn PinStorage>>,
}

impl PinStoreBuilder {
    pub(super) fn new(floor: PinFloor, expiry: ExpiryRule, algorithms: Algorithms) -> Self {
        Self {
            floor: Arc::new(floor),
            expiry,
            algorithms,
            hold_down: DEFAULT_HOLD_DOWN,
            successors: SuccessorRule::default(),
            mode: PinMode::Enforce,
            storage: None,
        }
    }

    /// Holds a new pin down for so many seconds after it was first seen; 30 days by default. It
    /// is the time in which the owners of the announcing keys can notice an announcement that
    /// they did not make, and withdraw it: 0 leaves them none.
    pub const fn with_hold_down(mut self, seconds: u32) -> Self {
        self.hold_down = seconds;
        self
    }

    /// When a successor counts: by default once its hold-down is over.
    ///
    /// # How do I make sure that nobody ripens a stolen successor by keeping its withdrawal away?
    /// ```no_run
    /// use notafter::pin::ExpiryRule;
    /// use notafter::announce::{PinFloor, SuccessorRule};
    /// use notafter::PinStore;
    /// # fn open(floor: PinFloor) {
    /// # let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    /// // Announcements must then go on coming: one after the hold-down lists the successor again.
    /// let builder = PinStore::builder(floor, ExpiryRule::FailClosed, algorithms.all)
    ///     .with_successor_rule(SuccessorRule::ListedAgain);
    /// # }
    /// ```
    pub const fn with_successor_rule(mut self, rule: SuccessorRule) -> Self {
        self.successors = rule;
        self
    }

    /// Whether the pins decide or are only told about.
    pub const fn with_mode(mut self, mode: PinMode) -> Self {
        self.mode = mode;
        self
    }

    /// Keeps what was announced over a restart, as [`PinFolder`](crate::announce::PinFolder) does. Without it
    /// a restart goes back to the floor.
    pub fn with_storage(mut self, storage: Arc<dyn PinStorage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// Opens the store with what was kept, every signature verified again. Also gives what there
    /// is to say about it.
    ///
    /// # Errors
    /// [`FloorError`] where the crypto provider cannot verify what the floor's keys sign. What is
    /// on disk is no reason to fail: where it cannot be used, the floor holds, and a notice says so.
    pub fn open(self, now: Timestamp) -> Result<(Arc<PinStore>, Vec<StoreNotice>), FloorError> {
        let authority = self.floor.authority();
        let usable = authority
            .keys()
            .filter(|key| key.is_usable(self.algorithms));
        let (usable, needed) = (usable.count(), authority.threshold());
        if usable < needed {
            return Err(FloorError::UnusableKeys { usable, needed });
        }
        let origin = History::of_floor(Arc::clone(&self.floor), self.hold_down)
            .with_successors(self.successors);
        let (store, notices) = PinStore::start(self, origin, now)?;
        Ok((Arc::new(store), notices))
    }
}
