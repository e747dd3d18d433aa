//! The pins of some hosts, and what they come to over time.

use std::collections::{HashMap, HashSet};

use thiserror::Error;

use super::{
    Acceptance, ExpiryRule, Pin, PinLint, PinMode, PinPosition, PinScope, PinSetStanding, PinState,
    SpkiPin,
};
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
/// let pins = PinSet::builder().current(in_use).successor(next).build()?;
/// assert!(pins.lints().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinSet {
    scopes: Vec<PinScope>,
    pins: Vec<Pin>,
    expiry: Option<(Timestamp, ExpiryRule)>,
    mode: PinMode,
    /// The digests of the pins that are rejected.
    rejected: HashSet<SpkiPin>,
}

impl PinSet {
    /// Starts an empty set that enforces, is for every peer, and has no date.
    pub fn builder() -> PinSetBuilder {
        PinSetBuilder::default()
    }

    /// The hosts that it is for; none where it is for every peer.
    pub fn scopes(&self) -> &[PinScope] {
        &self.scopes
    }

    /// The pins.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }

    /// Whether its pins decide or are only told about.
    pub const fn mode(&self) -> PinMode {
        self.mode
    }

    /// Its last good second, and what happens after it.
    pub const fn expiry(&self) -> Option<(Timestamp, ExpiryRule)> {
        self.expiry
    }

    /// What it comes to at `now`.
    pub fn standing(&self, now: Timestamp) -> PinSetStanding {
        match self.expiry {
            None => PinSetStanding::InForce,
            Some((end, _)) if now <= end => PinSetStanding::InForce,
            Some((_, ExpiryRule::FailClosed)) => PinSetStanding::Closed,
            Some((_, ExpiryRule::FailOpenLoudly)) => PinSetStanding::Open,
            Some((end, ExpiryRule::GraceThenClosed { seconds })) => {
                let until = end.saturating_add(i64::from(seconds));
                if now <= until {
                    PinSetStanding::InGrace { until }
                } else {
                    PinSetStanding::Closed
                }
            }
        }
    }

    /// How near its date is, as a leaf of 90 days would be told of: due, a warning and critical 30,
    /// 20 and 10 days ahead.
    pub fn band(&self, now: Timestamp) -> Band {
        let left = |(end, _): (Timestamp, ExpiryRule)| end.seconds_since(now);
        match (self.standing(now), self.expiry.map(left)) {
            (PinSetStanding::Closed | PinSetStanding::Open, _) => Band::Expired,
            (PinSetStanding::InGrace { .. }, _) => Band::Critical,
            (PinSetStanding::InForce, None) => Band::Ok,
            (PinSetStanding::InForce, Some(left)) => match BAND_STARTS {
                [_, _, critical] if left <= critical => Band::Critical,
                [_, warning, _] if left <= warning => Band::Warning,
                [due, _, _] if left <= due => Band::Due,
                _ => Band::Ok,
            },
        }
    }

    /// The pins accepted at `now`, the set's own date left aside.
    pub fn accepted(&self, now: Timestamp) -> impl Iterator<Item = &Pin> {
        let accepted = self.pins.iter().filter(move |pin| pin.is_accepted(now));
        accepted.filter(|pin| !self.is_rejected(&pin.pin))
    }

    /// Whether a pin of this set says that the key is in wrong hands. It then counts at no
    /// position, whatever other pins say.
    pub fn is_rejected(&self, key: &SpkiPin) -> bool {
        self.rejected.contains(key)
    }

    /// How many distinct keys are or will be accepted.
    pub fn usable_keys(&self) -> usize {
        let usable = |pin: &&Pin| pin.can_be_accepted() && !self.is_rejected(&pin.pin);
        distinct(self.pins.iter().filter(usable))
    }

    /// How many distinct keys it names.
    pub fn named_keys(&self) -> usize {
        distinct(self.pins.iter())
    }

    /// The first instant after `now` at which it accepts other pins, comes to something else, or
    /// comes into another band.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let maturing = self.pins.iter().filter(|pin| pin.state.can_be_accepted());
        let maturing = maturing.filter_map(|pin| pin.acceptance.from());
        let grace = match self.expiry {
            Some((_, ExpiryRule::GraceThenClosed { seconds })) => i64::from(seconds),
            _ => 0,
        };
        let end = self.expiry.map(|(end, _)| end);
        let after = end.map(|end| end.saturating_add(1));
        let ends = [after, after.map(|after| after.saturating_add(grace))];
        let bands = BAND_STARTS.map(|start| end.map(|end| end.saturating_add(-start)));
        let changes = maturing.chain(ends.into_iter().chain(bands).flatten());
        changes.filter(|change| *change > now).min()
    }

    /// Whether keys above the leaf can decide, for which verified paths are needed.
    pub fn needs_path(&self) -> bool {
        let decides = |pin: &Pin| pin.can_be_accepted() || pin.state == PinState::Rejected;
        let mut deciding = self.pins.iter().filter(|pin| decides(pin));
        deciding.any(|pin| pin.position.needs_path())
    }

    /// What is unwise about it; nothing here hinders it from working.
    pub fn lints(&self) -> Vec<PinLint> {
        PinLint::of_set(self)
    }
}

/// So many seconds ahead of its date, a set is due, a warning, and critical.
const BAND_STARTS: [i64; 3] = [30 * 86_400, 20 * 86_400, 10 * 86_400];

fn distinct<'p>(pins: impl Iterator<Item = &'p Pin>) -> usize {
    let mut keys: Vec<_> = pins.map(|pin| pin.pin).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.len()
}

/// Builds a [`PinSet`].
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct PinSetBuilder {
    scopes: Vec<PinScope>,
    pins: Vec<Pin>,
    expiry: Option<(Timestamp, ExpiryRule)>,
    mode: PinMode,
}

impl PinSetBuilder {
    /// The leaf key in use.
    pub fn current(self, pin: SpkiPin) -> Self {
        self.with_pin(Pin::new(pin, PinState::Current))
    }

    /// The leaf key that will follow: compiled in, so accepted without a hold-down. An event tells
    /// when a peer first shows it.
    pub fn successor(self, pin: SpkiPin) -> Self {
        self.with_pin(Pin::new(pin, PinState::Announced))
    }

    /// The same, accepted from this second on.
    pub fn successor_from(self, pin: SpkiPin, from: Timestamp) -> Self {
        let pin = Pin::new(pin, PinState::Announced);
        self.with_pin(pin.with_acceptance(Acceptance::From(from)))
    }

    /// A leaf key kept ready, best offline.
    pub fn backup(self, pin: SpkiPin) -> Self {
        self.with_pin(Pin::new(pin, PinState::Backup))
    }

    /// The key in use of a CA that every accepted path must pass; needs trust anchors.
    pub fn current_ca(self, pin: SpkiPin) -> Self {
        self.with_pin(Pin::new(pin, PinState::Current).with_position(PinPosition::Ca))
    }

    /// A key in wrong hands: refused wherever it stands in a path.
    pub fn rejected(self, pin: SpkiPin) -> Self {
        self.with_pin(Pin::new(pin, PinState::Rejected).with_position(PinPosition::Any))
    }

    /// Any pin; repeatable.
    pub fn with_pin(mut self, pin: Pin) -> Self {
        self.pins.push(pin);
        self
    }

    /// For these hosts too; repeatable. Without any, the set is for every peer.
    pub fn with_scope(mut self, scope: PinScope) -> Self {
        self.scopes.push(scope);
        self
    }

    /// Good until this second, and what happens after it.
    pub const fn with_expiry(mut self, not_after: Timestamp, rule: ExpiryRule) -> Self {
        self.expiry = Some((not_after, rule));
        self
    }

    /// Whether its pins decide; they do by default.
    pub const fn with_mode(mut self, mode: PinMode) -> Self {
        self.mode = mode;
        self
    }

    /// The set. What is unwise about it is in [`PinSet::lints`].
    ///
    /// # Errors
    /// [`PinSetError`] where the pins contradict each other or no peer could ever match.
    pub fn build(self) -> Result<PinSet, PinSetError> {
        let mut states = HashMap::new();
        for pin in &self.pins {
            let first = states.entry((pin.pin, pin.position)).or_insert(pin.state);
            if first.can_be_accepted() != pin.state.can_be_accepted() {
                return Err(PinSetError::Contradiction {
                    pin: pin.pin,
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
            rejected: rejected.map(|pin| pin.pin).collect(),
            scopes: self.scopes,
            pins: self.pins,
            expiry: self.expiry,
            mode: self.mode,
        };
        let usable = |pin: &&Pin| pin.can_be_accepted() && !set.is_rejected(&pin.pin);
        if !set.pins.iter().any(|pin| usable(&pin)) {
            return Err(PinSetError::NoUsablePin);
        }
        Ok(set)
    }
}

/// Pins that cannot be a set, or sets that cannot stand beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinSetError {
    /// One pin is to be accepted and not to be accepted.
    #[error(
        "the pin {pin} is both {} and {}: keep the one that is meant",
        .states[0], .states[1]
    )]
    Contradiction {
        /// The pin.
        pin: SpkiPin,
        /// The two states.
        states: [PinState; 2],
    },
    /// No pin is ever accepted, so every peer would be refused for ever.
    #[error(
        "none of its pins is ever accepted, so it would refuse every peer: add the pin of the key in use and of one kept offline"
    )]
    NoUsablePin,
    /// The same hosts are named twice.
    #[error("the hosts {scope} are named twice: name them once, with all of their pins")]
    RepeatedScope {
        /// The hosts.
        scope: PinScope,
    },
    /// Two sets are for every peer.
    #[error("two sets name no hosts, so both are for every peer: keep one, or name the hosts")]
    RepeatedCatchAll,
}
