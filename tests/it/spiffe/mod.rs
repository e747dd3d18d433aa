//! Peers with identities: SPIFFE IDs over real handshakes, rustls and OpenSSL on the other side.

mod bundles;
mod handshakes;
mod identified;
mod metrics;
mod openssl;
mod scene;
mod svids;
mod two_peers;
