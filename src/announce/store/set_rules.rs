//! What the builder says about each set.

use crate::announce::RotationState;
use crate::pin::{ExpiryRule, PinMode, PinSet, PinSetError, PinSets};
use crate::time::Timestamp;

/// Makes sets of what is in force.
#[derive(Debug, Clone, Copy)]
pub(super) struct SetRules {
    pub(super) expires: Timestamp,
    pub(super) expiry: ExpiryRule,
    pub(super) mode: PinMode,
}

impl SetRules {
    pub(super) fn sets(&self, state: &RotationState) -> Result<PinSets, PinSetError> {
        let sets = state.in_force().map(|(hosts, pins)| {
            let mut set = PinSet::builder()
                .with_expiry(self.expires, self.expiry)
                .with_mode(self.mode);
            for host in hosts {
                set = set.with_scope(host.clone());
            }
            for pin in pins {
                set = set.with_pin(pin);
            }
            set.build()
        });
        PinSets::new(sets.collect::<Result<Vec<_>, _>>()?)
    }
}
