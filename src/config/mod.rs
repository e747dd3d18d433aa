//! One line in rustls's own builders: configurations that watch, and whose sessions are guarded.
//!
//! [`ClientConfigBuilderExt`] and [`ServerConfigBuilderExt`] add a step to rustls's builders that takes a
//! wrapper of the room [`verifier`](crate::verifier). What it gives ends as rustls's own builder does,
//! and puts a [`SessionGuard`](crate::SessionGuard) before the session store: nobody forgets it. A store, a
//! ticketer or a clock that is set in the finished configuration is without it: see
//! [`guard_server_config`](crate::session::guard_server_config). The room makes nothing that the others could
//! not make by hand.
//!
//! # How does my client watch and pin a server in three lines?
//! ```
//! use std::sync::Arc;
//! use notafter::config::ClientConfigBuilderExt as _;
//! use notafter::{Event, SpkiPin, TrustAnchors, WatchingServerVerifier};
//! # fn config(anchors: TrustAnchors, pins: [SpkiPin; 2]) -> Result<rustls::ClientConfig, Box<dyn std::error::Error>> {
//! # let [in_use, kept_offline] = pins;
//! # let provider = Arc::new(rustls::crypto::ring::default_provider());
//! let verifier = WatchingServerVerifier::for_anchors_with_provider(anchors, provider.clone())?
//!     .with_leaf_pin(in_use)
//!     .with_leaf_pin(kept_offline)
//!     .with_observer(Arc::new(|event: &Event| eprintln!("{event}")))
//!     .build()?;
//! let config = rustls::ClientConfig::builder_with_provider(provider)
//!     .with_safe_default_protocol_versions()?
//!     .with_watching_verifier(&verifier)
//!     .with_no_client_auth();
//! # Ok(config)
//! # }
//! ```

mod client;
#[cfg(feature = "reload")]
mod reloading;
mod server;

pub use client::{ClientConfigBuilderExt, GuardedClientConfigBuilder};
#[cfg(feature = "reload")]
pub use reloading::{ReloadingCertError, ReloadingCertExt};
pub use server::{GuardedServerConfigBuilder, ServerConfigBuilderExt};
