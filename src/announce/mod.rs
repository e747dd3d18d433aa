//! Signed rotation of pins: what may be announced, by whom, and from when on it counts.
//!
//! An application compiles in a [`PinFloor`] and opens a [`PinStore`] upon it. Announcements, signed
//! offline, come in as [`Envelope`]s, however they travel; the store applies those that the rules let
//! in, keeps them over restarts in a [`PinFolder`], and gives the pins in force to verifiers as
//! [`PinsInForce`](crate::pin::PinsInForce). `docs/ANNOUNCEMENTS.md` has the format and the rules in
//! words.
//!
//! Where a pinned root names its next key in its own certificate (RFC 8649), [`RootAnnouncedPins`] makes a
//! successor of that, around these or any other pins.
//!
//! Bytes, keys, algorithms and the instant come from the caller: only `files` and `folder` open files.
//!
//! # What does an announcement say, before anybody believes it?
//! ```
//! use notafter::announce::{Announcement, PreviousAnnouncement};
//! # let payload = br#"{"product":"app","version":11,"issued":"2026-01-01T00:00:00Z",
//! #   "expires":"2026-03-01T00:00:00Z","pin_sets":[]}"#;
//! let announcement = Announcement::from_json(payload)?;
//! assert_eq!((announcement.product.as_str(), announcement.version), ("app", 11));
//! assert_eq!(announcement.previous, None::<PreviousAnnouncement>);
//! println!("it may be applied until {}", announcement.expires);
//! # Ok::<(), notafter::announce::AnnouncementError>(())
//! ```

mod authority;
mod envelope;
mod error;
mod files;
mod floor;
mod folder;
mod handover;
mod json_place;
mod key;
mod key_points;
mod payload;
mod previous;
mod roots;
mod rules;
mod signed_announcement;
mod signers;
mod state;
mod store;

pub use authority::Authority;
pub use envelope::Envelope;
pub use error::AnnouncementError;
pub use files::{AnnouncementFolder, FileOutcome};
pub use floor::{FloorError, PinFloor};
pub use folder::PinFolder;
pub use key::AnnouncementKey;
pub use payload::{AnnouncedSet, Announcement};
pub use previous::PreviousAnnouncement;
pub use roots::{
    AnnouncedRootKey, ObservedRoot, RootAnnouncedPins, RootAnnouncedPinsBuilder,
    RootAnnouncementError, RootOutcome,
};
pub use state::SuccessorRule;
pub use store::{
    Applied, Durability, PinStorage, PinStore, PinStoreBuilder, StateFile, StorageLock, StoreNotice,
};

use signed_announcement::SignedAnnouncement;
use state::RotationState;
