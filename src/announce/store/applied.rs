//! What applying an announcement came to.

use super::StoreNotice;

/// What an announcement did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The version in force.
    pub version: u64,
    /// Whether it was in force already, so that nothing changed.
    pub unchanged: bool,
    /// How safely it is kept.
    pub durability: Durability,
    /// What there is to say about it.
    pub notices: Vec<StoreNotice>,
}

/// How safely the pins in force are kept. They are in force in any case: refusing an announcement
/// because a disk is full would leave a rejected key accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// In two copies.
    Kept,
    /// In one of the two copies. It is tried again.
    OneCopy,
    /// In memory: a restart before the next attempt would go back to the generation before.
    MemoryOnly,
}
