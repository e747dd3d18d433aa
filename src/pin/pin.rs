//! One pin: a key, where it stands in its life, where it counts, and from when on.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::SpkiPin;
use crate::outlook::Position;
use crate::time::Timestamp;

/// The stages of a pin's life: in use, ready, announced, over, or in wrong hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PinState {
    /// The key in use: accepted.
    Current,
    /// A key kept ready, best offline: accepted, and told about when it is seen.
    Backup,
    /// The successor: accepted from a certain instant on.
    Announced,
    /// A key of the past: not accepted any more.
    Retired,
    /// A key known to be in wrong hands: never accepted, at no position.
    Rejected,
}

impl PinState {
    /// Returns the stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Backup => "backup",
            Self::Announced => "announced",
            Self::Retired => "retired",
            Self::Rejected => "rejected",
        }
    }

    /// Says whether a pin in this state can be accepted at all.
    pub const fn can_be_accepted(self) -> bool {
        matches!(self, Self::Current | Self::Backup | Self::Announced)
    }
}

impl fmt::Display for PinState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for PinState {
    type Err = PinWordError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let states = [
            Self::Current,
            Self::Backup,
            Self::Announced,
            Self::Retired,
            Self::Rejected,
        ];
        let found = states.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| PinWordError::State {
            word: shortened(word),
        })
    }
}

/// Which keys of a verified path a pin is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum PinPosition {
    /// The leaf's (or the raw public key): the one whose possession the peer proved.
    #[default]
    Leaf,
    /// Any CA's: the intermediates' and the trust anchor's.
    Ca,
    /// The trust anchor's alone.
    Anchor,
    /// Any key of the path.
    Any,
}

impl PinPosition {
    /// Returns the stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Ca => "ca",
            Self::Anchor => "anchor",
            Self::Any => "any",
        }
    }

    /// Says whether the leaf's key is compared.
    pub const fn includes_leaf(self) -> bool {
        matches!(self, Self::Leaf | Self::Any)
    }

    /// Says whether keys above the leaf are compared, for which a verified path is needed.
    pub const fn needs_path(self) -> bool {
        !matches!(self, Self::Leaf)
    }

    /// Whether a key at this position of a path is compared.
    pub(super) fn includes(self, position: Position) -> bool {
        match (self, position) {
            (Self::Any, _) | (Self::Leaf, Position::Leaf) => true,
            (Self::Ca, position) => position != Position::Leaf,
            (Self::Anchor, Position::Anchor) => true,
            (Self::Leaf | Self::Anchor, _) => false,
        }
    }
}

impl fmt::Display for PinPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for PinPosition {
    type Err = PinWordError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let positions = [Self::Leaf, Self::Ca, Self::Anchor, Self::Any];
        let found = positions.into_iter().find(|known| known.as_str() == word);
        found.ok_or_else(|| PinWordError::Position {
            word: shortened(word),
        })
    }
}

fn shortened(word: &str) -> String {
    word.chars().take(40).collect()
}

/// A word that names no state or no position.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinWordError {
    /// It names no state.
    #[error("'{word}' is no state of a pin: write current, backup, announced, retired or rejected")]
    State {
        /// The word, at most 40 characters of it.
        word: String,
    },
    /// It names no position.
    #[error("'{word}' is no position of a pin: write leaf, ca, anchor or any")]
    Position {
        /// The word, at most 40 characters of it.
        word: String,
    },
}

/// From when on a pin is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Acceptance {
    /// At any instant.
    Always,
    /// From this second on.
    From(Timestamp),
    /// Not as things are.
    Never,
}

impl Acceptance {
    /// Says whether it is accepted at `now`.
    pub fn holds(self, now: Timestamp) -> bool {
        match self {
            Self::Always => true,
            Self::From(from) => from <= now,
            Self::Never => false,
        }
    }

    /// Returns the instant from which on it is accepted, where there is one.
    pub const fn from(self) -> Option<Timestamp> {
        match self {
            Self::From(from) => Some(from),
            Self::Always | Self::Never => None,
        }
    }
}

/// One pin of a [`PinSet`](crate::PinSet).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pin {
    /// The digest of the key that it pins.
    pub key: SpkiPin,
    /// Where it stands in its life.
    pub state: PinState,
    /// Which keys of a path it is compared with.
    pub position: PinPosition,
    /// From when on it is accepted, if its state allows it at all.
    pub acceptance: Acceptance,
    /// What people call the key.
    pub label: Option<String>,
}

impl Pin {
    /// Makes a leaf pin in this state, accepted at any instant where its state allows it.
    pub const fn new(key: SpkiPin, state: PinState) -> Self {
        Self {
            key,
            state,
            position: PinPosition::Leaf,
            acceptance: if state.can_be_accepted() {
                Acceptance::Always
            } else {
                Acceptance::Never
            },
            label: None,
        }
    }

    /// Compares it with the keys of another position.
    #[must_use]
    pub const fn with_position(mut self, position: PinPosition) -> Self {
        self.position = position;
        self
    }

    /// Accepts it from another instant on; a state that is never accepted stays so.
    #[must_use]
    pub const fn with_acceptance(mut self, acceptance: Acceptance) -> Self {
        self.acceptance = acceptance;
        self
    }

    /// Gives it a name for people.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Says whether it is accepted at `now`.
    pub fn is_accepted(&self, now: Timestamp) -> bool {
        self.state.can_be_accepted() && self.acceptance.holds(now)
    }

    /// Says whether it is or will be accepted, as things are.
    pub fn can_be_accepted(&self) -> bool {
        self.state.can_be_accepted() && self.acceptance != Acceptance::Never
    }

    /// Whether it can be accepted beside other pins that reject these keys: a key in wrong hands
    /// counts at no position, whatever else is said of it.
    pub(crate) fn is_usable(&self, rejected: &BTreeSet<SpkiPin>) -> bool {
        self.can_be_accepted() && !rejected.contains(&self.key)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {}", self.key, self.position, self.state)?;
        if self.state.can_be_accepted() {
            match self.acceptance {
                Acceptance::Always => {}
                Acceptance::From(from) => write!(f, ", accepted from {from}")?,
                Acceptance::Never => f.write_str(", not accepted as things are")?,
            }
        }
        match &self.label {
            Some(label) => write!(f, ", '{label}')"),
            None => f.write_str(")"),
        }
    }
}
