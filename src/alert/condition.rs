//! How a matter stands, and what to say of it.

use crate::cert::Sha256Digest;
use crate::event::{Event, Matter};
use crate::policy::Band;

/// How a matter stands at one instant, and what to say where that is news.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Condition {
    /// What it is about.
    pub matter: Matter,
    /// How it stands.
    pub band: Band,
    /// What conditions of one cause have in common: the certificate that ends all of them, say.
    /// They are told in one event.
    pub cause: Option<Sha256Digest>,
    /// What to say; its bands are filled in when it is told.
    pub event: Event,
}

impl Condition {
    /// A condition that shares its cause with no other.
    pub const fn new(matter: Matter, band: Band, event: Event) -> Self {
        Self {
            matter,
            band,
            cause: None,
            event,
        }
    }

    /// Sets what it has in common with others: they are then told in one event.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Option<Sha256Digest>>) -> Self {
        self.cause = cause.into();
        self
    }
}
