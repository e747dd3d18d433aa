//! What can be said to the application.
//!
//! An [`Event`] is one thing that happened: its stable [`EventCode`], how much it matters
//! ([`Severity`]), what it is about ([`Subject`]) and whose that is ([`Role`]), and a sentence that
//! says what to do. It knows judgement and pins, and nothing of who listens: the
//! [`observer`](crate::observer) room delivers it, and [`alert`](crate::alert) decides whether it is
//! said again. The notices of a pin store become events here, for announcements lie above telling.
//!
//! # How do I read an event?
//! ```
//! use notafter::{Event, EventCode, Severity};
//! fn page(event: &Event) -> Option<String> {
//!     let of = event.subject.as_ref().map_or("", |subject| subject.name.as_str());
//!     match (event.code, event.severity) {
//!         (EventCode::PinRejected, _) | (_, Severity::Critical) => Some(format!("{of}: {event}")),
//!         _ => None,
//!     }
//! }
//! ```

mod code;
#[allow(
    clippy::module_inception,
    reason = "the room's main type has the room's name"
)]
mod event;
#[cfg(feature = "json")]
mod json;
mod matter;
#[cfg(feature = "announcements")]
mod notice;
mod reach;
mod runbook;
mod severity;
mod subject;

pub use code::EventCode;
pub use event::Event;
#[cfg(feature = "json")]
pub(crate) use json::EventView;
pub use matter::Matter;
pub use reach::PeerReach;
pub use runbook::{Runbook, RunbookError};
pub use severity::Severity;
pub use subject::{Role, Subject, SubjectKind};
