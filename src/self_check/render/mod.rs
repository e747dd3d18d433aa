//! Writing a report down: text for people, JSON for scripts, one line for nagios, OpenMetrics.

#[cfg(feature = "json")]
mod json;
mod labels;
mod nagios;
mod openmetrics;
mod picture;
mod series_text;
mod svg;
mod text;
mod timeline;
mod wrap;

pub use svg::Theme;

use super::Report;
use crate::event::Severity;

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
        self.to_nagios_with(self.exit_code())
    }

    /// The same line with the state of this exit code, where a program exits with another than
    /// [`Report::exit_code`]: both are the state, and must not differ (0 ok, 1 warning, 2 critical,
    /// else unknown).
    pub fn to_nagios_with(&self, exit_code: u8) -> String {
        nagios::render(self, exit_code)
    }

    /// OpenMetrics text: `x509_cert_not_after` and `x509_cert_not_before` of each certificate,
    /// `notafter_effective_not_after` of each chain, and the series that a monitor has
    /// `with_metrics`, by the same labels; all instants in absolute Unix seconds, so that nothing
    /// vanishes at expiry. `notafter_findings` counts by source, code and severity, `notafter_source_readable`
    /// of a source is 0 where something in it could not be read, and `notafter_worst` is the
    /// [exit code](Report::exit_code).
    pub fn to_openmetrics(&self) -> String {
        openmetrics::render(self)
    }

    /// A picture for people, SVG: a bar for each certificate with its bands, when each chain verifies
    /// and is dark, for whom, what ends it, and the findings. The same report gives the same bytes.
    ///
    /// It shows 50 chains and 50 findings at the most, the worst first, and says how many more there
    /// are; of a chain 10 certificates, and beyond them those that end it. It is 960 pixels wide, has
    /// no scripts and loads nothing: it may be embedded as an `<img>`.
    ///
    /// # How does an operator see at once what ends first?
    /// ```
    /// use notafter::self_check::Theme;
    /// # use notafter::{SelfCheck, TrustAnchors};
    /// # let report = SelfCheck::builder()
    /// #     .with_trust_anchors(TrustAnchors::builder().build())
    /// #     .with_provider(rustls::crypto::ring::default_provider().into())
    /// #     .build()?
    /// #     .run();
    /// let picture = report.to_svg(Theme::Auto);
    /// assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    /// # Ok::<(), notafter::self_check::SelfCheckError>(())
    /// ```
    pub fn to_svg(&self, theme: Theme) -> String {
        svg::render(self, theme)
    }

    /// The same picture for a terminal of so many columns (held between 20 and 400), in ASCII but for
    /// names: a character outside of ASCII counts as two columns, and no line is longer.
    pub fn to_timeline(&self, columns: usize) -> String {
        timeline::render(self, columns)
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

/// The worst band, unless a finding is graver: what could not be read has no band.
fn worst_text(report: &Report) -> String {
    let worst = report.worst();
    let of_bands = worst.map_or(Severity::Unproven, Severity::of_band);
    let graver = report.findings_by_severity().into_iter().next();
    match (worst, graver.filter(|finding| finding.severity > of_bands)) {
        (_, Some(finding)) => format!("{} ({})", finding.code, finding.severity),
        (Some(band), None) => band.to_string(),
        (None, None) => "nothing was judged".to_owned(),
    }
}
