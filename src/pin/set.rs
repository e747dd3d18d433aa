//! The pins of some hosts, and what they come to over time.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::expiry::Expiry;
use super::lint::{distinct_keys, is_on_chain};
use super::root_lint::lint_roots;
use super::{
    Acceptance, ExpiryRule, Pin, PinLint, PinPosition, PinScope, PinSetEndsError, PinSetError,
    PinSetStanding, PinState, SpkiPin,
};
use crate::cert::Certificate;
use crate::policy::Band;
use crate::time::Timestamp;

/// The keys that some hosts may show: immutable; a change is a new set.
///
/// # How do I pin a key and its successor?
/// ```
/// use notafter::PinSet;
/// # let (in_use, next) = (
/// #     "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=".parse()?,
/// #     "sha256/5kJvNEMw0KjrCAu7eXY5HZdvyCS13BbA0VJG1RSP91w=".parse()?,
/// # );
/// let pins = PinSet::builder().with_current(in_use).with_successor(next).build()?;
/// assert!(pins.lints().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinSet {
    scopes: Vec<PinScope>,
    pins: Vec<Pin>,
    expiry: Option<Expiry>,
    mode: PinMode,
    /// The digests of the pins that are rejected.
    rejected: BTreeSet<SpkiPin>,
}

impl PinSet {
    /// Starts an empty set that enforces, is for every peer, and has no date.
    pub fn builder() -> PinSetBuilder {
        PinSetBuilder::default()
    }

    /// Lists the hosts that it is for; none where it is for every peer.
    pub fn scopes(&self) -> &[PinScope] {
        &self.scopes
    }

    /// Lists the pins, whatever their state.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }

    /// Says whether its pins decide or are only told about.
    pub const fn mode(&self) -> PinMode {
        self.mode
    }

    /// Returns its last good second, and what happens after it.
    pub fn expiry(&self) -> Option<(Timestamp, ExpiryRule)> {
        self.expiry.map(|expiry| (expiry.not_after, expiry.rule))
    }

    /// Says what it comes to at `now`.
    pub fn standing(&self, now: Timestamp) -> PinSetStanding {
        self.expiry
            .map_or(PinSetStanding::InForce, |expiry| expiry.standing(now))
    }

    /// Says how near its date is, as a leaf of 90 days would be told of: due, a warning and critical 30,
    /// 20 and 10 days ahead.
    pub fn band(&self, now: Timestamp) -> Band {
        self.expiry.map_or(Band::Ok, |expiry| expiry.band(now))
    }

    /// Lists the pins accepted at `now`, the set's own date left aside.
    pub fn accepted(&self, now: Timestamp) -> impl Iterator<Item = &Pin> {
        let accepted = self.pins.iter().filter(move |pin| pin.is_accepted(now));
        accepted.filter(|pin| !self.is_rejected(&pin.key))
    }

    /// Says whether a pin of this set says that the key is in wrong hands. It then counts at no
    /// position, whatever other pins say.
    pub fn is_rejected(&self, key: &SpkiPin) -> bool {
        self.rejected.contains(key)
    }

    /// Lists the pins that are or will be accepted.
    pub(crate) fn usable(&self) -> impl Iterator<Item = &Pin> {
        let pins = self.pins.iter();
        pins.filter(|pin| pin.is_usable(&self.rejected))
    }

    /// Counts the distinct keys that are or will be accepted.
    pub fn usable_keys(&self) -> usize {
        distinct_keys(self.usable())
    }

    /// Counts the distinct keys accepted at `now`, the set's own date left aside.
    #[cfg(feature = "monitor")]
    pub(crate) fn accepted_keys(&self, now: Timestamp) -> usize {
        distinct_keys(self.accepted(now))
    }

    /// Counts the distinct keys that it names.
    pub fn named_keys(&self) -> usize {
        distinct_keys(self.pins.iter())
    }

    /// Whether any key is rejected.
    pub(super) fn rejects_any(&self) -> bool {
        !self.rejected.is_empty()
    }

    /// Whether keys above the leaf are rejected, so that only paths tell who stands on them.
    pub(super) fn rejects_above(&self) -> bool {
        let mut rejected = self.pins.iter().filter(|p| p.state == PinState::Rejected);
        rejected.any(|pin| pin.position.needs_path())
    }

    /// Says whether keys above the leaf can decide, for which verified paths are needed.
    pub fn needs_path(&self) -> bool {
        let mut possible = self.pins.iter().filter(|pin| pin.can_be_accepted());
        possible.any(|pin| pin.position.needs_path()) || self.rejects_above()
    }

    /// Finds the first instant after `now` at which it accepts other pins, comes to something else,
    /// or comes into another band.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let maturing = self.pins.iter().filter(|pin| pin.state.can_be_accepted());
        let maturing = maturing.filter_map(|pin| pin.acceptance.from());
        let ends = self.expiry.into_iter().flat_map(Expiry::changes);
        maturing.chain(ends).filter(|change| *change > now).min()
    }

    /// Says what is unwise about it; nothing here hinders it from working.
    pub fn lints(&self) -> Vec<PinLint> {
        PinLint::of_set(&self.pins, &self.rejected, &self.scopes)
    }

    /// Holds the set against a chain as it is served, leaf first: one pin accepted at `now` should
    /// be on it, and one usable pin should not.
    ///
    /// The chain is taken as given; whether it verifies is another question.
    pub fn lint_against(&self, chain: &[Certificate], now: Timestamp) -> Vec<PinLint> {
        let mut lints = Vec::new();
        if !self.accepted(now).any(|pin| is_on_chain(pin, chain)) {
            lints.push(PinLint::NoLivePin);
        }
        if self.usable().all(|pin| is_on_chain(pin, chain)) {
            lints.push(PinLint::NoBackupOffChain);
        }
        lints
    }

    /// Holds the set against certificates of roots: each pinned one that names its next key (RFC 8649) should
    /// have that pinned too. A key that is named by SHA-384 or SHA-512 is known where its certificate is among these.
    ///
    /// Nobody's signature is looked at: give certificates that you have from whoever runs the roots.
    pub fn lint_roots(&self, roots: &[Certificate]) -> Vec<PinLint> {
        let usable: Vec<_> = self.usable().collect();
        lint_roots(&usable, roots)
    }

    /// Checks whether the set will go on accepting peers for so many seconds from `now` on, for people's
    /// own CI: it must accept a pin now and not reach its date within that time.
    ///
    /// # Errors
    /// [`PinSetEndsError`] with what ends and when.
    ///
    /// # How does a build fail before the pins in it run out?
    /// ```
    /// use notafter::pin::ExpiryRule;
    /// use notafter::{PinSet, Timestamp};
    /// # let pin = "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=".parse()?;
    /// let end: Timestamp = "2027-01-01T00:00:00Z".parse()?;
    /// let set = PinSet::builder().with_current(pin).with_expiry(end, ExpiryRule::FailClosed).build()?;
    /// let built: Timestamp = "2026-06-01T00:00:00Z".parse()?;
    /// assert!(set.assert_live_for(180 * 86_400, built).is_ok());
    /// assert!(set.assert_live_for(365 * 86_400, built).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn assert_live_for(&self, seconds: i64, now: Timestamp) -> Result<(), PinSetEndsError> {
        if self.accepted(now).next().is_none() {
            let first = self.usable().filter_map(|pin| pin.acceptance.from()).min();
            return Err(PinSetEndsError::NothingAccepted { now, first });
        }
        match self.expiry() {
            Some((end, rule)) if end < now.saturating_add(seconds) => {
                Err(PinSetEndsError::TooSoon {
                    end,
                    left: end.seconds_since(now),
                    wanted: seconds,
                    rule,
                })
            }
            _ => Ok(()),
        }
    }
}

/// What is done with what pins say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum PinMode {
    /// A peer that matches no accepted pin is refused.
    #[default]
    Enforce,
    /// It is only told about: for the weeks before pins are enforced.
    ReportOnly,
}

/// Builds a [`PinSet`].
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct PinSetBuilder {
    scopes: Vec<PinScope>,
    pins: Vec<Pin>,
    expiry: Option<Expiry>,
    mode: PinMode,
}

impl PinSetBuilder {
    /// Pins the leaf key in use.
    pub fn with_current(self, pin: SpkiPin) -> Self {
        self.with_pin(Pin::new(pin, PinState::Current))
    }

    /// Pins the leaf key that will follow: compiled in, so accepted without a hold-down. An event tells
    /// when a peer first shows it.
    pub fn with_successor(self, pin: SpkiPin) -> Self {
        self.with_pin(Pin::new(pin, PinState::Announced))
    }

    /// Pins the leaf key that will follow, accepted from this second on.
    pub fn with_successor_from(self, pin: SpkiPin, from: Timestamp) -> Self {
        let pin = Pin::new(pin, PinState::Announced);
        self.with_pin(pin.with_acceptance(Acceptance::From(from)))
    }

    /// Pins a leaf key kept ready, best offline.
    pub fn with_backup(self, pin: SpkiPin) -> Self {
        self.with_pin(Pin::new(pin, PinState::Backup))
    }

    /// Pins the key in use of a CA that every accepted path must pass; needs trust anchors.
    pub fn with_current_ca(self, pin: SpkiPin) -> Self {
        self.with_pin(Pin::new(pin, PinState::Current).with_position(PinPosition::Ca))
    }

    /// Rejects a key in wrong hands: refused wherever it stands in a path.
    pub fn with_rejected(self, pin: SpkiPin) -> Self {
        self.with_pin(Pin::new(pin, PinState::Rejected).with_position(PinPosition::Any))
    }

    /// Adds any pin; repeatable.
    pub fn with_pin(mut self, pin: Pin) -> Self {
        self.pins.push(pin);
        self
    }

    /// Adds hosts that the set is for; repeatable. Without any, the set is for every peer.
    pub fn with_scope(mut self, scope: PinScope) -> Self {
        self.scopes.push(scope);
        self
    }

    /// Makes it good until this second, and says what happens after it.
    pub const fn with_expiry(mut self, not_after: Timestamp, rule: ExpiryRule) -> Self {
        self.expiry = Some(Expiry { not_after, rule });
        self
    }

    /// Says whether its pins decide; they do by default.
    pub const fn with_mode(mut self, mode: PinMode) -> Self {
        self.mode = mode;
        self
    }

    /// Builds the set. What is unwise about it is in [`PinSet::lints`].
    ///
    /// # Errors
    /// [`PinSetError`] where the pins contradict each other or no peer could ever match.
    pub fn build(self) -> Result<PinSet, PinSetError> {
        let mut states = HashMap::new();
        for pin in &self.pins {
            let first = states.entry((pin.key, pin.position)).or_insert(pin.state);
            if first.can_be_accepted() != pin.state.can_be_accepted() {
                return Err(PinSetError::Contradiction {
                    pin: pin.key,
                    states: [*first, pin.state],
                });
            }
        }
        let mut scopes = HashSet::new();
        for scope in &self.scopes {
            if !scopes.insert(scope) {
                return Err(PinSetError::RepeatedScope {
                    scope: scope.clone(),
                });
            }
        }
        let rejected = self.pins.iter();
        let rejected = rejected.filter(|pin| pin.state == PinState::Rejected);
        let set = PinSet {
            rejected: rejected.map(|pin| pin.key).collect(),
            scopes: self.scopes,
            pins: self.pins,
            expiry: self.expiry,
            mode: self.mode,
        };
        if set.usable().next().is_none() {
            return Err(PinSetError::NoUsablePin);
        }
        Ok(set)
    }
}
