//! What was read so far: hosts with their pins, within the bounds of every form.

use std::collections::BTreeSet;

use super::error::{FormPlace, FormProblem, FormReadError};
use crate::pin::{
    ExpiryRule, Pin, PinMode, PinPosition, PinScope, PinSet, PinSets, PinState, SpkiPin,
};
use crate::time::Timestamp;

/// Bytes of a text.
const MAX_BYTES: usize = 1024 * 1024;

/// Names of hosts in a text.
const MAX_HOSTS: usize = 1_000;

/// Pins in a text.
const MAX_PINS: usize = 10_000;

/// The text, if it is short enough.
pub(super) fn bounded(text: &str) -> Result<&str, FormReadError> {
    let (bytes, limit) = (text.len(), MAX_BYTES);
    if bytes > limit {
        return Err(FormProblem::TooLarge { bytes, limit }.at(FormPlace::Whole));
    }
    Ok(text)
}

/// What is said of some hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Policy {
    /// Each once.
    pub(super) pins: Vec<Pin>,
    pub(super) expiry: Option<(Timestamp, ExpiryRule)>,
    pub(super) mode: PinMode,
}

impl Policy {
    /// Adds a pin of the key in use; once more is the same.
    pub(super) fn add(&mut self, key: SpkiPin, position: PinPosition) {
        let pin = Pin::new(key, PinState::Current).with_position(position);
        if !self.pins.contains(&pin) {
            self.pins.push(pin);
        }
    }

    pub(super) fn at_least(&self, least: usize) -> Result<(), FormProblem> {
        let pins = self.pins.len();
        match pins < least {
            true => Err(FormProblem::TooFewPins { pins, least }),
            false => Ok(()),
        }
    }

    pub(super) fn to_set(&self, scopes: Vec<PinScope>) -> Result<PinSet, FormProblem> {
        let mut set = PinSet::builder().with_mode(self.mode);
        for pin in &self.pins {
            set = set.with_pin(pin.clone());
        }
        for scope in scopes {
            set = set.with_scope(scope);
        }
        if let Some((not_after, rule)) = self.expiry {
            set = set.with_expiry(not_after, rule);
        }
        Ok(set.build()?)
    }
}

/// Hosts with the same policy share a set.
#[derive(Debug, Default)]
pub(super) struct Draft {
    policies: Vec<(Policy, Vec<PinScope>)>,
    unpinned: Vec<PinScope>,
    /// Without what says that all below them is meant, too.
    names: BTreeSet<String>,
    hosts: usize,
    pins: usize,
}

impl Draft {
    /// Counts a pin that was read.
    pub(super) fn count_pin(&mut self) -> Result<(), FormProblem> {
        self.pins += 1;
        let (what, limit) = ("pins", MAX_PINS);
        match self.pins > limit {
            true => Err(FormProblem::TooMany { what, limit }),
            false => Ok(()),
        }
    }

    /// Counts a host that was read.
    pub(super) fn count_host(&mut self) -> Result<(), FormProblem> {
        self.hosts += 1;
        let (what, limit) = ("hosts", MAX_HOSTS);
        match self.hosts > limit {
            true => Err(FormProblem::TooMany { what, limit }),
            false => Ok(()),
        }
    }

    /// Takes the name of a host, and of all names below it where that is asked for. It may stand once, whether or not
    /// with what is below it.
    pub(super) fn host(&mut self, name: &str, subdomains: bool) -> Result<PinScope, FormProblem> {
        let scope = scope_of(name, subdomains)?;
        self.count_host()?;
        let text = scope.to_string();
        match self.names.insert(text.trim_start_matches("**.").to_owned()) {
            true => Ok(scope),
            false => Err(FormProblem::repeated(name)),
        }
    }

    /// Pins these hosts so; `None` for every peer.
    pub(super) fn pin(&mut self, hosts: Option<PinScope>, policy: &Policy) {
        let mut known = self.policies.iter_mut();
        let is_for_hosts = hosts.is_some();
        let same =
            known.find(|(known, scopes)| known == policy && scopes.is_empty() != is_for_hosts);
        match same {
            Some((_, scopes)) => scopes.extend(hosts),
            None => self
                .policies
                .push((policy.clone(), hosts.into_iter().collect())),
        }
    }

    /// Leaves these hosts out.
    pub(super) fn unpin(&mut self, hosts: PinScope) {
        self.unpinned.push(hosts);
    }

    /// The sets, of which there is one.
    pub(super) fn finish(self) -> Result<PinSets, FormReadError> {
        self.sets().map_err(|problem| problem.at(FormPlace::Whole))
    }

    fn sets(self) -> Result<PinSets, FormProblem> {
        if self.policies.is_empty() {
            return Err(FormProblem::NoPins);
        }
        let mut sets = Vec::new();
        for (policy, scopes) in self.policies {
            sets.push(policy.to_set(scopes)?);
        }
        Ok(PinSets::new(sets)?.with_unpinned(self.unpinned)?)
    }
}

/// The hosts of a name and, where asked for, of all names below it. An address has none below it.
pub(super) fn scope_of(host: &str, subdomains: bool) -> Result<PinScope, FormProblem> {
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    // A pattern or a SPIFFE ID is a scope, but no host.
    if host.contains(['*', '/']) {
        return Err(FormProblem::unexpected(host, "the name of a host"));
    }
    Ok(match subdomains && !is_address {
        true => format!("**.{host}").parse()?,
        false => host.parse()?,
    })
}

/// The base64 of a digest, within which white space is none of it.
pub(super) fn pin_of_base64(text: &str) -> Result<SpkiPin, FormProblem> {
    let base64: String = text.split_ascii_whitespace().collect();
    Ok(crate::pin::key::from_base64(&base64)?)
}

/// `sha256/BASE64`, as OkHttp has it.
pub(super) fn pin_of_okhttp(text: &str) -> Result<SpkiPin, FormProblem> {
    match text.trim().split_once('/') {
        Some(("sha256", base64)) => pin_of_base64(base64),
        Some((name, _)) if name.starts_with("sha") => Err(FormProblem::DigestAlgorithm {
            name: crate::text::quoted(name, 80),
        }),
        _ => Err(FormProblem::unexpected(text, "sha256/ and base64")),
    }
}
