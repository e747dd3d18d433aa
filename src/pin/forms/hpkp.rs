//! The headers of RFC 7469, `Public-Key-Pins` and `Public-Key-Pins-Report-Only`, by their grammar.
//!
//! Browsers have given them up; what serves them still, and what was derived of them, is read all the same. A host
//! is pinned for `max-age` seconds from when the header was received, and not pinned after that:
//! [`ExpiryRule::FailOpenLoudly`]. Pins count anywhere on the path (2.6). Directives and digests that are not known
//! are passed over, as 2.1 and 2.4 want it.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use pki_types::ServerName;

use super::draft::{Draft, Policy, bounded, pin_of_base64, scope_of};
use super::error::{FormPlace, FormProblem, FormReadError};
use super::header_grammar::{Directive, DirectiveValue, directives};
use super::unsayable::{FormWriteError, Unsayable};
use super::writer::{Form, Host, Numbered};
use crate::pin::{ExpiryRule, PinMode, PinPosition, PinSet, SpkiPin};
use crate::text::is_of_uri;
use crate::time::Timestamp;

/// Two: one must not be on the chain that is served (2.5).
const FORM: Form = Form {
    name: "a header of RFC 7469",
    reports: true,
    least_pins: 2,
};

/// What a header says.
///
/// # How do I pin what a server's header says?
/// ```
/// use notafter::pin::forms::hpkp::PublicKeyPins;
/// use notafter::pin::PinMode;
/// use notafter::Timestamp;
/// let value = "pin-sha256=\"C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=\"; \
///     pin-sha256=\"5kJvNEMw0KjrCAu7eXY5HZdvyCS13BbA0VJG1RSP91w=\"; max-age=5184000; includeSubDomains";
/// let received: Timestamp = "2026-11-27T00:00:00Z".parse()?;
/// let header = PublicKeyPins::parse(PinMode::Enforce, value)?;
/// let pins = header.to_pin_set(&"example.com".try_into()?, received)?;
/// assert_eq!(pins.expiry().unwrap().0.to_string(), "2027-01-26T00:00:00Z");
/// assert_eq!(PublicKeyPins::from_pin_set(&pins, received)?.to_string(), value);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicKeyPins {
    /// Which of the two headers it is.
    pub mode: PinMode,
    /// The keys, each once.
    pub pins: Vec<SpkiPin>,
    /// For how long clients remember them. `None` where they are only told about, which none remembers.
    pub max_age: Option<Duration>,
    /// Whether all names below the host are meant too.
    pub include_subdomains: bool,
    /// Where refusals are reported to; nothing here does.
    pub report_uri: Option<String>,
}

impl PublicKeyPins {
    /// Reads the value of a header: `Public-Key-Pins` where pins decide, `Public-Key-Pins-Report-Only` where they
    /// are only told about.
    ///
    /// # Errors
    /// [`FormReadError`] with the column: for what is not of the grammar, a directive that stands twice, a pin that is
    /// not quoted, a missing `max-age`, and fewer than two distinct pins.
    pub fn parse(mode: PinMode, value: &str) -> Result<Self, FormReadError> {
        let mut read = Self {
            mode,
            pins: Vec::new(),
            max_age: None,
            include_subdomains: false,
            report_uri: None,
        };
        let mut seen = BTreeSet::new();
        let mut draft = Draft::default();
        for directive in directives(bounded(value)?)? {
            let is_pin = directive.name.starts_with("pin-");
            if !is_pin && !seen.insert(directive.name.clone()) {
                return Err(FormProblem::repeated(&directive.name).at(directive.place));
            }
            let counted = match is_pin {
                true => draft.count_pin(),
                false => Ok(()),
            };
            let taken = counted.and_then(|()| read.take(&directive));
            taken.map_err(|problem| problem.at(directive.place))?;
        }
        read.check()
            .map_err(|problem| problem.at(FormPlace::Whole))?;
        Ok(read)
    }

    /// Makes a set of it, for the host that served it.
    ///
    /// # Errors
    /// [`FormReadError`] where the host is an address, which is not pinned (RFC 7469, 2.3.3), or `max-age` is 0.
    pub fn to_pin_set(
        &self,
        host: &ServerName<'_>,
        received: Timestamp,
    ) -> Result<PinSet, FormReadError> {
        let set = self.set(host, received);
        set.map_err(|problem| problem.at(FormPlace::Whole))
    }

    fn set(&self, host: &ServerName<'_>, received: Timestamp) -> Result<PinSet, FormProblem> {
        let ServerName::DnsName(name) = host else {
            return Err(FormProblem::unexpected(
                &host.to_str(),
                "the name of a host",
            ));
        };
        let mut policy = Policy {
            mode: self.mode,
            ..Policy::default()
        };
        for pin in &self.pins {
            policy.add(*pin, PinPosition::Any);
        }
        if self.max_age == Some(Duration::ZERO) {
            return Err(FormProblem::Forgotten);
        }
        policy.expiry = self.max_age.map(|max_age| {
            let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
            (received.saturating_add(seconds), ExpiryRule::FailOpenLoudly)
        });
        policy.to_set(vec![scope_of(name.as_ref(), self.include_subdomains)?])
    }

    /// Makes a header of a set as of `now`, so that clients that receive it then forget it at the set's date.
    ///
    /// # Errors
    /// [`FormWriteError`] where the set is not for exactly one host (with or without all that is below it), has pins
    /// at another position than any or fewer than two, or does not end by failing open. One that is only told about
    /// has no end.
    pub fn from_pin_set(set: &PinSet, now: Timestamp) -> Result<Self, FormWriteError> {
        let numbered = Numbered {
            form: FORM,
            number: None,
            set,
        };
        let hosts = numbered.hosts()?;
        let [host] = hosts.as_slice() else {
            let count = hosts.len();
            return Err(numbered.error(Unsayable::Several { count }));
        };
        check_named(host, set).map_err(|thing| numbered.error(thing))?;
        let pins = numbered.keys_of_any_position()?;
        let (count, least) = (pins.len(), FORM.least_pins);
        if count < least {
            return Err(numbered.error(Unsayable::TooFewPins { pins: count, least }));
        }
        Ok(Self {
            mode: set.mode(),
            pins,
            max_age: max_age(&numbered, now)?,
            include_subdomains: host.subdomains,
            report_uri: None,
        })
    }

    /// Returns the name of the header.
    pub const fn header_name(&self) -> &'static str {
        match self.mode {
            PinMode::Enforce => "Public-Key-Pins",
            PinMode::ReportOnly => "Public-Key-Pins-Report-Only",
        }
    }

    fn take(&mut self, directive: &Directive) -> Result<(), FormProblem> {
        match (directive.name.as_str(), &directive.value) {
            ("pin-sha256", DirectiveValue::Quoted(base64)) => {
                let pin = pin_of_base64(base64)?;
                if !self.pins.contains(&pin) {
                    self.pins.push(pin);
                }
            }
            ("pin-sha256", DirectiveValue::Token(token)) => {
                return Err(FormProblem::unexpected(token, "a pin between quotes"));
            }
            ("pin-sha256", DirectiveValue::None) => {
                return Err(FormProblem::Missing { what: "a pin" });
            }
            ("max-age", value) => {
                let seconds = delta_seconds(value)?;
                // Nobody remembers what is only told about (2.1.2).
                self.max_age = match self.mode {
                    PinMode::Enforce => Some(Duration::from_secs(seconds)),
                    PinMode::ReportOnly => None,
                };
            }
            ("includesubdomains", DirectiveValue::None) => self.include_subdomains = true,
            ("includesubdomains", DirectiveValue::Token(text) | DirectiveValue::Quoted(text)) => {
                return Err(FormProblem::unexpected(text, "no value"));
            }
            ("report-uri", DirectiveValue::Quoted(uri)) if uri.chars().all(is_of_uri) => {
                self.report_uri = Some(uri.clone());
            }
            ("report-uri", DirectiveValue::Quoted(text) | DirectiveValue::Token(text)) => {
                return Err(FormProblem::unexpected(text, "a URI between quotes"));
            }
            ("report-uri", DirectiveValue::None) => {
                return Err(FormProblem::Missing { what: "a URI" });
            }
            // Those of the future, and other digests.
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> Result<(), FormProblem> {
        if self.mode == PinMode::Enforce && self.max_age.is_none() {
            return Err(FormProblem::Missing { what: "max-age" });
        }
        let (pins, least) = (self.pins.len(), FORM.least_pins);
        // What tells to forget pins need not name any.
        match pins < least && self.max_age != Some(Duration::ZERO) {
            true => Err(FormProblem::TooFewPins { pins, least }),
            false => Ok(()),
        }
    }
}

/// A value of digits; more than 64 bits of it are as good as for ever.
fn delta_seconds(value: &DirectiveValue) -> Result<u64, FormProblem> {
    let (DirectiveValue::Token(text) | DirectiveValue::Quoted(text)) = value else {
        return Err(FormProblem::Missing {
            what: "the number of seconds",
        });
    };
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(FormProblem::unexpected(text, "a number of seconds"));
    }
    Ok(text.parse().unwrap_or(u64::MAX))
}

fn check_named(host: &Host, set: &PinSet) -> Result<(), Unsayable> {
    match (host.name.parse::<std::net::IpAddr>(), set.scopes()) {
        (Ok(_), [scope, ..]) => Err(Unsayable::Scope {
            scope: scope.clone(),
            said: "it is served by hosts that have names",
        }),
        _ => Ok(()),
    }
}

fn max_age(numbered: &Numbered<'_>, now: Timestamp) -> Result<Option<Duration>, FormWriteError> {
    if numbered.set.mode() == PinMode::ReportOnly {
        numbered.endless()?;
        return Ok(None);
    }
    let Some(not_after) = numbered.end(ExpiryRule::FailOpenLoudly)? else {
        return Err(numbered.error(Unsayable::NoDate));
    };
    match u64::try_from(not_after.seconds_since(now)) {
        Ok(left @ 1..) => Ok(Some(Duration::from_secs(left))),
        _ => Err(numbered.error(Unsayable::Ended { not_after })),
    }
}

impl fmt::Display for PublicKeyPins {
    /// The value of the header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut directives: Vec<String> = Vec::new();
        for pin in &self.pins {
            directives.push(format!("pin-sha256=\"{}\"", pin.digest().to_base64()));
        }
        if let Some(max_age) = self.max_age {
            directives.push(format!("max-age={}", max_age.as_secs()));
        }
        if self.include_subdomains {
            directives.push("includeSubDomains".to_owned());
        }
        if let Some(uri) = &self.report_uri {
            let escaped = uri.replace('\\', "\\\\").replace('"', "\\\"");
            directives.push(format!("report-uri=\"{escaped}\""));
        }
        f.write_str(&directives.join("; "))
    }
}
