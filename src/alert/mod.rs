//! Say it once, and again when it matters.
//!
//! What is evaluated again and again comes in as [`Condition`]s: a [`Matter`] and the band that it is
//! in. [`Transitions`] say which of them are news, or are due to be said again ([`RepeatPolicy`]), put
//! those together that share a cause, and survive a restart. Pure: the instant is an argument, and
//! nothing is sent from here.
//!
//! # How do I make one event of fifty chains that one certificate ends?
//! ```
//! use std::num::NonZeroUsize;
//! use notafter::alert::{Condition, Matter, Transitions};
//! use notafter::cert::Sha256Digest;
//! use notafter::event::Role;
//! use notafter::{Band, Event, EventCode, Severity, Timestamp};
//! let now: Timestamp = "2026-01-01T00:00:00Z".parse()?;
//! let intermediate = Sha256Digest::of(b"its DER");
//! let conditions = (0..50).map(|n| {
//!     let name = format!("chain {n}");
//!     let matter = Matter::new(EventCode::Expiring, Role::OwnServer).with_name(name);
//!     let event = Event::new(now, EventCode::Expiring, Severity::Warning, Role::OwnServer, "renew it");
//!     Condition::new(matter, Band::Warning, event).with_cause(intermediate)
//! });
//! let mut transitions = Transitions::new(NonZeroUsize::new(1024).unwrap());
//! let events = transitions.tell(conditions, now);
//! assert_eq!((events.len(), events[0].affected), (1, 50));
//! # Ok::<(), notafter::time::TimestampParseError>(())
//! ```

mod coalesce;
mod condition;
mod repeat;
#[cfg(feature = "json")]
mod saved;
#[cfg(test)]
mod tests;
mod told_matters;
mod transitions;

#[cfg(feature = "monitor")]
pub(crate) use coalesce::together;
pub use condition::Condition;
pub use repeat::RepeatPolicy;
#[cfg(feature = "json")]
pub use saved::SavedStateError;
pub use transitions::{Telling, Transitions};

pub use crate::event::Matter;
