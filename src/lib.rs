#![cfg_attr(
    any(
        not(doctest),
        all(feature = "monitor", feature = "os-anchors", feature = "reload", feature = "testing")
    ),
    doc = include_str!("../README.md")
)]
//!
//! # Rooms
//!
//! What a first program needs is at the root. Everything else is in the room of its word, and a
//! room knows only of those above it; the edges alone name rustls, read clocks, open files or
//! start threads.
//!
//! | room | what it is for |
//! | --- | --- |
//! | [`time`] | one second of UTC, and the two between which a certificate counts |
//! | [`cert`] | what one certificate states about itself |
//! | [`identity`] | who a peer is by what its leaf says: SPIFFE IDs, say |
//! | [`source`] | files, folders and PEM into certificates, each failure with its place |
//! | [`revocation`] | revocation lists and stapled OCSP responses: what they say, until when |
//! | [`transparency`] | signed certificate timestamps: what browsers want of them, by a list of logs |
//! | [`renewal`] | when to renew, and whether what was renewed is served |
//! | [`outlook`] | until when a chain verifies, over all paths, for whom, and what ends it |
//! | [`policy`] | when to worry: due, warning, critical |
//! | [`pin`] | which public keys a peer may show |
//! | [`announce`] | signed rotation of pins, and the store that remembers it |
//! | [`event`] | what can be said to the application |
//! | [`alert`] | saying it once, and again while it lasts |
//! | [`observer`] | delivering it, without holding anybody up |
//! | [`endpoint`] | what a TLS endpoint shows, within a deadline |
//! | [`payload`] | it in the forms that others take: Alertmanager, chats, CloudEvents |
//! | [`self_check`] | one look at everything that was loaded, and its report |
//! | [`monitor`] | the same look, again and again while the service runs |
//! | [`reload`] | certificates and keys that change while they are served |
//! | [`verifier`] | wrappers around rustls's verifiers, which can only refuse more |
//! | [`session`] | sessions and connections that outlive no decision |
//! | [`config`] | one line in rustls's own builders |
//! | `testing` | for tests of applications: a clock, certificates, an observer, a peer |
//! | [`explain`](mod@explain) | what a failed connection failed of, and whose fault it is |
//!
//! The [`guide`] is the long form: a page for each task, and what the crate is held to.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod guide;

// Facts: bytes and seconds.
pub mod cert;
pub mod identity;
pub mod source;
#[cfg(any(feature = "announcements", feature = "pin-forms"))]
mod strict_json;
mod text;
pub mod time;

// Judgement: facts, and an instant.
pub mod outlook;
pub mod policy;
pub mod renewal;
pub mod revocation;
pub mod transparency;

// Pins.
#[cfg(feature = "announcements")]
pub mod announce;
pub mod pin;

// Telling.
pub mod alert;
pub mod event;
pub mod observer;
#[cfg(feature = "json")]
pub mod payload;

// Edges: rustls, clocks, files, threads.
pub mod config;
#[cfg(feature = "monitor")]
pub mod endpoint;
pub mod explain;
#[cfg(feature = "monitor")]
pub mod monitor;
mod provider;
#[cfg(feature = "reload")]
pub mod reload;
#[cfg(feature = "monitor")]
pub mod self_check;
pub mod session;
#[cfg(feature = "testing")]
pub mod testing;
pub mod verifier;

#[cfg(feature = "announcements")]
pub use announce::PinStore;
pub use cert::Certificate;
pub use event::{Event, EventCode, Severity};
pub use explain::explain;
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
