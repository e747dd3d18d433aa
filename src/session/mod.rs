//! Sessions that outlive no decision: rustls resumes them without asking a verifier.
//!
//! A [`SessionGuard`] stands before rustls's session stores and asks the wrapper of the same
//! configuration, by its clock, whether what a session rests on still passes. [`PinnedClientConfigs`] gives
//! a client a fresh verifier and an empty store once sessions of before must not be resumed,
//! [`PinnedClient`] a pool of its own too. And [`OpenConnections`] counts connections that stay open beyond the end of their chain, and tells them to end
//! before it, and after a removal of what they rest on. The room knows the verifiers and rustls's stores; of a stored session it reads nothing but the client's certificates.
//!
//! # How does a server forget the sessions of clients that it would refuse now?
//! ```
//! use std::sync::Arc;
//! use notafter::{SessionGuard, WatchingClientVerifier};
//! use rustls::server::ServerSessionMemoryCache;
//! # fn guard(verifier: Arc<WatchingClientVerifier>, config: &mut rustls::ServerConfig) {
//! let sessions = ServerSessionMemoryCache::new(1024);
//! config.session_storage = SessionGuard::default().server(&verifier, sessions);
//! # }
//! ```

mod certificate_list;
mod client;
mod configs;
mod connections;
mod guard;
mod identity;
mod install;
mod pace;
mod phase;
mod pinned_client;
mod rests_on;
mod schedule;
mod server;
mod slots;

pub use configs::PinnedClientConfigs;
pub use connections::{ClosingTick, OpenConnection, OpenConnections, Removal};
pub use guard::SessionGuard;
pub use install::{guard_client_config, guard_client_config_with_identity, guard_server_config};
pub use pace::ClosingPace;
pub use phase::{ConnectionPhase, PhaseReached};
pub use pinned_client::PinnedClient;
pub use rests_on::RestsOn;
