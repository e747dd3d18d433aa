//! The README's programs are the ones here, to the letter, and do what it says they do.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Once};
use std::time::SystemTime;

use notafter::testing::{TestCa, TestPair, TestServer};
use notafter::{Certificate, SpkiPin, Timestamp, explain};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;

#[path = "readme/client.rs"]
mod client;
#[path = "readme/own_test.rs"]
mod own_test;
#[path = "readme/server.rs"]
mod server;

const NAME: &str = "service.example";
const DAY: i64 = 86_400;

/// Several providers are built in here; a program has one, or says so as well.
fn provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let provider = rustls::crypto::ring::default_provider();
        provider.install_default().unwrap();
    });
}

fn minted() -> (TestCa, TestPair) {
    let now = Timestamp::from(SystemTime::now());
    let (from, to) = (now.saturating_add(-DAY), now.saturating_add(80 * DAY));
    let ca = TestCa::root("Private CA", from, to).unwrap();
    let pair = ca.leaf(&[NAME], from, to).unwrap();
    (ca, pair)
}

fn pin(pair: &TestPair) -> SpkiPin {
    SpkiPin::from_certificate(&Certificate::from_der(&pair.chain()[0]).unwrap())
}

#[test]
fn the_programs_here_are_the_readmes() {
    let readme = include_str!("../README.md");
    let here = [
        include_str!("readme/server.rs"),
        include_str!("readme/client.rs"),
        include_str!("readme/own_test.rs"),
    ];
    for program in here {
        assert!(readme.contains(program), "README.md lacks\n{program}");
    }
}

#[test]
fn the_readmes_client_meets_the_readmes_server() {
    provider();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let (ca, pair) = minted();
    std::fs::write(&chain, pair.chain_pem()).unwrap();
    std::fs::write(&key, pair.key_pem()).unwrap();
    let server = server::server(&chain, &key, ca.anchors()).unwrap();
    let server = TestServer::start(Arc::new(server)).unwrap();

    let (_, kept_offline) = minted();
    for (in_use, refused_for) in [(pin(&pair), None), (pin(&minted().1), Some("pin_mismatch"))] {
        let client = client::client(ca.anchors(), in_use, pin(&kept_offline)).unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let mut stream = rustls::Stream::new(&mut client, &mut stream);
        let mut answer = [0; 5];
        let said = stream.write_all(b"hello");
        let heard = said.and_then(|()| stream.read_exact(&mut answer));
        let explained = heard.err().map(|error| explain(&error).unwrap().code());
        assert_eq!(explained, refused_for);
        assert_eq!(answer == *b"hello", refused_for.is_none());
    }
}

#[test]
fn the_readmes_server_does_not_start_with_what_does_not_work() {
    provider();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let ((ca, pair), (_, other)) = (minted(), minted());
    std::fs::write(&chain, pair.chain_pem()).unwrap();
    std::fs::write(&key, other.key_pem()).unwrap();
    let error = server::server(&chain, &key, ca.anchors()).unwrap_err();
    assert!(error.to_string().contains("tls.key"), "{error}");
}
