//! OkHttp's `CertificatePinner`, as its `.add("*.example.com", "sha256/...")` stand in source text of Java or Kotlin.
//!
//! In OkHttp the pins of *all* patterns that match a host count for it together, and here those of the most specific
//! scope alone. So each scope that is read has the pins of all patterns that cover it; where `*.example.com` meets
//! `**.a.example.com`, their one common host has a scope of its own. What is written is refused where this cannot be
//! said the other way round. A `CertificatePinner` has no date, and its pins count anywhere on the path.
//!
//! Source: `CertificatePinner.kt` of [OkHttp](https://square.github.io/okhttp/5.x/okhttp/okhttp3/-certificate-pinner/).

use super::draft::{Draft, Policy, bounded, pin_of_okhttp};
use super::error::{FormPlace, FormProblem, FormReadError};
use super::source_text::{Literal, arguments_of_add};
use super::unsayable::{FormWriteError, Unsayable};
use super::writer::{Form, Numbered};
use crate::pin::{PinForm, PinPosition, PinScope, PinSets, SpkiPin};

const FORM: Form = Form {
    name: "a CertificatePinner of OkHttp",
    reports: false,
    least_pins: 1,
};

/// Reads every call of `add("PATTERN", "sha256/...", ...)` in the text; all other code is passed over.
///
/// # Errors
/// [`FormReadError`] with line and column, also where an argument is no literal string.
pub fn read(source: &str) -> Result<PinSets, FormReadError> {
    let mut draft = Draft::default();
    let mut patterns: Vec<HostPattern> = Vec::new();
    for call in arguments_of_add(bounded(source)?)? {
        let mut arguments = call.into_iter();
        let Some(host) = arguments.next() else {
            continue;
        };
        let scope = pattern(&host).map_err(|problem| problem.at(host.place.clone()))?;
        let at = match patterns.iter().position(|known| known.scope == scope) {
            Some(at) => at,
            None => {
                let counted = draft.count_host();
                counted.map_err(|problem| problem.at(host.place.clone()))?;
                let pins = Vec::new();
                patterns.push(HostPattern { scope, pins });
                patterns.len() - 1
            }
        };
        let mut given = 0;
        for argument in arguments {
            let counted = draft.count_pin();
            let pin = counted.and_then(|()| pin_of_okhttp(&argument.text));
            let pin = pin.map_err(|problem| problem.at(argument.place))?;
            if let Some(known) = patterns.get_mut(at) {
                known.pins.push(pin);
            }
            given += 1;
        }
        if given == 0 {
            return Err(FormProblem::Missing { what: "a pin" }.at(host.place));
        }
    }
    let effective = effective(&patterns);
    for (scope, policy) in effective.map_err(|problem| problem.at(FormPlace::Whole))? {
        draft.pin(Some(scope), &policy);
    }
    draft.finish()
}

/// Writes one `.add("PATTERN", "sha256/...")` a line, to stand between `CertificatePinner.Builder()` and `.build()`.
///
/// # Errors
/// [`FormWriteError`] where a set is for every peer or for identities, has a date, is only told about, has pins at
/// another position than any, or lacks pins of a wider scope, which would count for it too.
pub fn write(sets: &PinSets) -> Result<String, FormWriteError> {
    FORM.none_unpinned(sets)?;
    let mut lines = String::new();
    let mut written: Vec<(Numbered<'_>, HostPattern)> = Vec::new();
    for numbered in FORM.numbered(sets) {
        let pins = numbered.keys_of_any_position()?;
        numbered.endless()?;
        if numbered.set.scopes().is_empty() {
            return Err(numbered.error(Unsayable::EveryPeer));
        }
        for scope in numbered.set.scopes() {
            let scope = scope.clone();
            if scope.is_of_identities() {
                let said = "it knows hosts, no identities";
                return Err(numbered.error(Unsayable::Scope { scope, said }));
            }
            for pin in &pins {
                let pin = pin.to_form(PinForm::OkHttp);
                lines += &format!(".add(\"{scope}\", \"{pin}\")\n");
            }
            let pins = pins.clone();
            written.push((numbered, HostPattern { scope, pins }));
        }
    }
    for (numbered, inner) in &written {
        let mut others = written.iter().map(|(_, outer)| outer);
        // A scope of their one common host is judged by itself.
        let is_judged = |outer: &HostPattern| {
            let common = one_common_host(&outer.scope, &inner.scope);
            written
                .iter()
                .any(|(_, known)| Some(&known.scope) == common.as_ref())
        };
        if let Some(outer) = others.find(|outer| outer.adds_to(inner) && !is_judged(outer)) {
            return Err(numbered.error(Unsayable::Overlap {
                inner: inner.scope.clone(),
                outer: outer.scope.clone(),
            }));
        }
    }
    Ok(lines)
}

/// A pattern with its own pins.
#[derive(Debug, Clone)]
struct HostPattern {
    scope: PinScope,
    pins: Vec<SpkiPin>,
}

impl HostPattern {
    /// Whether OkHttp would count a pin of it for hosts of the other, where it should not count.
    fn adds_to(&self, inner: &Self) -> bool {
        self.scope.specificity() <= inner.scope.specificity()
            && meet(&self.scope, &inner.scope)
            && self.pins.iter().any(|pin| !inner.pins.contains(pin))
    }
}

/// A host name, an address, `*.` or `**.` and a domain.
fn pattern(literal: &Literal) -> Result<PinScope, FormProblem> {
    let scope: PinScope = literal.text.parse()?;
    match scope.is_of_identities() {
        true => Err(FormProblem::unexpected(
            &literal.text,
            "a host or a pattern",
        )),
        false => Ok(scope),
    }
}

/// The scopes, each with the pins of all patterns that cover it.
fn effective(patterns: &[HostPattern]) -> Result<Vec<(PinScope, Policy)>, FormProblem> {
    let mut scopes: Vec<PinScope> = patterns
        .iter()
        .map(|pattern| pattern.scope.clone())
        .collect();
    // A pattern of one label below a domain meets one of all below a name within that domain in that name alone.
    for pattern in patterns {
        let common = |other: &HostPattern| one_common_host(&pattern.scope, &other.scope);
        if let Some(host) = patterns.iter().find_map(common) {
            if !scopes.contains(&host) {
                scopes.push(host);
            }
        }
    }
    // A pin is then one of several scopes, and counts as often.
    let mut counted = Draft::default();
    let mut found = Vec::new();
    for scope in scopes {
        let mut policy = Policy::default();
        let covering = patterns
            .iter()
            .filter(|outer| contains(&outer.scope, &scope));
        for pin in covering.flat_map(|pattern| &pattern.pins) {
            counted.count_pin()?;
            policy.add(*pin, PinPosition::Any);
        }
        found.push((scope, policy));
    }
    Ok(found)
}

/// Whether every host of one is one of the other.
fn contains(outer: &PinScope, inner: &PinScope) -> bool {
    if outer == inner {
        return true;
    }
    let (outer, inner) = (outer.to_string(), inner.to_string());
    let is_within = |name: &str, domain: &str| {
        name == domain
            || name
                .strip_suffix(domain)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    let domain = inner.trim_start_matches('*').trim_start_matches('.');
    if let Some(above) = outer.strip_prefix("**.") {
        return is_within(domain, above);
    }
    // Of patterns, only the same one is of one label below a domain.
    match (outer.strip_prefix("*."), inner.starts_with('*')) {
        (Some(above), false) => inner.split_once('.').is_some_and(|(_, rest)| rest == above),
        _ => false,
    }
}

/// Whether they have a host in common.
fn meet(one: &PinScope, other: &PinScope) -> bool {
    contains(one, other) || contains(other, one) || one_common_host(one, other).is_some()
}

/// `a.example.com` of `*.example.com` and `**.a.example.com`, of which none contains the other.
fn one_common_host(one: &PinScope, other: &PinScope) -> Option<PinScope> {
    let in_one_name = |all: &PinScope, label: &PinScope| {
        let host: PinScope = all.to_string().strip_prefix("**.")?.parse().ok()?;
        let is_below = label.to_string().starts_with("*.") && contains(label, &host);
        is_below.then_some(host)
    };
    in_one_name(one, other).or_else(|| in_one_name(other, one))
}
