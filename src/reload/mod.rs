//! Certificates and keys that change while they are served.
//!
//! A [`ReloadingKey`] is what rustls asks for its certificate. Its files, and sources of the caller's own ([`KeySource`]), are
//! looked at in a few edge files; whether what lies there is fit to be served, what answers which
//! name and what is told are pure functions of what was read, what is served and the instant.
//!
//! # How do I serve a certificate that is renewed while I run?
//! ```no_run
//! use std::time::Duration;
//! use notafter::ReloadingKey;
//! let key = ReloadingKey::builder()
//!     .with_pair("/etc/service/tls.crt", "/etc/service/tls.key")
//!     .build()?;
//! let reloading = key.spawn(Duration::from_secs(10))?; // keep it: dropping it stops the thread
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod candidate;
mod chain;
mod contents;
mod error;
mod files;
mod key;
mod key_files;
mod key_material;
mod key_source;
mod live;
mod names;
mod pair;
mod pairs;
mod place;
mod poller;
#[cfg(feature = "metrics")]
mod published;
mod remarks;
mod rules;
mod served;
mod slot;
mod standing;
#[cfg(feature = "ocsp")]
mod staple;
mod step;
mod table;
mod telling;
mod trust;
mod watched;

pub use builder::ReloadingKeyBuilder;
pub use error::{ReloadBuildError, ReloadError};
pub use key::ReloadingKey;
pub use key_files::KeyFiles;
pub use key_material::KeyMaterial;
pub use key_source::KeySource;
pub use live::ReloadSummary;
pub use poller::ReloadThread;
pub use rules::{
    AtStart, ChainCheck, LostNames, NoLongerVerifying, OlderCertificate, SelfSigned, UnknownName,
    WrongUsage,
};
pub use served::ServedKey;
pub use trust::{
    AllPeersFail, CrlGeneration, LostIssuers, ReloadingAnchors, ReloadingAnchorsBuilder,
    ReloadingCrls, ReloadingCrlsBuilder, TrustBuildError, TrustReloadError, TrustReloadSummary,
};
