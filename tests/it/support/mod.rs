pub mod corpora;
pub mod ocsp;
pub mod pki;
pub mod tls;
