//! SPKI pins: which public keys a peer may show.
//!
//! A [`SpkiPin`] is the digest of a public key (RFC 7469, 2.4). A [`Pin`] says where in its life that
//! key stands and where it counts, a [`PinSet`] which pins some hosts have and what happens after its
//! date, and [`PinsInForce`] which sets a verifier goes by now. All of it is a function of pins,
//! keys and an instant: nothing here reads a clock, a file or a network, and only the reading of private
//! keys asks a crypto provider.
//!
//! # Which pins will my client go by?
//! ```
//! use notafter::pin::{Pin, PinPosition, PinState};
//! use notafter::{PinScope, PinSet, SpkiPin};
//! # let [in_use, kept_offline, of_the_ca] = ["one", "two", "three"]
//! #     .map(|spki| SpkiPin::from_spki_der(spki.as_bytes()));
//! let ca = Pin::new(of_the_ca, PinState::Backup).with_position(PinPosition::Ca);
//! let pins = PinSet::builder()
//!     .with_current(in_use)
//!     .with_backup(kept_offline)
//!     .with_pin(ca)
//!     .with_scope("*.example.com".parse::<PinScope>()?)
//!     .build()?;
//! assert_eq!(pins.usable_keys(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod expiry;
#[cfg(feature = "pin-forms")]
pub mod forms;
mod in_force;
mod key;
mod lint;
#[allow(clippy::module_inception)] // One pin, which the room is about.
mod pin;
mod private;
mod root_lint;
mod scope;
mod set;
mod swappable;
mod verdict;

#[cfg(test)]
mod set_tests;
#[cfg(test)]
mod tests;

pub use error::{NearMiss, PinError, PinSetEndsError, PinSetError, PresentedKey};
pub use expiry::{ExpiryRule, PinSetStanding};
pub use in_force::{FixedPins, PinGeneration, PinSets, PinsInForce};
pub use key::{PinForm, PinParseError, PinSourceError, SpkiPin};
pub use lint::PinLint;
pub use pin::{Acceptance, Pin, PinPosition, PinState, PinWordError};
pub use scope::{PinScope, PinScopeError};
pub use set::{PinMode, PinSet, PinSetBuilder};
pub use swappable::SwappablePins;
pub(crate) use verdict::{
    KeysAbove, PathKeys, PinVerdict, ShownKeys, VerifiedPaths, expired, judge, match_path,
};
