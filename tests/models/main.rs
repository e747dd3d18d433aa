//! What threads may do to each other, in every order that the memory model of Rust allows.
//!
//! These are miniatures: each keeps the locks, the atomics and the steps of the code that it stands for, in
//! their order, and leaves everything else out. Where a step of the code changes, its miniature has to
//! follow; `tests/it/storms.rs` asks the same of the real types, as often as threads happen to meet.
//! A model whose order is the wrong one has to fail: that shows that the others can.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod proof;
mod publication;
mod queue;
mod reload;
