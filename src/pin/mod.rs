//! SPKI pins: which public keys a peer may show.

mod error;
mod forms;
mod life;
mod lint;
mod matching;
mod scope;
mod set;
mod sets;
mod spki;

#[cfg(test)]
mod set_tests;
#[cfg(test)]
mod tests;

pub use error::{NearMiss, PinError, PresentedKey};
pub use forms::{PinForm, PinParseError};
pub use life::{
    Acceptance, ExpiryRule, Pin, PinMode, PinPosition, PinSetStanding, PinState, PinWordError,
};
pub use lint::{PinLint, PinSetEnds};
pub(crate) use matching::{LeafVerdict, PathKeys};
pub use scope::{PinScope, PinScopeError};
pub use set::{PinSet, PinSetBuilder, PinSetError};
pub use sets::{FixedPins, PinGeneration, PinSets, PinsInForce};
pub use spki::{PinSourceError, SpkiPin};
