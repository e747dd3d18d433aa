//! All pairs of one key, and what is told of them. An edge, for it looks at files.

use std::path::Path;

use super::error::ReloadError;
use super::key_files::KeyFiles;
use super::key_material::KeyMaterial;
use super::key_source::NamedSource;
use super::place::PairPlace;
use super::rules::{AtStart, UnknownName};
use super::served::ServedKey;
use super::slot::{Looking, Slot, SlotSettings};
use super::step::ReloadStep;
use super::table::KeyTable;
use super::telling::Teller;
use crate::event::Event;
use crate::time::Timestamp;

/// The pairs in the order in which they were given.
#[derive(Debug)]
pub(super) struct Pairs {
    slots: Vec<Slot>,
    teller: Teller,
    /// Counted up whenever handshakes get other certificates.
    epoch: u64,
}

/// What came of a look at pairs.
#[derive(Debug, Default)]
pub(super) struct LookedAt {
    pub(super) swapped: usize,
    pub(super) refused: Vec<ReloadError>,
    /// How many failures are to be counted.
    pub(super) failures: u64,
    pub(super) events: Vec<Event>,
    /// Whether handshakes get something else from now on.
    pub(super) is_changed: bool,
    /// Whether how a pair stands may have changed.
    pub(super) is_looked: bool,
}

impl Pairs {
    pub(super) const fn new(teller: Teller) -> Self {
        Self {
            slots: Vec::new(),
            teller,
            epoch: 0,
        }
    }

    /// Loads the pairs that a service starts with.
    ///
    /// # Errors
    /// Why one cannot be served; with [`AtStart::SkipBroken`] why the first cannot, where none can.
    pub(super) fn start(
        &mut self,
        places: Vec<PairPlace>,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> Result<LookedAt, ReloadError> {
        let mut looked = LookedAt::default();
        let mut first = None;
        for place in places {
            self.name_is_free(&place)?;
            let (slot, step) = Slot::start(place, settings, now);
            if let Some(error) = step.error() {
                if settings.rules.at_start != AtStart::SkipBroken {
                    return Err(error.clone());
                }
                first.get_or_insert_with(|| error.clone());
                looked.failures = looked.failures.saturating_add(1);
            }
            let told = self.tell_start(&slot, &step, settings, now);
            looked.events.extend(told);
            self.slots.push(slot);
        }
        match first {
            Some(error) if !self.slots.iter().any(Slot::is_serving) => Err(error),
            _ => Ok(looked),
        }
    }

    /// Looks at all of them but those whose source is to be asked first.
    pub(super) fn look(
        &mut self,
        settings: &SlotSettings,
        looking: Looking,
        now: Timestamp,
    ) -> LookedAt {
        let mut looked = LookedAt::default();
        for slot in &mut self.slots {
            if slot.place().source().is_none() {
                looked.add(look_at(slot, &mut self.teller, settings, looking, now));
            }
        }
        self.count_swaps(&looked);
        looked
    }

    /// The sources that are to be asked.
    pub(super) fn sources(&self) -> Vec<NamedSource> {
        let sources = self.slots.iter().filter_map(|slot| slot.place().source());
        sources.cloned().collect()
    }

    /// Looks at what this source gave, unless it was removed meanwhile.
    pub(super) fn take_fetched(
        &mut self,
        source: &NamedSource,
        fetched: Result<KeyMaterial, ReloadError>,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> LookedAt {
        let is_its = |slot: &&mut Slot| {
            let own = slot.place().source();
            own.is_some_and(|own| own.is(source))
        };
        let Some(slot) = self.slots.iter_mut().find(is_its) else {
            return LookedAt::default();
        };
        slot.give(fetched);
        let looked = look_at(slot, &mut self.teller, settings, Looking::Now, now);
        self.count_swaps(&looked);
        looked
    }

    /// Looks at what is pushed under this name from now on.
    ///
    /// # Errors
    /// [`ReloadError::NothingPushed`].
    pub(super) fn set(
        &mut self,
        name: &str,
        material: KeyMaterial,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> Result<LookedAt, ReloadError> {
        let mut slots = self.slots.iter_mut();
        let Some(slot) = slots.find(|slot| slot.place().is_pushed_as(name)) else {
            let name = name.to_owned();
            return Err(ReloadError::NothingPushed { name });
        };
        slot.give(Ok(material));
        let looked = look_at(slot, &mut self.teller, settings, Looking::Now, now);
        self.count_swaps(&looked);
        Ok(looked)
    }

    /// Loads one more.
    ///
    /// # Errors
    /// Why it cannot be served: then it is not there.
    pub(super) fn add(
        &mut self,
        place: PairPlace,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> Result<LookedAt, ReloadError> {
        self.name_is_free(&place)?;
        let (slot, step) = Slot::start(place, settings, now);
        if let Some(error) = step.error() {
            return Err(error.clone());
        }
        let looked = LookedAt {
            events: self.tell_start(&slot, &step, settings, now),
            is_changed: true,
            ..LookedAt::default()
        };
        self.slots.push(slot);
        self.epoch = self.epoch.saturating_add(1);
        Ok(looked)
    }

    /// Whether the pair in these files is there.
    pub(super) fn has_files(&self, files: &KeyFiles) -> bool {
        let mut slots = self.slots.iter();
        slots.any(|slot| slot.place().is_of_files(files))
    }

    /// Serves those with this certificates' file, or of this name, no longer.
    ///
    /// # Errors
    /// [`ReloadError::NoSuchPair`], [`ReloadError::LastPair`].
    pub(super) fn remove(&mut self, name: &Path) -> Result<LookedAt, ReloadError> {
        let is_it = |slot: &Slot| slot.place().certificate_file() == name;
        let file = || crate::source::path_name(name);
        if !self.slots.iter().any(is_it) {
            return Err(ReloadError::NoSuchPair { file: file() });
        }
        let serves = |slot: &Slot| slot.is_serving() && !is_it(slot);
        if !self.slots.iter().any(serves) {
            return Err(ReloadError::LastPair { file: file() });
        }
        for slot in self.slots.iter().filter(|slot| is_it(slot)) {
            self.teller.forget(&slot.told());
        }
        self.slots.retain(|slot| !is_it(slot));
        self.epoch = self.epoch.saturating_add(1);
        Ok(LookedAt {
            is_changed: true,
            ..LookedAt::default()
        })
    }

    fn name_is_free(&self, place: &PairPlace) -> Result<(), ReloadError> {
        let mut slots = self.slots.iter();
        match slots.any(|slot| slot.place().shares_name_with(place)) {
            false => Ok(()),
            true => Err(ReloadError::NameTaken { name: place.name() }),
        }
    }

    fn count_swaps(&mut self, looked: &LookedAt) {
        let swapped = u64::try_from(looked.swapped).unwrap_or(u64::MAX);
        self.epoch = self.epoch.saturating_add(swapped);
    }

    pub(super) fn table(&self, unknown_name: UnknownName) -> KeyTable {
        let rows = self.slots.iter().filter_map(Slot::row);
        KeyTable::new(rows, unknown_name, self.epoch)
    }

    pub(super) fn shown(&self, settle_seconds: i64) -> Vec<ServedKey> {
        let slots = self.slots.iter();
        slots.map(|slot| slot.shown(settle_seconds)).collect()
    }

    fn tell_start(
        &mut self,
        slot: &Slot,
        step: &ReloadStep,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        #[cfg(feature = "ocsp")]
        events.extend(tell_staple(&mut self.teller, slot, settings, now));
        #[cfg(not(feature = "ocsp"))]
        let _ = settings;
        events.extend(match step.error() {
            Some(_) => self.teller.step(&slot.told(), step, now),
            None => self.teller.start(&slot.told(), now),
        });
        events
    }
}

/// Looks at one, and says what is to be told of it.
fn look_at(
    slot: &mut Slot,
    teller: &mut Teller,
    settings: &SlotSettings,
    looking: Looking,
    now: Timestamp,
) -> LookedAt {
    let mut looked = LookedAt::default();
    let look = slot.look(settings, looking, now);
    looked.is_changed = look.is_changed;
    if let Some(step) = look.step {
        looked.is_looked = true;
        looked.events.extend(teller.step(&slot.told(), &step, now));
        looked.take(step);
    }
    #[cfg(feature = "ocsp")]
    looked
        .events
        .extend(tell_staple(teller, slot, settings, now));
    looked
}

impl LookedAt {
    fn add(&mut self, other: Self) {
        self.swapped = self.swapped.saturating_add(other.swapped);
        self.refused.extend(other.refused);
        self.failures = self.failures.saturating_add(other.failures);
        self.events.extend(other.events);
        self.is_changed |= other.is_changed;
        self.is_looked |= other.is_looked;
    }

    fn take(&mut self, step: ReloadStep) {
        match step {
            ReloadStep::Unchanged | ReloadStep::Restored => {}
            ReloadStep::Swapped { .. } => self.swapped = self.swapped.saturating_add(1),
            ReloadStep::Settling { error } => self.refused.push(error),
            ReloadStep::Refused { error, fresh, .. } => {
                self.refused.push(error);
                self.failures = self.failures.saturating_add(u64::from(fresh));
            }
        }
    }
}

#[cfg(feature = "ocsp")]
fn tell_staple(
    teller: &mut Teller,
    slot: &Slot,
    settings: &SlotSettings,
    now: Timestamp,
) -> Option<Event> {
    let standing = slot.staple_standing(settings.settle_seconds, now)?;
    teller.staple(&slot.told(), standing, now)
}
