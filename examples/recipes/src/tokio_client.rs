//! tokio-rustls, as a client.

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::BoxError;
use crate::client_configs::ClientConfigs;

/// Connects by what is in force now.
pub async fn connect(
    configs: &ClientConfigs,
    host: &str,
    port: u16,
) -> Result<TlsStream<TcpStream>, BoxError> {
    let name = ServerName::try_from(host.to_owned())?;
    let connector = TlsConnector::from(configs.current()?); // for each connection, not once
    let tcp = TcpStream::connect((host, port)).await?;
    Ok(connector.connect(name, tcp).await?)
}
