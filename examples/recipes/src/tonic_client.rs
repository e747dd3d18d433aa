//! tonic, as a client.

use std::sync::Arc;

use hyper_util::rt::TokioIo;
use notafter::session::PinnedClient;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use crate::BoxError;
use crate::client_configs::ClientConfigs;

/// Keep it, and ask it before each call: `GreeterClient::new(channel.current()?)`. The same channel, with its
/// connection, until pins or the own certificate change.
pub fn channel(configs: ClientConfigs, host_and_port: &str) -> PinnedClient<Channel, BoxError> {
    // tonic refuses https where TLS is not its own; the connector below speaks TLS, whatever the scheme.
    let (reached, origin) = ["http", "https"]
        .map(|scheme| format!("{scheme}://{host_and_port}"))
        .into();
    PinnedClient::new(configs, move |config| {
        let mut config = Arc::unwrap_or_clone(config);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tls = TlsConnector::from(Arc::new(config));
        let endpoint = Endpoint::try_from(reached.clone())?.origin(Uri::try_from(&*origin)?);
        let connector = service_fn(move |uri| connect(uri, tls.clone()));
        Ok(endpoint.connect_with_connector_lazy(connector))
    })
}

async fn connect(
    uri: Uri,
    tls: TlsConnector,
) -> Result<TokioIo<tokio_rustls::client::TlsStream<TcpStream>>, BoxError> {
    let host = uri.host().unwrap_or_default().to_owned();
    let tcp = TcpStream::connect((&*host, uri.port_u16().unwrap_or(443))).await?;
    Ok(TokioIo::new(
        tls.connect(ServerName::try_from(host)?, tcp).await?,
    ))
}
