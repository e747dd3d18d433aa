pub mod corpora;
#[cfg(feature = "metrics")]
pub mod gauges;
pub mod graph;
pub mod limbo;
pub mod ocsp;
pub mod pki;
pub mod tls;
