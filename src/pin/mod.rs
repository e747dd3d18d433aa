//! SPKI pins: which public keys a peer may show.

mod error;
mod forms;
mod key;
mod life;
mod lint;
mod private;
mod scope;
mod set;
mod sets;
mod verdict;

#[cfg(test)]
mod set_tests;
#[cfg(test)]
mod tests;

pub use error::{NearMiss, PinError, PresentedKey};
pub use forms::{PinForm, PinParseError};
pub use key::{PinSourceError, SpkiPin};
pub use life::{
    Acceptance, ExpiryRule, Pin, PinMode, PinPosition, PinSetStanding, PinState, PinWordError,
};
pub use lint::{PinLint, PinSetEnds};
pub use scope::{PinScope, PinScopeError};
pub use set::{PinSet, PinSetBuilder, PinSetError};
pub use sets::{FixedPins, PinGeneration, PinSets, PinsInForce};
pub(crate) use verdict::{LeafVerdict, PathKeys};
