//! Each recipe against a real peer over loopback.

mod http_peer;
mod scenario;
mod world;

mod axum_server;
mod reqwest;
mod tokio_rustls;
mod tonic;
