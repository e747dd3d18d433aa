//! Successors that pinned roots announce themselves: the hash of the next root key in a root's
//! certificate (RFC 8649).
//!
//! A root that is pinned states in its own certificate, signed by its own key, which key will follow.
//! [`RootAnnouncedPins`] makes a pin of that, behind the pin of the root, and holds it down as announced
//! successors are. `docs/ANNOUNCEMENTS.md` has the rules in words.
//!
//! `book` has what is known of each root and the rule by which a certificate changes it, `overlay` what
//! the pins then come to: pure functions of certificates, pins and an instant.

mod book;
mod copies;
mod error;
mod held_root;
mod keeper;
mod observed;
mod overlay;
mod pins;
mod root_copy;
mod telling;

pub use error::RootAnnouncementError;
pub use observed::{AnnouncedRootKey, ObservedRoot, RootOutcome};
pub use pins::{RootAnnouncedPins, RootAnnouncedPinsBuilder};
