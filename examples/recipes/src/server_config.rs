//! Every server: its reloading certificate, the clients' anchors and pins, and who is told.

use std::sync::Arc;

use notafter::config::ServerConfigBuilderExt as _;
use notafter::pin::SwappablePins;
use notafter::{Observer, ReloadingKey, TrustAnchors, WatchingClientVerifier};
use rustls::ServerConfig;

use crate::BoxError;

/// Clients must show a certificate of `client_anchors` with a key of `client_pins`. A server that asks for
/// none: `key.into_server_config()`.
pub fn server_config(
    key: Arc<ReloadingKey>,
    client_anchors: TrustAnchors,
    client_pins: Arc<SwappablePins>,
    observer: Arc<dyn Observer>,
) -> Result<ServerConfig, BoxError> {
    let clients = WatchingClientVerifier::for_anchors(client_anchors)?
        .with_pins(client_pins)
        .with_observer(observer)
        .build()?;
    Ok(ServerConfig::builder()
        .with_watching_client_verifier(&clients)
        .with_cert_resolver(key))
}
