//! Numbers for metrics.

use crate::time::Timestamp;

/// A number for metrics, labelled by the name under which its thing is watched (`source`).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Gauge {
    /// The metric's name.
    pub name: &'static str,
    /// One more label and its value; of few values only.
    pub label: Option<(&'static str, String)>,
    /// The value: absolute Unix seconds where it is an instant.
    pub value: f64,
}

impl Gauge {
    /// A number.
    pub const fn new(name: &'static str, value: f64) -> Self {
        Self {
            name,
            label: None,
            value,
        }
    }

    /// With one more label.
    #[must_use]
    pub fn with_label(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.label = Some((label, value.into()));
        self
    }

    /// An instant, as Unix seconds.
    pub fn from_timestamp(name: &'static str, t: Timestamp) -> Self {
        // Exact: instants are below 2^39.
        #[allow(clippy::cast_precision_loss)]
        Self::new(name, t.as_unix_seconds() as f64)
    }
}

/// A number of a report, and what it is of.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReportedGauge {
    /// The name under which it is watched; `crls` for the revocation lists of a check, `anchors` for what it
    /// is judged by.
    pub source: String,
    /// The number.
    pub gauge: Gauge,
}
