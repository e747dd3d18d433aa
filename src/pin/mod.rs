//! SPKI pins: which public keys a peer may show.

mod error;
mod spki;

#[cfg(test)]
mod tests;

pub use error::PinError;
pub use spki::{PinParseError, SpkiPin};
