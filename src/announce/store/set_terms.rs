//! The terms under which each pin set of a store holds: its end, what happens then, and its mode.

use crate::announce::RotationState;
use crate::pin::{ExpiryRule, PinMode, PinSet, PinSetError, PinSets};
use crate::time::Timestamp;

/// What the floor and the builder say about each set; announcements change none of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SetTerms {
    pub(super) expires: Timestamp,
    pub(super) expiry: ExpiryRule,
    pub(super) mode: PinMode,
}

impl SetTerms {
    /// The sets that verifiers match, of the pins in force.
    pub(super) fn sets(&self, state: &RotationState) -> Result<PinSets, PinSetError> {
        let mut sets = Vec::new();
        for (hosts, pins) in state.in_force() {
            let mut set = PinSet::builder()
                .with_expiry(self.expires, self.expiry)
                .with_mode(self.mode);
            for host in hosts {
                set = set.with_scope(host.clone());
            }
            for pin in pins {
                set = set.with_pin(pin);
            }
            sets.push(set.build()?);
        }
        PinSets::new(sets)
    }
}
