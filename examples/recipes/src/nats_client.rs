//! async-nats: one connection, which is made anew once it must not be used any more.

use std::sync::Arc;

use async_nats::{Client, ConnectOptions};

use crate::BoxError;
use crate::client_configs::ClientConfigs;

/// The configuration stays the client's; what it verifies and shows is what is in force at each
/// connection.
pub async fn connect(configs: &ClientConfigs, url: &str) -> Result<Client, BoxError> {
    let config = Arc::unwrap_or_clone(configs.current()?);
    let options = ConnectOptions::new().require_tls(true);
    Ok(options.tls_client_config(config).connect(url).await?)
}

/// Call it every few seconds: connects anew once pins or the own certificate changed.
pub async fn follow(configs: &ClientConfigs, client: &Client) -> Result<(), BoxError> {
    if configs.changed() {
        configs.current()?;
        client.force_reconnect().await?;
    }
    Ok(())
}
