//! rustls-upki inside: webpki verifies the chain, the revocation data of upki say whether the leaf was revoked,
//! and what it accepts may still be refused by pins.

use std::path::PathBuf;
use std::sync::Arc;

use notafter::pin::SwappablePins;
use notafter::{Observer, ReloadingKey, TrustAnchors, WatchingServerVerifier};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls_upki::{Policy, ServerVerifier};

use crate::BoxError;
use crate::client_configs::{ClientConfigs, configs_of};

/// `config` is upki's `config.toml`, which names the folder that `upki fetch` fills; `policy` says what becomes of
/// leaves of which these data know nothing. Both judge by the same `anchors`.
pub fn client_configs(
    anchors: TrustAnchors,
    config: PathBuf,
    policy: Policy,
    pins: Arc<SwappablePins>,
    own: Arc<ReloadingKey>,
    observer: Arc<dyn Observer>,
) -> Result<ClientConfigs, BoxError> {
    let provider = Arc::new(ring::default_provider());
    let roots = Arc::new(RootCertStore::from(&anchors));
    let inner = ServerVerifier::new(policy, Some(config), roots, Arc::clone(&provider))?;
    let verifier = WatchingServerVerifier::builder(Arc::new(inner))
        .with_provider(provider)
        .with_trust_anchors(anchors)
        .with_pins(pins)
        .with_observer(observer)
        .build()?;
    Ok(configs_of(verifier, own))
}
