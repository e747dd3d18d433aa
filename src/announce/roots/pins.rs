//! The pins in force with the successors that their roots announce, and how that begins.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::book::{Grounds, RootBook, RootEntry, check_root};
use super::held_root::HeldRoot;
use super::keeper::RootKeeper;
use super::overlay::with_successors;
use super::telling;
use super::{AnnouncedRootKey, ObservedRoot, RootAnnouncementError};
use crate::announce::state::whole_seconds;
use crate::announce::store::DEFAULT_HOLD_DOWN;
use crate::announce::{Durability, PinStorage, StoreNotice};
use crate::cert::{Certificate, SignatureAlgorithms};
use crate::pin::{PinGeneration, PinsInForce};
use crate::time::Timestamp;

/// Pins, and the successors that the pinned roots among them announce in their own certificates (RFC 8649).
///
/// It stands around any pins: a [`PinSet`](crate::PinSet), a [`PinStore`](crate::PinStore), and whatever else is
/// [`PinsInForce`]. Readers (verifiers) never wait, and see one generation as a whole.
///
/// A root's next key is never current by itself. It is announced behind the pin of the root, for the same peers and at
/// no wider position, from the end of a hold-down on that began when the root's certificate was first seen here; and
/// only as long as the root's own pin is accepted.
///
/// # How do clients learn of the root that will follow mine, without a new binary?
/// ```
/// use std::sync::Arc;
/// use notafter::announce::{PinFolder, RootAnnouncedPins};
/// use notafter::pin::{PinPosition, PinsInForce};
/// use notafter::{Certificate, PinSet, SpkiPin, Timestamp};
/// # let next = rcgen::KeyPair::generate()?;
/// # let key = rcgen::KeyPair::generate()?;
/// # let next_root = rcgen::CertificateParams::default().self_signed(&next)?;
/// # let stated = SpkiPin::from_certificate(&Certificate::from_der(next_root.der())?);
/// # let sha256 = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// # let value = [&[0x30, 0x2f, 0x30, 0x0b][..], &sha256, &[0x04, 0x20], stated.digest().as_bytes()].concat();
/// # let oid = [1, 3, 6, 1, 4, 1, 51483, 2, 1];
/// # let mut params = rcgen::CertificateParams::default();
/// # params.custom_extensions = vec![rcgen::CustomExtension::from_oid_content(&oid, value)];
/// # let root_der = params.self_signed(&key)?.der().to_vec();
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path();
/// # let now: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let root = Certificate::from_der(root_der)?; // the file that is shipped, or any newer one that comes in
/// let pinned = PinSet::builder().with_current_ca(SpkiPin::from_certificate(&root)).build()?;
/// let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
/// let (pins, notices) = RootAnnouncedPins::builder(pinned, algorithms.all)
///     .with_storage(Arc::new(PinFolder::new(path))) // e.g. /var/lib/service/pins
///     .open(now);
/// notices.iter().for_each(|notice| eprintln!("{notice}"));
/// // At each start, and for each root's certificate that comes in:
/// match pins.observe(&root, now) {
///     Ok(observed) => observed.notices.iter().for_each(|notice| eprintln!("{notice}")),
///     Err(refused) => eprintln!("{}: {refused}", refused.code()),
/// }
/// // Give `pins` to a verifier by `with_pins`. The next root counts in 30 days, not before:
/// let generation = pins.generation();
/// let set = generation.sets.for_every_peer().ok_or("one set")?;
/// let accepted = |at: Timestamp| set.accepted(at).count();
/// assert_eq!(accepted(now.saturating_add(30 * 86_400 - 1)), 1);
/// assert_eq!(accepted(now.saturating_add(30 * 86_400)), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RootAnnouncedPins {
    /// Without what roots announce.
    pins: Arc<dyn PinsInForce>,
    algorithms: SignatureAlgorithms,
    hold_down_seconds: i64,
    published: ArcSwap<Published>,
    next_epoch: AtomicU64,
    keeper: Mutex<RootKeeper>,
}

/// What readers see.
struct Published {
    base: Arc<PinGeneration>,
    roots: Arc<[HeldRoot]>,
    generation: Arc<PinGeneration>,
}

impl Published {
    fn new(base: Arc<PinGeneration>, roots: Arc<[HeldRoot]>, hold_down: i64, epoch: u64) -> Self {
        let sets = with_successors(&base.sets, &roots, hold_down);
        let generation = PinGeneration::new(epoch, sets);
        let generation = generation.with_announcement_expires(base.announcement_expires);
        Self {
            base,
            roots,
            generation: Arc::new(generation),
        }
    }

    fn stands_on(&self, base: &Arc<PinGeneration>) -> bool {
        Arc::ptr_eq(&self.base, base) || self.base == *base
    }
}

impl RootAnnouncedPins {
    /// Starts configuring, around these pins. `algorithms` are the crypto provider's, `all` of its
    /// `signature_verification_algorithms`.
    pub fn builder(
        pins: impl Into<Arc<dyn PinsInForce>>,
        algorithms: SignatureAlgorithms,
    ) -> RootAnnouncedPinsBuilder {
        RootAnnouncedPinsBuilder {
            pins: pins.into(),
            algorithms,
            hold_down: DEFAULT_HOLD_DOWN,
            known_past: Timestamp::MIN,
            storage: None,
        }
    }

    /// Looks at a certificate. That of a pinned root may announce the root's next key; that of a next root,
    /// whoever issued it, shows the key that was named by SHA-384 or SHA-512. Any certificates may be shown here, also
    /// all of a file, and again and again: nothing counts but what a pinned root's own key signed.
    ///
    /// # Errors
    /// [`RootAnnouncementError`] with the reason; nothing changes then. `docs/ANNOUNCEMENTS.md` gives the rules.
    pub fn observe(
        &self,
        certificate: &Certificate,
        now: Timestamp,
    ) -> Result<ObservedRoot, RootAnnouncementError> {
        self.check(certificate, now)?;
        let mut keeper = self.keeper();
        let turn = keeper.turn();
        self.catch_up(&mut keeper, now);
        let generation = self.generation();
        let grounds = self.grounds(&generation, now);
        let before = keeper.book.clone();
        let entry = keeper.book.observe(certificate, grounds)?;
        if keeper.book != before {
            keeper.outdate();
            self.publish(&keeper.book);
        }
        keeper.untold.extend(self.told_of(&entry));
        let durability = match keeper.is_kept() {
            true => Durability::Kept,
            false => keeper.save(&turn),
        };
        Ok(ObservedRoot {
            outcome: entry.outcome,
            next: AnnouncedRootKey::of(&entry.root, self.hold_down_seconds),
            durability,
            notices: keeper.take_notices(),
        })
    }

    /// Lets time pass: tells which next keys count now, forgets those whose roots are retired or rejected, tries again what
    /// a disk refused, takes over what another process saw, and remembers the instant, so that a clock set back
    /// later shortens no hold-down. Call it now and then; once an hour is plenty.
    pub fn tick(&self, now: Timestamp) -> Vec<StoreNotice> {
        let mut keeper = self.keeper();
        let turn = keeper.turn();
        self.catch_up(&mut keeper, now);
        let generation = self.generation();
        let told = keeper.told;
        let hold_down = self.hold_down_seconds;
        let matured = telling::matured(&keeper.book.roots, &generation.sets, hold_down, told, now);
        keeper.untold.extend(matured);
        keeper.pass_time(&turn, now);
        keeper.take_notices()
    }

    /// The next keys that are known, whether they count yet or not.
    pub fn announced(&self) -> Vec<AnnouncedRootKey> {
        let roots = Arc::clone(&self.published.load().roots);
        let announced = roots.iter();
        let announced = announced.map(|root| AnnouncedRootKey::of(root, self.hold_down_seconds));
        announced.flatten().collect()
    }

    /// Takes up what happened meanwhile on the disk, and to the pins.
    fn catch_up(&self, keeper: &mut RootKeeper, now: Timestamp) {
        let before = keeper.book.clone();
        let generation = self.generation();
        let entries = keeper.look_at_disk(self.grounds(&generation, now));
        let ended = keeper.book.end(&self.pins.generation().sets);
        keeper
            .untold
            .extend(ended.iter().filter_map(telling::withdrawn));
        if keeper.book != before {
            keeper.outdate();
            self.publish(&keeper.book);
        }
        for entry in entries {
            keeper.untold.extend(self.told_of(&entry));
        }
    }

    /// What keeps a stranger's certificate out costs neither a lock nor a look at the disk.
    fn check(
        &self,
        certificate: &Certificate,
        now: Timestamp,
    ) -> Result<(), RootAnnouncementError> {
        let generation = self.generation();
        if RootBook::is_named(&self.published.load().roots, certificate) {
            return Ok(());
        }
        check_root(certificate, self.grounds(&generation, now))
    }

    fn told_of(&self, entry: &RootEntry) -> Vec<StoreNotice> {
        telling::of_entry(entry, &self.generation().sets, self.hold_down_seconds)
    }

    const fn grounds<'a>(&self, generation: &'a PinGeneration, now: Timestamp) -> Grounds<'a> {
        Grounds {
            sets: &generation.sets,
            algorithms: self.algorithms,
            now,
        }
    }

    fn publish(&self, book: &RootBook) {
        let roots: Arc<[HeldRoot]> = book.roots.as_slice().into();
        let base = self.pins.generation();
        self.published
            .rcu(|_| Arc::new(self.published_on(&base, &roots)));
    }

    fn published_on(&self, base: &Arc<PinGeneration>, roots: &Arc<[HeldRoot]>) -> Published {
        let epoch = self.next_epoch.fetch_add(1, Ordering::Relaxed);
        let (base, roots) = (Arc::clone(base), Arc::clone(roots));
        Published::new(base, roots, self.hold_down_seconds, epoch)
    }

    fn keeper(&self) -> MutexGuard<'_, RootKeeper> {
        // Whoever panicked had changed nothing yet, or everything.
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PinsInForce for RootAnnouncedPins {
    fn generation(&self) -> Arc<PinGeneration> {
        let base = self.pins.generation();
        let published = self.published.load();
        if published.stands_on(&base) {
            return Arc::clone(&published.generation);
        }
        drop(published);
        self.published
            .rcu(|published| match published.stands_on(&base) {
                true => Arc::clone(published),
                false => Arc::new(self.published_on(&base, &published.roots)),
            });
        Arc::clone(&self.published.load().generation)
    }
}

impl fmt::Debug for RootAnnouncedPins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootAnnouncedPins")
            .field("pins", &self.pins)
            .field("generation", &self.published.load().generation)
            .finish_non_exhaustive()
    }
}

/// Configures [`RootAnnouncedPins`].
#[derive(Debug)]
#[must_use]
pub struct RootAnnouncedPinsBuilder {
    pins: Arc<dyn PinsInForce>,
    algorithms: SignatureAlgorithms,
    hold_down: Duration,
    known_past: Timestamp,
    storage: Option<Arc<dyn PinStorage>>,
}

impl RootAnnouncedPinsBuilder {
    /// Holds a next key down for so long after its root was first seen to name it, in whole seconds, rounded up; 30
    /// days by default. It is the time in which the owners of the root can notice a certificate that they did not
    /// issue, and issue a newer one: 0 leaves them none.
    pub const fn with_hold_down(mut self, hold_down: Duration) -> Self {
        self.hold_down = hold_down;
        self
    }

    /// An instant that is certainly past, like that of the build: no first sight lies before it, so that a device whose clock
    /// begins in 1970 at each start ripens nothing by that.
    pub fn with_known_past(mut self, instant: Timestamp) -> Self {
        self.known_past = self.known_past.max(instant);
        self
    }

    /// Keeps what roots announced over a restart, as [`PinFolder`](crate::announce::PinFolder) does; a
    /// [`PinStore`](crate::PinStore) may use the same folder. Without it each restart begins all hold-downs anew.
    pub fn with_storage(mut self, storage: Arc<dyn PinStorage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// Opens with what was kept, every root's signature verified again. Also gives what there is to say about it. What is
    /// on disk is no reason to fail: where it cannot be used, nothing was announced, and a notice says so.
    pub fn open(self, now: Timestamp) -> (Arc<RootAnnouncedPins>, Vec<StoreNotice>) {
        let mut keeper = RootKeeper::new(self.storage, self.known_past, now);
        let turn = keeper.turn();
        keeper.open(self.algorithms);
        let hold_down_seconds = whole_seconds(self.hold_down);
        let base = self.pins.generation();
        let ended = keeper.book.end(&base.sets);
        keeper
            .untold
            .extend(ended.iter().filter_map(telling::withdrawn));
        if !ended.is_empty() {
            keeper.outdate();
        }
        keeper.begin(&turn, now);
        let notices = keeper.take_notices();
        let roots = keeper.book.roots.as_slice().into();
        let pins = RootAnnouncedPins {
            published: ArcSwap::from_pointee(Published::new(base, roots, hold_down_seconds, 0)),
            pins: self.pins,
            algorithms: self.algorithms,
            hold_down_seconds,
            next_epoch: AtomicU64::new(1),
            keeper: Mutex::new(keeper),
        };
        (Arc::new(pins), notices)
    }
}
