//! What metrics show of what is watched: which series, and their values.

use std::collections::BTreeMap;

use super::watched::Gauge;
use crate::self_check::ChainReport;
use crate::time::Timestamp;

/// One time series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) source: String,
    /// More labels and their values.
    pub(super) labels: Vec<(&'static str, String)>,
}

pub(super) type Samples = BTreeMap<Series, f64>;

/// What was shown of something before it was judged, and what is shown now.
pub(super) struct Change {
    pub(super) before: Samples,
    pub(super) now: Samples,
}

/// What is known of a part of something that is watched, as far as metrics show it.
pub(super) struct ShownPart<'p> {
    pub(super) name: &'p str,
    pub(super) evaluated: Timestamp,
    pub(super) chains: &'p [ChainReport],
    pub(super) gauges: &'p [Gauge],
}

/// What is to be shown of a part. Labels are of what is watched, never of one certificate, so
/// that a renewal goes on in the same series.
pub(super) fn samples(part: &ShownPart<'_>) -> Samples {
    let mut samples = Samples::new();
    for chain in part.chains {
        let mut show = |name, label: Option<_>, value: f64, pick: fn(f64, f64) -> f64| {
            let series = Series {
                name,
                source: chain.source.clone(),
                labels: label.into_iter().collect(),
            };
            let shown = samples.entry(series).or_insert(value);
            *shown = pick(*shown, value);
        };
        for reported in &chain.certificates {
            let position = Some(("position", reported.position.to_string()));
            let end = reported.certificate.not_after();
            let expired = if end < part.evaluated { 1.0 } else { 0.0 };
            show("x509_cert_not_after", position.clone(), unix(end), f64::min);
            show("x509_cert_expired", position, expired, f64::max);
        }
        for (who, outlook) in [("rustls", &chain.rustls), ("strict", &chain.strict)] {
            let Some(outlook) = outlook else { continue };
            let end = outlook.effective_not_after.map_or(0.0, unix);
            let label = Some(("relying_party", who.to_owned()));
            show("notafter_effective_not_after", label, end, f64::min);
        }
        if let Some(next_update) = chain.staple.as_ref().and_then(|staple| staple.next_update) {
            // Of several staples of one source, the last.
            let name = "notafter_staple_next_update";
            show(name, None, unix(next_update), |_, last| last);
        }
    }
    for gauge in part.gauges {
        let series = Series {
            name: gauge.name,
            source: part.name.to_owned(),
            labels: gauge.label.clone().into_iter().collect(),
        };
        samples.insert(series, gauge.value);
    }
    samples
}

/// Whether the thing watched under this name waits too long to be evaluated.
pub(super) fn overdue(name: &str, is_overdue: bool) -> Samples {
    let series = Series {
        name: "notafter_evaluation_overdue",
        source: name.to_owned(),
        labels: Vec::new(),
    };
    Samples::from([(series, f64::from(u8::from(is_overdue)))])
}

fn unix(t: Timestamp) -> f64 {
    Gauge::from_timestamp("", t).value
}
