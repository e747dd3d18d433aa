#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The code in `docs/` compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/PINNING.md")]
struct Documents;

pub mod alert;
#[cfg(feature = "announcements")]
pub mod announce;
pub mod cert;
pub mod event;
#[cfg(feature = "monitor")]
pub mod monitor;
pub mod observer;
pub mod outlook;
pub mod pin;
pub mod policy;
mod provider;
#[cfg(feature = "reload")]
pub mod reload;
pub mod renewal;
pub mod revocation;
#[cfg(feature = "monitor")]
pub mod self_check;
pub mod session;
pub mod source;
mod text;
pub mod time;
pub mod verifier;

#[cfg(feature = "announcements")]
pub use announce::PinStore;
pub use cert::Certificate;
pub use event::{Event, EventCode, Severity};
#[cfg(feature = "monitor")]
pub use monitor::{Monitor, Target};
pub use observer::Observer;
pub use outlook::{ChainJudge, TrustAnchors};
pub use pin::{PinScope, PinSet, SpkiPin};
pub use policy::{Band, ThresholdPolicy};
#[cfg(feature = "reload")]
pub use reload::ReloadingKey;
#[cfg(feature = "monitor")]
pub use self_check::{Report, SelfCheck};
pub use session::{PinnedClientConfigs, SessionGuard};
pub use source::Loader;
pub use verifier::{PinOnlyVerifier, WatchingClientVerifier, WatchingServerVerifier, pin_error};

pub use crate::time::Timestamp;
