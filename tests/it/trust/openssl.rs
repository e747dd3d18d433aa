//! OpenSSL as the peer, with sessions of its own: what it held before a root or a list was replaced does
//! not help it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use notafter::reload::ReloadingCrls;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Error, HandshakeKind, ServerConfig,
    ServerConnection,
};

use super::scene::{Client, ClientSessions, NAME, Scene, ServerSessions, at};
use crate::endpoints::OpensslServer;
use crate::support::pki::{self, Leaf};
use crate::support::tls::VERSIONS;

/// What is changed while OpenSSL holds a session, and the refusal that comes of it.
#[derive(Debug, Clone, Copy)]
enum Change {
    RootRemoved,
    Revoked,
}

const CHANGES: [(Change, Error); 2] = [
    (
        Change::RootRemoved,
        Error::InvalidCertificate(CertificateError::UnknownIssuer),
    ),
    (
        Change::Revoked,
        Error::InvalidCertificate(CertificateError::Revoked),
    ),
];

/// The same versions, for OpenSSL.
const OPTIONS: [&str; 2] = ["-tls1_2", "-tls1_3"];

/// How a handshake with OpenSSL went, for us.
type Outcome = Result<Option<HandshakeKind>, Error>;

fn refusal(error: &std::io::Error) -> Error {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<Error>());
    inner.unwrap_or_else(|| panic!("{error}")).clone()
}

fn patient(stream: TcpStream) -> TcpStream {
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream.set_write_timeout(patience).unwrap();
    stream
}

/// One connection of `openssl s_client` with this certificate: what it says, and how it went for us.
/// `None`, with a line, where there is no openssl; in CI there must be.
fn s_client(
    scene: &Scene,
    server: &Arc<ServerConfig>,
    leaf: &Leaf,
    more: &[&str],
) -> Option<(String, Outcome)> {
    scene.write("client.crt", pki::pem_bundle([&leaf.der]));
    scene.write("client.key", leaf.key_pair.serialize_pem());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let client = Command::new("openssl")
        .current_dir(scene.folder.path())
        .args(["s_client", "-connect", &address, "-servername", NAME])
        .args(["-cert", "client.crt", "-key", "client.key", "-ign_eof"])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "openssl is missing: {error}"
            );
            println!("skipped: there is no openssl here ({error})");
            return None;
        }
    };
    let server = Arc::clone(server);
    let serving = thread::spawn(move || {
        let mut stream = patient(listener.accept().unwrap().0);
        let mut connection = ServerConnection::new(server).unwrap();
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut stream) {
                return Err(refusal(&error));
            }
        }
        connection.writer().write_all(b"welcome\n").unwrap();
        connection.send_close_notify();
        while connection.wants_write() {
            connection.write_tls(&mut stream).unwrap();
        }
        // Until it has read all of it: closed sooner, it would be reset.
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read(&mut [0; 1024]);
        Ok(connection.handshake_kind())
    });
    let output = client.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Some((said, serving.join().unwrap()))
}

fn lists(scene: &Scene) -> Arc<ReloadingCrls> {
    let list = pki::crl_between(&scene.a, at(-7200), at(86_400), &[]);
    scene.write("list.crl", list);
    ReloadingCrls::builder()
        .with_path(scene.path("list.crl"))
        .with_unknown(notafter::revocation::UnknownRevocation::Accept)
        .with_clock(scene.clock.clone())
        .build()
        .unwrap()
}

#[test]
fn openssl_resumes_no_session_with_a_server_that_would_refuse_its_certificate_now() {
    for (change, expected) in CHANGES {
        for sessions in [ServerSessions::Stored, ServerSessions::Tickets] {
            for (version, option) in VERSIONS.into_iter().zip(OPTIONS) {
                let context = format!("{change:?}, {sessions:?}, {option}");
                let scene = Scene::new();
                let anchors = scene.anchors(&[&scene.a, &scene.b]);
                let lists = lists(&scene);
                let verifier = scene.clients_by(&anchors, Some(&lists));
                let server = scene.server(version, &verifier, sessions);
                let leaf = scene.a.leaf(&["a.example"], -10, 90);
                let first = [option, "-sess_out", "session.pem"];
                let again = [
                    option,
                    "-sess_in",
                    "session.pem",
                    "-sess_out",
                    "session.pem",
                ];
                let Some((said, met)) = s_client(&scene, &server, &leaf, &first) else {
                    return;
                };
                assert_eq!(met, Ok(Some(HandshakeKind::Full)), "{context}: {said}");
                assert!(
                    said.contains("New, TLSv1") && said.contains("welcome"),
                    "{said}"
                );
                let (said, met) = s_client(&scene, &server, &leaf, &again).unwrap();
                assert_eq!(met, Ok(Some(HandshakeKind::Resumed)), "{context}: {said}");
                assert!(
                    said.contains("Reused, TLSv1") && said.contains("welcome"),
                    "{said}"
                );
                match change {
                    Change::RootRemoved => {
                        scene.replace("ca.pem", Scene::bundle(&[&scene.b]));
                        assert!(anchors.poll(at(10)).is_swapped);
                    }
                    Change::Revoked => {
                        let revoked = leaf.certificate();
                        let list = pki::crl_between(&scene.a, at(-60), at(86_400), &[&revoked]);
                        scene.replace("list.crl", list);
                        assert!(lists.poll(at(10)).is_swapped);
                    }
                }
                for arguments in [&again[..], &first] {
                    let (said, met) = s_client(&scene, &server, &leaf, arguments).unwrap();
                    assert_eq!(met, Err(expected.clone()), "{context}: {said}");
                    assert!(
                        !said.contains("Reused") && !said.contains("welcome"),
                        "{said}"
                    );
                }
                // Others are let in.
                let other = scene.b.leaf(&["b.example"], -10, 90);
                let (said, met) = s_client(&scene, &server, &other, &[option]).unwrap();
                assert_eq!(met, Ok(Some(HandshakeKind::Full)), "{context}: {said}");
            }
        }
    }
}

/// One page of `openssl s_server`, and how the handshake went.
fn get(config: &Arc<ClientConfig>, server: &OpensslServer) -> Outcome {
    let name = NAME.try_into().unwrap();
    let mut connection = ClientConnection::new(config.clone(), name).unwrap();
    let mut stream = patient(TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap());
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut stream) {
            return Err(refusal(&error));
        }
    }
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    tls.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = Vec::new();
    // It tells no end in TLS 1.2, but closes.
    let _ = tls.read_to_end(&mut page);
    assert!(page.starts_with(b"HTTP/1.0 200"), "{page:?}");
    Ok(connection.handshake_kind())
}

fn config(client: &Client) -> Arc<ClientConfig> {
    match client {
        Client::Guard(config) => config.clone(),
        Client::Configs(configs) => configs.current().unwrap(),
    }
}

#[test]
fn no_session_is_resumed_with_an_openssl_server_whose_certificate_would_be_refused_now() {
    for (change, expected) in CHANGES {
        for (sessions, server_sessions) in [
            (ClientSessions::Guard, &[][..]),
            (ClientSessions::Configs, &[]),
            (ClientSessions::Guard, &["-no_ticket"]),
            (ClientSessions::Configs, &["-no_ticket"]),
        ] {
            let scene = Scene::new();
            let leaf = scene.a.leaf(&[NAME], -10, 90);
            let Some(server) = OpensslServer::start_with(&leaf, &[], server_sessions) else {
                return;
            };
            for version in VERSIONS {
                let context = format!("{change:?}, {sessions:?}, {version:?}, {server_sessions:?}");
                let anchors = scene.anchors(&[&scene.a, &scene.b]);
                let lists = lists(&scene);
                let verifier = scene.servers_by(&anchors, Some(&lists));
                let full = scene.client(version, verifier.renewed(), ClientSessions::Guard);
                let client = scene.client(version, verifier, sessions);
                let get = |client| get(&config(client), &server);
                assert_eq!(get(&client), Ok(Some(HandshakeKind::Full)), "{context}");
                assert_eq!(get(&client), Ok(Some(HandshakeKind::Resumed)), "{context}");
                match change {
                    Change::RootRemoved => {
                        scene.replace("ca.pem", Scene::bundle(&[&scene.b]));
                        assert!(anchors.poll(at(10)).is_swapped);
                    }
                    Change::Revoked => {
                        let revoked = leaf.certificate();
                        let list = pki::crl_between(&scene.a, at(-60), at(86_400), &[&revoked]);
                        scene.replace("list.crl", list);
                        assert!(lists.poll(at(10)).is_swapped);
                    }
                }
                assert_eq!(get(&client), Err(expected.clone()), "{context}");
                assert_eq!(get(&full), Err(expected.clone()), "{context}");
            }
        }
    }
}
