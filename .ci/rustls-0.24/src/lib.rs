//! The edges that meet rustls 0.24, as far as they can be tried with its development line: a wrapper of
//! servers' verifiers and a resolver of client certificates, whose epochs are in what rustls hashes, and
//! a reader of the sessions that its server stores.
//!
//! `docs/RUSTLS-0.24.md` says what follows from it, `tests/` shows it.
//!
//! # Can an inner verifier be asked again, about somebody who is remembered?
//! About a server:
//! ```
//! use rustls::client::danger::ServerIdentity;
//! use rustls::{crypto::Identity, pki_types::ServerName, pki_types::UnixTime};
//! fn again<'a, 'b>(
//!     identity: &'b Identity<'a>, name: &'b ServerName<'a>, staple: &'b [u8], now: UnixTime,
//! ) -> ServerIdentity<'a, 'b> {
//!     let mut asked = ServerIdentity::new(identity, name, now);
//!     asked.ocsp_response = staple;
//!     asked
//! }
//! ```
//! About a client it cannot. Where this compiles, it can:
//! ```compile_fail
//! use rustls::server::danger::ClientIdentity;
//! use rustls::{crypto::Identity, pki_types::UnixTime};
//! fn again<'a, 'b>(identity: &'b Identity<'a>, now: UnixTime) -> ClientIdentity<'a, 'b> {
//!     ClientIdentity::new(identity, now)
//! }
//! ```

mod epoch;
mod resolver;
mod stored_client;
mod verifier;

pub use epoch::EpochInForce;
pub use resolver::FollowedCredentials;
pub use stored_client::StoredClient;
pub use verifier::{StapleRule, WatchingServerVerifier};
