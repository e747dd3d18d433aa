//! A service watches its own certificates, files, anchors, lists and endpoints while it runs.
//!
//! A [`Monitor`] holds [`Target`]s by name, and evaluates each when it is due: files
//! and endpoints are read at the edge, what is judged of them and what is told are pure functions of
//! what was read and the instant. It knows how to watch anything that implements [`Watched`]: pins,
//! reloaded keys, anchors and revocation lists do. It may be told to judge by the anchors and lists that
//! are in force at the time.
//!
//! # What is watched, and does it hold?
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use notafter::{Monitor, Target, Timestamp, TrustAnchors};
//! # let (anchors, now) = (TrustAnchors::builder().build(), Timestamp::from_unix_seconds(0));
//! let monitor = Monitor::builder()
//!     .with_trust_anchors(anchors)
//!     .with_provider(rustls::crypto::ring::default_provider().into())
//!     .build()?;
//! monitor.watch("on disk", Target::from_path("/etc/service/tls.crt"));
//! monitor.tick(now); // or once and for all: monitor.spawn()
//! println!("{:?}", monitor.health_at(now));
//! # Ok(())
//! # }
//! ```

mod agenda;
mod alarms;
mod anchors;
mod attempts;
mod builder;
mod certified_key;
mod chain_matter;
mod cores;
mod endpoint;
mod fresh;
mod health;
mod item;
mod judge;
mod known;
mod last_read;
mod lists;
mod looked;
#[cfg(feature = "metrics")]
mod metrics;
#[allow(clippy::module_inception)] // Where everybody looks for `Monitor`.
mod monitor;
mod outcome;
mod overdue;
mod parts;
mod pins;
mod run;
mod schedule;
mod settling;
mod state;
#[cfg(feature = "metrics")]
mod tally;
mod target;
mod target_judges;
mod vanished;
mod watched;
mod work;

#[cfg(feature = "reload")]
pub(crate) use lists::judge_anchors;

pub use builder::MonitorBuilder;
pub use health::{Health, HealthReason};
pub use monitor::{Monitor, MonitorHandle};
pub use target::Target;
pub use watched::{Connector, EndpointQuestion, Evaluation, Watched};

pub use crate::self_check::Gauge;
