//! Verifiers whose trust anchors and revocation lists change while they run.

mod by_generation;
mod client;
mod current;
mod error;
mod root_hints;
mod server;

pub use client::{ReloadingClientVerifier, ReloadingClientVerifierBuilder};
pub use error::ReloadingVerifierError;
pub use server::{ReloadingServerVerifier, ReloadingServerVerifierBuilder};
