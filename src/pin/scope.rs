//! Which hosts a pin set is for.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use pki_types::{DnsName, ServerName};
use thiserror::Error;

use crate::text::quoted;

/// The hosts that a pin set is for, written as a host name, `*.` and a domain, `**.` and a
/// domain, or an IP address.
///
/// # Which hosts does this scope cover?
/// ```
/// use notafter::PinScope;
/// let scope: PinScope = "*.example.com".parse()?;
/// assert!(scope.covers(&"www.example.com".try_into()?));
/// assert!(!scope.covers(&"example.com".try_into()?));
/// let scope: PinScope = "**.example.com".parse()?;
/// assert!(scope.covers(&"a.b.example.com".try_into()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PinScope(ScopeKind);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum ScopeKind {
    /// In lower case, without a final dot.
    Host(String),
    OneLabelBelow(String),
    AtOrBelow(String),
    Ip(IpAddr),
}

impl PinScope {
    /// Says whether a connection to this name is of this scope. Names compare without regard to case
    /// and to a final dot. `*.` stands for exactly one label; `**.` for any number, none included.
    pub fn covers(&self, name: &ServerName<'_>) -> bool {
        let ip = match name {
            ServerName::IpAddress(ip) => Some(IpAddr::from(*ip)),
            _ => None,
        };
        if let (ScopeKind::Ip(ours), Some(ip)) = (&self.0, ip) {
            return *ours == ip;
        }
        let ServerName::DnsName(name) = name else {
            return false;
        };
        let host = canonical(name.as_ref());
        match &self.0 {
            ScopeKind::Host(ours) => *ours == host,
            ScopeKind::OneLabelBelow(domain) => {
                prefix_before(&host, domain).is_some_and(|label| !label.contains('.'))
            }
            ScopeKind::AtOrBelow(domain) => {
                *domain == host || prefix_before(&host, domain).is_some()
            }
            ScopeKind::Ip(_) => false,
        }
    }

    /// Returns the domain below which a wildcard stands; `None` for exact hosts and IP addresses.
    pub fn wildcard_domain(&self) -> Option<&str> {
        match &self.0 {
            ScopeKind::OneLabelBelow(domain) | ScopeKind::AtOrBelow(domain) => Some(domain),
            ScopeKind::Host(_) | ScopeKind::Ip(_) => None,
        }
    }

    /// The greater, the more specific: exact hosts, then the longer domain, then `*.` before `**.`.
    pub(crate) fn specificity(&self) -> (bool, usize, bool) {
        match &self.0 {
            ScopeKind::Host(_) | ScopeKind::Ip(_) => (true, 0, true),
            ScopeKind::OneLabelBelow(domain) => (false, domain.len(), true),
            ScopeKind::AtOrBelow(domain) => (false, domain.len(), false),
        }
    }
}

/// What stands before `.domain`.
fn prefix_before<'h>(host: &'h str, domain: &str) -> Option<&'h str> {
    let prefix = host.strip_suffix(domain)?.strip_suffix('.')?;
    (!prefix.is_empty()).then_some(prefix)
}

fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

impl FromStr for PinScope {
    type Err = PinScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PinScopeError {
            text: quoted(text, 80),
        };
        if let Ok(ip) = text.parse() {
            return Ok(Self(ScopeKind::Ip(ip)));
        }
        let (kind, domain): (fn(String) -> ScopeKind, _) =
            if let Some(rest) = text.strip_prefix("**.") {
                (ScopeKind::AtOrBelow, rest)
            } else if let Some(rest) = text.strip_prefix("*.") {
                (ScopeKind::OneLabelBelow, rest)
            } else {
                (ScopeKind::Host, text)
            };
        let domain = DnsName::try_from(domain).map_err(|_| error())?;
        Ok(Self(kind(canonical(domain.as_ref()))))
    }
}

impl From<&ServerName<'_>> for PinScope {
    /// Exactly this name.
    fn from(name: &ServerName<'_>) -> Self {
        match name {
            ServerName::IpAddress(ip) => Self(ScopeKind::Ip(IpAddr::from(*ip))),
            _ => Self(ScopeKind::Host(canonical(&name.to_str()))),
        }
    }
}

impl fmt::Display for PinScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            ScopeKind::Host(host) => f.write_str(host),
            ScopeKind::OneLabelBelow(domain) => write!(f, "*.{domain}"),
            ScopeKind::AtOrBelow(domain) => write!(f, "**.{domain}"),
            ScopeKind::Ip(ip) => write!(f, "{ip}"),
        }
    }
}

/// A text that names no hosts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{text}' names no hosts: write a host name, *.domain (one label), **.domain (any depth) or an IP address; \
     names beyond ASCII in their xn-- form"
)]
#[non_exhaustive]
pub struct PinScopeError {
    /// The text, at most 80 characters of it; invisible ones are escaped.
    pub text: String,
}
