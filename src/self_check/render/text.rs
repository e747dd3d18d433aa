//! A report for people.

use std::collections::BTreeSet;

use super::super::forecast::DEFAULT_WINDOW_SECONDS;
use super::super::{ChainReport, Report};
use super::wrap::wrapped;
use crate::outlook::{LimitingCause, Outlook};
use crate::text::visible;
use crate::time::Timestamp;
use crate::time::span;

/// In lines of so many columns, where words allow it.
pub(super) fn render(report: &Report, columns: usize) -> String {
    let mut text = String::new();
    let chains = super::count_of_chains(report);
    let worst = super::worst_text(report);
    text.push_str(&format!("{chains} at {}, worst: {worst}\n", report.at));
    for chain in &report.chains {
        text.push('\n');
        text.push_str(&chain_text(chain, report.at, columns));
    }
    text.push_str(&forecast_text(report, columns));
    text.push('\n');
    text.push_str(&findings_text(report, columns));
    text
}

fn forecast_text(report: &Report, columns: usize) -> String {
    let mut text = String::new();
    if let Some(failure) = report.first_failure() {
        let when = relative(failure.at, report.at);
        let (lead, message) = ("first failure at ", visible(&failure.message));
        let failure = format!("{} ({when}): {message}", failure.at);
        text.push('\n');
        text.push_str(&wrapped(lead, &failure, columns));
    }
    for group in report.correlated_expiry(DEFAULT_WINDOW_SECONDS) {
        let sources: BTreeSet<_> = group
            .certificates
            .iter()
            .map(|c| visible(&c.source))
            .collect();
        if sources.len() > 1 {
            let together = format!(
                "certificates of {} sources end together, from {} to {}",
                sources.len(),
                group.first,
                group.last
            );
            let count = format!("{} ", group.certificates.len());
            text.push_str(&wrapped(&count, &together, columns));
        }
    }
    text
}

fn chain_text(chain: &ChainReport, at: Timestamp, columns: usize) -> String {
    let mut text = wrapped("", &heading(chain), columns);
    for (who, outlook) in [("rustls", &chain.rustls), ("strict", &chain.strict)] {
        if let Some(outlook) = outlook {
            let lead = format!("  {who}  ");
            text.push_str(&wrapped(&lead, &outlook_text(outlook, at), columns));
        }
    }
    if let Some(end) = chain.openssl_ends(at) {
        let line = match end {
            Some(end) => format!("verifies until {end} ({})", relative(end, at)),
            None => "does not verify".to_owned(),
        };
        text.push_str(&wrapped("  openssl  ", &line, columns));
    }
    if let Some(staple) = &chain.staple {
        text.push_str(&wrapped("  staple  ", &visible(&staple.message), columns));
    }
    if let Some(timeline) = &chain.timeline {
        for gap in timeline
            .rustls
            .dark()
            .iter()
            .filter(|gap| gap.not_after >= at)
        {
            let (from, to) = (gap.not_before, gap.not_after);
            let dark = format!("dark from {from} to {to}, then verifies again");
            text.push_str(&wrapped("  rustls  ", &dark, columns));
        }
    }
    let rows: Vec<[String; 4]> = (chain.certificates.iter())
        .map(|reported| {
            let certificate = &reported.certificate;
            [
                reported.position.to_string(),
                certificate.not_after().to_string(),
                relative(certificate.not_after(), at),
                certificate.short_name(),
            ]
        })
        .collect();
    let header = ["position", "not after", "", "name"].map(str::to_owned);
    let all: Vec<_> = std::iter::once(header).chain(rows).collect();
    let width = |column: usize| {
        let cells = all.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    for [position, not_after, left, name] in &all {
        let [w0, w1, w2] = widths;
        let lead = format!("    {position:w0$}  {not_after:w1$}  {left:>w2$}  ");
        text.push_str(&row(&lead, name, columns));
    }
    text
}

/// What it is called and how it stands, and where else it lies.
fn heading(chain: &ChainReport) -> String {
    let (source, band) = (visible(&chain.source), chain.band);
    match chain.also_in.as_slice() {
        [] => format!("{source}: {band}"),
        [other] => format!("{source}: {band} (also in {})", visible(other)),
        [other, more @ ..] => format!(
            "{source}: {band} (also in {} and {} more)",
            visible(other),
            more.len()
        ),
    }
}

/// A row, whose last cell goes below the others where it is too long to stand beside them.
fn row(lead: &str, last: &str, columns: usize) -> String {
    let length = lead.chars().count() + last.chars().count();
    if length <= columns {
        return format!("{lead}{last}").trim_end().to_owned() + "\n";
    }
    format!("{}\n{}", lead.trim_end(), wrapped("      ", last, columns))
}

fn outlook_text(outlook: &Outlook, at: Timestamp) -> String {
    let (Some(end), Some(limiting)) = (outlook.effective_not_after, &outlook.limiting) else {
        let why = outlook.refusal.as_ref().map(ToString::to_string);
        return format!("does not verify: {}", why.unwrap_or_default());
    };
    let (position, name) = (limiting.position, limiting.certificate.short_name());
    let then = match limiting.cause {
        LimitingCause::NotAfter => format!("{position} '{name}' ends"),
        LimitingCause::RevocationList { .. } => {
            format!("the revocation list that speaks for {position} '{name}' stops counting")
        }
    };
    let mut text = format!("verifies until {end} ({}), then {then}", relative(end, at));
    if let Some(cliff) = outlook.next_cliff.filter(|cliff| *cliff < end) {
        let paths = outlook.paths;
        text.push_str(&format!(
            "; {paths} paths, the first ends at {cliff} ({})",
            relative(cliff, at)
        ));
    }
    if !outlook.complete {
        text.push_str("; not everything could be looked at");
    }
    text
}

fn findings_text(report: &Report, columns: usize) -> String {
    let findings = report.findings_by_severity();
    if findings.is_empty() {
        return "nothing to do\n".to_owned();
    }
    let mut text = "findings\n".to_owned();
    for finding in findings {
        let source = finding
            .source
            .as_deref()
            .map(|s| format!(" {}", visible(s)))
            .unwrap_or_default();
        let position = finding
            .position
            .map(|p| format!(", {p}"))
            .unwrap_or_default();
        let lead = format!("  {:8}  ", finding.severity);
        let what = format!("{}{source}{position}", finding.code);
        text.push_str(&wrapped(&lead, &what, columns));
        let indent = " ".repeat(lead.len());
        text.push_str(&wrapped(&indent, &visible(&finding.message), columns));
    }
    text
}

pub(super) fn relative(t: Timestamp, at: Timestamp) -> String {
    let seconds = t.seconds_since(at);
    let span = span::readable(seconds);
    if seconds >= 0 {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}
