//! reqwest 0.13: `tls_backend_preconfigured`.

use std::sync::Arc;

use notafter::session::PinnedClient;
use reqwest_013 as reqwest; // yours is called reqwest

use crate::BoxError;
use crate::client_configs::ClientConfigs;

/// Keep it, and ask it before each request: `client.current()?.get(url)`. A clone of the same client, with its pool, until pins or
/// the own certificate change.
pub fn client(configs: ClientConfigs) -> PinnedClient<reqwest::Client, BoxError> {
    PinnedClient::new(configs, |config| {
        // By value: reqwest finds out at run time what it was given, and knows no Arc of it.
        let mut config = Arc::unwrap_or_clone(config);
        // What reqwest sets in its own configurations it leaves alone in this one.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let client = reqwest::Client::builder().https_only(true);
        Ok(client.tls_backend_preconfigured(config).build()?)
    })
}
