//! OpenSSL with an X.509-SVID on the other side.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use notafter::EventCode;
use notafter::verifier::{SpiffePeerError, spiffe_error};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ServerConfig, ServerConnection};

use super::scene::{NAME, Scene, Sessions, at, id, id_of_peer, svid, svid_until};
use crate::endpoints::OpensslServer;
use crate::support::pki::{self, Leaf};
use crate::support::tls::VERSIONS;

const DB: &str = "spiffe://prod.example/db";

#[test]
fn a_server_of_openssl_is_known_by_its_spiffe_id() {
    let scene = Scene::new();
    let issuing = scene.prod.intermediate("issuing", -10, 60);
    let leaf = svid_until(&issuing, DB, 8);
    let Some(server) = OpensslServer::start(&leaf, &[&issuing]) else {
        return;
    };
    scene.clock.set(at(6 * 86_400));
    for version in VERSIONS {
        for accepted in [true, false] {
            let verifier = scene.servers().build().unwrap();
            if !accepted {
                scene
                    .bundles
                    .remove_bundle(&"prod.example".parse().unwrap());
            }
            let client = scene.client(version, verifier, None);
            let name = ServerName::try_from(NAME).unwrap();
            let config = client.current().unwrap();
            let mut connection = ClientConnection::new(config, name).unwrap();
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
            let patience = Some(Duration::from_secs(20));
            stream.set_read_timeout(patience).unwrap();
            let outcome = connection.complete_io(&mut stream);
            let told = scene.events.take();
            if accepted {
                outcome.unwrap();
                assert_eq!(id_of_peer(&connection), DB);
                assert_eq!(told.len(), 1, "{told:?}");
                assert_eq!(told[0].code, EventCode::PeerExpiring);
                assert_eq!(told[0].identity.as_ref().unwrap().as_str(), DB);
            } else {
                let error = outcome.unwrap_err();
                let error = error.get_ref().unwrap().downcast_ref().unwrap();
                let expected = SpiffePeerError::NoBundle { id: id(DB) };
                assert_eq!(spiffe_error(error), Some(&expected));
                let anchors = pki::anchors([&scene.prod]);
                scene
                    .bundles
                    .set_bundle("prod.example".parse().unwrap(), anchors);
            }
        }
    }
}

/// Accepts one connection, and says what came of it: whom it met, and whether a session was resumed.
fn serve_one(
    listener: &TcpListener,
    server: &Arc<ServerConfig>,
) -> Result<(String, bool), rustls::Error> {
    let (mut stream, _) = listener.accept().unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut connection = ServerConnection::new(server.clone()).unwrap();
    let mut request = [0; 2];
    let said = {
        let mut tls = rustls::Stream::new(&mut connection, &mut stream);
        std::io::Read::read_exact(&mut tls, &mut request).and_then(|()| tls.write_all(b"hello\n"))
    };
    if let Err(error) = said {
        let error = error.get_ref().unwrap().downcast_ref::<rustls::Error>();
        return Err(error.unwrap().clone());
    }
    connection.send_close_notify();
    let _ = connection.complete_io(&mut stream);
    let resumed = connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
    Ok((id_of_peer(&connection), resumed))
}

/// `openssl s_client` with this SVID and a session file; `None`, with a line, where there is no openssl.
fn s_client(folder: &std::path::Path, port: u16, leaf: &Leaf, more: &[&str]) -> Option<()> {
    std::fs::write(folder.join("svid.pem"), pki::pem_bundle([&leaf.der])).unwrap();
    std::fs::write(folder.join("svid.key"), leaf.key_pair.serialize_pem()).unwrap();
    let client = Command::new("openssl")
        .current_dir(folder)
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}")])
        .args([
            "-servername",
            NAME,
            "-cert",
            "svid.pem",
            "-key",
            "svid.key",
            "-quiet",
        ])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut client = match client {
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
    // One that is refused may be gone by now.
    let mut stdin = client.stdin.take().unwrap();
    let _ = stdin.write_all(b"hi");
    let _ = stdin.flush();
    client.wait().unwrap();
    Some(())
}

#[test]
fn clients_of_openssl_are_known_by_their_spiffe_ids_full_and_resumed() {
    for (version, flag) in VERSIONS.into_iter().zip(["-tls1_2", "-tls1_3"]) {
        let scene = Scene::new();
        let folder = tempfile::tempdir().unwrap();
        let own = svid(&scene.prod, "spiffe://prod.example/own");
        let clients = scene.clients().build().unwrap();
        let server = scene.asking_server(version, &own, &clients, Sessions::Stored);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let visit = |leaf: &Leaf, more: &[&str]| {
            std::thread::scope(|threads| {
                let serving = threads.spawn(|| serve_one(&listener, &server));
                let args = [&[flag, "-sess_out", "session.pem"], more].concat();
                if s_client(folder.path(), port, leaf, &args).is_none() {
                    // Nobody comes: let the server go.
                    drop(TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
                    let _ = serving.join();
                    return None;
                }
                Some(serving.join().unwrap())
            })
        };
        let text = "spiffe://partner.example/web";
        let leaf = svid(&scene.partner, text);
        let Some(first) = visit(&leaf, &[]) else {
            return;
        };
        assert_eq!(first, Ok((text.to_owned(), false)), "{flag}");
        let resume = ["-sess_in", "session.pem"];
        assert_eq!(
            visit(&leaf, &resume),
            Some(Ok((text.to_owned(), true))),
            "{flag}"
        );
        scene
            .bundles
            .remove_bundle(&"partner.example".parse().unwrap());
        let refused = visit(&leaf, &resume).unwrap().unwrap_err();
        let expected = SpiffePeerError::NoBundle { id: id(text) };
        assert_eq!(
            spiffe_error(&refused),
            Some(&expected),
            "{flag}: {refused:?}"
        );
    }
}
