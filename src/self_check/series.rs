//! What metrics show of chains and of whatever else is watched: which series, and their values. One
//! place for OpenMetrics text and for the `metrics` facade, so that both have the same.

use std::collections::BTreeMap;

use super::chain_report::{ChainReport, ReportedCertificate};
use super::gauge::Gauge;
use crate::policy::{Band, ThresholdPolicy};
use crate::time::Timestamp;

/// One time series. Labels are of what is watched, never of one certificate, so that a renewal goes on
/// in the same series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) source: String,
    /// More labels and their values.
    pub(crate) labels: Vec<(&'static str, String)>,
}

/// The value of each series.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(pub(crate) BTreeMap<Series, f64>);

/// By what, and as of when, they are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShownAt<'p> {
    pub(crate) policy: &'p ThresholdPolicy,
    pub(crate) at: Timestamp,
}

impl Samples {
    /// What is to be shown of these chains and numbers, each number with its source.
    pub(crate) fn of<'g>(
        chains: &[ChainReport],
        gauges: impl IntoIterator<Item = (&'g str, &'g Gauge)>,
        shown: ShownAt<'_>,
    ) -> Self {
        let mut samples = Self::default();
        for chain in chains {
            for reported in &chain.certificates {
                samples.certificate(&chain.source, reported, shown);
            }
            samples.chain(chain);
        }
        for (source, gauge) in gauges {
            let series = Series {
                name: gauge.name,
                source: source.to_owned(),
                labels: gauge.label.clone().into_iter().collect(),
            };
            samples.0.insert(series, gauge.value);
        }
        samples
    }

    /// Of several certificates at one position of one source, the worst.
    fn certificate(&mut self, source: &str, reported: &ReportedCertificate, shown: ShownAt<'_>) {
        let (validity, position) = (reported.certificate.validity(), reported.position);
        let (begin, end) = (validity.not_before, validity.not_after);
        let label = Some(("position", position.to_string()));
        let mut show = |name, value, worst| self.show(name, source, label.clone(), value, worst);
        show("x509_cert_not_before", unix(begin), f64::max);
        show("x509_cert_not_after", unix(end), f64::min);
        let expired = if end < shown.at { 1.0 } else { 0.0 };
        show("x509_cert_expired", expired, f64::max);
        for (name, band) in [
            ("notafter_cert_due", Band::Due),
            ("notafter_cert_warning", Band::Warning),
        ] {
            let before_end = shown.policy.threshold_seconds(band, validity, position);
            let from = end.saturating_add(-before_end.unwrap_or_default());
            show(name, unix(from), f64::min);
        }
        let band = shown.policy.band(validity, position, shown.at);
        show("notafter_cert_band", f64::from(band.as_number()), f64::max);
    }

    fn chain(&mut self, chain: &ChainReport) {
        let source = chain.source.as_str();
        let band = f64::from(chain.band.as_number());
        self.show("notafter_chain_band", source, None, band, f64::max);
        for (who, outlook) in [("rustls", &chain.rustls), ("strict", &chain.strict)] {
            let Some(outlook) = outlook else { continue };
            let end = outlook.effective_not_after.map_or(0.0, unix);
            let label = Some(("relying_party", who.to_owned()));
            self.show("notafter_effective_not_after", source, label, end, f64::min);
        }
        let staple = chain.staple.as_ref();
        if let Some(next_update) = staple.and_then(|staple| staple.next_update) {
            let last = |_, last| last;
            let next_update = unix(next_update);
            self.show(
                "notafter_staple_next_update",
                source,
                None,
                next_update,
                last,
            );
        }
    }

    fn show(
        &mut self,
        name: &'static str,
        source: &str,
        label: Option<(&'static str, String)>,
        value: f64,
        pick: fn(f64, f64) -> f64,
    ) {
        let source = source.to_owned();
        let series = Series {
            name,
            source,
            labels: label.into_iter().collect(),
        };
        let shown = self.0.entry(series).or_insert(value);
        *shown = pick(*shown, value);
    }
}

fn unix(t: Timestamp) -> f64 {
    Gauge::from_timestamp("", t).value
}
