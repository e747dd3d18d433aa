//! A report for people.

use std::collections::BTreeSet;

use super::super::forecast::DEFAULT_WINDOW_SECONDS;
use super::super::{ChainReport, Finding, Report};
use crate::outlook::{LimitingCause, Outlook};
use crate::text::visible;
use crate::time::Timestamp;
use crate::time::span;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    let worst = report
        .worst()
        .map_or("nothing was judged", |band| band.as_str());
    let chains = super::count_of_chains(report);
    text.push_str(&format!("{chains} at {}, worst: {worst}\n", report.at));
    for chain in &report.chains {
        text.push('\n');
        text.push_str(&chain_text(chain, report.at));
    }
    text.push_str(&forecast_text(report));
    text.push('\n');
    text.push_str(&findings_text(report));
    text
}

fn forecast_text(report: &Report) -> String {
    let mut text = String::new();
    if let Some(failure) = report.first_failure() {
        let when = relative(failure.at, report.at);
        let message = visible(&failure.message);
        text.push_str(&format!(
            "\nfirst failure at {} ({when}): {message}\n",
            failure.at
        ));
    }
    for group in report.correlated_expiry(DEFAULT_WINDOW_SECONDS) {
        let sources: BTreeSet<_> = group
            .certificates
            .iter()
            .map(|c| visible(&c.source))
            .collect();
        if sources.len() > 1 {
            text.push_str(&format!(
                "{} certificates of {} sources end together, from {} to {}\n",
                group.certificates.len(),
                sources.len(),
                group.first,
                group.last
            ));
        }
    }
    text
}

fn chain_text(chain: &ChainReport, at: Timestamp) -> String {
    let mut text = format!("{}: {}\n", visible(&chain.source), chain.band);
    for (who, outlook) in [("rustls", &chain.rustls), ("strict", &chain.strict)] {
        if let Some(outlook) = outlook {
            text.push_str(&format!("  {who}  {}\n", outlook_text(outlook, at)));
        }
    }
    if let Some(end) = chain.openssl_ends(at) {
        let line = match end {
            Some(end) => format!("verifies until {end} ({})", relative(end, at)),
            None => "does not verify".to_owned(),
        };
        text.push_str(&format!("  openssl  {line}\n"));
    }
    if let Some(staple) = &chain.staple {
        text.push_str(&format!("  staple  {}\n", visible(&staple.message)));
    }
    if let Some(timeline) = &chain.timeline {
        for gap in timeline
            .rustls
            .dark()
            .iter()
            .filter(|gap| gap.not_after >= at)
        {
            let (from, to) = (gap.not_before, gap.not_after);
            text.push_str(&format!(
                "  rustls  dark from {from} to {to}, then verifies again\n"
            ));
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
        let line = format!("    {position:w0$}  {not_after:w1$}  {left:>w2$}  {name}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
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

fn findings_text(report: &Report) -> String {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    if findings.is_empty() {
        return "nothing to do\n".to_owned();
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
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
        text.push_str(&format!(
            "  {:8}  {}{source}{position}\n",
            finding.severity, finding.code
        ));
        text.push_str(&format!("            {}\n", visible(&finding.message)));
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
