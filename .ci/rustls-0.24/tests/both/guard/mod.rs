//! The guards of today around what tomorrow keeps.

mod clients;
mod servers;

pub use clients::GuardedSessions;
pub use servers::{GuardedStore, GuardedTickets};
