//! Connections over loopback, each with a server of its own.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::client::ClientSide;
use rustls::error::Error;
use rustls::pki_types::ServerName;
use rustls::server::ServerSide;
use rustls::{ClientConfig, Connection, HandshakeKind, ServerConfig, SideData, Tcp, VecInput};

const PATIENCE: Duration = Duration::from_secs(10);

/// Which kind of handshake it was for the client, and what became of it for the server.
pub type Met = (Result<HandshakeKind, Error>, Result<(), Error>);

/// One end of a connection.
pub struct End<Side: SideData> {
    pub connection: Connection<Side, Tcp>,
    stream: TcpStream,
    input: VecInput,
    output: Vec<u8>,
    said: Vec<u8>,
}

/// A client whose handshake is over, and that has read nothing since.
pub struct Begun {
    pub client: End<ClientSide>,
    server: JoinHandle<Result<(), Error>>,
}

impl<Side: SideData> End<Side> {
    fn new(connection: Connection<Side, Tcp>, stream: TcpStream, output: Vec<u8>) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            connection,
            stream,
            input: VecInput::default(),
            output,
            said: Vec::new(),
        }
    }

    fn go_on(&mut self, is_over: impl Fn(&Self) -> bool) -> Result<(), Error> {
        loop {
            self.stream.write_all(&self.output).unwrap();
            self.output.clear();
            if is_over(self) {
                return Ok(());
            }
            assert_ne!(
                self.input.read(&mut self.stream).unwrap(),
                0,
                "it was closed"
            );
            let messages = self.connection.read_tls(&mut self.input, &mut self.output);
            if let Err(error) = messages.handle_all(&mut self.said) {
                // The alert. That the other end may be gone is its own matter.
                let _ = self.stream.write_all(&self.output);
                return Err(error);
            }
        }
    }

    fn shake_hands(&mut self) -> Result<(), Error> {
        self.go_on(|end| !end.connection.is_handshaking())
    }
}

fn serve(listener: &TcpListener, config: Arc<ServerConfig>) -> Result<(), Error> {
    let (stream, _) = listener.accept().unwrap();
    let connection = Connection::<ServerSide, Tcp>::new(config)?;
    let mut server = End::new(connection, stream, Vec::new());
    server.shake_hands()?;
    server
        .connection
        .write(b"hello".into(), &mut server.output)?;
    server.go_on(|_| true)
}

/// Connects, up to the end of the client's handshake; or what became of it where that fails.
pub fn begin(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
    name: &str,
) -> Result<Begun, Box<Met>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let config = Arc::clone(server);
    let server = thread::spawn(move || serve(&listener, config));
    let mut output = Vec::new();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = client.connect(name).build(&mut output).unwrap();
    let mut client = End::new(connection, stream, output);
    match client.shake_hands() {
        Ok(()) => Ok(Begun { client, server }),
        Err(error) => Err(Box::new((Err(error), server.join().unwrap()))),
    }
}

impl Begun {
    /// Reads what the server says, and its tickets before that.
    pub fn finish(mut self) -> Met {
        let said = self.client.go_on(|end| !end.said.is_empty());
        let kind = self.client.connection.handshake_kind().unwrap();
        (said.map(|()| kind), self.server.join().unwrap())
    }
}

/// Connects, and says what became of it.
pub fn meet(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>, name: &str) -> Met {
    match begin(server, client, name) {
        Ok(begun) => begun.finish(),
        Err(apart) => *apart,
    }
}
