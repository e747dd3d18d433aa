//! SPKI pins: which public keys a peer may show.

mod error;
mod forms;
mod spki;

#[cfg(test)]
mod tests;

pub use error::PinError;
pub use forms::{PinForm, PinParseError};
pub use spki::{PinSourceError, SpkiPin};
