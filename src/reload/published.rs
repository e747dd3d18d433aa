//! The numbers of what reloads, in the `metrics` facade.

use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};

use crate::self_check::Gauge as Number;
use crate::time::Timestamp;

const RELOADS: &str = "notafter_reloads_total";
const FAILURES: &str = "notafter_reload_failures_total";
const STALE_SINCE: &str = "notafter_reload_stale_since_timestamp_seconds";
const POLLED: &str = "notafter_reload_last_polled_timestamp_seconds";

/// The numbers of one key, of anchors or of lists, under the name that the application gave.
#[derive(Debug)]
pub(super) struct PublishedReloads {
    reloads: Counter,
    failures: Counter,
    stale_since: Gauge,
    polled: Gauge,
}

/// What a look at the files came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReloadNumbers {
    pub(super) swapped: u64,
    pub(super) failures: u64,
    pub(super) stale_since: Option<Timestamp>,
    pub(super) polled: Timestamp,
}

impl PublishedReloads {
    /// Describes the numbers, in the recorder that is installed now.
    pub(super) fn new(source: &str) -> Self {
        describe_counter!(
            RELOADS,
            "Generations of keys, anchors or lists that came into force after the first."
        );
        describe_counter!(
            FAILURES,
            "Changed keys, anchors or lists that could not come into force."
        );
        describe_gauge!(
            STALE_SINCE,
            "Since when what lies on disk cannot be in force, Unix seconds; 0 where it is."
        );
        describe_gauge!(POLLED, "When the files were last looked at, Unix seconds.");
        let labels = [("source", source.to_owned())];
        let published = Self {
            reloads: counter!(RELOADS, &labels),
            failures: counter!(FAILURES, &labels),
            stale_since: gauge!(STALE_SINCE, &labels),
            polled: gauge!(POLLED, &labels),
        };
        published.reloads.absolute(0);
        published.failures.absolute(0);
        published
    }

    pub(super) fn publish(&self, numbers: ReloadNumbers) {
        self.reloads.increment(numbers.swapped);
        self.failures.increment(numbers.failures);
        let unix = |t| Number::from_timestamp("", t).value;
        self.stale_since.set(numbers.stale_since.map_or(0.0, unix));
        self.polled.set(unix(numbers.polled));
    }
}
