//! Pins in the forms of others: what is read, what is written, and what is refused, with its place.

mod android;
mod bounds;
mod handshakes;
mod hpkp;
mod json;
mod okhttp;
mod tlsa;
mod trustkit;
mod unsayable;
mod wultra;

use notafter::pin::forms::{FormPlace, FormProblem, FormReadError};
use notafter::pin::{ExpiryRule, Pin, PinPosition, PinSets, PinState};
use notafter::{PinScope, PinSet, SpkiPin, Timestamp};

/// Two keys that are nobody's.
const ONE: &str = "C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=";
const TWO: &str = "5kJvNEMw0KjrCAu7eXY5HZdvyCS13BbA0VJG1RSP91w=";

fn key(base64: &str) -> SpkiPin {
    format!("sha256/{base64}").parse().unwrap()
}

fn scope(text: &str) -> PinScope {
    text.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A pin that counts anywhere on a path.
fn anywhere(base64: &str) -> Pin {
    Pin::new(key(base64), PinState::Current).with_position(PinPosition::Any)
}

/// A set of two such pins.
fn of_hosts(hosts: &[&str]) -> PinSet {
    let mut set = PinSet::builder()
        .with_pin(anywhere(ONE))
        .with_pin(anywhere(TWO));
    for host in hosts {
        set = set.with_scope(scope(host));
    }
    set.build().unwrap()
}

/// The same set, until this second.
fn ending(set: &PinSet, not_after: &str) -> PinSet {
    let mut dated = PinSet::builder().with_expiry(time(not_after), ExpiryRule::FailOpenLoudly);
    for pin in set.pins() {
        dated = dated.with_pin(pin.clone());
    }
    for scope in set.scopes() {
        dated = dated.with_scope(scope.clone());
    }
    dated.build().unwrap()
}

fn sets<const N: usize>(sets: [PinSet; N]) -> PinSets {
    PinSets::new(sets).unwrap()
}

/// The keys that count for a host, `None` where it is not pinned.
fn keys_for(pins: &PinSets, host: &str) -> Option<Vec<SpkiPin>> {
    let set = pins.for_server(&host.to_owned().try_into().unwrap())?;
    Some(set.pins().iter().map(|pin| pin.key).collect())
}

fn data(file: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pin_forms/");
    std::fs::read_to_string(format!("{folder}{file}")).unwrap()
}

/// The error's place and what it is about, as people read it.
fn place_and_problem(error: FormReadError) -> (String, FormProblem) {
    match error.place {
        FormPlace::Position { line, column } => (format!("{line}:{column}"), error.problem),
        place => (place.to_string(), error.problem),
    }
}

/// Compares by sentence, which has all that a problem carries.
fn assert_refused(
    what: &str,
    refused: Result<PinSets, FormReadError>,
    place: &str,
    sentence: &str,
) {
    let error = refused.map(|_| ()).expect_err(what);
    let (at, problem) = place_and_problem(error);
    assert_eq!(
        (at.as_str(), problem.to_string().as_str()),
        (place, sentence),
        "{what}"
    );
}
