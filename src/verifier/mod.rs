//! Wrappers around rustls's verifiers: they ask the inner verifier, then may only refuse more.
//!
//! A wrapper asks the inner verifier first, and its refusal stands. What it accepts is judged by pins,
//! dates and staples: a function of what the peer presented, of what the wrapper was told, and of the
//! instant that rustls names. What there is to tell and to remember waits until the peer has proved, by
//! the signature of the handshake, that it has its key. The wrappers, the cache of verdicts and what
//! rustls calls are the room's edge; what is made of a peer names neither rustls nor a clock.
//!
//! # How do I refuse servers that show another key than the pinned ones?
//! ```
//! use std::sync::Arc;
//! use notafter::{SpkiPin, WatchingServerVerifier};
//! use rustls::client::danger::ServerCertVerifier;
//! # fn wrap(
//! #     webpki: Arc<dyn ServerCertVerifier>,
//! #     in_use: SpkiPin,
//! #     kept_offline: SpkiPin,
//! # ) -> Result<(), notafter::verifier::VerifierBuildError> {
//! let verifier: Arc<dyn ServerCertVerifier> = WatchingServerVerifier::builder(webpki)
//!     .with_leaf_pin(in_use)
//!     .with_leaf_pin(kept_offline)
//!     .build()?;
//! # Ok(())
//! # }
//! ```

mod accepted;
mod accepted_clients;
mod anonymous;
mod bounds;
mod builder;
mod cache;
mod client;
mod counts;
mod dates;
mod epoch;
mod error;
mod events;
mod forward;
mod grace;
mod handshake;
mod identified;
mod judge_in_force;
mod judgement;
mod memory;
mod messages;
mod peer;
mod pin_only;
mod pin_statements;
mod proof;
#[cfg(feature = "metrics")]
mod published_counts;
mod refusal;
mod refusal_reason;
#[cfg(feature = "reload")]
mod reloading;
mod server;
mod spiffe;
#[cfg(feature = "ocsp")]
mod staple;
mod unguarded;
mod unproven;

pub use bounds::{PresentedBounds, PresentedError};
pub use builder::WatchingVerifierBuilder;
pub use cache::{VerdictCache, VerdictCacheBuilder};
pub use client::WatchingClientVerifier;
pub use counts::HandshakeCounts;
pub(crate) use epoch::Epoch;
pub use error::{
    VerdictCacheError, VerifierBuildError, identity_error, pin_error, presented_error,
};
pub use grace::{PinnedGrace, PinnedGraceError};
pub use identified::UnidentifiedPeers;
pub use pin_only::{NameCheck, PinOnlyVerifier, PinOnlyVerifierBuilder};
pub(crate) use refusal::{of_our_own, reason_of_certificate_error};
pub use refusal_reason::RefusalReason;
#[cfg(feature = "reload")]
pub use reloading::{
    ReloadingClientVerifier, ReloadingClientVerifierBuilder, ReloadingServerVerifier,
    ReloadingServerVerifierBuilder, ReloadingVerifierError,
};
pub use server::WatchingServerVerifier;
pub use spiffe::{
    SpiffeBundles, SpiffeClientVerifier, SpiffePeer, SpiffePeerError, SpiffeServerVerifier,
    SpiffeVerifierBuilder, SpiffeVerifierError, spiffe_error,
};
#[cfg(feature = "ocsp")]
pub use staple::{StapleRule, StapleStrictness};
pub use unguarded::UnguardedSessions;
