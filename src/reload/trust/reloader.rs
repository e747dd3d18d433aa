//! What looks at the places and publishes what is fit: an edge, for it is asked in handshakes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use rustls::time_provider::TimeProvider;

use super::error::TrustReloadError;
use super::kind::{Admitted, TrustKind, TrustLook};
use super::places::TrustPlaces;
use super::standing::{TrustStanding, TrustStep};
use super::telling::{ToldTrust, TrustTeller};
use super::watched::{AgreementView, TrustAgreement};
use crate::alert::RepeatPolicy;
use crate::event::Event;
use crate::monitor::Evaluation;
use crate::observer::Outbox;
use crate::reload::files::LastLook;
#[cfg(feature = "metrics")]
use crate::reload::published::{PublishedReloads, ReloadNumbers};
use crate::reload::slot::Looking;
use crate::source::Loader;
use crate::time::{Timestamp, clock};

/// What came of one look at trust anchors or revocation lists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustReloadSummary {
    /// The instant of the look.
    pub at: Timestamp,
    /// Whether something else is in force since.
    pub is_swapped: bool,
    /// Why what lies there is not in force, where it is not; it may be half-written.
    pub refused: Option<TrustReloadError>,
}

/// How it is looked at and told of.
#[derive(Debug)]
pub(super) struct ReloaderSettings {
    pub(super) loader: Loader,
    pub(super) settle_seconds: i64,
    pub(super) clock: Option<Arc<dyn TimeProvider>>,
    pub(super) outbox: Outbox,
    pub(super) repeat: RepeatPolicy,
    #[cfg(feature = "metrics")]
    pub(super) published: Option<PublishedReloads>,
}

impl Default for ReloaderSettings {
    fn default() -> Self {
        Self {
            loader: Loader::new(),
            settle_seconds: 10,
            clock: None,
            outbox: Outbox::default(),
            repeat: RepeatPolicy::default(),
            #[cfg(feature = "metrics")]
            published: None,
        }
    }
}

/// Anchors or lists that are loaded again.
#[derive(Debug)]
pub(super) struct Reloader<K: TrustKind> {
    kind: K,
    settings: ReloaderSettings,
    in_force: ArcSwap<K::Value>,
    state: Mutex<ReloaderState<K::Contents>>,
    /// Apart from the state, which is held while files are read.
    status: Mutex<ReloaderStatus>,
    swaps: AtomicU64,
    failures: AtomicU64,
}

#[derive(Debug)]
struct ReloaderState<C> {
    places: TrustPlaces,
    look: LastLook,
    standing: TrustStanding<C>,
    teller: TrustTeller,
}

/// What can be asked while files are read.
#[derive(Debug, Clone)]
pub(super) struct ReloaderStatus {
    pub(super) polled: Timestamp,
    pub(super) agreement: TrustAgreement,
}

impl<K: TrustKind> Reloader<K> {
    /// Loads everything once.
    pub(super) fn start(
        kind: K,
        places: TrustPlaces,
        settings: ReloaderSettings,
    ) -> Result<Self, TrustReloadError> {
        let now = clock::now(settings.clock.as_ref());
        let mut look = LastLook::default();
        let loaded = places.read(&kind, &mut look, &settings.loader, now);
        let name = places.name();
        let circumstances = TrustLook {
            place: &name,
            written_within: 0,
            now,
        };
        let value = kind.admit(&loaded, &circumstances, None)?.value;
        let mut teller = TrustTeller::new(K::ROLE, settings.repeat, &name);
        let mut events = teller.ends(kind.conditions(&value, now), now);
        let remark = kind.remark(&value);
        events.extend(remark.map(|remark| teller.start(&name, &remark, now)));
        events
            .iter()
            .for_each(|event| settings.outbox.deliver(event));
        let reloader = Self {
            kind,
            in_force: ArcSwap::from_pointee(value),
            state: Mutex::new(ReloaderState {
                places,
                look,
                standing: TrustStanding::new(loaded, now),
                teller,
            }),
            status: Mutex::new(ReloaderStatus {
                polled: now,
                agreement: TrustAgreement {
                    place: name,
                    stale_since: None,
                    failure: None,
                },
            }),
            settings,
            swaps: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        };
        #[cfg(feature = "metrics")]
        reloader.publish_numbers(0, 0);
        Ok(reloader)
    }

    pub(super) fn in_force(&self) -> Arc<K::Value> {
        self.in_force.load_full()
    }

    /// Looks at the places once.
    pub(super) fn look(&self, looking: Looking, now: Timestamp) -> TrustReloadSummary {
        let mut state = lock(&self.state);
        let mut events = Vec::new();
        let (is_read, settle_seconds) = match looking {
            Looking::AsUsual => (
                state.standing.failing.is_some()
                    || state.look.may_differ(&state.places.watched(), now),
                self.settings.settle_seconds,
            ),
            Looking::Now => (true, 0),
        };
        let step = match is_read {
            true => {
                let ReloaderState { places, look, .. } = &mut *state;
                let contents = places.read(&self.kind, look, &self.settings.loader, now);
                self.take(&mut state, contents, settle_seconds, now)
            }
            false => TrustStep::Unchanged,
        };
        events.extend(self.tell(&mut state, &step, now));
        let conditions = self.kind.conditions(&self.in_force.load(), now);
        events.extend(state.teller.ends(conditions, now));
        self.publish_status(&state, now);
        drop(state);
        self.finish(step, &events, now)
    }

    /// Takes what the application pushes under this name instead of what it pushed before.
    pub(super) fn set_bytes(
        &self,
        name: &str,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<TrustReloadSummary, TrustReloadError> {
        let mut state = lock(&self.state);
        let mut places = state.places.clone();
        places.pushed.insert(name.to_owned(), bytes.to_owned());
        let mut look = state.look.clone();
        let contents = places.read(&self.kind, &mut look, &self.settings.loader, now);
        let place = places.name();
        // What is pushed is whole, which the files beside it need not be.
        let circumstances = TrustLook {
            place: &place,
            written_within: look.written_within(self.settings.settle_seconds, now),
            now,
        };
        let in_force = self.in_force.load_full();
        let admitted = self.kind.admit(&contents, &circumstances, Some(&in_force));
        let step = match admitted {
            Ok(admitted) => {
                // Only what is admitted is held for the next look.
                state.places = places;
                state.look = look;
                self.put(&mut state, contents, admitted, now)
            }
            // The caller is told, and what was pushed before stays. Files that changed meanwhile are for
            // the next look.
            Err(error) => state.standing.refused_push(name, bytes, error),
        };
        let events: Vec<_> = self.tell(&mut state, &step, now).into_iter().collect();
        self.publish_status(&state, now);
        drop(state);
        let refused = match &step {
            TrustStep::Refused { error, .. } => Some(error.clone()),
            _ => None,
        };
        let summary = self.finish(step, &events, now);
        refused.map_or(Ok(summary), Err)
    }

    pub(super) fn now(&self) -> Timestamp {
        clock::now(self.settings.clock.as_ref())
    }

    pub(super) fn status(&self) -> ReloaderStatus {
        lock(&self.status).clone()
    }

    /// How it stands, for a monitor.
    pub(super) fn evaluate(&self, now: Timestamp) -> Evaluation {
        let agreement = self.status().agreement;
        let in_force = self.in_force();
        let mut evaluation = self.kind.evaluate(&in_force, &agreement.place, now);
        let is_told = !self.settings.outbox.is_empty();
        if !is_told {
            let conditions = self.kind.conditions(&in_force, now);
            evaluation.conditions.extend(conditions);
        }
        let view = AgreementView {
            agreement: &agreement,
            role: K::ROLE,
            settle_seconds: self.settings.settle_seconds,
            is_told,
        };
        view.add_to(evaluation, now)
    }

    pub(super) fn swaps(&self) -> u64 {
        self.swaps.load(Ordering::Acquire)
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }

    pub(super) const fn outbox(&self) -> &Outbox {
        &self.settings.outbox
    }

    fn take(
        &self,
        state: &mut ReloaderState<K::Contents>,
        contents: Vec<K::Contents>,
        settle_seconds: i64,
        now: Timestamp,
    ) -> TrustStep {
        if contents == state.standing.loaded {
            return state.standing.agrees();
        }
        let place = state.places.name();
        let look = TrustLook {
            place: &place,
            written_within: state.look.written_within(settle_seconds, now),
            now,
        };
        let in_force = self.in_force.load_full();
        match self.kind.admit(&contents, &look, Some(&in_force)) {
            Ok(admitted) => self.put(state, contents, admitted, now),
            Err(error) => {
                let standing = &mut state.standing;
                standing.refused(contents, error, settle_seconds, now)
            }
        }
    }

    /// Puts it in force, unless a verifier would go by the same.
    fn put(
        &self,
        state: &mut ReloaderState<K::Contents>,
        contents: Vec<K::Contents>,
        admitted: Admitted<K::Value>,
        now: Timestamp,
    ) -> TrustStep {
        let Admitted { value, warning } = admitted;
        if self.kind.is_same(&value, &self.in_force.load()) {
            state.standing.loaded = contents;
            return state.standing.agrees();
        }
        self.in_force.store(Arc::new(value));
        state.standing.swapped(contents, warning, now)
    }

    fn tell(
        &self,
        state: &mut ReloaderState<K::Contents>,
        step: &TrustStep,
        now: Timestamp,
    ) -> Option<Event> {
        // It may be half-written, and whole in a moment.
        if matches!(step, TrustStep::Settling(_)) {
            return None;
        }
        let told = ToldTrust {
            place: &state.places.name(),
            in_force: self.kind.describe(&self.in_force.load()),
            since: state.standing.loaded_at,
        };
        state.teller.step(&told, step, now)
    }

    fn publish_status(&self, state: &ReloaderState<K::Contents>, now: Timestamp) {
        let failing = state.standing.failing.as_ref();
        *lock(&self.status) = ReloaderStatus {
            polled: now,
            agreement: TrustAgreement {
                place: state.places.name(),
                stale_since: failing.map(|failing| failing.since),
                failure: failing.map(|failing| failing.error.clone()),
            },
        };
    }

    #[cfg(feature = "metrics")]
    fn publish_numbers(&self, swapped: u64, failures: u64) {
        if let Some(published) = &self.settings.published {
            let status = self.status();
            published.publish(ReloadNumbers {
                swapped,
                failures,
                stale_since: status.agreement.stale_since,
                polled: status.polled,
            });
        }
    }

    /// After the locks are gone: an observer may ask.
    fn finish(&self, step: TrustStep, events: &[Event], now: Timestamp) -> TrustReloadSummary {
        let is_swapped = matches!(step, TrustStep::Swapped { .. });
        let (refused, failures) = match step {
            TrustStep::Settling(error) => (Some(error), 0),
            TrustStep::Refused { error, fresh } => (Some(error), u64::from(fresh)),
            TrustStep::Unchanged | TrustStep::Restored | TrustStep::Swapped { .. } => (None, 0),
        };
        self.failures.fetch_add(failures, Ordering::Release);
        self.swaps
            .fetch_add(u64::from(is_swapped), Ordering::Release);
        #[cfg(feature = "metrics")]
        self.publish_numbers(u64::from(is_swapped), failures);
        events
            .iter()
            .for_each(|event| self.settings.outbox.deliver(event));
        TrustReloadSummary {
            at: now,
            is_swapped,
            refused,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Observers run without it, so nobody's panic leaves it half-done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
