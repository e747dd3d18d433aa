//! An HTTPS server with nothing of notafter, and clients: rustls's, and curl on OpenSSL.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use notafter_recipes::BoxError;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::scenario::{Exchange, Seen};
use crate::servers::tool;
use crate::world::{PEER, World, name_of};

/// A request after which the server closes.
pub const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// Serves these protocols on the port that it gives: the number of the connection, what the client's
/// certificate is called, and the version of HTTP.
pub async fn serve(world: &World, protocols: &[&str]) -> u16 {
    let mut config = world.peer_server();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicU64::new(0));
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let (acceptor, connections) = (acceptor.clone(), connections.clone());
            tokio::spawn(async move {
                let Ok(tls) = acceptor.accept(tcp).await else {
                    return; // the client refused
                };
                let number = connections.fetch_add(1, Ordering::SeqCst);
                let client = name_of(&tls.get_ref().1.peer_certificates().unwrap()[0]);
                let answer = service_fn(move |request: Request<_>| {
                    let _: &hyper::body::Incoming = request.body();
                    let said = format!("{number} {client} {:?}", request.version());
                    async move { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(said)))) }
                });
                let connection = auto::Builder::new(TokioExecutor::new());
                let _ = connection.serve_connection(TokioIo::new(tls), answer).await;
            });
        }
    });
    port
}

/// What the answer of [`serve`] says, which is of this version of HTTP.
pub fn seen(answer: &str, version: &str) -> Seen {
    let [connection, client, spoken] = answer.split(' ').collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(spoken, version);
    Seen {
        connection: connection.parse().unwrap(),
        client: client.to_owned(),
    }
}

/// Sends one request over one connection, and reads what the server says of the client.
pub async fn get(config: Arc<ClientConfig>, port: u16) -> Result<Exchange, BoxError> {
    let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let name = ServerName::try_from("localhost")?;
    let mut tls = TlsConnector::from(config).connect(name, tcp).await?;
    tls.write_all(REQUEST).await?;
    let mut answer = String::new();
    tls.read_to_string(&mut answer).await?;
    let connection = tls.get_ref().1;
    Ok(Exchange {
        kind: connection.handshake_kind(),
        server: name_of(&connection.peer_certificates().unwrap()[0]),
        client: answer.rsplit('\n').next().unwrap_or_default().to_owned(),
    })
}

/// Asks the server with curl, by this version of HTTP, who its client is.
pub async fn curl_is_known(world: &World, port: u16, version: &str) {
    let Some(curl) = tool("curl") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let mut command = tokio::process::Command::new(curl);
    command.args([
        "--silent",
        "--show-error",
        "--max-time",
        "30",
        version,
        "--cacert",
    ]);
    command.arg(write("root.crt", world.ca.root_pem().to_owned()));
    command
        .arg("--cert")
        .arg(write("client.crt", world.peer.chain_pem()));
    command
        .arg("--key")
        .arg(write("client.key", world.peer.key_pem()));
    let said = command
        .arg(format!("https://localhost:{port}"))
        .output()
        .await
        .unwrap();
    let (out, err) = (said.stdout, String::from_utf8_lossy(&said.stderr));
    assert_eq!(str::from_utf8(&out), Ok(PEER), "{err}");
}
