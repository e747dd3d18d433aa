//! One line in the monitoring-plugins format: `STATE - text | 'label'=value;warning;critical`.

use super::super::{ChainReport, Report};
use crate::event::Severity;
use crate::policy::Band;
use crate::text::visible;
use crate::time::span;

pub(super) fn render(report: &Report) -> String {
    let state = match report.exit_code() {
        0 => "OK",
        1 => "WARNING",
        2 => "CRITICAL",
        _ => "UNKNOWN",
    };
    let text = one_line(&summary(report));
    let performance: Vec<_> = (report.chains.iter())
        .filter_map(|chain| performance(report, chain))
        .collect();
    match performance.as_slice() {
        [] => format!("NOTAFTER {state} - {text}"),
        data => format!("NOTAFTER {state} - {text} | {}", data.join(" ")),
    }
}

fn summary(report: &Report) -> String {
    let mut grave = report.findings_by_severity();
    grave.retain(|finding| finding.severity > Severity::Info);
    let more = match grave.len() {
        0 | 1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    if let Some(first) = grave.first() {
        let source = first
            .source
            .as_deref()
            .map(|s| format!("{s}: "))
            .unwrap_or_default();
        let position = first.position.map(|p| format!("{p} ")).unwrap_or_default();
        return format!("{source}{position}{}{more}", first.message);
    }
    let first_end = report
        .chains
        .iter()
        .filter_map(|chain| Some((chain.ends()?, chain)))
        .min_by_key(|(t, _)| *t);
    match first_end {
        Some((end, chain)) => format!(
            "{} checked, the first to end is {} in {}, at {end}",
            super::count_of_chains(report),
            chain.source,
            span::readable(end.seconds_since(report.at)),
        ),
        None => "no certificate was checked".to_owned(),
    }
}

/// Seconds left, negative after the end; alert ranges `N:` mean "when below N".
fn performance(report: &Report, chain: &ChainReport) -> Option<String> {
    let first = chain.certificates.first()?;
    // A chain that does not verify still has a leaf whose end people want to see.
    let end = chain.ends().unwrap_or(first.certificate.not_after());
    let limiting = chain
        .rustls
        .as_ref()
        .and_then(|outlook| outlook.limiting.as_ref());
    let (validity, position) = match limiting {
        Some(limiting) => (limiting.certificate.validity(), limiting.position),
        None => (first.certificate.validity(), first.position),
    };
    let threshold = |band| {
        report
            .policy
            .threshold_seconds(band, validity, position)
            .unwrap_or(0)
    };
    let (warning, critical) = (threshold(Band::Warning), threshold(Band::Critical));
    // Quotes double inside of a label; '=' and '|' would end it.
    let label = chain.source.replace('\'', "''").replace(['=', '|'], "_");
    let left = end.seconds_since(report.at);
    Some(format!(
        "'{}'={left}s;{warning}:;{critical}:",
        one_line(&label)
    ))
}

fn one_line(text: &str) -> String {
    visible(text).replace('|', " ")
}
