//! The example `fetch_announcement` against a real HTTPS server on loopback.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::ground::{Draft, HOST, day, floor_draft, listed};
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

#[test]
fn an_announcement_is_fetched_from_a_host_that_is_not_pinned() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // Valid by the system's clock, which the HTTPS client goes by.
    let root = pki::root("root", -1000, 3650);
    std::fs::write(path("root.pem"), pki::pem_bundle([&root.der])).unwrap();
    std::fs::write(path("floor.json"), floor_draft().payload()).unwrap();
    let pins = [
        listed(b'O', "current"),
        listed(b'P', "announced"),
        listed(b'B', "backup"),
    ];
    let good = Draft::new(11, day(1), &pins).signed(&[1, 2]);
    let alone = Draft::new(12, day(1), &pins).signed(&[1]);
    let run = |urls: &[String]| -> Output {
        Command::new(example("fetch_announcement"))
            .args(["--at", &day(2).to_string()])
            .arg("--floor")
            .arg(path("floor.json"))
            .arg("--state")
            .arg(path("state"))
            .arg("--trust")
            .arg(path("root.pem"))
            .args(urls)
            .output()
            .unwrap()
    };
    let line = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let port = serve(good, 1, &root);
    // The pinned host is not even asked; the other one is.
    let output = run(&[
        format!("https://{HOST}:{port}/pins.json"),
        format!("https://localhost:{port}/pins.json"),
    ]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{} {told}", line(&output));
    assert_eq!(line(&output), "version 11 is in force\n");
    assert!(
        told.contains("this host is pinned by the very pins"),
        "{told}"
    );

    let port = serve(alone, 1, &root);
    let output = run(&[format!("https://localhost:{port}/pins.json")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        line(&output).starts_with("refused (threshold): "),
        "{}",
        line(&output)
    );

    // More than an envelope may have is not read to its end.
    let port = serve(vec![b' '; 100_000], 1, &root);
    let output = run(&[
        format!("https://localhost:{port}/pins.json"),
        "http://localhost:1/pins.json".to_owned(),
    ]);
    assert_eq!(output.status.code(), Some(3), "{}", line(&output));
    assert_eq!(line(&output), "nothing could be fetched\n");
}
