//! Gauges in the `metrics` facade.

use std::collections::BTreeMap;

use metrics::{counter, describe_counter, describe_gauge, gauge};

use super::Monitor;
use super::state::Item;
use super::target::Lane;
use super::watched::Gauge;
use crate::time::Timestamp;

/// Whether a monitor publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Publishing {
    #[default]
    Off,
    On,
}

/// A metric's name, its source, and one more label.
type Series = (&'static str, String, Option<(&'static str, String)>);

/// What an item showed before an evaluation, and what it shows now.
pub(super) struct Change {
    before: BTreeMap<Series, f64>,
    now: BTreeMap<Series, f64>,
}

impl Change {
    pub(super) fn new(before: BTreeMap<Series, f64>, item: &Item) -> Self {
        let now = samples(item);
        Self { before, now }
    }
}

/// What is to be shown of an item. Labels are of what is watched, never of one certificate, so
/// that a renewal goes on in the same series.
pub(super) fn samples(item: &Item) -> BTreeMap<Series, f64> {
    let mut samples = BTreeMap::new();
    let evaluated = item.evaluated.unwrap_or(Timestamp::MIN);
    for chain in &item.chains {
        for reported in &chain.certificates {
            let position = Some(("position", reported.position.to_string()));
            let end = reported.certificate.not_after();
            let series = |name| (name, chain.source.clone(), position.clone());
            let expired = Gauge::new("", if end < evaluated { 1.0 } else { 0.0 });
            let not_after = samples
                .entry(series("x509_cert_not_after"))
                .or_insert(f64::INFINITY);
            *not_after = not_after.min(Gauge::at("", end).value);
            let is_expired = samples
                .entry(series("x509_cert_expired"))
                .or_insert(expired.value);
            *is_expired = is_expired.max(expired.value);
        }
        for (who, outlook) in [("rustls", &chain.rustls), ("strict", &chain.strict)] {
            let Some(outlook) = outlook else { continue };
            let end = outlook
                .effective_not_after
                .unwrap_or(Timestamp::from_unix_seconds(0));
            let label = Some(("relying_party", who.to_owned()));
            let name = "notafter_effective_not_after";
            let effective = samples
                .entry((name, chain.source.clone(), label))
                .or_insert(f64::INFINITY);
            *effective = effective.min(Gauge::at("", end).value);
        }
        let next_update = chain.staple.as_ref().and_then(|staple| staple.next_update);
        if let Some(next_update) = next_update {
            let name = "notafter_staple_next_update";
            let value = Gauge::at("", next_update).value;
            samples.insert((name, chain.source.clone(), None), value);
        }
    }
    for gauge in &item.gauges {
        let series = (gauge.name, item.name.to_string(), gauge.label.clone());
        samples.insert(series, gauge.value);
    }
    samples
}

impl Monitor {
    pub(super) fn publish(&self, changes: &[Change], lane: Lane, now: Timestamp) {
        if self.metrics == Publishing::Off {
            return;
        }
        for change in changes {
            let gone = change
                .before
                .keys()
                .filter(|s| !change.now.contains_key(*s));
            gone.for_each(|series| set(series, f64::NAN));
            change
                .now
                .iter()
                .for_each(|(series, value)| set(series, *value));
        }
        for (reason, count) in self.source_errors() {
            counter!("notafter_source_errors_total", "reason" => reason.as_str()).absolute(count);
        }
        counter!("notafter_events_lost_total").absolute(self.events_lost());
        counter!("notafter_observer_panics_total").absolute(self.observer_panics());
        if lane == Lane::Endpoints {
            // The heart beats whatever the endpoints do, and only if the rest goes on.
            return;
        }
        let watched = u32::try_from(self.len()).unwrap_or(u32::MAX);
        gauge!("notafter_watched").set(watched);
        let heartbeat = Gauge::at("notafter_last_evaluated_timestamp_seconds", now);
        gauge!(heartbeat.name).set(heartbeat.value);
    }

    /// What was shown of something that is no longer watched.
    pub(super) fn publish_removal(&self, series: &BTreeMap<Series, f64>) {
        if self.metrics == Publishing::On {
            series.keys().for_each(|series| set(series, f64::NAN));
        }
    }
}

fn set((name, source, label): &Series, value: f64) {
    let mut labels = vec![metrics::Label::new("source", source.clone())];
    labels.extend(
        label
            .iter()
            .map(|(label, value)| metrics::Label::new(*label, value.clone())),
    );
    gauge!(*name, labels).set(value);
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
