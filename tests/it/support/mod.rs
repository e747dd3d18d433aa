pub mod corpora;
pub mod graph;
pub mod limbo;
pub mod ocsp;
pub mod pki;
pub mod tls;
