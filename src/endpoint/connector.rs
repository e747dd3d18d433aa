//! Connecting to endpoints: an edge, for it opens sockets.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use pki_types::ServerName;
use rustls::crypto::CryptoProvider;

use super::connection::EndpointConnection;
use super::resolver::Resolver;
use super::{Endpoint, EndpointAddress, EndpointError, EndpointStep, PresentedChain};
use crate::text::quoted;
use crate::time::clock::Deadline;

/// How long an attempt may take unless told otherwise.
const DEADLINE: Duration = Duration::from_secs(10);

/// Of several addresses, each is given so long at the least, as far as the deadline reaches.
const LEAST_OF_AN_ADDRESS: Duration = Duration::from_secs(2);

/// Asks endpoints which certificates they show. Cheap to clone.
///
/// One deadline is over the whole attempt: looking the name up, connecting to its addresses one
/// after the other, and the handshake, however slowly the bytes of it come.
///
/// # How does a monitor watch what other services show?
/// ```
/// use std::sync::Arc;
/// use notafter::{Monitor, Target, TrustAnchors};
/// use notafter::endpoint::EndpointConnector;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let anchors = TrustAnchors::builder().build();
/// let provider = Arc::new(rustls::crypto::ring::default_provider());
/// let monitor = Monitor::builder()
///     .with_trust_anchors(anchors)
///     .with_provider(provider.clone())
///     .with_connector(Arc::new(EndpointConnector::new(provider)))
///     .build()?;
/// monitor.watch("database", Target::from_endpoint("db.example:5432"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct EndpointConnector {
    provider: Arc<CryptoProvider>,
    pub(crate) deadline: Duration,
    resolver: Resolver,
}

impl EndpointConnector {
    /// Makes handshakes with this provider, and gives each attempt 10 seconds.
    pub fn new(provider: Arc<CryptoProvider>) -> Self {
        Self {
            provider,
            deadline: DEADLINE,
            resolver: Resolver::default(),
        }
    }

    /// Gives each attempt so long as a whole.
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// What `HOST:PORT` shows to a client that asks for HOST.
    ///
    /// # Errors
    /// [`EndpointError`]: nothing is known of it, or nothing that is proven
    /// ([`EndpointError::Unproven`]).
    pub fn presented(&self, endpoint: &str) -> Result<PresentedChain, EndpointError> {
        let address: EndpointAddress = endpoint.parse()?;
        self.presented_as(&address, address.name())
    }

    /// What this endpoint shows, asked for the first of its expected names that can be asked for,
    /// or for its host, by the protocol that it begins with.
    ///
    /// # Errors
    /// [`EndpointError`]: nothing is known of it, or nothing that is proven.
    pub fn presented_by(&self, endpoint: &Endpoint) -> Result<PresentedChain, EndpointError> {
        let address = endpoint.address();
        // One that cannot be is told by whoever judges the leaf.
        let names = endpoint.expected_names();
        let mut usable = (names.iter().map(String::as_str))
            .chain([address.name()])
            .map(|name| server_name(name));
        let name = match usable.find_map(Result::ok) {
            Some(name) => name,
            None => server_name(address.name())?,
        };
        let mut connection = self.connect(address)?;
        if let Some(protocol) = endpoint.starttls {
            connection.start_tls(protocol)?;
        }
        connection.presented_as(name)
    }

    /// What an endpoint shows to a client that asks for this DNS name or IP address.
    ///
    /// # Errors
    /// [`EndpointError`]: nothing is known of it, or nothing that is proven.
    pub fn presented_as(
        &self,
        address: &EndpointAddress,
        name: &str,
    ) -> Result<PresentedChain, EndpointError> {
        let name = server_name(name)?;
        self.connect(address)?.presented_as(name)
    }

    /// A connection on which no handshake was made yet: for protocols that begin without TLS.
    ///
    /// # Errors
    /// [`EndpointError`] where none was made within the deadline.
    pub fn connect(&self, address: &EndpointAddress) -> Result<EndpointConnection, EndpointError> {
        let deadline = Deadline::after(self.deadline);
        let addresses = self.resolver.addresses(address, &deadline)?;
        let mut refused = io::Error::from(io::ErrorKind::NotFound);
        for (tried, socket) in addresses.iter().enumerate() {
            let untried = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            let left = deadline.left();
            let patience = (left / untried).max(LEAST_OF_AN_ADDRESS).min(left);
            if patience.is_zero() {
                break;
            }
            match TcpStream::connect_timeout(socket, patience) {
                Ok(stream) => {
                    let provider = Arc::clone(&self.provider);
                    let address = address.clone();
                    return Ok(EndpointConnection::new(stream, address, deadline, provider));
                }
                Err(error) => refused = error,
            }
        }
        // Of several addresses, one may have refused before the last one let the time pass.
        match refused.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                Err(EndpointError::DeadlinePassed {
                    address: address.clone(),
                    step: EndpointStep::Connect,
                    deadline: self.deadline,
                })
            }
            _ => Err(EndpointError::NotConnected {
                address: address.clone(),
                source: refused,
            }),
        }
    }
}

fn server_name(name: &str) -> Result<ServerName<'static>, EndpointError> {
    let parsed = ServerName::try_from(name.to_owned());
    parsed.map_err(|_| EndpointError::UnusableName {
        name: quoted(name, 128),
    })
}
