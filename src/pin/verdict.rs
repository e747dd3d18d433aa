//! Pins against keys: those of a leaf that proved possession, and those of verified paths. Keys
//! that a peer merely sent along never come here.

use super::{
    Acceptance, NearMiss, Pin, PinMode, PinPosition, PinSet, PinState, PresentedKey, SpkiPin,
};
use crate::outlook::Position;
use crate::time::Timestamp;

/// The keys of one verified path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathKeys {
    pub(crate) leaf: SpkiPin,
    /// Nearest the leaf first.
    pub(crate) intermediates: Vec<SpkiPin>,
    pub(crate) anchor: SpkiPin,
}

impl PathKeys {
    fn with_positions(&self) -> impl Iterator<Item = (Position, SpkiPin)> {
        let leaf = std::iter::once((Position::Leaf, self.leaf));
        let intermediates = self.intermediates.iter().enumerate();
        let intermediates = intermediates.map(|(n, key)| (Position::in_chain(n + 1), *key));
        leaf.chain(intermediates)
            .chain(std::iter::once((Position::Anchor, self.anchor)))
    }

    /// The keys as a refusal shows them.
    pub(crate) fn presented(&self) -> Vec<PresentedKey> {
        let keys = self.with_positions();
        keys.map(|(position, pin)| PresentedKey { position, pin })
            .collect()
    }
}

impl PinPosition {
    fn includes(self, position: Position) -> bool {
        match (self, position) {
            (Self::Any, _) | (Self::Leaf, Position::Leaf) => true,
            (Self::Ca, position) => position != Position::Leaf,
            (Self::Anchor, Position::Anchor) => true,
            (Self::Leaf | Self::Anchor, _) => false,
        }
    }
}

/// What the leaf's key alone decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafVerdict<'s> {
    /// It matches this pin, and nothing above it can change that.
    Matches(&'s Pin),
    /// It is known to be in wrong hands.
    Rejected,
    /// No pin matches, and none above the leaf can.
    NoMatch,
    /// Pins of keys above the leaf take part.
    AskPaths,
}

impl PinSet {
    /// What the leaf's key, of which the peer proved possession, decides at `now`.
    pub(crate) fn judge_leaf(&self, leaf: &SpkiPin, now: Timestamp) -> LeafVerdict<'_> {
        if self.is_rejected(leaf) {
            return LeafVerdict::Rejected;
        }
        if self.rejects_above() {
            return LeafVerdict::AskPaths;
        }
        match self.match_leaf(leaf, now) {
            Some(pin) => LeafVerdict::Matches(pin),
            None if self.accepted(now).any(|pin| pin.position.needs_path()) => {
                LeafVerdict::AskPaths
            }
            None => LeafVerdict::NoMatch,
        }
    }

    /// The pin that the leaf's key alone matches at `now`. A raw public key has nothing above it.
    pub(crate) fn match_leaf(&self, key: &SpkiPin, now: Timestamp) -> Option<&Pin> {
        let at_leaf = |pin: &&Pin| pin.position.includes_leaf() && pin.pin == *key;
        best(self.accepted(now).filter(at_leaf))
    }

    /// The pin that a verified path matches at `now`; none where a rejected key is on it.
    pub(crate) fn match_path(&self, keys: &PathKeys, now: Timestamp) -> Option<&Pin> {
        if self.rejected_on(keys).is_some() {
            return None;
        }
        let on_path = |pin: &&Pin| {
            let mut keys = keys.with_positions();
            keys.any(|(position, key)| pin.pin == key && pin.position.includes(position))
        };
        best(self.accepted(now).filter(on_path))
    }

    /// The rejected key nearest the leaf on a verified path, whatever the set's standing.
    pub(crate) fn rejected_on(&self, keys: &PathKeys) -> Option<SpkiPin> {
        if self.is_rejected(&keys.leaf) {
            return Some(keys.leaf);
        }
        let is_rejected = |(position, key): &(Position, SpkiPin)| {
            let mut rejected = self.pins().iter().filter(|p| p.state == PinState::Rejected);
            rejected.any(|pin| pin.pin == *key && pin.position.includes(*position))
        };
        let mut keys = keys.with_positions();
        keys.find(is_rejected).map(|(_, key)| key)
    }

    /// Whether any key is rejected.
    pub(crate) fn rejects_any(&self) -> bool {
        let mut pins = self.pins().iter();
        pins.any(|pin| pin.state == PinState::Rejected)
    }

    /// Whether keys above the leaf are rejected, so that only paths tell who stands on them.
    pub(crate) fn rejects_above(&self) -> bool {
        let above = |pin: &Pin| pin.state == PinState::Rejected && pin.position.needs_path();
        self.pins().iter().any(above)
    }

    /// The pins of presented keys that do not count, and why.
    pub(crate) fn near_misses(&self, presented: &[PresentedKey], now: Timestamp) -> Vec<NearMiss> {
        let pairs = self.pins().iter().flat_map(|pin| {
            let shown = presented.iter().filter(|key| key.pin == pin.pin);
            shown.map(move |key| (pin, key.position))
        });
        let misses = pairs.filter(|(pin, position)| {
            !pin.is_accepted(now) || !pin.position.includes(*position) || self.is_rejected(&pin.pin)
        });
        misses
            .map(|(pin, shown_at)| NearMiss {
                pin: pin.clone(),
                shown_at,
            })
            .collect()
    }

    /// Whether what the pins say is decided by.
    pub(crate) fn enforces(&self) -> bool {
        self.mode() == PinMode::Enforce
    }
}

impl NearMiss {
    /// From when on this pin will be accepted where it was shown.
    pub fn accepted_from(&self) -> Option<Timestamp> {
        match self.pin.acceptance {
            Acceptance::From(from)
                if self.pin.state.can_be_accepted()
                    && self.pin.position.includes(self.shown_at) =>
            {
                Some(from)
            }
            _ => None,
        }
    }
}

/// The pin that says most about a match: the key in use before its successor before a backup.
fn best<'p>(matching: impl Iterator<Item = &'p Pin>) -> Option<&'p Pin> {
    matching.min_by_key(|pin| match pin.state {
        PinState::Current => 0,
        PinState::Announced => 1,
        _ => 2,
    })
}
