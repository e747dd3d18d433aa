//! Certificates and keys that change on disk while they are served.

mod builder;
mod candidate;
mod error;
mod files;
mod key;
mod names;
mod poller;
mod served;
mod slot;
#[cfg(feature = "ocsp")]
mod staple;
mod telling;
mod watched;

pub use builder::{
    AtStart, ChainCheck, KeyFiles, LostNames, OlderCertificate, ReloadingKeyBuilder, UnknownName,
};
pub use error::{ReloadBuildError, ReloadError};
pub use key::{ReloadSummary, ReloadingKey};
pub use poller::ReloadThread;
pub use served::ServedKey;
