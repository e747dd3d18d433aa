//! All pairs of one key, and what is told of them. An edge, for it looks at files.

use std::path::Path;

use super::error::ReloadError;
use super::key_files::KeyFiles;
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
        files: Vec<KeyFiles>,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> Result<LookedAt, ReloadError> {
        let mut looked = LookedAt::default();
        let mut first = None;
        for files in files {
            let (slot, step) = Slot::start(files, settings, now);
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

    /// Looks at all of them.
    pub(super) fn look(
        &mut self,
        settings: &SlotSettings,
        looking: Looking,
        now: Timestamp,
    ) -> LookedAt {
        let mut looked = LookedAt::default();
        for slot in &mut self.slots {
            let look = slot.look(settings, looking, now);
            looked.is_changed |= look.is_changed;
            if let Some(step) = look.step {
                looked.is_looked = true;
                if matches!(step, ReloadStep::Swapped { .. }) {
                    self.epoch = self.epoch.saturating_add(1);
                }
                let told = self.teller.step(&slot.told(), &step, now);
                looked.events.extend(told);
                looked.take(step);
            }
            #[cfg(feature = "ocsp")]
            looked
                .events
                .extend(tell_staple(&mut self.teller, slot, settings, now));
        }
        looked
    }

    /// Loads one more; whether it was not there yet.
    ///
    /// # Errors
    /// Why it cannot be served: then it is not there.
    pub(super) fn add(
        &mut self,
        files: KeyFiles,
        settings: &SlotSettings,
        now: Timestamp,
    ) -> Result<LookedAt, ReloadError> {
        let mut looked = LookedAt::default();
        if self.slots.iter().any(|slot| *slot.files() == files) {
            return Ok(looked);
        }
        let (slot, step) = Slot::start(files, settings, now);
        if let Some(error) = step.error() {
            return Err(error.clone());
        }
        looked.events = self.tell_start(&slot, &step, settings, now);
        looked.is_changed = true;
        self.slots.push(slot);
        self.epoch = self.epoch.saturating_add(1);
        Ok(looked)
    }

    /// Serves those with this certificates' file no longer.
    ///
    /// # Errors
    /// [`ReloadError::NoSuchPair`], [`ReloadError::LastPair`].
    pub(super) fn remove(&mut self, certificates: &Path) -> Result<(), ReloadError> {
        let is_it = |slot: &Slot| slot.files().certificates == certificates;
        let file = || crate::source::path_name(certificates);
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
        Ok(())
    }

    pub(super) fn table(&self, unknown_name: UnknownName) -> KeyTable {
        let rows = self.slots.iter().filter_map(Slot::row);
        KeyTable::new(rows, unknown_name, self.epoch)
    }

    pub(super) fn shown(&self) -> Vec<ServedKey> {
        self.slots.iter().map(Slot::shown).collect()
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

impl LookedAt {
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
