//! Where a certificate stands in a path.

use std::fmt;

/// A certificate's place in a path or in a presented chain; printed as `leaf`, `intermediate 0`,
/// `anchor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Position {
    /// The end entity.
    Leaf,
    /// A CA certificate between leaf and anchor; 0 is nearest the leaf.
    Intermediate(usize),
    /// The trust anchor.
    Anchor,
}

impl Position {
    /// The position of the certificate at this index of a chain that begins with its leaf.
    pub const fn in_chain(index: usize) -> Self {
        match index {
            0 => Self::Leaf,
            n => Self::Intermediate(n - 1),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf => f.pad("leaf"),
            Self::Intermediate(n) => f.pad(&format!("intermediate {n}")),
            Self::Anchor => f.pad("anchor"),
        }
    }
}
