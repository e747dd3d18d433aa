//! quinn, as a client.

use std::net::SocketAddr;
use std::sync::Arc;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint};

use crate::BoxError;
use crate::client_configs::ClientConfigs;

/// Connects by what is in force now. `protocol` is what the server speaks, `h3` for example.
pub async fn connect(
    endpoint: &Endpoint,
    configs: &ClientConfigs,
    (address, name): (SocketAddr, &str),
    protocol: &[u8],
) -> Result<Connection, BoxError> {
    // For each connection, not once as the endpoint's default.
    let mut config = Arc::unwrap_or_clone(configs.current()?);
    config.alpn_protocols = vec![protocol.to_vec()];
    let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(config)?));
    Ok(endpoint.connect_with(config, address, name)?.await?)
}
