//! A connection with a deadline, and the handshake on it: an edge, for it uses a socket.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use pki_types::ServerName;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ClientConnection};

use super::dialog::{self, DialogError};
use super::looker::{Looker, Seen};
use super::spoken::SpokenProtocol;
use super::{EndpointAddress, EndpointError, EndpointStep, PresentedChain, StartTls};
use crate::time::clock::Deadline;

/// A connection to an endpoint, as bytes, until the deadline of the attempt.
///
/// [`EndpointConnection::start_tls`] goes over to TLS in the protocols that are known here; in
/// another one, whoever speaks it reads and writes what comes before the handshake. Once the
/// deadline has passed each read and write fails with [`io::ErrorKind::TimedOut`].
///
/// # What does a server show behind a protocol of its own?
/// ```no_run
/// use std::io::{Read, Write};
/// use notafter::endpoint::{EndpointAddress, EndpointConnector};
/// use rustls::pki_types::ServerName;
/// # fn greeting(_: impl Read) -> std::io::Result<()> { Ok(()) }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let connector = EndpointConnector::new(rustls::crypto::ring::default_provider().into());
/// let mut connection = connector.connect(&EndpointAddress::new("news.example", 119))?;
/// greeting(&mut connection)?;
/// connection.write_all(b"STARTTLS\r\n")?;
/// greeting(&mut connection)?;
/// let presented = connection.presented_as(ServerName::try_from("news.example")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct EndpointConnection {
    stream: TcpStream,
    address: EndpointAddress,
    deadline: Deadline,
    provider: Arc<CryptoProvider>,
    /// The first bytes that came.
    start: Vec<u8>,
}

/// By so many bytes it is told what an endpoint speaks instead of TLS.
const START: usize = 64;

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
            start: Vec::new(),
        }
    }

    /// Asks it to go over to TLS, which this protocol begins without.
    ///
    /// # Errors
    /// [`EndpointError`] where it does not within the deadline.
    pub fn start_tls(&mut self, protocol: StartTls) -> Result<(), EndpointError> {
        let me = match self.stream.local_addr().map(|own| own.ip()) {
            Ok(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
            Ok(IpAddr::V4(ip)) => format!("[{ip}]"),
            Err(_) => "[127.0.0.1]".to_owned(),
        };
        let outcome = dialog::go_over(&mut *self, protocol, &me);
        // What comes from now on is the handshake's.
        self.start.clear();
        let address = self.address.clone();
        match outcome {
            Ok(()) => Ok(()),
            Err(DialogError::Problem(problem)) => Err(EndpointError::StartTls {
                address,
                protocol,
                problem,
            }),
            Err(DialogError::Io(error)) if error.kind() == io::ErrorKind::TimedOut => {
                Err(EndpointError::DeadlinePassed {
                    address,
                    step: EndpointStep::StartTls(protocol),
                    deadline: self.deadline.length(),
                })
            }
            Err(DialogError::Io(source)) => Err(EndpointError::Handshake { address, source }),
        }
    }

    /// What it shows in a handshake to a client that asks for this name. The connection ends with
    /// it.
    ///
    /// # Errors
    /// [`EndpointError`] where it showed nothing within the deadline; [`EndpointError::Unproven`] where
    /// it showed a chain and did not prove that it holds the leaf's private key. A server that proves
    /// it and then refuses the handshake (it wants a client's certificate, say) has shown its chain.
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
        let asked = name.to_str().into_owned();
        let mut client = ClientConnection::new(Arc::new(config), name).map_err(unusable)?;
        let outcome = client.complete_io(&mut self);
        let eof = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let why = || outcome.err().unwrap_or_else(eof);
        match looker.seen() {
            Seen::Proven(presented) => Ok(presented),
            Seen::Unproven(presented) => Err(EndpointError::Unproven {
                address: self.address,
                presented,
                source: why(),
            }),
            Seen::Nothing => Err(self.unseen(asked, why())),
        }
    }

    /// Why it showed no certificate, whatever it did instead.
    fn unseen(self, asked: String, error: io::Error) -> EndpointError {
        let (address, deadline) = (self.address, self.deadline.length());
        if let Some(spoken) = SpokenProtocol::of(&self.start) {
            return EndpointError::NotTls { address, spoken };
        }
        if error.kind() == io::ErrorKind::TimedOut {
            return EndpointError::DeadlinePassed {
                address,
                step: EndpointStep::Handshake,
                deadline,
            };
        }
        let of_tls = error.get_ref().and_then(|error| error.downcast_ref());
        match of_tls {
            Some(rustls::Error::AlertReceived(alert)) => EndpointError::Refused {
                address,
                name: asked,
                alert: snake_case(&format!("{alert:?}")),
            },
            Some(rustls::Error::PeerIncompatible(reason)) => EndpointError::Incompatible {
                address,
                reason: format!("{reason:?}"),
            },
            _ => EndpointError::Handshake {
                address,
                source: error,
            },
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

/// `UnrecognisedName` as RFC 8446 writes it, 6: `unrecognized_name`; `UnknownCA`: `unknown_ca`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut letters = name.chars().peekable();
    let mut after_lowercase = false;
    while let Some(letter) = letters.next() {
        let before_lowercase = letters.peek().is_some_and(char::is_ascii_lowercase);
        let is_word = letter.is_ascii_uppercase() && (after_lowercase || before_lowercase);
        if is_word && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        after_lowercase = letter.is_ascii_lowercase();
    }
    snake.replace("recognised", "recognized")
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
        let count = self.stream.read(buffer).map_err(timed_out)?;
        let missing = START.saturating_sub(self.start.len());
        let fresh = buffer.get(..count).unwrap_or_default().iter();
        self.start.extend(fresh.take(missing));
        Ok(count)
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

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn alerts_are_written_as_the_rfc_writes_them() {
        for (name, written) in [
            ("UnrecognisedName", "unrecognized_name"),
            ("UnknownCA", "unknown_ca"),
            ("UnknownPSKIdentity", "unknown_psk_identity"),
            ("CertificateExpired", "certificate_expired"),
        ] {
            assert_eq!(snake_case(name), written);
        }
    }
}
