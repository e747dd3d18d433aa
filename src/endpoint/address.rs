//! Where an endpoint is.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

use crate::text::quoted;

/// The most characters of a host that are printed: no DNS name is longer (RFC 1035, 2.3.4).
pub(super) const MAX_HOST: usize = 253;

/// A host and a port, written as `db.example:5432`, `192.0.2.1:443` or `[2001:db8::1]:443`.
///
/// # Which host is this endpoint on?
/// ```
/// use notafter::endpoint::EndpointAddress;
/// let address: EndpointAddress = "[2001:db8::1]:443".parse()?;
/// assert_eq!((address.host.as_str(), address.port), ("2001:db8::1", 443));
/// assert_eq!(address.to_string(), "[2001:db8::1]:443");
/// # Ok::<(), notafter::endpoint::EndpointAddressError>(())
/// ```
///
/// It is printed as it is written, but for a host that is none: that is cut, and escaped.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EndpointAddress {
    /// A DNS name, or an IP address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

/// A text that is no host and port.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{endpoint}' is no endpoint: write it as HOST:PORT, an IPv6 address in brackets")]
#[non_exhaustive]
pub struct EndpointAddressError {
    /// What was written, at most 128 characters of it.
    pub endpoint: String,
}

impl EndpointAddress {
    /// An endpoint by its host, an IPv6 address without brackets, and its port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// The host as certificates name it: without the dot at the end of an absolute name.
    pub(crate) fn name(&self) -> &str {
        self.host.strip_suffix('.').unwrap_or(&self.host)
    }

    /// The host where it is an IP address: then there is no name to look up.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl FromStr for EndpointAddress {
    type Err = EndpointAddressError;

    fn from_str(text: &str) -> Result<Self, EndpointAddressError> {
        let parsed = || {
            let (host, port) = text.rsplit_once(':')?;
            let port = port.parse().ok()?;
            let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
            let host = match inner {
                Some(inner) => inner.parse::<Ipv6Addr>().ok().map(|_| inner)?,
                None => host,
            };
            let is_host = inner.is_some() || !host.contains([':', '/', '[', ']']);
            (is_host && !host.is_empty()).then(|| Self::new(host, port))
        };
        parsed().ok_or_else(|| EndpointAddressError {
            endpoint: quoted(text, 128),
        })
    }
}

impl fmt::Display for EndpointAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (quoted(&self.host, MAX_HOST), self.port);
        match host.contains(':') {
            true => write!(f, "[{host}]:{port}"),
            false => write!(f, "{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        let good = [
            ("a.example:443", "a.example", 443),
            ("192.0.2.1:1", "192.0.2.1", 1),
            ("[::1]:65535", "::1", 65_535),
        ];
        for (text, host, port) in good {
            let address: EndpointAddress = text.parse().unwrap();
            assert_eq!(address, EndpointAddress::new(host, port));
            assert_eq!(address.to_string(), text);
        }
        let bad = [
            "",
            "a.example",
            ":443",
            "a.example:",
            "a.example:65536",
            "https://a.example:443",
            "::1:443",
            "[::1:443",
            "[a.example]:443",
        ];
        for text in bad {
            let error = text.parse::<EndpointAddress>().unwrap_err();
            assert_eq!(error.endpoint, text);
        }
    }
}
