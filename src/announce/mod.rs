//! Signed rotation of pins: what may be announced, by whom, and from when on it counts.
//!
//! Pure: bytes, keys, algorithms and the instant come from the caller. `docs/ANNOUNCEMENTS.md` is
//! the format and the rules in words.

mod admission;
mod authority;
mod chain;
mod envelope;
mod error;
mod files;
mod floor;
mod folder;
mod handover;
mod payload;
mod points;
mod replay;
mod rules;
mod signed;
mod state;
mod store;
mod strict_json;
mod verify;

#[cfg(test)]
mod model_tests;

pub(crate) use crate::cert::SignatureAlgorithms as Algorithms;
pub use authority::{AnnouncementKey, Authority};
pub(crate) use chain::Link;
pub use chain::PreviousAnnouncement;
pub use envelope::Envelope;
pub use error::AnnouncementError;
pub use files::{AnnouncementFolder, FileOutcome};
pub use floor::{FloorError, PinFloor};
pub use folder::PinFolder;
pub(crate) use handover::Handover;
#[cfg(test)]
use handover::Signers;
pub use payload::{AnnouncedSet, Announcement};
pub(crate) use replay::{before_version, is_alike, open_again, reject_only, with_rejections_of};
use rules::{Arrival, WhenEmpty, apply};
pub(crate) use signed::SignedAnnouncement;
pub(crate) use state::RotationState;
pub use state::SuccessorRule;
use state::Trust;
pub use store::{
    Applied, Durability, PinStorage, PinStore, PinStoreBuilder, StateFile, StorageLock, StoreNotice,
};
use verify::Counted;
