//! The certificates of a whole organisation, asked in SQL.
//!
//! What outgrows one process runs on an existing engine: [`functions`] are the facts, bands and pins of
//! `notafter` as scalar functions of Apache DataFusion, over Parquet and CSV of any length. [`shell`] is
//! the command that asks them, [`generate`] writes files to try it on, and `cluster` (feature `ballista`)
//! has the same functions on many machines.
//!
//! Nothing of this is judged here: a certificate's bytes are read by `notafter::cert`, its band is that of
//! `notafter::ThresholdPolicy`, and what cannot be read is null with a reason beside it.

#![deny(clippy::expect_used, clippy::panic, clippy::todo, clippy::unwrap_used)]

#[cfg(feature = "ballista")]
pub mod cluster;
pub mod functions;
pub mod generate;
pub mod shell;
