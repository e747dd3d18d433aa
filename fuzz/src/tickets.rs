//! Real TLS 1.3 tickets, which only a handshake makes: one makes many.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};

use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::{
    ClientConfig, ClientConnection, NamedGroup, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};

use crate::world::{NAMES, World, first_leafs_key};
use crate::{NOW, ring, unix};

/// So many tickets from one handshake.
const EACH: usize = 512;

static POOL: Mutex<VecDeque<Tls13ClientSessionValue>> = Mutex::new(VecDeque::new());

static OLDER: LazyLock<Tls12ClientSessionValue> = LazyLock::new(|| {
    let mut met = meet(&rustls::version::TLS12);
    met.sessions.pop().expect("there is a session")
});

/// A ticket of some session.
pub fn ticket() -> Tls13ClientSessionValue {
    let mut pool = POOL.lock().expect("no panic");
    if pool.is_empty() {
        pool.extend(meet(&rustls::version::TLS13).tickets);
    }
    pool.pop_front().expect("filled")
}

/// Gives a ticket back that was handed out.
pub fn give_back(ticket: Tls13ClientSessionValue) {
    POOL.lock().expect("no panic").push_back(ticket);
}

/// A session of TLS 1.2.
pub fn session() -> Tls12ClientSessionValue {
    OLDER.clone()
}

#[derive(Debug)]
struct Clock;

impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        Some(unix(NOW))
    }
}

/// What a handshake left.
#[derive(Default)]
struct Met {
    tickets: Vec<Tls13ClientSessionValue>,
    sessions: Vec<Tls12ClientSessionValue>,
}

/// Keeps all of it.
#[derive(Default)]
struct Collector(Mutex<Met>);

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Collector")
    }
}

impl ClientSessionStore for Collector {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }
    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.lock().expect("no panic").sessions.push(value);
    }
    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }
    fn remove_tls12_session(&self, _: &ServerName<'static>) {}
    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.lock().expect("no panic").tickets.push(value);
    }
    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

/// Signatures are webpki's here, for the handshake is a real one.
fn meet(version: &'static SupportedProtocolVersion) -> Met {
    let world = World::get();
    let collector = Arc::new(Collector::default());
    let mut client = ClientConfig::builder_with_details(ring(), Arc::new(Clock))
        .with_protocol_versions(&[version])
        .expect("a version of the provider")
        .with_root_certificates(world.roots.clone())
        .with_no_client_auth();
    client.resumption = Resumption::store(collector.clone());
    let chain = vec![world.leaves[0].clone(), world.authorities[4].clone()];
    let mut server = ServerConfig::builder_with_details(ring(), Arc::new(Clock))
        .with_protocol_versions(&[version])
        .expect("a version of the provider")
        .with_no_client_auth()
        .with_single_cert(chain, first_leafs_key())
        .expect("its key");
    server.send_tls13_tickets = EACH;
    server.session_storage = rustls::server::ServerSessionMemoryCache::new(EACH * 2);
    let name = ServerName::try_from(NAMES[0]).expect("a name");
    let mut client = ClientConnection::new(Arc::new(client), name).expect("a client");
    let mut server = ServerConnection::new(Arc::new(server)).expect("a server");
    while client.wants_write() || server.wants_write() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).expect("to memory");
        }
        feed(&bytes, |rest| {
            server.read_tls(rest).expect("from memory");
            server.process_new_packets().map(drop)
        });
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).expect("to memory");
        }
        feed(&bytes, |rest| {
            client.read_tls(rest).expect("from memory");
            client.process_new_packets().map(drop)
        });
    }
    std::mem::take(&mut *collector.0.lock().expect("no panic"))
}

fn feed(mut bytes: &[u8], mut read: impl FnMut(&mut &[u8]) -> Result<(), rustls::Error>) {
    while !bytes.is_empty() {
        read(&mut bytes).expect("a handshake of ours");
    }
}
