//! An endpoint, and what is expected of it.

use std::str::FromStr;

use super::address::{EndpointAddress, EndpointAddressError};
use super::starttls::StartTls;

/// An endpoint to look at, and the names that its leaf must cover: its host, unless told otherwise.
///
/// # Is this certificate the one of the host that I asked?
/// ```
/// use notafter::endpoint::Endpoint;
/// # fn main() -> Result<(), notafter::endpoint::EndpointAddressError> {
/// // The leaf must cover `db.example`; one that covers only other names is a finding.
/// let database: Endpoint = "db.example:5432".parse()?;
/// // Reached by its address, and asked for by its name (SNI).
/// let behind_the_balancer = "192.0.2.7:443".parse::<Endpoint>()?.with_expected_name("www.example");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Endpoint {
    pub(crate) address: EndpointAddress,
    pub(crate) names: EndpointNames,
    pub(crate) starttls: Option<StartTls>,
}

/// Which names the leaf of an endpoint must cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EndpointNames {
    /// The host that was asked.
    Host,
    /// These; none where it is empty.
    Given(Vec<String>),
}

impl Endpoint {
    /// This endpoint, whose leaf must cover its host: a DNS name, or an IP address among the leaf's
    /// subject alternative names (RFC 6125, 6.4; RFC 5280, 4.2.1.6).
    pub const fn new(address: EndpointAddress) -> Self {
        Self {
            address,
            names: EndpointNames::Host,
            starttls: None,
        }
    }

    /// It speaks this protocol, and goes over to TLS when asked.
    pub const fn with_starttls(mut self, protocol: StartTls) -> Self {
        self.starttls = Some(protocol);
        self
    }

    /// The leaf must cover this DNS name or IP address instead of the host; repeatable. The first
    /// one is what the endpoint is asked for (SNI).
    pub fn with_expected_name(mut self, name: impl Into<String>) -> Self {
        self.names = match self.names {
            EndpointNames::Host => EndpointNames::Given(vec![name.into()]),
            EndpointNames::Given(mut names) => {
                names.push(name.into());
                EndpointNames::Given(names)
            }
        };
        self
    }

    /// The leaf may have any name.
    pub fn without_expected_name(mut self) -> Self {
        self.names = EndpointNames::Given(Vec::new());
        self
    }

    /// Where it is.
    pub const fn address(&self) -> &EndpointAddress {
        &self.address
    }

    /// The names that its leaf must cover.
    pub(crate) fn expected_names(&self) -> Vec<String> {
        match &self.names {
            EndpointNames::Host => vec![self.address.name().to_owned()],
            EndpointNames::Given(names) => names.clone(),
        }
    }
}

impl From<EndpointAddress> for Endpoint {
    fn from(address: EndpointAddress) -> Self {
        Self::new(address)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointAddressError;

    fn from_str(text: &str) -> Result<Self, EndpointAddressError> {
        text.parse().map(Self::new)
    }
}
