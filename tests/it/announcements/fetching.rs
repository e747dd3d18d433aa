//! The example `fetch_announcement` against a real HTTPS server on loopback.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::ground::{Draft, HOST, authority, day, floor_draft, listed};
use crate::command::example;
use crate::support::pki;
use crate::support::tls::ring;

/// Answers so many requests with this body; the certificate is for `localhost` and the pinned host.
fn serve(body: Vec<u8>, requests: usize, root: &pki::Ca) -> u16 {
    let leaf = root.leaf(&["localhost", HOST], -1000, 3000);
    let config = ServerConfig::builder_with_provider(ring())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der], leaf.key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().take(requests) {
            let stream = stream.unwrap();
            let patience = Some(Duration::from_secs(20));
            stream.set_read_timeout(patience).unwrap();
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = StreamOwned::new(connection, stream);
            let mut request: Vec<u8> = Vec::new();
            let mut buffer = [0; 1024];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match tls.read(&mut buffer) {
                    Ok(count @ 1..) => request.extend(&buffer[..count]),
                    _ => break,
                }
            }
            let length = body.len();
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = tls.write_all(&[head.as_bytes(), &body].concat());
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    });
    port
}

/// A folder with a trust anchor and a floor, and the example on it.
struct Fetching {
    folder: tempfile::TempDir,
    root: pki::Ca,
}

impl Fetching {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Valid by the system's clock, which the HTTPS client goes by.
        let root = pki::root("root", -1000, 3650);
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes);
        write("root.pem", pki::pem_bundle([&root.der]).as_bytes()).unwrap();
        write("floor.json", &floor_draft().payload()).unwrap();
        Self { folder, root }
    }

    /// The address of a mirror that answers so many requests with this body.
    fn mirror(&self, body: Vec<u8>, requests: usize) -> String {
        let port = serve(body, requests, &self.root);
        format!("https://localhost:{port}/pins.json")
    }

    fn command(&self) -> Command {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(example("fetch_announcement"));
        command
            .args(["--at", &day(2).to_string()])
            .arg("--floor")
            .arg(path("floor.json"))
            .arg("--state")
            .arg(path("state"))
            .arg("--trust")
            .arg(path("root.pem"));
        command
    }

    fn run(&self, urls: &[String]) -> Output {
        self.command().args(urls).output().unwrap()
    }
}

fn line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn draft(version: u64) -> Draft {
    let pins = [
        listed(b'O', "current"),
        listed(b'P', "announced"),
        listed(b'B', "backup"),
    ];
    Draft::new(version, day(1), &pins)
}

#[test]
fn an_announcement_is_fetched_from_a_host_that_is_not_pinned() {
    let fetching = Fetching::new();
    let good = fetching.mirror(draft(11).signed(&[1, 2]), 1);
    // The pinned host is not even asked; the other one is.
    let output = fetching.run(&[good.replace("localhost", HOST), good]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(line(&output), "version 11 is in force\n");
    assert!(
        told(&output).contains("this host is pinned by the very pins"),
        "{}",
        told(&output)
    );

    let output = fetching.run(&[fetching.mirror(draft(12).signed(&[1]), 1)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        line(&output).starts_with("refused (threshold): "),
        "{}",
        line(&output)
    );

    // More than an envelope may have is not read to its end.
    let endless = fetching.mirror(vec![b' '; 100_000], 1);
    let output = fetching.run(&[endless, "http://localhost:1/pins.json".to_owned()]);
    assert_eq!(output.status.code(), Some(3), "{}", line(&output));
    assert_eq!(line(&output), "nothing could be fetched\n");
}

/// A network that answers everything with its own page, a mirror that stands still, one that lies about
/// its version, one that is gone: the newest genuine announcement is found wherever it stands.
#[test]
fn all_mirrors_are_asked_and_the_newest_that_holds_is_applied() {
    let fetching = Fetching::new();
    let portal = fetching.mirror(b"<html>Please log in</html>".to_vec(), 1);
    let frozen = fetching.mirror(draft(11).signed(&[1, 2]), 1);
    let liar = fetching.mirror(draft(900).signed(&[8, 9]), 1);
    let gone = "https://localhost:1/pins.json".to_owned();
    let newest = draft(12).following(&draft(11)).signed(&[1, 2]);
    let newest = fetching.mirror(newest, 1);
    let output = fetching.run(&[portal, frozen, liar, gone, newest]);
    assert_eq!(
        line(&output),
        "version 12 is in force\n",
        "{}",
        told(&output)
    );
    assert_eq!(output.status.code(), Some(0));
    assert!(
        told(&output).contains("refused (bad_signature)"),
        "{}",
        told(&output)
    );
}

/// Only after the one that changes the announcing keys is the newest one believed.
#[test]
fn an_older_announcement_that_lets_in_a_newer_one_is_applied_first() {
    let fetching = Fetching::new();
    let next = authority(&[5, 6, 7], 2, Some(3));
    let handover = draft(11).with("authority", next).with("emergency", true);
    let newest = draft(12).following(&handover);
    let newest = fetching.mirror(newest.signed(&[5, 6]), 1);
    let handover = fetching.mirror(handover.signed(&[1, 2, 3, 5, 6]), 1);
    let output = fetching.run(&[newest, handover]);
    assert_eq!(
        line(&output),
        "version 12 is in force\n",
        "{}",
        told(&output)
    );
    assert_eq!(output.status.code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let fetching = Fetching::new();
    let good = fetching.mirror(draft(11).signed(&[1, 2]), 1);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let output = fetching
        .command()
        .arg(good)
        .stdout(full.unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(
        told(&output).contains("could not be written"),
        "{}",
        told(&output)
    );
}
