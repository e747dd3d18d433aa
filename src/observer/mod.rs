//! Delivering events to the application.
//!
//! An [`Observer`] receives events; those in this room hand them on: to a [channel](ChannelObserver),
//! through a [queue](QueuedObserver), [filtered](FilteredObserver), to `tracing` or `log`, to `metrics`. It knows
//! events and nothing of what they are about. A panic of an observer ends in `observe_contained`, and is
//! counted.
//!
//! # How do I hear only of what matters, without slowing handshakes down?
//! ```
//! use std::sync::Arc;
//! use notafter::observer::{FilteredObserver, Observer};
//! use notafter::{Event, Severity};
//! let write = Arc::new(|event: &Event| eprintln!("{event}"));
//! let observer = FilteredObserver::new(write).with_least_severity(Severity::Warning);
//! // It does not say that it is prompt, so a verifier gives it a queue and a thread of its own.
//! assert!(!observer.is_prompt());
//! ```

mod channel;
mod filter;
#[cfg(feature = "log")]
mod log;
#[cfg(feature = "metrics")]
mod metrics;
#[allow(
    clippy::module_inception,
    reason = "the room's main type has the room's name"
)]
mod observer;
mod outbox;
#[cfg(feature = "metrics")]
mod peer_metrics;
mod process_logger;
mod queue;
mod spawn_error;
#[cfg(feature = "tracing")]
mod tracing;

pub use channel::ChannelObserver;
pub use filter::FilteredObserver;
#[cfg(feature = "log")]
pub use log::LogObserver;
#[cfg(feature = "metrics")]
pub use metrics::MetricsObserver;
#[cfg(feature = "metrics")]
pub(crate) use metrics::Publishing;
pub use observer::{InlineObserver, Observer};
pub(crate) use outbox::Outbox;
#[cfg(feature = "metrics")]
pub use peer_metrics::PeerMetricsObserver;
pub use process_logger::process_logger;
pub use queue::QueuedObserver;
pub use spawn_error::SpawnError;
#[cfg(feature = "tracing")]
pub use tracing::TracingObserver;
