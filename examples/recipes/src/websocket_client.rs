//! tokio-tungstenite, a feature of rustls's on, `rustls-tls-native-roots` for example.

use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use crate::BoxError;
use crate::client_configs::ClientConfigs;

/// Connects by what is in force now. A `wss://` URL: one with `ws://` goes without TLS, whatever the connector.
pub async fn connect(
    configs: &ClientConfigs,
    url: &str,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, BoxError> {
    let tls = Connector::Rustls(configs.current()?); // for each connection, not once
    let (socket, _) = connect_async_tls_with_config(url, None, true, Some(tls)).await?;
    Ok(socket)
}
