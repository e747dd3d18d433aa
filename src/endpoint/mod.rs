//! What a TLS endpoint shows, within one deadline.
//!
//! An [`EndpointConnector`] connects, makes a handshake in which any certificate is accepted, for
//! looking only, and hangs up: nothing is sent or read on the connection. Its deadline is over the
//! whole attempt, so that neither an endpoint that hangs nor one that sends a byte a second holds
//! anybody up. Protocols that begin without TLS are asked to go over to it ([`StartTls`]). Both the command `self_check` and a [`Monitor`](crate::Monitor), as whose
//! [`Connector`](crate::monitor::Connector) it serves, look through it.
//!
//! # Which certificates does this endpoint show?
//! ```
//! use std::time::Duration;
//! use notafter::Certificate;
//! use notafter::endpoint::EndpointConnector;
//! # use notafter::testing::{TestCa, TestServer};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let [from, to] = ["2025-01-01T00:00:00Z", "2125-01-01T00:00:00Z"].map(|t| t.parse().unwrap());
//! # let pair = TestCa::root("Root", from, to)?.leaf(&["127.0.0.1"], from, to)?;
//! # let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
//! # let config = rustls::ServerConfig::builder_with_provider(provider)
//! #     .with_safe_default_protocol_versions()?
//! #     .with_no_client_auth()
//! #     .with_single_cert(pair.chain(), pair.key())?;
//! # let server = TestServer::start(config.into())?;
//! let database = "db.example:5432";
//! # let database = server.address().to_string();
//! # let database = database.as_str();
//! let connector = EndpointConnector::new(rustls::crypto::ring::default_provider().into())
//!     .with_deadline(Duration::from_secs(5));
//! let presented = connector.presented(database)?;
//! # assert_eq!(presented.chain.len(), 1);
//! for der in presented.chain {
//!     println!("{}", Certificate::from_der(der)?.not_after());
//! }
//! # Ok(())
//! # }
//! ```

mod address;
mod connection;
mod connector;
mod dialog;
#[allow(clippy::module_inception)] // Where everybody looks for `Endpoint`.
mod endpoint;
mod error;
mod looker;
mod presented;
mod resolver;
mod spoken;
mod starttls;

pub use address::{EndpointAddress, EndpointAddressError};
pub use connection::EndpointConnection;
pub use connector::EndpointConnector;
pub use dialog::StartTlsProblem;
pub use endpoint::Endpoint;
pub(crate) use endpoint::EndpointNames;
pub(crate) use error::UNPROVEN;
pub use error::{EndpointError, EndpointStep};
pub use presented::PresentedChain;
pub use spoken::SpokenProtocol;
pub use starttls::{StartTls, StartTlsParseError};
