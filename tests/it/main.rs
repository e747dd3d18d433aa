//! What the crate promises, tried on real bytes, real files and real handshakes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod command;
mod handshakes;
mod incidents;
mod layers;
mod parser_corpus;
mod pins;
mod sources;
mod support;
mod verifiers;
