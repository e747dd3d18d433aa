//! The rules: pure functions from what holds and what arrives to what holds then.
//!
//! [`apply`] takes one announcement, as it arrives now; [`apply_again`] one that was applied before,
//! perhaps on another floor or with another hold-down. They know bytes and instants only by what was
//! read and counted already. `docs/ANNOUNCEMENTS.md` has each rule in words, and what it withstands.

mod admission;
mod apply;
mod arrival;
#[cfg(test)]
mod model_tests;
mod replay;
mod ruling;

pub(super) use apply::apply;
pub(super) use arrival::{Arrival, WhenEmpty};
pub(super) use replay::{AppliedBefore, apply_again, open_again};
