//! What is unwise about pins.

use thiserror::Error;

use super::{ExpiryRule, Pin, PinScope, PinSet, PinSets, PinState, SpkiPin};
use crate::cert::Certificate;
use crate::time::Timestamp;

/// Something that works but will hurt. Printed as a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinLint {
    /// Fewer than two distinct keys are or will be accepted.
    #[error(
        "only one key can ever match: pin a second one, kept offline, before the first is lost"
    )]
    OnlyOnePin,
    /// A digest that nobody's key has: an example that was copied.
    #[error("the pin {pin} is a placeholder, no key has it: put the real one in its place")]
    Placeholder {
        /// The pin.
        pin: SpkiPin,
    },
    /// The scope covers domains of many owners.
    #[error("{scope} covers the domains of many owners: name the domain that is meant")]
    PublicSuffix {
        /// The scope.
        scope: PinScope,
    },
    /// The same pin is written twice.
    #[error("the pin {pin} is listed twice, as {} and {}: keep one", .states[0], .states[1])]
    Repeated {
        /// The pin.
        pin: SpkiPin,
        /// The two states.
        states: [PinState; 2],
    },
    /// A key known to be in wrong hands is accepted elsewhere.
    #[error(
        "the key {pin} is rejected in one place and accepted in another: it should be rejected everywhere"
    )]
    RejectedElsewhere {
        /// The pin.
        pin: SpkiPin,
    },
    /// None of the accepted pins is on the chain.
    #[error("no accepted pin is on this chain: it would be refused now")]
    NoLivePin,
    /// All of the accepted pins are on the chain.
    #[error(
        "every usable pin is on this chain: when its keys are lost, so is the service; pin a backup key that is kept offline"
    )]
    NoBackupOffChain,
}

impl PinLint {
    /// The stable code, in snake case.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::OnlyOnePin => "only_one_pin",
            Self::Placeholder { .. } => "placeholder",
            Self::PublicSuffix { .. } => "public_suffix",
            Self::Repeated { .. } => "repeated",
            Self::RejectedElsewhere { .. } => "rejected_elsewhere",
            Self::NoLivePin => "no_live_pin",
            Self::NoBackupOffChain => "no_backup_off_chain",
        }
    }

    pub(super) fn of_set(set: &PinSet) -> Vec<Self> {
        let mut lints = Vec::new();
        let mut keys: Vec<_> = usable(set).map(|pin| pin.pin).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() < 2 {
            lints.push(Self::OnlyOnePin);
        }
        for (index, pin) in set.pins().iter().enumerate() {
            let before = || set.pins().iter().take(index);
            if pin.pin.is_placeholder() && !before().any(|other| other.pin == pin.pin) {
                lints.push(Self::Placeholder { pin: pin.pin });
            }
            let same = |other: &&Pin| (other.pin, other.position) == (pin.pin, pin.position);
            if let Some(other) = before().find(same) {
                let states = [other.state, pin.state];
                lints.push(Self::Repeated {
                    pin: pin.pin,
                    states,
                });
            }
            if pin.can_be_accepted() && set.is_rejected(&pin.pin) {
                lints.push(Self::RejectedElsewhere { pin: pin.pin });
            }
        }
        let too_wide = set.scopes().iter().filter(|scope| is_too_wide(scope));
        lints.extend(too_wide.map(|scope| Self::PublicSuffix {
            scope: scope.clone(),
        }));
        lints
    }

    pub(super) fn of_sets(sets: &PinSets) -> Vec<Self> {
        let mut lints: Vec<_> = sets.iter().flat_map(Self::of_set).collect();
        for set in sets.iter() {
            for pin in usable(set) {
                let lint = Self::RejectedElsewhere { pin: pin.pin };
                let elsewhere = sets.iter().any(|other| other.is_rejected(&pin.pin));
                if elsewhere && !lints.contains(&lint) {
                    lints.push(lint);
                }
            }
        }
        lints
    }
}

impl PinSet {
    /// Holds the set against a chain as it is served, leaf first: one pin accepted at `now` should
    /// be on it, and one usable pin should not.
    ///
    /// The chain is taken as given; whether it verifies is another question.
    pub fn lint_against(&self, chain: &[Certificate], now: Timestamp) -> Vec<PinLint> {
        let on_chain = |pin: &Pin| {
            let certificates = chain.iter().enumerate();
            let compared = certificates.filter(|(index, _)| match index {
                0 => pin.position.includes_leaf(),
                _ => pin.position.needs_path(),
            });
            let mut keys = compared.map(|(_, c)| SpkiPin::of_certificate(c));
            keys.any(|key| key == pin.pin)
        };
        let mut lints = Vec::new();
        if !self.accepted(now).any(on_chain) {
            lints.push(PinLint::NoLivePin);
        }
        if usable(self).all(on_chain) {
            lints.push(PinLint::NoBackupOffChain);
        }
        lints
    }

    /// Whether the set will go on accepting peers for so many seconds from `now` on, for people's
    /// own CI: it must accept a pin now and not reach its date within that time.
    ///
    /// # Errors
    /// [`PinSetEnds`] with what ends and when.
    ///
    /// # How does a build fail before the pins in it run out?
    /// ```
    /// use notafter::pin::ExpiryRule;
    /// use notafter::{PinSet, Timestamp};
    /// # let pin = "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=".parse()?;
    /// let end: Timestamp = "2027-01-01T00:00:00Z".parse()?;
    /// let set = PinSet::builder().current(pin).with_expiry(end, ExpiryRule::FailClosed).build()?;
    /// let built: Timestamp = "2026-06-01T00:00:00Z".parse()?;
    /// assert!(set.assert_live_for(180 * 86_400, built).is_ok());
    /// assert!(set.assert_live_for(365 * 86_400, built).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn assert_live_for(&self, seconds: i64, now: Timestamp) -> Result<(), PinSetEnds> {
        if self.accepted(now).next().is_none() {
            let first = usable(self).filter_map(|pin| pin.acceptance.from()).min();
            return Err(PinSetEnds::NothingAccepted { now, first });
        }
        match self.expiry() {
            Some((end, rule)) if end < now.saturating_add(seconds) => Err(PinSetEnds::TooSoon {
                end,
                left: end.seconds_since(now),
                wanted: seconds,
                rule,
            }),
            _ => Ok(()),
        }
    }
}

/// A pin set that does not last as long as it should.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PinSetEnds {
    /// No pin is accepted at the instant asked for.
    #[error("no pin is accepted at {now}{}: add the pin of the key in use", first_accepted(.first))]
    NothingAccepted {
        /// The instant.
        now: Timestamp,
        /// When the first one will be, if any.
        first: Option<Timestamp>,
    },
    /// The set's own date comes first.
    #[error(
        "the pin set ends at {end}, {left} s from now, and should last {wanted} s: release a new one before that"
    )]
    TooSoon {
        /// The set's last good second.
        end: Timestamp,
        /// How many seconds that leaves.
        left: i64,
        /// How many were asked for.
        wanted: i64,
        /// What happens then.
        rule: ExpiryRule,
    },
}

fn first_accepted(first: &Option<Timestamp>) -> String {
    let first = first.map(|first| format!(", the first from {first} on"));
    first.unwrap_or_default()
}

/// The pins that are or will be accepted.
fn usable(set: &PinSet) -> impl Iterator<Item = &Pin> {
    let pins = set.pins().iter().filter(|pin| pin.can_be_accepted());
    pins.filter(|pin| !set.is_rejected(&pin.pin))
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
