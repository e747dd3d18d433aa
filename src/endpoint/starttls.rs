//! Protocols that begin without TLS and go over to it when asked.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::text::quoted;

/// How an endpoint is asked to go over to TLS, which its protocol begins without.
///
/// # What does a mail server show behind STARTTLS?
/// ```no_run
/// use notafter::endpoint::{EndpointConnector, Endpoint, StartTls};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let connector = EndpointConnector::new(rustls::crypto::ring::default_provider().into());
/// let mail = "mail.example:25".parse::<Endpoint>()?.with_starttls(StartTls::Smtp);
/// let presented = connector.presented_by(&mail)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StartTls {
    /// STARTTLS of SMTP, submission included (RFC 3207).
    Smtp,
    /// STARTTLS of IMAP (RFC 9051, 6.2.1).
    Imap,
    /// SSLRequest of PostgreSQL (its documentation, 55.2.10).
    Postgres,
    /// The extended operation StartTLS of LDAP (RFC 4511, 4.14).
    Ldap,
    /// SSLRequest of MySQL and MariaDB (their Client/Server Protocol, connection phase).
    MySql,
}

/// No protocol of this name is known here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{name}' is no protocol with STARTTLS that is spoken here: give smtp, imap, postgres, ldap or mysql"
)]
#[non_exhaustive]
pub struct StartTlsParseError {
    /// What was written, at most 32 characters of it.
    pub name: String,
}

impl StartTls {
    /// Every protocol.
    pub const ALL: [Self; 5] = [
        Self::Smtp,
        Self::Imap,
        Self::Postgres,
        Self::Ldap,
        Self::MySql,
    ];

    /// The stable name, as `--starttls` takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Postgres => "postgres",
            Self::Ldap => "ldap",
            Self::MySql => "mysql",
        }
    }

    /// What people call the protocol.
    pub(super) const fn protocol(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Imap => "IMAP",
            Self::Postgres => "PostgreSQL",
            Self::Ldap => "LDAP",
            Self::MySql => "MySQL",
        }
    }

    /// The protocol that is spoken at this port (IANA's registry of service names).
    pub(super) const fn at_port(port: u16) -> Option<Self> {
        match port {
            25 | 587 => Some(Self::Smtp),
            143 => Some(Self::Imap),
            389 => Some(Self::Ldap),
            3306 => Some(Self::MySql),
            5432 => Some(Self::Postgres),
            _ => None,
        }
    }

    /// The port of the same protocol with TLS from the first byte, where it has one.
    pub(super) const fn port_with_tls(self) -> Option<u16> {
        match self {
            Self::Smtp => Some(465),
            Self::Imap => Some(993),
            Self::Ldap => Some(636),
            Self::Postgres | Self::MySql => None,
        }
    }
}

impl fmt::Display for StartTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for StartTls {
    type Err = StartTlsParseError;

    fn from_str(name: &str) -> Result<Self, StartTlsParseError> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == name);
        known.ok_or_else(|| StartTlsParseError {
            name: quoted(name, 32),
        })
    }
}
