//! Events into the `metrics` facade.

use metrics::{counter, describe_counter};

use super::Observer;
use crate::event::{Event, EventCode, Severity};

/// Whether something keeps its numbers in the facade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Publishing {
    #[default]
    Off,
    On,
}

/// Counts events as `notafter_events_total` by `code` and `severity`; every pair is there from
/// the start, at 0.
///
/// It uses the recorder that is installed when [`MetricsObserver::new`] is called, and when
/// events come: install it first.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct MetricsObserver;

const EVENTS: &str = "notafter_events_total";

impl MetricsObserver {
    /// Describes the counter and sets it to 0 for every code and severity.
    pub fn new() -> Self {
        describe_counter!(EVENTS, "What was told, by code and severity.");
        for code in EventCode::ALL {
            for severity in Severity::ALL {
                counter!(EVENTS, "code" => code.as_str(), "severity" => severity.as_str())
                    .absolute(0);
            }
        }
        Self
    }
}

impl Default for MetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for MetricsObserver {
    fn observe(&self, event: &Event) {
        let (code, severity) = (event.code.as_str(), event.severity.as_str());
        counter!(EVENTS, "code" => code, "severity" => severity).increment(1);
    }

    fn is_prompt(&self) -> bool {
        true
    }
}
