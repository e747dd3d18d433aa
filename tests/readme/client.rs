use notafter::config::ClientConfigBuilderExt as _;
use notafter::{Event, PinSet, SpkiPin, TrustAnchors, WatchingServerVerifier};
use std::{error::Error, sync::Arc};

pub fn client(
    anchors: TrustAnchors,
    in_use: SpkiPin,
    kept_offline: SpkiPin,
) -> Result<rustls::ClientConfig, Box<dyn Error>> {
    let pins = PinSet::builder()
        .with_current(in_use)
        .with_backup(kept_offline)
        .build()?;
    let verifier = WatchingServerVerifier::for_anchors(anchors)?
        .with_pin_set(pins) // or none, to be told only
        .with_observer(Arc::new(|event: &Event| eprintln!("{event}")))
        .build()?;
    Ok(rustls::ClientConfig::builder()
        .with_watching_verifier(&verifier)
        .with_no_client_auth())
}
