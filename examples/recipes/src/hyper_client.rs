//! hyper and hyper-rustls, by hyper-util's pooling client.

use std::sync::Arc;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use notafter::session::PinnedClient;

use crate::BoxError;
use crate::client_configs::ClientConfigs;

/// A client whose requests have bodies of bytes.
pub type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Keep it, and ask it before each request: `client.current()?.get(uri)`. A clone of the same client, with its
/// pool, until pins or the own certificate change.
pub fn client(configs: ClientConfigs) -> PinnedClient<HttpClient, BoxError> {
    PinnedClient::new(configs, |config| {
        let connector = HttpsConnectorBuilder::new()
            // Without ALPN: hyper-rustls sets it, and panics where it is set.
            .with_tls_config(Arc::unwrap_or_clone(config))
            .https_only()
            .enable_all_versions()
            .build();
        Ok(Client::builder(TokioExecutor::new()).build(connector))
    })
}
