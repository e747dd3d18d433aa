//! What is asked of pins before they are written: that the form can say all of it.

use super::date::LastSecond;
use super::unsayable::{FormWriteError, Unsayable};
use crate::pin::{
    Acceptance, ExpiryRule, Pin, PinMode, PinPosition, PinScope, PinSet, PinSets, PinState, SpkiPin,
};
use crate::time::Timestamp;

/// A form, as far as it differs from others in what it can say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// What people call it.
    pub(super) name: &'static str,
    /// Whether it can say that pins are only told about.
    pub(super) reports: bool,
    /// The fewest distinct pins that decide.
    pub(super) least_pins: usize,
}

/// A set of which everything can be said, as it is numbered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbered<'s> {
    pub(super) form: Form,
    pub(super) number: Option<usize>,
    pub(super) set: &'s PinSet,
}

impl Form {
    /// That this cannot be said of the whole.
    pub(super) const fn error(self, thing: Unsayable) -> FormWriteError {
        FormWriteError {
            form: self.name,
            set: None,
            thing,
        }
    }

    /// That no hosts are left out, where the form has no words for it.
    pub(super) fn none_unpinned(self, sets: &PinSets) -> Result<(), FormWriteError> {
        match sets.unpinned() {
            [] => Ok(()),
            [scope, ..] => Err(self.error(Unsayable::Unpinned {
                scope: scope.clone(),
            })),
        }
    }

    /// The sets, each with its number.
    pub(super) fn numbered(self, sets: &PinSets) -> impl Iterator<Item = Numbered<'_>> {
        let numbers = sets.iter().enumerate();
        numbers.map(move |(number, set)| Numbered {
            form: self,
            number: Some(number),
            set,
        })
    }
}

impl<'s> Numbered<'s> {
    /// That this cannot be said of the set.
    pub(super) const fn error(&self, thing: Unsayable) -> FormWriteError {
        FormWriteError {
            form: self.form.name,
            set: self.number,
            thing,
        }
    }

    /// The pins, where each counts, at once, at a position that the form knows.
    pub(super) fn pins(&self, positions: Positions) -> Result<Vec<&'s Pin>, FormWriteError> {
        if self.set.mode() == PinMode::ReportOnly && !self.form.reports {
            return Err(self.error(Unsayable::ReportOnly));
        }
        let mut pins: Vec<&Pin> = Vec::new();
        for pin in self.set.pins() {
            sayable(pin, positions).map_err(|thing| self.error(thing))?;
            if !pins.iter().any(|known| same(known, pin)) {
                pins.push(pin);
            }
        }
        let least = match self.set.mode() {
            PinMode::Enforce => self.form.least_pins,
            PinMode::ReportOnly => 1,
        };
        let count = pins.len();
        if count < least {
            return Err(self.error(Unsayable::TooFewPins { pins: count, least }));
        }
        Ok(pins)
    }

    /// The keys, which count anywhere on a path.
    pub(super) fn keys_of_any_position(&self) -> Result<Vec<SpkiPin>, FormWriteError> {
        let pins = self.pins(Positions::Any)?;
        Ok(pins.into_iter().map(|pin| pin.key).collect())
    }

    /// The hosts, of which there is one at least.
    pub(super) fn hosts(&self) -> Result<Vec<Host>, FormWriteError> {
        if self.set.scopes().is_empty() {
            return Err(self.error(Unsayable::EveryPeer));
        }
        let hosts = self.set.scopes().iter().map(Host::of);
        let hosts = hosts.map(|host| host.map_err(|thing| self.error(thing)));
        hosts.collect()
    }

    /// The last good second, after which this rule holds.
    pub(super) fn end(&self, said: ExpiryRule) -> Result<Option<Timestamp>, FormWriteError> {
        match self.set.expiry() {
            Some((_, rule)) if rule != said => {
                Err(self.error(Unsayable::ExpiryRule { rule, said }))
            }
            Some((not_after, _)) => Ok(Some(not_after)),
            None => Ok(None),
        }
    }

    /// The last good day, after which the pins decide no more.
    pub(super) fn last_day(&self, last: LastSecond) -> Result<Option<String>, FormWriteError> {
        let Some(not_after) = self.end(ExpiryRule::FailOpenLoudly)? else {
            return Ok(None);
        };
        let said = last.time_of_day();
        match last.write(not_after) {
            Some(day) => Ok(Some(day)),
            None => Err(self.error(Unsayable::TimeOfDay { not_after, said })),
        }
    }

    /// That it has no end.
    pub(super) fn endless(&self) -> Result<(), FormWriteError> {
        match self.set.expiry() {
            Some((not_after, _)) => Err(self.error(Unsayable::Date { not_after })),
            None => Ok(()),
        }
    }
}

/// The positions that a form knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Positions {
    /// A pin counts anywhere on a path.
    Any,
    /// At the leaf.
    Leaf,
    /// At the leaf, or above it.
    LeafOrCa,
}

fn sayable(pin: &Pin, positions: Positions) -> Result<(), Unsayable> {
    let key = pin.key;
    // What forms call a backup pin is a pin like all others.
    if !matches!(pin.state, PinState::Current | PinState::Backup) {
        let (pin, state) = (key, pin.state);
        return Err(Unsayable::State { pin, state });
    }
    match pin.acceptance {
        Acceptance::Always => {}
        Acceptance::From(from) => return Err(Unsayable::HoldDown { pin: key, from }),
        Acceptance::Never => return Err(Unsayable::NotAccepted { pin: key }),
    }
    let (is_known, said) = match positions {
        Positions::Any => (pin.position == PinPosition::Any, "any"),
        Positions::Leaf => (pin.position == PinPosition::Leaf, "leaf"),
        Positions::LeafOrCa => (
            matches!(pin.position, PinPosition::Leaf | PinPosition::Ca),
            "leaf or ca",
        ),
    };
    if !is_known {
        let position = pin.position;
        return Err(Unsayable::Position {
            pin: key,
            position,
            said,
        });
    }
    match pin.label {
        Some(_) => Err(Unsayable::Label { pin: key }),
        None => Ok(()),
    }
}

/// Whether both say the same where states other than "counts" are none.
fn same(one: &Pin, other: &Pin) -> bool {
    one.key == other.key && one.position == other.position
}

/// A host, and whether all names below it are meant too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) subdomains: bool,
}

impl Host {
    /// A name, an address, or a name with all that is below it.
    pub(super) fn of(scope: &PinScope) -> Result<Self, Unsayable> {
        let text = scope.to_string();
        let refused = |said| Unsayable::Scope {
            scope: scope.clone(),
            said,
        };
        if scope.is_of_identities() {
            return Err(refused("it knows hosts, no identities"));
        }
        if let Some(name) = text.strip_prefix("**.") {
            return Ok(Self {
                name: name.to_owned(),
                subdomains: true,
            });
        }
        if text.starts_with("*.") {
            return Err(refused(
                "it knows a host alone or with all that is below it, at any depth",
            ));
        }
        Ok(Self {
            name: text,
            subdomains: false,
        })
    }

    /// That every name stands once, whether or not with what is below it.
    pub(super) fn check_distinct<'h>(
        hosts: impl IntoIterator<Item = &'h Self>,
    ) -> Result<(), Unsayable> {
        let mut names = std::collections::BTreeSet::new();
        for host in hosts {
            if !names.insert(&host.name) {
                let host = host.name.clone();
                return Err(Unsayable::RepeatedHost { host });
            }
        }
        Ok(())
    }
}
