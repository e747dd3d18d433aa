//! The pins in force: the floor with the announcements applied to it, kept over restarts.
//!
//! Pure but for the [`PinStorage`] that it is given.

mod builder;
mod compare;
mod copy;
mod history;
mod kept;
mod notice;
mod pin_store;
mod set_rules;
mod shelf;
mod storage;

pub use builder::PinStoreBuilder;
pub use notice::StoreNotice;
pub use pin_store::{Applied, Durability, PinStore};
pub use storage::{PinStorage, StateFile, StorageLock};
