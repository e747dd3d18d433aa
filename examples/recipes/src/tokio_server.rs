//! tokio-rustls, as a server.

use std::sync::Arc;
use std::time::Duration;

use notafter::Certificate;
use rustls::{CommonState, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Handles each connection in a task of its own, handshake included: a slow client holds up nobody. It ends
/// when its future is dropped.
pub async fn serve<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    config: ServerConfig,
    handle: impl Fn(TlsStream<TcpStream>) -> F + Clone + Send + 'static,
) {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    loop {
        let Ok((tcp, address)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await; // out of file descriptors, say
            continue;
        };
        let (acceptor, handle) = (acceptor.clone(), handle.clone());
        tokio::spawn(async move {
            let handshake = acceptor.accept(tcp);
            match tokio::time::timeout(Duration::from_secs(10), handshake).await {
                Ok(Ok(tls)) => handle(tls).await,
                Ok(Err(error)) => match notafter::explain(&error) {
                    Some(why) => eprintln!("{address}: {why}"),
                    None => eprintln!("{address}: {error}"),
                },
                Err(_) => eprintln!("{address}: no handshake within 10 s"),
            }
        });
    }
}

/// Whose certificate the client showed: `client(tls.get_ref().1)`.
pub fn client(connection: &CommonState) -> Option<Certificate> {
    let leaf = connection.peer_certificates()?.first()?;
    Certificate::from_der(leaf).ok()
}
