//! Pairs while they are served: what handshakes find, what is looked at, and what is told of it. An
//! edge, for it is asked in handshakes.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, Guard};
use rustls::time_provider::TimeProvider;

use super::error::ReloadError;
use super::key_files::KeyFiles;
use super::key_material::KeyMaterial;
use super::key_source::NamedSource;
use super::pairs::{LookedAt, Pairs};
use super::place::PairPlace;
#[cfg(feature = "metrics")]
use super::published::{PublishedReloads, ReloadNumbers};
use super::rules::UnknownName;
use super::served::ServedKey;
use super::slot::{Looking, SlotSettings};
use super::table::KeyTable;
use super::telling::Teller;
use crate::alert::RepeatPolicy;
use crate::event::Role;
use crate::observer::Outbox;
use crate::policy::ThresholdPolicy;
use crate::time::Timestamp;
use crate::time::clock;

/// Pairs, and what handshakes see of them.
pub(super) struct LivePairs {
    table: ArcSwap<KeyTable>,
    pub(super) settings: SlotSettings,
    pub(super) serving: ServingSettings,
    pairs: Mutex<Pairs>,
    /// Who asks a source and takes what it gave: one at a time, so that nobody puts back what an
    /// earlier one was given. Held while a source blocks, and nothing else waits for it.
    asking: Mutex<()>,
    /// Apart from the pairs, which are held while files are read.
    status: Mutex<Status>,
    pub(super) reloads: AtomicU64,
    pub(super) failures: AtomicU64,
}

/// How slots are shown and told of.
pub(super) struct ServingSettings {
    pub(super) unknown_name: UnknownName,
    pub(super) clock: Option<Arc<dyn TimeProvider>>,
    pub(super) outbox: Outbox,
    pub(super) policy: ThresholdPolicy,
    pub(super) repeat: RepeatPolicy,
    #[cfg(feature = "metrics")]
    pub(super) published: Option<PublishedReloads>,
    pub(super) role: Role,
}

#[derive(Debug, Clone)]
struct Status {
    served: Vec<ServedKey>,
    polled: Timestamp,
}

/// What came of one look at the files and sources.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReloadSummary {
    /// The instant of the look.
    pub at: Timestamp,
    /// How many pairs were replaced.
    pub swapped: usize,
    /// Why others cannot be, though they differ from what is served; files that may be
    /// half-written are among them.
    pub refused: Vec<ReloadError>,
}

impl LivePairs {
    /// Loads everything once.
    pub(super) fn start(
        mut places: Vec<PairPlace>,
        settings: SlotSettings,
        serving: ServingSettings,
    ) -> Result<Self, ReloadError> {
        let now = clock::now(serving.clock.as_ref());
        places.iter_mut().for_each(PairPlace::ask);
        let mut pairs = Pairs::new(Teller::new(serving.policy, serving.repeat, serving.role));
        let looked = pairs.start(places, &settings, now)?;
        let live = Self {
            table: ArcSwap::from_pointee(pairs.table(serving.unknown_name)),
            status: Mutex::new(Status {
                served: pairs.shown(settings.settle_seconds),
                polled: now,
            }),
            settings,
            serving,
            pairs: Mutex::new(pairs),
            asking: Mutex::new(()),
            reloads: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        };
        live.count_and_tell(&looked);
        Ok(live)
    }

    /// What handshakes look into.
    pub(super) fn table(&self) -> Guard<Arc<KeyTable>> {
        self.table.load()
    }

    pub(super) fn now(&self) -> Timestamp {
        clock::now(self.serving.clock.as_ref())
    }

    /// Looks at files and at what is pushed, then asks the sources one after the other.
    pub(super) fn look(&self, looking: Looking, now: Timestamp) -> ReloadSummary {
        let mut summary = ReloadSummary {
            at: now,
            swapped: 0,
            refused: Vec::new(),
        };
        let mut sources = Vec::new();
        let looked = self.change(|pairs| {
            sources = pairs.sources();
            lock(&self.status).polled = now;
            Ok(pairs.look(&self.settings, looking, now))
        });
        summary.add(looked);
        for source in sources {
            summary.add(self.ask(&source, now));
        }
        summary
    }

    /// Takes this instead of what was pushed before.
    pub(super) fn set(&self, name: &str, material: KeyMaterial) -> Result<(), ReloadError> {
        let now = self.now();
        let looked = self.change(|pairs| pairs.set(name, material, &self.settings, now))?;
        looked.refused.into_iter().next().map_or(Ok(()), Err)
    }

    /// Loads one more, which is asked first where it is a source.
    pub(super) fn add(&self, mut place: PairPlace) -> Result<(), ReloadError> {
        place.ask();
        let now = self.now();
        self.change(|pairs| pairs.add(place, &self.settings, now))?;
        Ok(())
    }

    /// The same of files, which stay as they are where they are there.
    pub(super) fn add_files(&self, files: KeyFiles) -> Result<(), ReloadError> {
        let now = self.now();
        self.change(|pairs| match pairs.has_files(&files) {
            true => Ok(LookedAt::default()),
            false => pairs.add(PairPlace::from_files(files), &self.settings, now),
        })?;
        Ok(())
    }

    pub(super) fn remove(&self, name: &Path) -> Result<(), ReloadError> {
        self.change(|pairs| pairs.remove(name))?;
        Ok(())
    }

    /// Each pair as it is served.
    pub(super) fn served(&self) -> Vec<ServedKey> {
        lock(&self.status).served.clone()
    }

    pub(super) fn last_polled(&self) -> Timestamp {
        lock(&self.status).polled
    }

    fn ask(&self, source: &NamedSource, now: Timestamp) -> Result<LookedAt, ReloadError> {
        let looked = {
            let _asking = lock(&self.asking);
            let fetched = source.fetch();
            self.publish_change(|pairs| {
                Ok(pairs.take_fetched(source, fetched, &self.settings, now))
            })?
        };
        self.count_and_tell(&looked);
        Ok(looked)
    }

    /// Changes the pairs, then counts and tells what came of it.
    fn change(
        &self,
        change: impl FnOnce(&mut Pairs) -> Result<LookedAt, ReloadError>,
    ) -> Result<LookedAt, ReloadError> {
        let looked = self.publish_change(change)?;
        self.count_and_tell(&looked);
        Ok(looked)
    }

    /// Changes the pairs, and shows to handshakes and to whoever asks what came of it.
    fn publish_change(
        &self,
        change: impl FnOnce(&mut Pairs) -> Result<LookedAt, ReloadError>,
    ) -> Result<LookedAt, ReloadError> {
        let mut pairs = lock(&self.pairs);
        let looked = change(&mut pairs)?;
        if looked.is_changed {
            let table = pairs.table(self.serving.unknown_name);
            self.table.store(Arc::new(table));
        }
        if looked.is_looked || looked.is_changed {
            lock(&self.status).served = pairs.shown(self.settings.settle_seconds);
        }
        Ok(looked)
    }

    /// Since when the disk or a source holds what is not served, by the pair that waits longest.
    pub(super) fn stale_since(&self) -> Option<Timestamp> {
        lock(&self.status)
            .served
            .iter()
            .filter_map(|pair| pair.stale_since)
            .min()
    }

    #[cfg(feature = "metrics")]
    fn publish_numbers(&self, swapped: u64, failures: u64) {
        if let Some(published) = &self.serving.published {
            published.publish(ReloadNumbers {
                swapped,
                failures,
                stale_since: self.stale_since(),
                polled: self.last_polled(),
            });
        }
    }

    /// After the swap, so that who sees the count finds the new pair served; and after the locks are
    /// gone, for an observer may ask.
    fn count_and_tell(&self, looked: &LookedAt) {
        let swapped = u64::try_from(looked.swapped).unwrap_or(u64::MAX);
        self.reloads.fetch_add(swapped, Ordering::Release);
        self.failures.fetch_add(looked.failures, Ordering::Release);
        #[cfg(feature = "metrics")]
        self.publish_numbers(swapped, looked.failures);
        let outbox = &self.serving.outbox;
        looked.events.iter().for_each(|event| outbox.deliver(event));
    }
}

impl ReloadSummary {
    fn add(&mut self, looked: Result<LookedAt, ReloadError>) {
        match looked {
            Ok(looked) => {
                self.swapped = self.swapped.saturating_add(looked.swapped);
                self.refused.extend(looked.refused);
            }
            Err(error) => self.refused.push(error),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Observers and sources run without it, so nobody's panic leaves it half-done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
