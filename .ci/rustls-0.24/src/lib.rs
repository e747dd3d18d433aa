//! The edges that meet rustls 0.24, as far as they can be tried with its development line: a wrapper of
//! servers' verifiers and a resolver of client certificates, whose epochs are in what rustls hashes, and
//! a reader of the sessions that its server stores.
//!
//! `docs/RUSTLS-0.24.md` says what follows from it, `tests/` shows it.

mod epoch;
mod resolver;
mod stored_client;
mod verifier;

pub use epoch::EpochInForce;
pub use resolver::FollowedCredentials;
pub use stored_client::StoredClient;
pub use verifier::{StapleRule, WatchingServerVerifier};
