pub mod corpora;
pub mod pki;
pub mod tls;
