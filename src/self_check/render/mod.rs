//! Writing a report down: text for people, JSON for scripts, one line for nagios, OpenMetrics.

#[cfg(feature = "json")]
mod json;
mod labels;
mod nagios;
mod openmetrics;
mod series_text;
mod text;

use super::Report;

impl Report {
    /// Tables and findings that a person likes to read, the worst first.
    pub fn to_text(&self) -> String {
        text::render(self)
    }

    /// One line for nagios and its kin: the state, what is worst, and performance data (seconds
    /// until each chain ends, with the thresholds for warning and critical).
    pub fn to_nagios(&self) -> String {
        nagios::render(self)
    }

    /// OpenMetrics text: `x509_cert_not_after` and `x509_cert_not_before` of each certificate,
    /// `notafter_effective_not_after` of each chain, and the series that a monitor has
    /// `with_metrics`, by the same labels; all instants in absolute Unix seconds, so that nothing
    /// vanishes at expiry.
    pub fn to_openmetrics(&self) -> String {
        openmetrics::render(self)
    }

    /// The JSON document that scripts depend on; fields may be added to it, never changed.
    #[cfg(feature = "json")]
    pub fn to_json(&self) -> String {
        json::render(self)
    }
}

fn count_of_chains(report: &Report) -> String {
    match report.chains.len() {
        1 => "1 chain".to_owned(),
        n => format!("{n} chains"),
    }
}
