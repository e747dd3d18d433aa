//! quinn, as a server.

use std::net::SocketAddr;
use std::sync::Arc;

use notafter::Certificate;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint};
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;

use crate::BoxError;

/// `protocol` is what the server speaks, `h3` for example.
pub fn endpoint(
    address: SocketAddr,
    mut config: ServerConfig,
    protocol: &[u8],
) -> Result<Endpoint, BoxError> {
    config.alpn_protocols = vec![protocol.to_vec()];
    let crypto = QuicServerConfig::try_from(config)?;
    let config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    Ok(Endpoint::server(config, address)?)
}

/// Whose certificate the client showed.
pub fn client(connection: &Connection) -> Option<Certificate> {
    let chain = connection.peer_identity()?;
    let chain = chain.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    Certificate::from_der(chain.first()?).ok()
}
