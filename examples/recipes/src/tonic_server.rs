//! tonic, as a server that verifies its clients; feature `tls-ring` or its like, for `peer_certs`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use notafter::Certificate;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;

/// What `Server::builder().add_service(..).serve_with_incoming(..)` takes.
pub fn incoming(
    listener: TcpListener,
    mut config: ServerConfig,
) -> ReceiverStream<io::Result<TlsStream<TcpStream>>> {
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (accepted, incoming) = mpsc::channel(16);
    tokio::spawn(async move {
        loop {
            let tcp = tokio::select! {
                tcp = listener.accept() => tcp,
                () = accepted.closed() => return, // the server has ended
            };
            let Ok((tcp, _)) = tcp else {
                tokio::time::sleep(Duration::from_millis(100)).await; // out of file descriptors, say
                continue;
            };
            let (acceptor, accepted) = (acceptor.clone(), accepted.clone());
            // A task of its own: a slow client holds up nobody.
            tokio::spawn(async move {
                let handshake = acceptor.accept(tcp);
                let handshake = tokio::time::timeout(Duration::from_secs(10), handshake);
                if let Ok(Ok(tls)) = handshake.await {
                    let _ = accepted.send(Ok(tls)).await;
                }
            });
        }
    });
    ReceiverStream::new(incoming)
}

/// Whose certificate the client showed.
pub fn client<T>(request: &Request<T>) -> Option<Certificate> {
    Certificate::from_der(request.peer_certs()?.first()?).ok()
}
