//! The pins in force: the floor with the announcements applied to it, kept over restarts.
//!
//! A [`PinStore`] publishes generations of pins that verifiers read without waiting. Behind it, one
//! writer at a time holds the history of announcements and the two copies of it that the
//! [`PinStorage`] keeps. Pure but for that storage, which is given: no file is opened here, and no
//! clock is read.

mod applied;
mod changes;
mod copies;
pub(super) mod copy_file;
mod history;
mod kept;
mod notice;
mod pin_store;
mod set_terms;
mod state_copy;
mod storage;
mod writer;

pub use applied::{Applied, Durability};
pub use notice::StoreNotice;
pub(super) use pin_store::DEFAULT_HOLD_DOWN;
pub use pin_store::{PinStore, PinStoreBuilder};
pub use storage::{PinStorage, StateFile, StorageLock};
pub(super) use storage::{WriteTurn, replace};
