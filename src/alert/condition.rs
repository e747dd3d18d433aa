//! How a matter stands, and what to say of it.

use crate::cert::Sha256Digest;
use crate::event::{Event, EventCode, Matter};
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
    /// The topic of which it is a consequence, where it says no more than that of the certificate
    /// that is its event's subject. A [`Monitor`](crate::monitor::Monitor) that watches both then
    /// tells it as a note which names the other ([`Event::follows_from`]).
    pub follows_from: Option<EventCode>,
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
            follows_from: None,
            event,
        }
    }

    /// Sets what it has in common with others: they are then told in one event.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Option<Sha256Digest>>) -> Self {
        self.cause = cause.into();
        self
    }

    /// Says that it is a consequence of what is told under this topic of the same certificate.
    #[must_use]
    pub const fn with_follows_from(mut self, topic: EventCode) -> Self {
        self.follows_from = Some(topic);
        self
    }
}
