//! Protocols that begin without TLS: the command, a check and a monitor go over to it. What the
//! servers say here was recorded with Postfix 3.7, Dovecot 2.3, PostgreSQL 15, OpenLDAP 2.5 and
//! MariaDB 10.11; TLS is spoken by rustls.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use notafter::endpoint::{
    Endpoint, EndpointAddress, EndpointConnector, EndpointError, StartTls, StartTlsParseError,
};
use notafter::{Band, EventCode, Monitor, SelfCheck, Target};
use rustls::pki_types::CertificateDer;
use rustls::{ServerConfig, ServerConnection};

use crate::command::json;
use crate::support::pki::{self, NOW};
use crate::support::tls::{Recorder, ring};

/// What a server says, and what it then waits for.
type Script = &'static [(&'static [u8], &'static [u8])];

fn script(protocol: StartTls) -> Script {
    match protocol {
        StartTls::Smtp => &[
            (b"220 vm ESMTP Postfix (Debian/GNU)\r\n", b"EHLO [127.0.0.1]\r\n"),
            (
                b"250-vm\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n250-STARTTLS\r\n\
                  250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n",
                b"STARTTLS\r\n",
            ),
            (b"220 2.0.0 Ready to start TLS\r\n", b""),
        ],
        StartTls::Imap => &[
            (
                b"* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS AUTH=PLAIN] \
                  Dovecot (Debian) ready.\r\n",
                b"a1 STARTTLS\r\n",
            ),
            (b"a1 OK Begin TLS negotiation now.\r\n", b""),
        ],
        StartTls::Postgres => &[(b"", b"\0\0\0\x08\x04\xd2\x16/"), (b"S", b"")],
        StartTls::Ldap => &[
            (b"", b"0\x1d\x02\x01\x01w\x18\x80\x161.3.6.1.4.1.1466.20037"),
            (b"0\x0c\x02\x01\x01x\x07\n\x01\0\x04\0\x04\0", b""),
        ],
        StartTls::MySql => &[(
            b"d\0\0\0\n5.5.5-10.11.19-MariaDB-0+deb12u1\0\x07\0\0\0F>D|bVj1\0\xfe\xff\x08\x02\0\xff\x81\x15\
              \0\0\0\0\0\0\x1d\0\0\0S04T*p{:NWJO\0mysql_native_password\0",
            b" \0\0\x01\0\x8a\0\0\0\0\0\x01!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        )],
        other => panic!("{other} has no script"),
    }
}

/// A server that serves so many connections, in the clear first.
struct Server {
    port: u16,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    fn new(protocol: StartTls, leaf: &pki::Leaf, connections: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let chain: Vec<CertificateDer<'static>> = vec![leaf.der.clone()];
        let config = ServerConfig::builder_with_provider(ring())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, leaf.key.clone_key())
            .unwrap();
        let config = Arc::new(config);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().take(connections) {
                serve(protocol, stream.unwrap(), Arc::clone(&config));
            }
        });
        Self {
            port,
            thread: Some(thread),
        }
    }
}

fn serve(protocol: StartTls, mut stream: TcpStream, config: Arc<ServerConfig>) {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    for (said, awaited) in script(protocol) {
        // In pieces, as networks may.
        for piece in said.chunks(7) {
            stream.write_all(piece).unwrap();
        }
        let mut heard = vec![0; awaited.len()];
        stream.read_exact(&mut heard).unwrap();
        assert_eq!(heard, *awaited, "{protocol}");
    }
    let mut connection = ServerConnection::new(config).unwrap();
    let _ = connection.complete_io(&mut stream);
    let _ = stream.read(&mut [0]);
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.thread.take().unwrap().join().unwrap();
        }
    }
}

#[test]
fn the_command_a_check_and_a_monitor_go_over_to_tls() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf(&["localhost", "127.0.0.1"], -10, 80);
    let trust = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(trust.path(), pki::pem_bundle([&root.der])).unwrap();
    for protocol in StartTls::ALL {
        let server = Server::new(protocol, &leaf, 3);
        let address = EndpointAddress::new("127.0.0.1", server.port);

        let (at, trust) = (NOW.to_string(), trust.path().to_str().unwrap());
        let endpoint = address.to_string();
        let name = protocol.to_string();
        let report = json(&[
            "--at",
            &at,
            "--trust",
            trust,
            "--starttls",
            &name,
            &endpoint,
        ]);
        assert_eq!((report.code, report.codes()), (0, vec![]), "{protocol}");
        assert_eq!(report.chain(0)["source"], endpoint.as_str());

        let report = SelfCheck::builder()
            .with_endpoint(Endpoint::new(address).with_starttls(protocol))
            .with_trust_anchors(pki::anchors([&root]))
            .with_provider(ring())
            .at(NOW)
            .build()
            .unwrap()
            .run();
        assert_eq!((report.worst(), report.findings.len()), (Some(Band::Ok), 0));

        let recorder = Arc::new(Recorder::default());
        let monitor = Monitor::builder()
            .with_trust_anchors(pki::anchors([&root]))
            .with_provider(ring())
            .with_observer(recorder.clone())
            .with_connector(Arc::new(EndpointConnector::new(ring())))
            .build()
            .unwrap();
        monitor.watch(
            "service",
            Target::from_endpoint(endpoint).with_starttls(protocol),
        );
        monitor.tick(NOW);
        assert_eq!(recorder.take(), []);
        assert_eq!(monitor.snapshot().worst(), Some(Band::Ok), "{protocol}");
    }
}

#[test]
fn a_connector_that_cannot_go_over_to_tls_says_so() {
    let recorder = Arc::new(Recorder::default());
    let connector = |_: &str| -> Result<Vec<CertificateDer<'static>>, String> {
        panic!("it is not asked in the clear")
    };
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&pki::root("Root", -1, 1)]))
        .with_provider(ring())
        .with_observer(recorder.clone())
        .with_connector(Arc::new(connector))
        .build()
        .unwrap();
    let target = Target::from_endpoint("mail.example:25").with_starttls(StartTls::Smtp);
    monitor.watch("mail", target);
    monitor.tick(NOW);
    let told = recorder.take();
    assert_eq!((told.len(), told[0].code), (1, EventCode::SourceFailed));
    let expected = "mail.example:25: the monitor's connector cannot go over to TLS from smtp: \
                    give the monitor an EndpointConnector, or implement Connector::answer (connection)";
    assert!(told[0].message.starts_with(expected), "{}", told[0].message);
}

#[test]
fn a_monitor_tells_what_an_endpoint_speaks_instead_of_tls() {
    let root = pki::root("Root", -1000, 3000);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let speaking = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (greeting, _) = script(StartTls::Smtp)[0];
        stream.write_all(greeting).unwrap();
        let _ = stream.read(&mut [0; 4096]);
    });
    let recorder = Arc::new(Recorder::default());
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&root]))
        .with_provider(ring())
        .with_observer(recorder.clone())
        .with_connector(Arc::new(EndpointConnector::new(ring())))
        .build()
        .unwrap();
    monitor.watch("mail", Target::from_endpoint(format!("127.0.0.1:{port}")));
    monitor.tick(NOW);
    speaking.join().unwrap();
    let expected = format!(
        "127.0.0.1:{port}: it speaks SMTP, which begins without TLS (connection); say `--starttls smtp`"
    );
    assert_eq!(recorder.take()[0].message, expected);
}

#[test]
fn what_an_endpoint_says_before_its_handshake_is_bounded() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = EndpointAddress::new("127.0.0.1", listener.local_addr().unwrap().port());
    // Longer than the bound as one line, and as 10,000 lines; each just short of its end at the bound.
    let line = |length: usize| [b"220-".as_slice(), &vec![b'x'; length]].concat();
    let lines = |count: usize| b"220-abcdefgh\r\n".repeat(count);
    let said = [line(70_000), line(64 * 1024), lines(10_000)];
    let count = said.len();
    let speaking = std::thread::spawn(move || {
        for said in said {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.write_all(&said);
            // The look ends by itself, not by the end of what is said.
            let _ = stream.read(&mut [0]);
        }
    });
    let connector = EndpointConnector::new(ring());
    for _ in 0..count {
        let endpoint = Endpoint::new(address.clone()).with_starttls(StartTls::Smtp);
        let error = connector.presented_by(&endpoint).unwrap_err();
        assert!(matches!(error, EndpointError::Handshake { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            format!("{address} showed no certificate (it never ends)")
        );
    }
    speaking.join().unwrap();
}

#[test]
fn protocols_are_named_as_the_command_takes_them() {
    for protocol in StartTls::ALL {
        assert_eq!(protocol.to_string().parse(), Ok(protocol));
    }
    let error: StartTlsParseError = "pop3\n".parse::<StartTls>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "'pop3\\n' is no protocol with STARTTLS that is spoken here: give smtp, imap, postgres, ldap or mysql"
    );
}
