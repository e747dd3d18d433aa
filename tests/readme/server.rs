use notafter::{Event, Monitor, ReloadingKey, Target, TrustAnchors};
use std::{error::Error, path::Path, sync::Arc, time::Duration};

pub fn server(
    chain: &Path,
    key: &Path,
    anchors: TrustAnchors,
) -> Result<rustls::ServerConfig, Box<dyn Error>> {
    let tell = Arc::new(|event: &Event| eprintln!("{event}"));
    let key = ReloadingKey::builder()
        .with_pair(chain, key)
        .with_observer(tell.clone())
        .build()?; // an expired, broken or unreadable pair stops the start
    key.spawn(Duration::from_secs(10))?.detach(); // what is renewed and fit is served
    let monitor = Monitor::builder()
        .with_trust_anchors(anchors)
        .with_observer(tell)
        .build()?;
    monitor.watch("certificate", Target::from_path(chain)); // when it nears its end
    monitor.watch("key", Target::from_watched(key.clone())); // when it is renewed and not served
    monitor.spawn()?.detach();
    Ok(key.into_server_config()?)
}
