//! For tests of applications: a clock to set, certificates of any dates, an observer that keeps, a peer.
//!
//! What a service does about a warning is its own code, and wants its own test: mint a certificate that
//! ends when you like, let time pass, and look at what your observer did. Nothing here belongs into a
//! release; the feature `testing` is not part of `full`.
//!
//! # How do I test that somebody is told before my certificate ends?
//! ```
//! use std::sync::Arc;
//! use notafter::testing::{RecordingObserver, TestCa};
//! use notafter::{Monitor, Target, Timestamp};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ca = TestCa::root("Test CA", "2026-01-01T00:00:00Z".parse()?, "2036-01-01T00:00:00Z".parse()?)?;
//! let end: Timestamp = "2026-05-01T00:00:00Z".parse()?;
//! let pair = ca.leaf(&["service.example"], "2026-02-01T00:00:00Z".parse()?, end)?;
//! let told = Arc::new(RecordingObserver::new());
//! let monitor = Monitor::builder() // yours: with your observer, by your policy
//!     .with_trust_anchors(ca.anchors())
//!     .with_provider(rustls::crypto::ring::default_provider().into())
//!     .with_observer(told.clone())
//!     .build()?;
//! monitor.watch("served", Target::from_chain(pair.chain()));
//! monitor.tick(end.saturating_add(-40 * 86_400));
//! assert_eq!(told.take().len(), 0);
//! monitor.tick(end.saturating_add(-9 * 86_400));
//! assert_eq!(told.take()[0].code.as_str(), "expiring");
//! # Ok(())
//! # }
//! ```

mod clock;
mod mint;
mod observer;
mod server;

pub use clock::TestClock;
pub use mint::{MintError, TestCa, TestPair};
pub use observer::RecordingObserver;
pub use server::TestServer;
