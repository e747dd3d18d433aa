//! A peer on loopback.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, Stream};

/// How long a peer may keep the server waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// A TLS server on loopback that shows what its configuration says and echoes what it is sent, a
/// connection after the other, until it is dropped.
///
/// # How do I test my client against a certificate that ends tomorrow?
/// ```
/// # use std::sync::Arc;
/// use notafter::testing::{TestCa, TestServer};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let [from, to] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"].map(|t| t.parse().unwrap());
/// let pair = TestCa::root("Root", from, to)?.leaf(&["peer.example"], from, to)?;
/// # let provider = Arc::new(rustls::crypto::ring::default_provider());
/// let config = rustls::ServerConfig::builder_with_provider(provider)
///     .with_safe_default_protocol_versions()?
///     .with_no_client_auth()
///     .with_single_cert(pair.chain(), pair.key())?;
/// let server = TestServer::start(Arc::new(config))?;
/// // Your client connects to server.address() and expects peer.example.
/// assert!(server.address().ip().is_loopback());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TestServer {
    shared: Arc<TestServing>,
    address: SocketAddr,
}

#[derive(Debug)]
struct TestServing {
    config: Mutex<Arc<ServerConfig>>,
    handshakes: AtomicUsize,
    is_over: AtomicBool,
}

impl TestServer {
    /// Starts to serve on a port that the operating system chooses.
    ///
    /// # Errors
    /// The operating system's, where it has no port or no thread to give.
    pub fn start(config: Arc<ServerConfig>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(TestServing {
            config: Mutex::new(config),
            handshakes: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        thread::Builder::new()
            .name("notafter-test-server".to_owned())
            .spawn(move || serving.serve(&listener))?;
        Ok(Self { shared, address })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shows what this configuration says from the next connection on.
    pub fn show(&self, config: Arc<ServerConfig>) {
        *self.shared.lock() = config;
    }

    /// How many handshakes were completed.
    pub fn handshakes(&self) -> usize {
        self.shared.handshakes.load(Ordering::SeqCst)
    }
}

impl TestServing {
    fn lock(&self) -> std::sync::MutexGuard<'_, Arc<ServerConfig>> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            // A peer that leaves early is the test's business.
            let _ = stream.and_then(|stream| self.echo(stream));
        }
    }

    fn echo(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let config = Arc::clone(&self.lock());
        let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        self.handshakes.fetch_add(1, Ordering::SeqCst);
        let mut tls = Stream::new(&mut connection, &mut stream);
        let mut buffer = [0; 1024];
        loop {
            let said = tls.read(&mut buffer)?;
            let Some(said) = buffer.get(..said).filter(|said| !said.is_empty()) else {
                return Ok(());
            };
            tls.write_all(said)?;
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread from its wait for a connection.
        let _ = TcpStream::connect_timeout(&self.address, PATIENCE);
    }
}
