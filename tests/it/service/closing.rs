//! Connections end gracefully after a renewal, and after their client's root was removed.

use std::io::{BufRead as _, BufReader, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::ground::{Ground, Service, wait_until};
use crate::support::pki;

const DAY: i64 = 86_400;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;

type Tls = StreamOwned<ClientConnection, std::net::TcpStream>;

fn connect(service: &Service, client: &Arc<ClientConfig>) -> Tls {
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(client.clone(), name).unwrap();
    StreamOwned::new(connection, service.connect())
}

/// One request that keeps the connection; the status and whether the connection ends with it.
fn request(stream: &mut BufReader<Tls>) -> (String, bool) {
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.get_mut().write_all(request).unwrap();
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "cut off: {head:?}");
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
    let close = head.iter().any(|line| line == "connection: close");
    (head[0].clone(), close)
}

/// What is read next is the end of the connection.
fn ends(stream: &mut impl Read) {
    let read = stream.read(&mut [0]);
    let cut = |e: &std::io::Error| {
        matches!(
            e.kind(),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
        )
    };
    assert!(
        matches!(&read, Ok(0)) || read.as_ref().is_err_and(cut),
        "{read:?}"
    );
}

#[test]
fn after_a_renewal_clients_in_use_hear_connection_close_and_no_request_fails() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-20 * DAY, 70 * DAY));
    let service = ground.serve(&["--poll", "20", "--drain", "8"]);
    let client = ground.client();
    let mut idle = BufReader::new(connect(&service, &client));
    assert_eq!(request(&mut idle), ("http/1.1 200 ok".to_owned(), false));
    let mut in_use: Vec<_> = (0..8)
        .map(|_| BufReader::new(connect(&service, &client)))
        .collect();
    for stream in &mut in_use {
        assert!(!request(stream).1);
    }
    ground.deploy(&ground.leaf(-10 * DAY, 80 * DAY));
    // Each goes on asking; every request is answered, until an answer says that it is the last.
    std::thread::scope(|scope| {
        for stream in &mut in_use {
            scope.spawn(|| {
                loop {
                    let (status, close) = request(stream);
                    assert_eq!(status, "http/1.1 200 ok");
                    if close {
                        break;
                    }
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                ends(stream);
            });
        }
    });
    ends(&mut idle);
    let mut again = BufReader::new(connect(&service, &client));
    assert!(!request(&mut again).1, "of the new certificate");
    let metrics = service.get(&client, "/metrics").unwrap();
    let metric = |name| metrics.metric(name, "");
    assert_eq!(metric("notafter_connections_told_total"), Some(9));
    assert_eq!(metric("notafter_connections_overdue_total"), Some(0));
    wait_until("all of before have ended", || {
        let metrics = service.get(&client, "/metrics").unwrap();
        metrics.metric("notafter_connections_closing", "") == Some(0)
    });
}

#[test]
fn after_a_renewal_http_2_sends_goaway() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-20 * DAY, 70 * DAY));
    let service = ground.serve(&["--poll", "20", "--drain", "8"]);
    let mut client = ClientConfig::clone(&ground.client());
    client.alpn_protocols = vec![b"h2".to_vec()];
    let mut stream = connect(&service, &Arc::new(client));
    hears_goaway_after(&mut stream, || {
        ground.deploy(&ground.leaf(-10 * DAY, 80 * DAY));
    });
}

/// Speaks HTTP/2 until GOAWAY and the end come, which must not be before this was done.
fn hears_goaway_after(stream: &mut Tls, done: impl FnOnce()) {
    // RFC 9113, section 3.4: the preface, and empty SETTINGS.
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .unwrap();
    stream.flush().unwrap();
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
    let mut done = Some(done);
    while let Some(kind) = frame(stream) {
        if kind == GOAWAY {
            assert!(done.is_none(), "not before that");
            // The last streams are gone: so is the connection.
            while frame(stream).is_some() {}
            return;
        }
        if let Some(done) = done.take() {
            done();
        }
    }
    panic!("it ended without GOAWAY");
}

/// The kind of the next frame, of which a ping is answered (RFC 9113, section 6.7); `None` at the end.
fn frame(stream: &mut Tls) -> Option<u8> {
    let mut header = [0; 9];
    stream.read_exact(&mut header).ok()?;
    let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).unwrap();
    let (kind, flags) = (header[3], header[4]);
    if kind == PING && flags & ACK == 0 {
        header[4] = ACK;
        let answer = [&header[..], &payload].concat();
        // It may be gone by now.
        let _ = stream.write_all(&answer).and_then(|()| stream.flush());
    }
    Some(kind)
}

#[test]
fn after_a_client_root_is_removed_its_connections_end_gracefully_and_are_told_by_number() {
    let ground = Ground::new();
    ground.deploy(&ground.leaf(-DAY, 80 * DAY));
    let other = Ground::new();
    let ca = ground.path("clients.pem");
    let both = pki::pem_bundle([&ground.root.der, &other.root.der]);
    std::fs::write(&ca, both).unwrap();
    let arguments = ["--client-ca", &ca, "--poll", "20", "--drain", "8"];
    let service = ground.serve_heard(&arguments);
    let by_a = ground.client_with(&ground.leaf(-DAY, 80 * DAY));
    let by_b = ground.client_of(&other, &other.leaf(-DAY, 80 * DAY));
    let [mut idle, mut stays] =
        [&by_a, &by_b].map(|client| BufReader::new(connect(&service, client)));
    for stream in [&mut idle, &mut stays] {
        assert_eq!(request(stream), ("http/1.1 200 ok".to_owned(), false));
    }
    let mut in_use: Vec<_> = (0..3)
        .map(|_| BufReader::new(connect(&service, &by_a)))
        .collect();
    for stream in &mut in_use {
        assert!(!request(stream).1);
    }
    let mut http_2 = ClientConfig::clone(&by_a);
    http_2.alpn_protocols = vec![b"h2".to_vec()];
    let mut http_2 = connect(&service, &Arc::new(http_2));
    std::thread::scope(|scope| {
        for stream in &mut in_use {
            scope.spawn(|| {
                loop {
                    let (status, close) = request(stream);
                    assert_eq!(status, "http/1.1 200 ok", "no request fails");
                    if close {
                        break;
                    }
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                ends(stream);
            });
        }
        hears_goaway_after(&mut http_2, || {
            let next = ground.path("next.pem");
            std::fs::write(&next, pki::pem_bundle([&other.root.der])).unwrap();
            std::fs::rename(&next, &ca).unwrap();
        });
        ends(&mut idle);
    });
    // Who ends at the other root goes on, and who was told does not come back.
    assert!(!request(&mut stays).1);
    assert!(service.get(&by_a, "/ready").is_err());
    let metrics = service.get(&by_b, "/metrics").unwrap();
    let metric = |name| metrics.metric(name, "");
    assert_eq!(metric("notafter_connections_told_total"), Some(5));
    assert_eq!(metric("notafter_connections_overdue_total"), Some(0));
    let told = ground.told("rest on anchors that are no more");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains(" warning reload_succeeded: 5 connections rest"),
        "{told:?}"
    );
}
