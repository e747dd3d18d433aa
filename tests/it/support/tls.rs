//! Real handshakes over loopback, at the fixed instant of the tests.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use notafter::{Event, Observer, Timestamp};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};

/// What a wrapper is told that is there for its sessions alone: the age that it has by itself.
pub const MINUTE: Duration = Duration::from_secs(60);

pub const VERSIONS: [&SupportedProtocolVersion; 2] =
    [&rustls::version::TLS12, &rustls::version::TLS13];

/// Both crypto providers, by name.
pub fn providers() -> [(&'static str, Arc<CryptoProvider>); 2] {
    [
        ("ring", Arc::new(rustls::crypto::ring::default_provider())),
        (
            "aws-lc-rs",
            Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
        ),
    ]
}

pub fn ring() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The clock of the tests.
#[derive(Debug)]
pub struct FixedTime(pub UnixTime);

impl TimeProvider for FixedTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

/// Keeps the events that it observes.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<Event>>);

impl Recorder {
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Recorder {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }

    fn is_prompt(&self) -> bool {
        true
    }
}

/// What both sides made of a handshake (and of one byte in each direction after it, so that a
/// refusal of the client's certificate reaches the client also in TLS 1.3).
pub struct Outcome {
    pub client: Result<(), rustls::Error>,
    pub server: Result<(), rustls::Error>,
}

/// A clock that a test sets.
#[derive(Debug)]
pub struct SetTime(Mutex<UnixTime>);

impl SetTime {
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(now.to_unix_time().unwrap())))
    }

    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap() = now.to_unix_time().unwrap();
    }
}

impl TimeProvider for SetTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(*self.0.lock().unwrap())
    }
}

/// Both sides' connections after a handshake and a byte in each direction, or why there is none.
pub struct Met {
    pub client: Result<ClientConnection, rustls::Error>,
    pub server: Result<ServerConnection, rustls::Error>,
}

impl Met {
    /// Whether the handshake was an abbreviated one.
    pub fn resumed(&self) -> bool {
        let kind = |connection: &ClientConnection| connection.handshake_kind();
        matches!(&self.client, Ok(client) if kind(client) == Some(HandshakeKind::Resumed))
    }
}

pub fn meet(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, name: &str) -> Met {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = Arc::clone(server);
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(server).unwrap();
        let said = echo(rustls::Stream::new(&mut connection, &mut patient(stream)));
        outcome(said).map(|()| connection)
    });
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut stream = patient(TcpStream::connect(address).unwrap());
    let said = say(rustls::Stream::new(&mut connection, &mut stream));
    let client = outcome(said).map(|()| connection);
    drop(stream);
    Met {
        client,
        server: serving.join().unwrap(),
    }
}

/// The same without a network, record by record: `before` is called with the number of each record
/// before it is delivered.
pub fn pump(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    name: &str,
    mut before: impl FnMut(u64),
) -> Met {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    let (mut count, mut errors) = (0, [None, None]);
    loop {
        let to_server = records(&mut client);
        let to_client = records(&mut server);
        if to_server.is_empty() && to_client.is_empty() {
            break;
        }
        for record in to_server {
            before(count);
            count += 1;
            deliver(&record, &mut server, &mut errors[1]);
        }
        for record in to_client {
            before(count);
            count += 1;
            deliver(&record, &mut client, &mut errors[0]);
        }
    }
    let [client_error, server_error] = errors;
    Met {
        client: client_error.map_or(Ok(client), Err),
        server: server_error.map_or(Ok(server), Err),
    }
}

/// What a side wants to send, split where its records end.
fn records<D>(from: &mut rustls::ConnectionCommon<D>) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).unwrap();
    }
    let (mut rest, mut records) = (&bytes[..], Vec::new());
    while let [_, _, _, high, low, ..] = rest {
        let length = 5 + usize::from(u16::from_be_bytes([*high, *low]));
        let (record, more) = rest.split_at(length);
        records.push(record.to_vec());
        rest = more;
    }
    records
}

fn deliver<D>(
    mut record: &[u8],
    to: &mut rustls::ConnectionCommon<D>,
    error: &mut Option<rustls::Error>,
) {
    while error.is_none() && !record.is_empty() {
        to.read_tls(&mut record).unwrap();
        *error = to.process_new_packets().err();
    }
}

pub fn handshake(client: ClientConfig, server: ServerConfig, name: &str) -> Outcome {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(Arc::new(server)).unwrap();
        outcome(echo(rustls::Stream::new(
            &mut connection,
            &mut patient(stream),
        )))
    });
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut stream = patient(TcpStream::connect(address).unwrap());
    let client = outcome(say(rustls::Stream::new(&mut connection, &mut stream)));
    drop(stream);
    Outcome {
        client,
        server: serving.join().unwrap(),
    }
}

fn patient(stream: TcpStream) -> TcpStream {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
        .set_write_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

fn say(mut stream: impl io::Read + io::Write) -> io::Result<()> {
    stream.write_all(b"a")?;
    stream.flush()?;
    stream.read_exact(&mut [0])
}

fn echo(mut stream: impl io::Read + io::Write) -> io::Result<()> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    stream.write_all(&byte)?;
    stream.flush()
}

fn outcome(result: io::Result<()>) -> Result<(), rustls::Error> {
    result.map_err(|error| {
        match error
            .get_ref()
            .and_then(|e| e.downcast_ref::<rustls::Error>())
        {
            Some(error) => error.clone(),
            None => rustls::Error::General(error.to_string()),
        }
    })
}
