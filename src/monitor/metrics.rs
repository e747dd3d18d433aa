//! Gauges in the `metrics` facade.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use super::series::{Change, Samples, Series};
use super::watched::Gauge;
use crate::self_check::Standing;
use crate::source::FailureReason;
use crate::text::visible;
use crate::time::Timestamp;

/// Whether a monitor publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Publishing {
    #[default]
    Off,
    On,
}

/// What a monitor counts from its start.
pub(super) struct Counts {
    pub(super) source_errors: Vec<(FailureReason, u64)>,
    pub(super) events_lost: u64,
    pub(super) observer_panics: u64,
}

/// Shows what evaluations changed.
pub(super) fn publish_changes(changes: &[Change]) {
    for change in changes {
        for series in change.before.keys() {
            if !change.now.contains_key(series) {
                set(series, f64::NAN);
            }
        }
        for (series, value) in &change.now {
            set(series, *value);
        }
    }
}

/// Takes away what was shown of something that is no longer watched.
pub(super) fn publish_removal(samples: &Samples) {
    samples.keys().for_each(|series| set(series, f64::NAN));
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
    describe_gauge!(
        "x509_cert_not_after",
        "Last second at which the certificate is valid, Unix seconds."
    );
    describe_gauge!("x509_cert_expired", "Whether the certificate has expired.");
    describe_gauge!(
        "notafter_effective_not_after",
        "Last second at which the chain verifies for the relying party, Unix seconds; 0 where it does not."
    );
    describe_gauge!(
        "notafter_staple_next_update",
        "nextUpdate of the stapled OCSP response, Unix seconds."
    );
    describe_gauge!(
        "notafter_pins_usable",
        "How many distinct keys of a pin set are or will be accepted."
    );
    describe_gauge!(
        "notafter_pin_set_not_after",
        "Last good second of a pin set, Unix seconds."
    );
    describe_gauge!(
        "notafter_announcement_expires",
        "Last second at which the announcement of pins in force could be applied, Unix seconds."
    );
    describe_gauge!(
        "notafter_findings",
        "How many findings there are in the source, by code and severity."
    );
    describe_gauge!(
        "notafter_source_readable",
        "Whether everything in the source could be read at the latest look; what was read before is still judged."
    );
    describe_gauge!(
        "notafter_worst",
        "0 ok or due, 1 warning, 2 critical, 3 not everything could be judged and nothing was critical."
    );
    describe_gauge!(
        "notafter_evaluation_overdue",
        "Whether what is watched has been due for minutes and was not evaluated."
    );
    describe_gauge!("notafter_watched", "How many things are watched.");
    describe_gauge!(
        "notafter_last_evaluated_timestamp_seconds",
        "The latest tick of the monitor, Unix seconds."
    );
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
