pub mod corpora;
pub mod limbo;
pub mod pki;
pub mod tls;
