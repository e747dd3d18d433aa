//! axum on axum-server, feature `tls-rustls-no-provider`.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::Server;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use notafter::Certificate;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tower::Layer as _;

/// Whose certificate the client showed: a handler takes `Extension<Client>`.
#[derive(Clone)]
pub struct Client(pub Option<Certificate>);

/// Serve with it: `server(listener, config)?.serve(router.into_make_service())`.
pub fn server(
    listener: TcpListener,
    mut config: ServerConfig,
) -> io::Result<Server<SocketAddr, ClientAcceptor>> {
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    listener.set_nonblocking(true)?;
    let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(Arc::new(config)));
    Ok(axum_server::from_tcp(listener)?.acceptor(ClientAcceptor(acceptor)))
}

/// axum-server's, which tells handlers nothing of the client.
#[derive(Clone)]
pub struct ClientAcceptor(RustlsAcceptor);

impl<S: Send + 'static> Accept<TcpStream, S> for ClientAcceptor {
    type Stream = TlsStream<TcpStream>;
    type Service = AddExtension<<RustlsAcceptor as Accept<TcpStream, S>>::Service, Client>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, tcp: TcpStream, service: S) -> Self::Future {
        let handshake = self.0.accept(tcp, service);
        Box::pin(async move {
            let (tls, service) = handshake.await?;
            let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
            let leaf = chain
                .first()
                .and_then(|leaf| Certificate::from_der(leaf).ok());
            Ok((tls, Extension(Client(leaf)).layer(service)))
        })
    }
}
