//! The functions, the command, the questions and the generator, each against what the crate itself says.

#[cfg(feature = "ballista")]
mod cluster;
mod command;
mod corpora;
mod functions;
mod generated;
mod questions;
mod support;
mod tables;
