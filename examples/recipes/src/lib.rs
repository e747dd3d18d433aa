//! notafter in the clients and servers that speak rustls: one file each, to be copied.
//!
//! [`client_configs`] and [`server_config`] are the same for all of them: whom to trust, what to pin, what to
//! show, whom to tell. Each other file says where that goes in its crate, and what becomes of connections
//! that are open when it changes. What is tried: `tests/recipes`. The table: the page `stacks` of the guide.

pub mod actix_server;
pub mod axum_server;
pub mod client_configs;
pub mod distrust_dates;
pub mod hyper_client;
pub mod nats_client;
pub mod platform_verifier;
pub mod postgres_client;
pub mod quinn_client;
pub mod quinn_server;
pub mod reqwest_012;
pub mod reqwest_013;
pub mod server_config;
pub mod smtp_monitor;
pub mod tokio_client;
pub mod tokio_server;
pub mod tonic_client;
pub mod tonic_server;
pub mod upki_verifier;
pub mod ureq_client;
pub mod ureq_transport;
pub mod websocket_client;

/// Any error, as it can be sent between threads: the clients' crates have one of their own each.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
