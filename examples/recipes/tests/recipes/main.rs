//! Each recipe against a real peer over loopback.

mod http_peer;
mod scenario;
mod servers;
mod world;

mod actix_web;
mod axum_server;
mod distrust;
mod hyper;
mod nats;
mod page;
mod platform_verifier;
mod postgres;
mod quinn;
mod reqwest;
mod smtp;
mod tokio_rustls;
mod tonic;
mod upki;
mod ureq;
mod websocket;
