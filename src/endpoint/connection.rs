//! A connection with a deadline, and the handshake on it: an edge, for it uses a socket.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use pki_types::ServerName;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ClientConnection};

use super::looker::Looker;
use super::{EndpointAddress, EndpointError, EndpointStep, PresentedChain};
use crate::time::clock::Deadline;

/// A connection to an endpoint, as bytes, until the deadline of the attempt.
///
/// Whoever speaks a protocol that begins without TLS (SMTP with STARTTLS, say) reads and writes
/// what comes before the handshake; once the deadline has passed each read and write fails with
/// [`io::ErrorKind::TimedOut`].
///
/// # What does a mail server show behind STARTTLS?
/// ```no_run
/// use std::io::{Read, Write};
/// use notafter::endpoint::{EndpointAddress, EndpointConnector};
/// use rustls::pki_types::ServerName;
/// # fn greeting(_: impl Read) -> std::io::Result<()> { Ok(()) }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let connector = EndpointConnector::new(rustls::crypto::ring::default_provider().into());
/// let mut connection = connector.connect(&EndpointAddress::new("mail.example", 25))?;
/// greeting(&mut connection)?;
/// connection.write_all(b"STARTTLS\r\n")?;
/// greeting(&mut connection)?;
/// let presented = connection.presented_as(ServerName::try_from("mail.example")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct EndpointConnection {
    stream: TcpStream,
    address: EndpointAddress,
    deadline: Deadline,
    provider: Arc<CryptoProvider>,
}

impl EndpointConnection {
    pub(super) const fn new(
        stream: TcpStream,
        address: EndpointAddress,
        deadline: Deadline,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Self {
            stream,
            address,
            deadline,
            provider,
        }
    }

    /// What it shows in a handshake to a client that asks for this name. The connection ends with
    /// it.
    ///
    /// # Errors
    /// [`EndpointError`] where it showed nothing within the deadline. A server that shows its
    /// chain and then refuses the handshake (it wants a client's certificate, say) has shown it.
    pub fn presented_as(
        mut self,
        name: ServerName<'static>,
    ) -> Result<PresentedChain, EndpointError> {
        let looker = Arc::new(Looker::new(Arc::clone(&self.provider)));
        let unusable = |error: rustls::Error| EndpointError::UnusableProvider {
            reason: error.to_string(),
        };
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(looker.clone())
            .with_no_client_auth();
        let mut client = ClientConnection::new(Arc::new(config), name).map_err(unusable)?;
        let outcome = client.complete_io(&mut self);
        let (address, deadline) = (self.address, self.deadline.length());
        match (looker.seen(), outcome) {
            (Some(seen), _) => Ok(seen),
            (None, Err(error)) if error.kind() == io::ErrorKind::TimedOut => {
                Err(EndpointError::DeadlinePassed {
                    address,
                    step: EndpointStep::Handshake,
                    deadline,
                })
            }
            (None, Err(source)) => Err(EndpointError::Handshake { address, source }),
            (None, Ok(_)) => Err(EndpointError::Handshake {
                address,
                source: io::ErrorKind::UnexpectedEof.into(),
            }),
        }
    }

    /// How long the next read or write may take.
    fn patience(&self) -> io::Result<Duration> {
        let left = self.deadline.left();
        match left.is_zero() {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(left),
        }
    }
}

/// What an operating system calls a time-out is not the same everywhere.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

impl Read for EndpointConnection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.patience()?))?;
        self.stream.read(buffer).map_err(timed_out)
    }
}

impl Write for EndpointConnection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.patience()?))?;
        self.stream.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
