//! The store, and how it begins.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::applied::{Applied, Durability};
use super::changes::said_of;
use super::copies::Copies;
use super::history::History;
use super::set_terms::SetTerms;
use super::writer::Writer;
use super::{PinStorage, StoreNotice, state_copy};
use crate::announce::{
    AnnouncementError, FloorError, PinFloor, PreviousAnnouncement, RotationState,
    SignedAnnouncement, SuccessorRule,
};
use crate::cert::SignatureAlgorithms;
use crate::pin::{ExpiryRule, PinGeneration, PinMode, PinSetError, PinSets, PinsInForce};
use crate::time::Timestamp;

/// How long a new pin is held down unless set otherwise: 30 days.
pub(in crate::announce) const DEFAULT_HOLD_DOWN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The pins in force, and the announcements that change them.
///
/// Readers (verifiers, through [`PinsInForce`]) never wait, and see one generation as a whole.
///
/// # How do I rotate a pin without shipping a new binary?
/// ```no_run
/// use std::sync::Arc;
/// use notafter::pin::ExpiryRule;
/// use notafter::announce::{PinFloor, PinFolder};
/// use notafter::{PinStore, Timestamp};
/// # const FLOOR: &[u8] = b"";
/// # fn now() -> Timestamp { Timestamp::MIN }
/// let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
/// // const FLOOR: &[u8] = include_bytes!("pins.json");
/// let floor = PinFloor::from_json(FLOOR)?;
/// let (store, notices) = PinStore::builder(floor, ExpiryRule::FailClosed, algorithms.all)
///     .with_storage(Arc::new(PinFolder::new("/var/lib/service/pins")))
///     .open(now())?;
/// for notice in notices {
///     eprintln!("{notice}");
/// }
/// // Whenever a new announcement has come in, however it came:
/// # fn fetched() -> Vec<u8> { Vec::new() }
/// match store.apply(&fetched(), now()) {
///     Ok(applied) => println!("version {} is in force", applied.version),
///     Err(refused) => eprintln!("{}: {refused}", refused.code()),
/// }
/// # Ok::<(), notafter::announce::FloorError>(())
/// ```
pub struct PinStore {
    floor: Arc<PinFloor>,
    algorithms: SignatureAlgorithms,
    terms: SetTerms,
    /// The floor alone.
    origin: History,
    generation: ArcSwap<PinGeneration>,
    writer: Mutex<Writer>,
}

impl PinStore {
    /// Starts configuring a store.
    ///
    /// `expiry` says what happens after the floor's `expires`; there is no default, and no
    /// announcement changes it. `algorithms` are the crypto provider's, `all` of its
    /// `signature_verification_algorithms`.
    pub fn builder(
        floor: PinFloor,
        expiry: ExpiryRule,
        algorithms: SignatureAlgorithms,
    ) -> PinStoreBuilder {
        PinStoreBuilder::new(floor, expiry, algorithms)
    }

    /// Applies an announcement. Refused, it changes nothing.
    ///
    /// # Errors
    /// [`AnnouncementError`] with the reason; `docs/ANNOUNCEMENTS.md` gives the rules.
    pub fn apply(&self, envelope: &[u8], now: Timestamp) -> Result<Applied, AnnouncementError> {
        let mut writer = self.writer();
        let turn = writer.turn();
        self.look_at_disk(&mut writer, now);
        let state = &writer.history.state;
        let signed = SignedAnnouncement::open(envelope, state.authority_at(now), self.algorithms)?;
        let unchanged = signed.is_in_force(state);
        if !unchanged {
            let said = said_of(&signed, state);
            let next = writer.history.with(signed, now)?;
            self.check_size(&next)?;
            let sets = self.terms.sets(&next.state);
            let sets = sets.map_err(|error| no_sets("payload.pin_sets", &error))?;
            writer.move_to(next, said, now);
            self.publish(sets, &writer.history.state);
        }
        let durability = if unchanged && writer.is_kept() {
            Durability::Kept
        } else {
            writer.save(&self.floor, &turn)
        };
        Ok(Applied {
            version: writer.history.state.version(),
            unchanged,
            durability,
            notices: writer.take_notices(),
        })
    }

    /// Lets time pass: tells which pins have matured, tries again what a disk refused, takes over
    /// what another process applied to the same folder, and remembers the instant, so that a
    /// clock set back later shortens no hold-down. Call it now and then; once an hour is plenty.
    pub fn tick(&self, now: Timestamp) -> Vec<StoreNotice> {
        let mut writer = self.writer();
        let turn = writer.turn();
        self.look_at_disk(&mut writer, now);
        writer.pass_time(&self.floor, &turn, now);
        writer.take_notices()
    }

    /// The version in force: the last announcement's, or the floor's.
    pub fn version(&self) -> u64 {
        self.writer().history.state.version()
    }

    /// The announcement in force, as the next one names it in `previous`: with the floor alone the one
    /// whose place the floor takes, if any.
    pub fn in_force(&self) -> Option<PreviousAnnouncement> {
        self.writer().history.state.head()
    }

    fn look_at_disk(&self, writer: &mut Writer, now: Timestamp) {
        let Some(next) = writer.look_at_disk(&self.origin, self.algorithms, now) else {
            return;
        };
        if next.is_alike(&writer.history) {
            writer.take_over(next, now);
            return;
        }
        match self.terms.sets(&next.state) {
            Ok(sets) => {
                writer.take_over(next, now);
                self.publish(sets, &writer.history.state);
            }
            Err(error) => {
                let reason = no_sets("kept.pin_sets", &error);
                writer.history.set_newer_aside(&next, &reason);
            }
        }
    }

    fn check_size(&self, next: &History) -> Result<(), AnnouncementError> {
        match Copies::too_large(next, &self.floor) {
            None => Ok(()),
            Some(bytes) => Err(AnnouncementError::HistoryFull {
                announcements: next.len(),
                bytes,
                limit: state_copy::MAX_BYTES,
            }),
        }
    }

    fn publish(&self, sets: PinSets, state: &RotationState) {
        let epoch = self.generation.load().epoch.wrapping_add(1);
        let generation = PinGeneration::new(epoch, sets);
        let generation = generation.with_announcement_expires(state.expires());
        self.generation.store(Arc::new(generation));
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // Whoever panicked had changed nothing yet, or everything.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PinsInForce for PinStore {
    fn generation(&self) -> Arc<PinGeneration> {
        self.generation.load_full()
    }
}

impl fmt::Debug for PinStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinStore")
            .field("floor", &self.floor.version())
            .field("generation", &self.generation.load())
            .finish_non_exhaustive()
    }
}

/// Configures a [`PinStore`].
#[derive(Debug)]
#[must_use]
pub struct PinStoreBuilder {
    floor: Arc<PinFloor>,
    expiry: ExpiryRule,
    algorithms: SignatureAlgorithms,
    hold_down: Duration,
    successors: SuccessorRule,
    mode: PinMode,
    storage: Option<Arc<dyn PinStorage>>,
}

impl PinStoreBuilder {
    fn new(floor: PinFloor, expiry: ExpiryRule, algorithms: SignatureAlgorithms) -> Self {
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

    /// Holds a new pin down for so long after it was first seen, in whole seconds, rounded up; 30
    /// days by default. It is the time in which the owners of the announcing keys can notice an
    /// announcement that they did not make, and withdraw it: 0 leaves them none.
    pub const fn with_hold_down(mut self, hold_down: Duration) -> Self {
        self.hold_down = hold_down;
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
        let terms = SetTerms {
            expires: self.floor.expires(),
            expiry: self.expiry,
            mode: self.mode,
        };
        let origin = History::of_floor(Arc::clone(&self.floor), self.hold_down)
            .with_successors(self.successors);
        let mut writer = Writer::new(origin.clone(), self.storage, now);
        let turn = writer.turn();
        writer.open(&self.floor, self.algorithms);
        // What was kept may come from another configuration: never without pins.
        let sets = terms.sets(&writer.history.state).or_else(|error| {
            let reason = no_sets("kept.pin_sets", &error);
            writer.history = writer.history.all_set_aside(&reason);
            terms.sets(&writer.history.state)
        });
        let sets = sets.map_err(|error| FloorError::Payload(no_sets("floor.pin_sets", &error)))?;
        writer.begin(&self.floor, &turn, now);
        let notices = writer.take_notices();
        let expires = writer.history.state.expires();
        let generation = PinGeneration::new(0, sets).with_announcement_expires(expires);
        let store = PinStore {
            floor: self.floor,
            algorithms: self.algorithms,
            terms,
            origin,
            generation: ArcSwap::from_pointee(generation),
            writer: Mutex::new(writer),
        };
        Ok((Arc::new(store), notices))
    }
}

fn no_sets(place: &str, error: &PinSetError) -> AnnouncementError {
    AnnouncementError::Malformed {
        place: place.to_owned(),
        reason: error.to_string(),
    }
}
