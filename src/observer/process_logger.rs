//! The logger that the process has, whichever that is.

use std::sync::Arc;

#[cfg(all(feature = "log", not(feature = "tracing")))]
use super::LogObserver;
use super::Observer;
#[cfg(feature = "tracing")]
use super::TracingObserver;

/// Gives an observer that writes to the process's logger: to `tracing` with that feature, else to `log`
/// with that one; `None` without both.
pub fn process_logger() -> Option<Arc<dyn Observer>> {
    #[cfg(feature = "tracing")]
    let logger: Option<Arc<dyn Observer>> = Some(Arc::new(TracingObserver::new()));
    #[cfg(all(feature = "log", not(feature = "tracing")))]
    let logger: Option<Arc<dyn Observer>> = Some(Arc::new(LogObserver::new()));
    #[cfg(not(any(feature = "log", feature = "tracing")))]
    let logger = None;
    logger
}
