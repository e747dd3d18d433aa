//! Endpoints on loopback: one that serves a chain, and some that keep everybody waiting.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::{ServerConfig, ServerConnection};

use super::pki::Leaf;
use super::tls::ring;

/// What an endpoint does with a connection.
#[derive(Clone)]
enum Manners {
    Serve(Arc<ServerConfig>),
    /// Says nothing.
    Hang,
    /// Sends a byte of a handshake every now and then.
    Drip,
}

/// An endpoint that ends, with its connections, when it is dropped.
pub struct Peer {
    pub port: u16,
    ended: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Peer {
    /// One that serves this chain, each connection on a thread of its own.
    pub fn serving(leaf: &Leaf, chain: Vec<CertificateDer<'static>>) -> Self {
        let config = ServerConfig::builder_with_provider(ring())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, leaf.key.clone_key())
            .unwrap();
        Self::serving_by(config)
    }

    /// The same, as this configuration has it.
    pub fn serving_by(config: ServerConfig) -> Self {
        Self::start(&Manners::Serve(Arc::new(config)))
    }

    /// One that accepts connections and says nothing.
    pub fn hanging() -> Self {
        Self::start(&Manners::Hang)
    }

    /// One that sends a byte every 50 ms for as long as anybody listens, and never all of a message.
    pub fn dripping() -> Self {
        Self::start(&Manners::Drip)
    }

    /// A port at which nobody listens.
    pub fn refusing_port() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap().port()
    }

    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn start(manners: &Manners) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let ended = Arc::<AtomicBool>::default();
        let ending = Arc::clone(&ended);
        let manners = manners.clone();
        let accepting = thread::spawn(move || {
            let mut serving = Vec::new();
            for stream in listener.incoming() {
                if ending.load(Ordering::Acquire) {
                    break;
                }
                let (manners, ending) = (manners.clone(), Arc::clone(&ending));
                serving.push(thread::spawn(move || {
                    behave(&manners, &stream.unwrap(), &ending);
                }));
            }
            drop(listener);
            serving
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
        });
        Self {
            port,
            ended,
            accepting: Some(accepting),
        }
    }
}

fn behave(manners: &Manners, mut stream: &TcpStream, ended: &AtomicBool) {
    let moment = Duration::from_millis(50);
    match manners {
        Manners::Serve(config) => {
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .unwrap();
            let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
            // Who only looks hangs up in the midst.
            let _ = connection.complete_io(&mut stream);
            let _ = stream.read(&mut [0]);
        }
        Manners::Hang => {
            while !ended.load(Ordering::Acquire) {
                thread::sleep(moment);
            }
        }
        Manners::Drip => {
            // A record of 16,000 bytes, whose message never comes to its end.
            let drops = [22, 3, 3, 0x3e, 0x80, 2, 0, 0x3e, 0x7c].into_iter();
            for drop in drops.chain(std::iter::repeat(0)) {
                if ended.load(Ordering::Acquire) || stream.write_all(&[drop]).is_err() {
                    break;
                }
                thread::sleep(moment);
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // Wakes it.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}
