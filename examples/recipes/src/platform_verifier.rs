//! rustls-platform-verifier inside: the operating system judges, and what it accepts may still be refused
//! by pins.

use std::sync::Arc;

use notafter::pin::SwappablePins;
use notafter::{Observer, ReloadingKey, WatchingServerVerifier};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;

use crate::BoxError;
use crate::client_configs::{ClientConfigs, configs_of};

/// Pins are those of leaves: the operating system does not say by which path it verified, so one of a CA needs
/// `with_trust_anchors`. `roots` are trusted besides those of the operating system.
pub fn client_configs(
    roots: Vec<CertificateDer<'static>>,
    pins: Arc<SwappablePins>,
    own: Arc<ReloadingKey>,
    observer: Arc<dyn Observer>,
) -> Result<ClientConfigs, BoxError> {
    let provider = Arc::new(ring::default_provider());
    let inner = Arc::new(Verifier::new_with_extra_roots(roots, provider)?);
    let verifier = WatchingServerVerifier::builder(inner)
        .with_pins(pins)
        .with_observer(observer)
        .build()?;
    Ok(configs_of(verifier, own))
}
