//! The store.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use super::compare::{changes, stale};
use super::history::History;
use super::set_rules::SetRules;
use super::shelf::{Saved, Shelf, Turn};
use super::{PinStoreBuilder, StorageLock, StoreNotice};
use crate::announce::{
    Algorithms, AnnouncementError, FloorError, PinFloor, PreviousAnnouncement, RotationState,
    SignedAnnouncement,
};
use crate::pin::{ExpiryRule, PinGeneration, PinSetError, PinSets, PinsInForce};
use crate::time::Timestamp;

/// The latest instant is written down when it has moved by so many seconds.
const NOTE_TIME_EVERY: i64 = 24 * 60 * 60;

/// What was seen so many seconds after now shows that a clock is wrong, or that somebody wrote it.
const FAR_AHEAD: i64 = 24 * 60 * 60;

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
    algorithms: Algorithms,
    rules: SetRules,
    origin: History,
    generation: ArcSwap<PinGeneration>,
    writer: Mutex<Writer>,
}

struct Writer {
    history: History,
    shelf: Option<Shelf>,
    /// The latest instant that is on disk.
    noted: Timestamp,
    /// Up to when changes have been told.
    told: Timestamp,
    /// What could not be told yet, because the call that found it failed.
    untold: Vec<StoreNotice>,
}

/// What an announcement did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The version in force.
    pub version: u64,
    /// Whether it was in force already, so that nothing changed.
    pub unchanged: bool,
    /// How safely it is kept.
    pub durability: Durability,
    /// What there is to say about it.
    pub notices: Vec<StoreNotice>,
}

/// How safely the pins in force are kept. They are in force in any case: refusing an announcement
/// because a disk is full would leave a rejected key accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// In two copies.
    Kept,
    /// In one of the two copies. It is tried again.
    OneCopy,
    /// In memory: a restart before the next attempt would go back to the generation before.
    MemoryOnly,
}

impl PinStore {
    /// Starts configuring one.
    ///
    /// `expiry` says what happens after the floor's `expires`; there is no default, and no
    /// announcement changes it. `algorithms` are the crypto provider's, `all` of its
    /// `signature_verification_algorithms`.
    pub fn builder(floor: PinFloor, expiry: ExpiryRule, algorithms: Algorithms) -> PinStoreBuilder {
        PinStoreBuilder::new(floor, expiry, algorithms)
    }

    pub(super) fn start(
        builder: PinStoreBuilder,
        origin: History,
        now: Timestamp,
    ) -> Result<(Self, Vec<StoreNotice>), FloorError> {
        let PinStoreBuilder {
            floor, algorithms, ..
        } = builder;
        let rules = SetRules {
            expires: floor.expires(),
            expiry: builder.expiry,
            mode: builder.mode,
        };
        let mut notices = Vec::new();
        let mut shelf = builder.storage.map(Shelf::new);
        let turn = shelf.as_ref().map(Shelf::turn);
        let mut history = origin.clone();
        match &mut shelf {
            Some(shelf) => {
                let found = shelf.open(&origin, &floor, algorithms);
                notices = found.notices;
                history = found.history.unwrap_or(history);
            }
            None => notices.push(StoreNotice::HoldDownCannotEnd),
        }
        // What was kept may come from another configuration: never without pins.
        let sets = rules.sets(&history.state).or_else(|error| {
            history = history.all_set_aside(&no_sets("kept.pin_sets", &error));
            rules.sets(&history.state)
        });
        let sets = sets.map_err(|error| FloorError::Payload(no_sets("floor.pin_sets", &error)))?;
        let latest = history.state.latest();
        if latest.seconds_since(now) > FAR_AHEAD {
            notices.push(StoreNotice::StateAhead { latest, now });
        }
        let mut writer = Writer {
            noted: history.state.latest(),
            told: now,
            untold: Vec::new(),
            history,
            shelf,
        };
        writer.history.state.reach(now);
        if let Some(turn) = turn.filter(|_| !writer.is_kept()) {
            writer.save(&floor, &turn);
        }
        let expires = writer.history.state.expires();
        notices.extend(writer.told_now());
        notices.extend(stale(&writer.history.state, None, now));
        let store = Self {
            floor,
            algorithms,
            rules,
            origin,
            generation: ArcSwap::from_pointee(
                PinGeneration::new(0, sets).with_announcement_expires(expires),
            ),
            writer: Mutex::new(writer),
        };
        Ok((store, notices))
    }

    /// Applies an announcement. Refused, it changes nothing.
    ///
    /// # Errors
    /// [`AnnouncementError`] with the reason; `docs/ANNOUNCEMENTS.md` gives the rules.
    pub fn apply(&self, envelope: &[u8], now: Timestamp) -> Result<Applied, AnnouncementError> {
        let mut writer = self.writer();
        let turn = writer.turn();
        self.look_at_disk(&mut writer, now);
        let authority = writer.history.state.authority_at(now).clone();
        let signed = SignedAnnouncement::open(envelope, &authority, self.algorithms)?;
        let unchanged = signed.is_in_force(&writer.history.state);
        if !unchanged {
            let said = StoreNotice::of_announcement(&writer.history.state, &signed);
            let next = writer.history.with(signed, now)?;
            if let Some(bytes) = Shelf::too_large(&next, &self.floor) {
                let limit = super::copy::MAX_BYTES;
                let announcements = next.len();
                return Err(AnnouncementError::HistoryFull {
                    announcements,
                    bytes,
                    limit,
                });
            }
            let sets = self.rules.sets(&next.state);
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
            notices: writer.told_now(),
        })
    }

    /// Lets time pass: tells which pins have matured, tries again what a disk refused, takes over
    /// what another process applied to the same folder, and remembers the instant, so that a
    /// clock set back later shortens no hold-down. Call it now and then; once an hour is plenty.
    pub fn tick(&self, now: Timestamp) -> Vec<StoreNotice> {
        let mut writer = self.writer();
        let turn = writer.turn();
        self.look_at_disk(&mut writer, now);
        let state = &writer.history.state;
        let matured = changes((state, writer.told), (state, now));
        let stale = stale(state, Some(writer.told), now);
        writer.untold.extend(matured.into_iter().chain(stale));
        writer.told = now;
        writer.history.state.reach(now);
        let moved = writer.history.state.latest().seconds_since(writer.noted);
        let time_to_note = moved >= NOTE_TIME_EVERY && matches!(turn, Turn::Ours(_));
        if time_to_note || !writer.is_kept() {
            writer.save(&self.floor, &turn);
        }
        writer.told_now()
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
        let Some(shelf) = &mut writer.shelf else {
            return;
        };
        let found = shelf.refresh(&writer.history, &self.origin, self.algorithms, now);
        writer.untold.extend(found.notices);
        let Some(mut next) = found.history else {
            return;
        };
        let reached = writer.history.state.latest();
        if next.is_alike(&writer.history) {
            next.state.reach(reached);
            writer.history = next;
            return;
        }
        match self.rules.sets(&next.state) {
            Ok(sets) => {
                writer.noted = next.state.latest();
                let version = next.state.version();
                writer.move_to(next, vec![StoreNotice::TakenOver { version }], now);
                writer.history.state.reach(reached);
                self.publish(sets, &writer.history.state);
            }
            Err(error) => {
                let reason = no_sets("kept.pin_sets", &error);
                writer.history.set_newer_aside(&next, &reason);
            }
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

impl Writer {
    /// Whether both copies hold what is in force.
    fn is_kept(&self) -> bool {
        self.shelf.as_ref().is_some_and(Shelf::is_whole)
    }

    fn move_to(&mut self, next: History, why: Vec<StoreNotice>, now: Timestamp) {
        let before = (&self.history.state, self.told);
        let changes = changes(before, (&next.state, now));
        self.untold.extend(why);
        self.untold.extend(changes);
        self.history = next;
        self.told = now;
    }

    fn told_now(&mut self) -> Vec<StoreNotice> {
        std::mem::take(&mut self.untold)
    }

    /// Without a folder, nobody else has a turn.
    fn turn(&self) -> Turn {
        let shelf = self.shelf.as_ref();
        shelf.map_or_else(|| Turn::Ours(StorageLock::none()), Shelf::turn)
    }

    fn save(&mut self, floor: &PinFloor, turn: &Turn) -> Durability {
        let Some(shelf) = &mut self.shelf else {
            return Durability::MemoryOnly;
        };
        let Saved { copies, problem } = shelf.save(&self.history, floor, turn);
        if copies > 0 {
            self.noted = self.history.state.latest();
        }
        let notice = problem.map(|reason| StoreNotice::NotSaved { copies, reason });
        self.untold.extend(notice);
        match copies {
            0 => Durability::MemoryOnly,
            1 => Durability::OneCopy,
            _ => Durability::Kept,
        }
    }
}

fn no_sets(place: &str, error: &PinSetError) -> AnnouncementError {
    AnnouncementError::Malformed {
        place: place.to_owned(),
        reason: error.to_string(),
    }
}
