//! Real handshakes over loopback, at the fixed instant of the tests.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use notafter::{Event, Observer};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    ClientConfig, ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion,
};

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
