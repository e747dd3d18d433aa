//! Pins that the application replaces itself.

use std::sync::{Arc, PoisonError, RwLock};

use super::{PinGeneration, PinSets, PinsInForce};

/// Pins that the application replaces while it runs, from its own configuration for example.
///
/// Each replacement is a generation with an epoch of its own: the next handshake goes by it, and
/// what was remembered under the pins of before does not count. Who needs replacements that survive
/// a compromised configuration takes signed announcements and a `PinStore` instead.
///
/// # How do I change pins while my client runs?
/// ```
/// use std::sync::Arc;
/// use notafter::pin::SwappablePins;
/// use notafter::{PinSet, SpkiPin, WatchingServerVerifier};
/// # use rustls::client::danger::ServerCertVerifier;
/// # fn client(
/// #     inner: Arc<dyn ServerCertVerifier>,
/// #     [in_use, kept_offline, next]: [SpkiPin; 3],
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let first = PinSet::builder().with_current(in_use).with_backup(kept_offline).build()?;
/// let pins = Arc::new(SwappablePins::new(first));
/// let verifier = WatchingServerVerifier::builder(inner).with_pins(pins.clone()).build()?;
/// // Later, whenever the configuration says so:
/// pins.replace(PinSet::builder().with_current(kept_offline).with_backup(next).build()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SwappablePins(RwLock<Arc<PinGeneration>>);

impl SwappablePins {
    /// Begins with these sets.
    pub fn new(sets: impl Into<PinSets>) -> Self {
        Self(RwLock::new(Arc::new(PinGeneration::new(0, sets.into()))))
    }

    /// Puts these sets in force in the place of those of now, and gives the epoch that begins. Sets
    /// equal to those in force change nothing: their epoch goes on.
    ///
    /// What a verifier refuses when it is built (sets for identities where it knows none, sets for hosts
    /// alone where clients are verified) it cannot refuse here: such sets are for nobody.
    pub fn replace(&self, sets: impl Into<PinSets>) -> u64 {
        let sets = sets.into();
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if current.sets != sets {
            *current = Arc::new(PinGeneration::new(current.epoch.saturating_add(1), sets));
        }
        current.epoch
    }
}

impl PinsInForce for SwappablePins {
    fn generation(&self) -> Arc<PinGeneration> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pin::{PinSet, SpkiPin};

    fn set(of: &str) -> PinSet {
        let pins = PinSet::builder().with_current(SpkiPin::from_spki_der(of.as_bytes()));
        pins.build().unwrap()
    }

    #[test]
    fn every_other_set_begins_an_epoch_and_the_same_one_does_not() {
        let pins = SwappablePins::new(set("a"));
        assert_eq!(pins.generation().epoch, 0);
        assert_eq!(pins.replace(set("b")), 1);
        assert_eq!(pins.replace(set("b")), 1);
        assert_eq!(pins.generation().sets, set("b").into());
        assert_eq!(pins.replace(set("a")), 2, "never an epoch of before");
    }
}
