//! Why an endpoint could not be looked at.

use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

use super::address::{EndpointAddress, EndpointAddressError};

/// Why nothing is known of what an endpoint shows.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It is not written as a host and a port.
    #[error(transparent)]
    NotHostAndPort(#[from] EndpointAddressError),
    /// There is nothing that it could be asked by.
    #[error("'{name}' is neither a DNS name nor an IP address, so it cannot be asked for")]
    UnusableName {
        /// The name.
        name: String,
    },
    /// The resolver has no address for its name.
    #[error("no address is known for the name '{host}' ({source}): check it, and the resolver")]
    Unresolved {
        /// The name.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// No connection was made to any of its addresses.
    #[error("nothing accepts connections at {address} ({source})")]
    NotConnected {
        /// The endpoint.
        address: EndpointAddress,
        /// What came of the last address.
        source: io::Error,
    },
    /// The deadline passed.
    #[error("{address} {step} within {}", readable(*.deadline))]
    DeadlinePassed {
        /// The endpoint.
        address: EndpointAddress,
        /// How far it came.
        step: EndpointStep,
        /// How long the whole attempt was given.
        deadline: Duration,
    },
    /// The connection ended, or broke, before it showed a certificate.
    #[error("{address} showed no certificate ({source})")]
    Handshake {
        /// The endpoint.
        address: EndpointAddress,
        /// What rustls or the operating system says.
        source: io::Error,
    },
    /// The crypto provider cannot make handshakes.
    #[error("no handshake can be made with this crypto provider ({reason})")]
    UnusableProvider {
        /// What rustls says.
        reason: String,
    },
}

/// What an endpoint did not do in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointStep {
    /// Its name was not resolved.
    Resolve,
    /// It did not accept the connection.
    Connect,
    /// It accepted the connection and did not show a certificate.
    Handshake,
}

impl fmt::Display for EndpointStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "could not be found by its name",
            Self::Connect => "did not accept a connection",
            Self::Handshake => "accepted the connection, and showed no certificate",
        })
    }
}

/// `10 s`, `0.5 s`.
fn readable(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}
