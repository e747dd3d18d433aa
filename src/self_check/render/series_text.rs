//! The series that OpenMetrics text has in common with the `metrics` facade.

use std::fmt::Write as _;

use super::super::Report;
use super::super::gauge_table::help;
use super::super::series::{Samples, ShownAt};
use super::labels::labels;

/// Those of other names than these, which the text has with more labels.
pub(super) fn render(report: &Report, has_already: &[&str]) -> String {
    let gauges = report.gauges.iter();
    let gauges = gauges.map(|reported| (reported.source.as_str(), &reported.gauge));
    let shown = ShownAt {
        policy: &report.policy,
        at: report.at,
    };
    let samples = Samples::of(&report.chains, gauges, shown);
    let mut text = String::new();
    let mut family = "";
    for (series, value) in &samples.0 {
        if has_already.contains(&series.name) {
            continue;
        }
        // Writing into a String cannot fail.
        if series.name != family {
            family = series.name;
            let help = help(family);
            let _ = write!(text, "# HELP {family} {help}\n# TYPE {family} gauge\n");
        }
        let more = series.labels.iter();
        let more = more.map(|(name, value)| (*name, value.as_str()));
        let pairs: Vec<_> = [("source", series.source.as_str())]
            .into_iter()
            .chain(more)
            .collect();
        let _ = writeln!(text, "{family}{} {value}", labels(&pairs));
    }
    text
}
