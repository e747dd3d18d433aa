//! What those tests take from the crate's own.

pub mod line;
#[allow(dead_code)]
#[path = "../../../../../tests/it/support/pki.rs"]
pub mod pki;
#[path = "../../../../../tests/it/support/shown.rs"]
pub mod shown;
