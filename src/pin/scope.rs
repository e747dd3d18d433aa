//! Which peers a pin set is for.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use pki_types::{DnsName, ServerName};
use thiserror::Error;

use crate::identity::{PeerIdentity, SpiffeId, TrustDomain};
use crate::text::quoted;

/// The hosts that a pin set is for, written as a host name, `*.` and a domain, `**.` and a
/// domain, or an IP address; or, where a verifier knows peers by identities, the peers: a SPIFFE ID,
/// one and `/**`, or a trust domain.
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
///
/// # Which SPIFFE IDs does this scope cover?
/// ```
/// use notafter::PinScope;
/// let db = "spiffe://prod.example/db".parse()?;
/// let scope: PinScope = "spiffe://prod.example/db".parse()?; // this one
/// assert!(scope.covers_identity(&db));
/// let scope: PinScope = "spiffe://prod.example/ns/payments/**".parse()?; // it, and all below it
/// assert!(!scope.covers_identity(&db));
/// let scope: PinScope = "spiffe://prod.example".parse()?; // the whole trust domain
/// assert!(scope.covers_identity(&db));
/// assert_eq!(scope.to_string(), "spiffe://prod.example/**");
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
    Identity(PeerIdentity),
    AtOrBelowId(SpiffeId),
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
            ScopeKind::Ip(_) | ScopeKind::Identity(_) | ScopeKind::AtOrBelowId(_) => false,
        }
    }

    /// Says whether a peer of this identity is of this scope, which then is one of identities. They
    /// compare byte by byte; `/**` stands for any number of whole segments, none included.
    pub fn covers_identity(&self, identity: &PeerIdentity) -> bool {
        match &self.0 {
            ScopeKind::Identity(ours) => ours == identity,
            ScopeKind::AtOrBelowId(above) => identity
                .spiffe_id()
                .is_some_and(|id| id.is_at_or_below(above)),
            ScopeKind::Host(_)
            | ScopeKind::OneLabelBelow(_)
            | ScopeKind::AtOrBelow(_)
            | ScopeKind::Ip(_) => false,
        }
    }

    /// Says whether it is for peers by their identity, rather than for hosts.
    pub const fn is_of_identities(&self) -> bool {
        matches!(self.0, ScopeKind::Identity(_) | ScopeKind::AtOrBelowId(_))
    }

    /// Returns the domain below which a wildcard stands; `None` for exact hosts, IP addresses and
    /// identities.
    pub fn wildcard_domain(&self) -> Option<&str> {
        match &self.0 {
            ScopeKind::OneLabelBelow(domain) | ScopeKind::AtOrBelow(domain) => Some(domain),
            ScopeKind::Host(_)
            | ScopeKind::Ip(_)
            | ScopeKind::Identity(_)
            | ScopeKind::AtOrBelowId(_) => None,
        }
    }

    /// The greater, the more specific: exact hosts and identities, then the longer domain or path,
    /// then `*.` before `**.`.
    pub(crate) fn specificity(&self) -> (bool, usize, bool) {
        match &self.0 {
            ScopeKind::Host(_) | ScopeKind::Ip(_) | ScopeKind::Identity(_) => (true, 0, true),
            ScopeKind::OneLabelBelow(domain) => (false, domain.len(), true),
            ScopeKind::AtOrBelow(domain) => (false, domain.len(), false),
            ScopeKind::AtOrBelowId(above) => (false, above.path().len(), false),
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
        if text.starts_with("spiffe://") {
            return of_spiffe_ids(text).ok_or_else(error);
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

/// `None` for what is no SPIFFE ID.
fn of_spiffe_ids(text: &str) -> Option<PinScope> {
    if let Some(above) = text.strip_suffix("/**") {
        return Some(PinScope(ScopeKind::AtOrBelowId(above.parse().ok()?)));
    }
    let id: SpiffeId = text.parse().ok()?;
    Some(PinScope::from(&id))
}

impl From<&SpiffeId> for PinScope {
    /// Exactly this ID; the whole trust domain where it has no path, for no workload has that one.
    fn from(id: &SpiffeId) -> Self {
        match id.path() {
            "" => Self(ScopeKind::AtOrBelowId(id.clone())),
            _ => Self(ScopeKind::Identity(id.into())),
        }
    }
}

impl From<&TrustDomain> for PinScope {
    /// All of this trust domain.
    fn from(domain: &TrustDomain) -> Self {
        Self(ScopeKind::AtOrBelowId(domain.into()))
    }
}

impl From<&PeerIdentity> for PinScope {
    /// Exactly this identity.
    fn from(identity: &PeerIdentity) -> Self {
        Self(ScopeKind::Identity(identity.clone()))
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
            ScopeKind::Identity(identity) => write!(f, "{identity}"),
            ScopeKind::AtOrBelowId(above) => write!(f, "{above}/**"),
        }
    }
}

/// A text that names no hosts and no SPIFFE IDs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{text}' names no hosts: write a host name, *.domain (one label), **.domain (any depth) or an IP address; \
     names beyond ASCII in their xn-- form; or a SPIFFE ID, spiffe://domain/path, spiffe://domain/path/** or spiffe://domain"
)]
#[non_exhaustive]
pub struct PinScopeError {
    /// The text, at most 80 characters of it; invisible ones are escaped.
    pub text: String,
}
