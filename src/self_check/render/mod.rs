//! Writing a report down: text for people, JSON for scripts, one line for nagios, OpenMetrics.

#[cfg(feature = "json")]
mod json;
mod nagios;
mod openmetrics;
mod text;
mod wrap;

use super::Report;

impl Report {
    /// Tables and findings that a person likes to read, the worst first, in lines of 80 columns;
    /// only what cannot be broken, such as a path, is longer.
    pub fn to_text(&self) -> String {
        self.to_text_within(wrap::COLUMNS)
    }

    /// The same in lines of so many columns.
    pub fn to_text_within(&self, columns: usize) -> String {
        text::render(self, columns)
    }

    /// One line for nagios and its kin: the state, what is worst, and performance data (seconds
    /// until each chain ends, with the thresholds for warning and critical). It has at most 4,000
    /// bytes, for nagios and its agents cut what is longer: of more chains than that, those that are
    /// worst, and it says how many are left out.
    pub fn to_nagios(&self) -> String {
        nagios::render(self)
    }

    /// OpenMetrics text: `x509_cert_not_after` and `x509_cert_not_before` of each certificate and
    /// `notafter_effective_not_after` of each chain, all in absolute Unix seconds, so that
    /// nothing vanishes at expiry; `notafter_findings` by source, code and severity;
    /// `notafter_source_readable` of each source, 0 where something in it could not be read; and
    /// `notafter_worst`, the [exit code](Report::exit_code).
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
