//! What `docs/RUSTLS-0.24.md` says of the development line of rustls, over loopback.

mod handshakes;
mod loopback;
mod pki;
mod sessions;
mod staples;
mod stored;
