//! Events into the `log` facade.

use super::Observer;
use crate::event::{Event, Severity};

/// Writes events to `log`, target `notafter`: critical ones as errors, warnings as warnings, the rest
/// as information. A record is the event's line of text.
///
/// It is called on its own thread, for a logger may write to a disk or a network.
///
/// # How do I see events in the log that my service has already?
/// ```
/// # use std::sync::Arc;
/// use notafter::Monitor;
/// use notafter::observer::LogObserver;
/// # let anchors = notafter::TrustAnchors::builder().build();
/// # let provider = Arc::new(rustls::crypto::ring::default_provider());
/// let monitor = Monitor::builder()
///     .with_observer(Arc::new(LogObserver::new()))
/// #     .with_trust_anchors(anchors).with_provider(provider)
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct LogObserver;

impl LogObserver {
    /// Makes an observer that writes to the process's logger.
    pub const fn new() -> Self {
        Self
    }
}

impl Observer for LogObserver {
    fn observe(&self, event: &Event) {
        let level = match event.severity {
            Severity::Critical => ::log::Level::Error,
            Severity::Warning => ::log::Level::Warn,
            Severity::Info | Severity::Unproven => ::log::Level::Info,
        };
        ::log::log!(target: "notafter", level, "{event}");
    }
}
