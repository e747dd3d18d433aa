//! Gauges in the `metrics` facade.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::self_check::{GAUGES, Gauge, Samples, Series, Standing};
use crate::source::FailureReason;
use crate::text::visible;
use crate::time::Timestamp;

/// What an item showed before an evaluation, and what it shows now.
pub(super) struct Change {
    pub(super) before: Samples,
    pub(super) now: Samples,
}

/// What a monitor counts from its start.
pub(super) struct Counts {
    pub(super) source_errors: Vec<(FailureReason, u64)>,
    pub(super) events_lost: u64,
    pub(super) observer_panics: u64,
}

/// Whether the thing watched under this name waits too long to be evaluated.
pub(super) fn overdue_samples(name: &str, is_overdue: bool) -> Samples {
    let series = Series {
        name: "notafter_evaluation_overdue",
        source: name.to_owned(),
        labels: Vec::new(),
    };
    Samples([(series, f64::from(u8::from(is_overdue)))].into())
}

/// Shows what evaluations changed.
pub(super) fn publish_changes(changes: &[Change]) {
    for change in changes {
        for series in change.before.0.keys() {
            if !change.now.0.contains_key(series) {
                set(series, f64::NAN);
            }
        }
        for (series, value) in &change.now.0 {
            set(series, *value);
        }
    }
}

pub(super) fn publish_counts(counts: &Counts) {
    for (reason, count) in &counts.source_errors {
        counter!("notafter_source_errors_total", "reason" => reason.as_str()).absolute(*count);
    }
    counter!("notafter_events_lost_total").absolute(counts.events_lost);
    counter!("notafter_observer_panics_total").absolute(counts.observer_panics);
}

/// Shows that the monitor goes on, and over how much it watches.
pub(super) fn publish_heartbeat(watched: usize, now: Timestamp) {
    let watched = u32::try_from(watched).unwrap_or(u32::MAX);
    gauge!("notafter_watched").set(watched);
    let heartbeat = Gauge::from_timestamp("notafter_last_evaluated_timestamp_seconds", now);
    gauge!(heartbeat.name).set(heartbeat.value);
}

/// Shows how bad everything is together.
pub(super) fn publish_worst(standing: Standing) {
    gauge!("notafter_worst").set(standing.exit_code());
}

fn set(series: &Series, value: f64) {
    let mut labels = vec![metrics::Label::new("source", visible(&series.source))];
    for (label, value) in &series.labels {
        labels.push(metrics::Label::new(*label, visible(value)));
    }
    gauge!(series.name, labels).set(value);
}

/// Says what the numbers are.
pub(super) fn describe() {
    for (name, help) in GAUGES {
        describe_gauge!(*name, *help);
    }
    describe_gauge!("notafter_watched", "How many things are watched.");
    describe_counter!(
        "notafter_source_errors_total",
        "Polls that could not read something, by reason."
    );
    describe_counter!(
        "notafter_events_lost_total",
        "Events that found no room in an observer's queue."
    );
    describe_counter!(
        "notafter_observer_panics_total",
        "Observers that panicked instead of observing."
    );
}
