//! Every client: the servers' anchors and pins, one's own reloading certificate, and who is told.

use std::sync::Arc;

use notafter::pin::SwappablePins;
use notafter::{Observer, PinnedClientConfigs, ReloadingKey, TrustAnchors, WatchingServerVerifier};

use crate::BoxError;

/// Gives a configuration for each connection, another one once pins or the own certificate changed.
pub type ClientConfigs = PinnedClientConfigs<BoxError>;

/// `anchors`: `TrustAnchors::from_os()`, for example. `own` is built `.with_usage(Usage::ClientAuth)`.
pub fn client_configs(
    anchors: TrustAnchors,
    pins: Arc<SwappablePins>,
    own: Arc<ReloadingKey>,
    observer: Arc<dyn Observer>,
) -> Result<ClientConfigs, BoxError> {
    let verifier = WatchingServerVerifier::for_anchors(anchors)?
        .with_pins(pins)
        .with_observer(observer)
        .build()?;
    Ok(configs_of(verifier, own))
}

/// The same around a verifier of yours.
pub fn configs_of(verifier: Arc<WatchingServerVerifier>, own: Arc<ReloadingKey>) -> ClientConfigs {
    PinnedClientConfigs::presenting(verifier, own)
}
