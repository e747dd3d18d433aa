//! Connections end gracefully after a renewal.

use std::io::{BufRead as _, BufReader, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::ground::{Ground, Service, wait_until};

const DAY: i64 = 86_400;
const GOAWAY: u8 = 7;

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
    // RFC 9113, section 3.4: the preface, and empty SETTINGS.
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .unwrap();
    stream.flush().unwrap();
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
    let mut renewed = false;
    loop {
        let mut header = [0; 9];
        stream.read_exact(&mut header).unwrap();
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
        stream.read_exact(&mut vec![0; length as usize]).unwrap();
        if header[3] == GOAWAY {
            break;
        }
        if !renewed {
            ground.deploy(&ground.leaf(-10 * DAY, 80 * DAY));
            renewed = true;
        }
    }
    assert!(renewed, "not before the renewal");
}
