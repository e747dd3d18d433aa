//! What is unwise about pins.

use std::collections::BTreeSet;
use std::fmt;

use super::{Pin, PinScope, PinState, SpkiPin};
use crate::cert::{Certificate, NextRootKey};

/// Something that works but will hurt, printed as a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinLint {
    /// Fewer than two distinct keys are or will be accepted.
    OnlyOnePin,
    /// A digest that nobody's key has: an example that was copied.
    Placeholder {
        /// The pin.
        pin: SpkiPin,
    },
    /// The scope covers domains of many owners.
    PublicSuffix {
        /// The scope.
        scope: PinScope,
    },
    /// The same pin is written twice.
    Repeated {
        /// The pin.
        pin: SpkiPin,
        /// The two states.
        states: [PinState; 2],
    },
    /// A key known to be in wrong hands is accepted elsewhere.
    RejectedElsewhere {
        /// The pin.
        pin: SpkiPin,
    },
    /// None of the accepted pins is on the chain.
    NoLivePin,
    /// All of the accepted pins are on the chain.
    NoBackupOffChain,
    /// A pinned root names its next key, which is pinned nowhere.
    NextRootKeyUnpinned {
        /// What the root is called.
        root: String,
        /// What its certificate says.
        next: NextRootKey,
    },
    /// A pinned root names its next key, and another one is pinned as the successor.
    NextRootKeyDiffers {
        /// What the root is called.
        root: String,
        /// What its certificate says.
        next: NextRootKey,
        /// The first of those that are pinned instead.
        pin: SpkiPin,
    },
}

impl PinLint {
    /// Returns the stable code, in snake case.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::OnlyOnePin => "only_one_pin",
            Self::Placeholder { .. } => "placeholder",
            Self::PublicSuffix { .. } => "public_suffix",
            Self::Repeated { .. } => "repeated",
            Self::RejectedElsewhere { .. } => "rejected_elsewhere",
            Self::NoLivePin => "no_live_pin",
            Self::NoBackupOffChain => "no_backup_off_chain",
            Self::NextRootKeyUnpinned { .. } => "next_root_key_unpinned",
            Self::NextRootKeyDiffers { .. } => "next_root_key_differs",
        }
    }

    /// Of the pins of one set, some of which reject keys, and of the hosts that it is for.
    pub(super) fn of_set(
        pins: &[Pin],
        rejected: &BTreeSet<SpkiPin>,
        scopes: &[PinScope],
    ) -> Vec<Self> {
        let mut lints = Vec::new();
        let usable = pins.iter().filter(|pin| pin.is_usable(rejected));
        if distinct_keys(usable) < 2 {
            lints.push(Self::OnlyOnePin);
        }
        for (index, pin) in pins.iter().enumerate() {
            let before = || pins.iter().take(index);
            if pin.key.is_placeholder() && !before().any(|other| other.key == pin.key) {
                lints.push(Self::Placeholder { pin: pin.key });
            }
            let same = |other: &&Pin| (other.key, other.position) == (pin.key, pin.position);
            if let Some(other) = before().find(same) {
                let states = [other.state, pin.state];
                lints.push(Self::Repeated {
                    pin: pin.key,
                    states,
                });
            }
            if pin.can_be_accepted() && rejected.contains(&pin.key) {
                lints.push(Self::RejectedElsewhere { pin: pin.key });
            }
        }
        let too_wide = scopes.iter().filter(|scope| is_too_wide(scope));
        lints.extend(too_wide.map(|scope| Self::PublicSuffix {
            scope: scope.clone(),
        }));
        lints
    }
}

impl fmt::Display for PinLint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnlyOnePin => f.write_str(
                "only one key can ever match: pin a second one, kept offline, before the first is lost",
            ),
            Self::Placeholder { pin } => write!(
                f,
                "the pin {pin} is a placeholder, no key has it: put the real one in its place"
            ),
            Self::PublicSuffix { scope } => write!(
                f,
                "{scope} covers the domains of many owners: name the domain that is meant"
            ),
            Self::Repeated {
                pin,
                states: [one, other],
            } => write!(
                f,
                "the pin {pin} is listed twice, as {one} and {other}: keep one"
            ),
            Self::RejectedElsewhere { pin } => write!(
                f,
                "the key {pin} is rejected in one place and accepted in another: it should be rejected everywhere"
            ),
            Self::NoLivePin => {
                f.write_str("no accepted pin is on this chain: it would be refused now")
            }
            Self::NoBackupOffChain => f.write_str(
                "every usable pin is on this chain: when its keys are lost, so is the service; pin a backup key that is kept offline",
            ),
            Self::NextRootKeyUnpinned { root, next } => write!(
                f,
                "the pinned root '{root}' names {next} as its next key, and no pin is of it: pin that key, or let the root announce it"
            ),
            Self::NextRootKeyDiffers { root, next, pin } => write!(
                f,
                "the pinned root '{root}' names {next} as its next key, and {pin} is pinned as the successor: ask whoever runs that root which is right"
            ),
        }
    }
}

/// Whether a certificate of this chain, leaf first, has the pin's key where the pin is compared.
pub(super) fn is_on_chain(pin: &Pin, chain: &[Certificate]) -> bool {
    let certificates = chain.iter().enumerate();
    let mut compared = certificates.filter(|(index, _)| match index {
        0 => pin.position.includes_leaf(),
        _ => pin.position.needs_path(),
    });
    compared.any(|(_, certificate)| SpkiPin::from_certificate(certificate) == pin.key)
}

/// How many keys these pins are of.
pub(super) fn distinct_keys<'p>(pins: impl Iterator<Item = &'p Pin>) -> usize {
    let keys: BTreeSet<_> = pins.map(|pin| pin.key).collect();
    keys.len()
}

#[cfg(feature = "public-suffix")]
fn is_too_wide(scope: &PinScope) -> bool {
    let Some(domain) = scope.wildcard_domain() else {
        return false;
    };
    // A domain that has an owner is a suffix with at least one label before it.
    psl::domain(domain.as_bytes()).is_none()
}

/// Without the list, what is certain: nobody owns a whole top-level domain's subdomains alone.
#[cfg(not(feature = "public-suffix"))]
fn is_too_wide(scope: &PinScope) -> bool {
    scope
        .wildcard_domain()
        .is_some_and(|domain| !domain.contains('.'))
}
