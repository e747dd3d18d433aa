//! Why an endpoint could not be looked at.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

use super::address::{EndpointAddress, EndpointAddressError, MAX_HOST};
use super::dialog::StartTlsProblem;
use super::presented::PresentedChain;
use super::spoken::SpokenProtocol;
use super::starttls::StartTls;
use crate::source::{FailureReason, SourceFailure};
use crate::text::quoted;

/// Why nothing is known of what an endpoint shows. What to do about it is [`EndpointError::advice`].
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
    #[error("no address is known for the name '{}' ({source}): check it, and the resolver", quoted(.host, MAX_HOST))]
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
    /// It answered in another protocol than TLS.
    #[error("{address} {}", .spoken.detail())]
    NotTls {
        /// The endpoint.
        address: EndpointAddress,
        /// What it speaks.
        spoken: SpokenProtocol,
    },
    /// It did not go over to TLS.
    #[error("{address} does not go over to TLS from {}: {problem}", .protocol.protocol())]
    StartTls {
        /// The endpoint.
        address: EndpointAddress,
        /// How it was asked.
        protocol: StartTls,
        /// Why it does not.
        problem: StartTlsProblem,
    },
    /// It refused the handshake before it showed a certificate.
    #[error("{address} refused the handshake (TLS alert {alert}) when asked for '{}'", quoted(.name, MAX_HOST))]
    Refused {
        /// The endpoint.
        address: EndpointAddress,
        /// The name that it was asked for.
        name: String,
        /// The alert (RFC 8446, 6), in snake case.
        alert: String,
    },
    /// It speaks no version or no suite of TLS that the provider does.
    #[error("{address} speaks no TLS that is spoken here ({reason})")]
    Incompatible {
        /// The endpoint.
        address: EndpointAddress,
        /// What rustls says.
        reason: String,
    },
    /// The connection ended, or broke, before it showed a certificate.
    #[error("{address} showed no certificate ({source})")]
    Handshake {
        /// The endpoint.
        address: EndpointAddress,
        /// What rustls or the operating system says.
        source: io::Error,
    },
    /// It showed a chain, and did not prove that it holds the leaf's private key (RFC 8446, 4.4.3; RFC
    /// 5246, 7.4.3): anybody can show a copy of a chain, so this one is not to be taken for its own.
    #[error(
        "{address} showed a chain and did not prove that it holds the leaf's private key ({source})"
    )]
    Unproven {
        /// The endpoint.
        address: EndpointAddress,
        /// What it showed.
        presented: PresentedChain,
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

impl EndpointError {
    /// What to do about it, in a few words.
    pub fn advice(&self) -> Cow<'static, str> {
        match self {
            Self::NotHostAndPort(_) => "write it as HOST:PORT, an IPv6 address in brackets".into(),
            Self::UnusableName { .. } => "name the host that it serves with `--name`".into(),
            Self::Unresolved { .. } => "check the name, and the resolver".into(),
            Self::NotConnected { .. } => "check that it is up, and the port".into(),
            Self::DeadlinePassed { address, step, .. } => match step {
                EndpointStep::Resolve => "check the resolver".into(),
                EndpointStep::Connect => {
                    "check that it is up, and what stands on the way to it".into()
                }
                EndpointStep::StartTls(protocol) => {
                    let port = protocol.port_with_tls();
                    let port = port.map_or(String::new(), |port| format!(", as port {port} does"));
                    format!("if it wants TLS from the first byte{port}, leave out `--starttls`").into()
                }
                EndpointStep::Handshake => by_port(address.port).unwrap_or(Cow::Borrowed(
                    "look whether it hangs; `--timeout SECONDS` waits longer",
                )),
            },
            Self::NotTls { spoken, .. } => spoken.advice(),
            Self::StartTls { protocol, problem, .. } => match problem {
                StartTlsProblem::NotOffered => match protocol.port_with_tls() {
                    Some(port) => {
                        format!("switch TLS on there, or ask its port for TLS from the first byte, often {port}").into()
                    }
                    None => "switch TLS on there".into(),
                },
                StartTlsProblem::Refused { .. } => "look into its log".into(),
                StartTlsProblem::OtherProtocol { .. } | StartTlsProblem::Ended => {
                    "check the port, and that `--starttls` names what it speaks".into()
                }
            },
            Self::Refused { alert, .. } if alert == "protocol_version" => TOO_OLD.into(),
            Self::Refused { .. } => "name a host that it serves with `--name`".into(),
            Self::Incompatible { .. } => TOO_OLD.into(),
            Self::Handshake { address, .. } => by_port(address.port)
                .unwrap_or(Cow::Borrowed(
                    "check that it speaks TLS on this port; to PostgreSQL, LDAP and others that begin without it, \
                     say `--starttls PROTOCOL`",
                )),
            Self::Unproven { .. } => UNPROVEN.into(),
            Self::UnusableProvider { .. } => "give another crypto provider".into(),
        }
    }

    /// The same as something that could not be read, called `source`.
    pub(crate) fn failure(&self, source: &str) -> SourceFailure {
        // The source is the address.
        let detail = match self {
            Self::NotHostAndPort(_) => "it is no endpoint".to_owned(),
            Self::Unresolved { source, .. } => {
                format!("no address is known for its name ({source})")
            }
            Self::NotConnected { source, .. } => {
                format!("nothing accepts connections there ({source})")
            }
            Self::UnusableName { .. } | Self::UnusableProvider { .. } => self.to_string(),
            Self::DeadlinePassed { address, .. }
            | Self::NotTls { address, .. }
            | Self::StartTls { address, .. }
            | Self::Refused { address, .. }
            | Self::Incompatible { address, .. }
            | Self::Handshake { address, .. }
            | Self::Unproven { address, .. } => {
                let (said, address) = (self.to_string(), address.to_string());
                let said = said.strip_prefix(&address).map(|said| format!("it{said}"));
                said.unwrap_or_else(|| self.to_string())
            }
        };
        let failure = SourceFailure::whole(source, FailureReason::Connection, detail);
        failure.with_advice(self.advice())
    }
}

/// What to do where a key was not proven.
pub(crate) const UNPROVEN: &str = "have it serve the private key that belongs to its leaf, of a kind that clients verify; \
                                   if it does, see who answers in its place";

const TOO_OLD: &str = "have it speak TLS 1.2 or 1.3";

/// An endpoint that does not answer in TLS may speak what its port is for.
fn by_port(port: u16) -> Option<Cow<'static, str>> {
    let protocol = StartTls::at_port(port)?;
    let (name, option) = (protocol.protocol(), protocol.as_str());
    Some(
        format!("port {port} is {name}'s, which begins without TLS: say `--starttls {option}`")
            .into(),
    )
}

/// What an endpoint did not do in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointStep {
    /// Its name was not resolved.
    Resolve,
    /// It did not accept the connection.
    Connect,
    /// It accepted the connection and did not go over to TLS.
    StartTls(StartTls),
    /// It accepted the connection and did not show a certificate.
    Handshake,
}

impl fmt::Display for EndpointStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "could not be found by its name",
            Self::Connect => "did not accept a connection",
            Self::StartTls(protocol) => {
                return write!(
                    f,
                    "accepted the connection, and did not go over to TLS from {}",
                    protocol.protocol()
                );
            }
            Self::Handshake => "accepted the connection, and showed no certificate",
        })
    }
}

/// `10 s`, `0.5 s`.
fn readable(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}
