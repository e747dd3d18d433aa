//! Until when a peer's chain verifies.

use std::fmt;

use crate::time::Timestamp;

/// Until when a peer's chain verifies, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerReach {
    /// The effective notAfter over the paths to the caller's own trust anchors.
    Until(Timestamp),
    /// Without trust anchors that accept the chain nothing is known beyond its leaf.
    UnknownBeyondLeaf {
        /// The leaf's last good second: it cannot verify for longer than that.
        leaf_not_after: Timestamp,
    },
}

impl fmt::Display for PeerReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Until(end) => write!(f, "verifies until {end}"),
            Self::UnknownBeyondLeaf { leaf_not_after } => {
                write!(f, "unknown beyond its leaf, which ends at {leaf_not_after}")
            }
        }
    }
}
