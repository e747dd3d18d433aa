//! What a form cannot say of pins, so that they are not written in it.

use std::fmt;

use thiserror::Error;

use crate::pin::{ExpiryRule, PinPosition, PinScope, PinState, SpkiPin};
use crate::time::Timestamp;

/// Pins that were not written, because their form cannot say all that they say.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{form} cannot say all of {}: {thing}", hosts(.set))]
#[non_exhaustive]
pub struct FormWriteError {
    /// What people call the form.
    pub form: &'static str,
    /// Which of the sets, counted from 0; `None` where it is about no one of them.
    pub set: Option<usize>,
    /// What it cannot say.
    pub thing: Unsayable,
}

fn hosts(set: &Option<usize>) -> String {
    match set {
        Some(set) => format!("pin set {set}"),
        None => "these pin sets".to_owned(),
    }
}

/// One thing that a form cannot say.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unsayable {
    /// A pin's state: it knows pins that count, and no others.
    #[error(
        "{pin} is {state}, and it knows no pins but those that count: leave that pin out, or wait until it counts"
    )]
    State {
        /// The pin.
        pin: SpkiPin,
        /// Its state.
        state: PinState,
    },
    /// From when on a pin counts.
    #[error(
        "{pin} is accepted from {from} on, and in it every pin counts at once: write it after that"
    )]
    HoldDown {
        /// The pin.
        pin: SpkiPin,
        /// From when on it counts.
        from: Timestamp,
    },
    /// That a pin is not accepted as things are.
    #[error("{pin} is not accepted as things are, and in it every pin counts: leave that pin out")]
    NotAccepted {
        /// The pin.
        pin: SpkiPin,
    },
    /// Where a pin counts.
    #[error(
        "{pin} counts at the position {position}, and in it a pin counts at {said}: give it that position, or use another form"
    )]
    Position {
        /// The pin.
        pin: SpkiPin,
        /// Its position.
        position: PinPosition,
        /// The positions that the form knows.
        said: &'static str,
    },
    /// What people call a key.
    #[error("{pin} has a label, and it has no place for one: take the label off")]
    Label {
        /// The pin.
        pin: SpkiPin,
    },
    /// That pins are only told about.
    #[error(
        "its pins are only told about (report only), and in it pins decide: write it once they do"
    )]
    ReportOnly,
    /// Hosts in a way that it does not know.
    #[error("it is for {scope}, and {said}: name other hosts")]
    Scope {
        /// The hosts.
        scope: PinScope,
        /// What hosts it can name.
        said: &'static str,
    },
    /// That pins are for every peer.
    #[error("it is for every peer, and in it pins are those of hosts: add scopes")]
    EveryPeer,
    /// That pins have no host.
    #[error(
        "it is for {scope}, and it has no place for hosts: write them one by one, without scopes"
    )]
    Hosts {
        /// The hosts.
        scope: PinScope,
    },
    /// That hosts are left out.
    #[error(
        "{scope} is left unpinned, for which it has no words: name the pinned hosts one by one"
    )]
    Unpinned {
        /// The hosts.
        scope: PinScope,
    },
    /// That pins end.
    #[error("its pins end at {not_after}, and in it pins have no end: take the date off")]
    Date {
        /// Its last good second.
        not_after: Timestamp,
    },
    /// That pins do not end.
    #[error("its pins have no end, and in it all have one: add a date")]
    NoDate,
    /// That pins end at that time of the day.
    #[error(
        "its pins end at {not_after}, and it knows days alone, whose last good second is {said}: end then"
    )]
    TimeOfDay {
        /// Its last good second.
        not_after: Timestamp,
        /// The time of the day that it knows.
        said: &'static str,
    },
    /// That pins have ended already.
    #[error("its pins ended at {not_after}, and it counts from now on: make a new set")]
    Ended {
        /// Its last good second.
        not_after: Timestamp,
    },
    /// What happens after the end.
    #[error("after its end it {}, and in this form it {}: end it by that rule", after(.rule), after(.said))]
    ExpiryRule {
        /// The rule of the set.
        rule: ExpiryRule,
        /// The rule of the form.
        said: ExpiryRule,
    },
    /// So few pins.
    #[error(
        "this form asks for {least} distinct pins, and it has {pins}: add the pin of a key kept offline"
    )]
    TooFewPins {
        /// How many there are.
        pins: usize,
        /// How many it asks for.
        least: usize,
    },
    /// One host with and without the names below it.
    #[error(
        "the host {host} is named twice, with and without what is below it, and it can name it once: name it once"
    )]
    RepeatedHost {
        /// The host.
        host: String,
    },
    /// Several sets, or several hosts.
    #[error("it is for one host, and these are {count}: write them one by one")]
    Several {
        /// How many there are.
        count: usize,
    },
    /// That of two sets only the more specific one counts.
    #[error(
        "{inner} is also covered by {outer}, and in it the pins of both count for it: give the more specific hosts \
         the pins of the others too"
    )]
    Overlap {
        /// The hosts whose pins alone should count.
        inner: PinScope,
        /// The hosts that cover them.
        outer: PinScope,
    },
    /// A key without a certificate.
    #[error(
        "none of the certificates given has the key {pin}, and it names certificates: give one that has it"
    )]
    NoCertificate {
        /// The pin.
        pin: SpkiPin,
    },
}

fn after(rule: &ExpiryRule) -> impl fmt::Display + use<> {
    match rule {
        ExpiryRule::FailClosed => "refuses every peer",
        ExpiryRule::GraceThenClosed { .. } => "goes on for a grace and then refuses every peer",
        ExpiryRule::FailOpenLoudly => "lets the pins decide no more",
    }
}
