//! One line in the monitoring-plugins format: `STATE - text | 'label'=value;warning;critical`.

use std::cmp::Reverse;

use super::super::{ChainReport, Report};
use crate::event::Severity;
use crate::policy::Band;
use crate::text::visible;
use crate::time::Timestamp;
use crate::time::span;

/// Nagios cuts what a plugin prints at 8 KiB, and agents between them at less.
const MAX_BYTES: usize = 4_000;

/// So much of it is for the text.
const MAX_TEXT_BYTES: usize = 1_000;

pub(super) fn render(report: &Report, exit_code: u8) -> String {
    let state = match exit_code {
        0 => "OK",
        1 => "WARNING",
        2 => "CRITICAL",
        _ => "UNKNOWN",
    };
    let text = cut(one_line(&summary(report)), MAX_TEXT_BYTES);
    let data: Vec<_> = (report.chains.iter())
        .filter_map(|chain| performance(report, chain))
        .collect();
    let all = line(state, &text, &data);
    if all.len() <= MAX_BYTES {
        return all;
    }
    let mut worst_first: Vec<_> = report.chains.iter().collect();
    worst_first.sort_by_key(|chain| (Reverse(chain.band), end(chain)));
    let worst_first = worst_first.into_iter();
    let worst_first = worst_first.filter_map(|chain| performance(report, chain));
    // The longest that it can become.
    let mut left = MAX_BYTES.saturating_sub(line(state, &left_out(&text, data.len()), &[]).len());
    let mut shown = Vec::new();
    for next in worst_first {
        // Two separators stand before the first.
        let Some(rest) = left.checked_sub(next.len() + 2) else {
            break;
        };
        left = rest;
        shown.push(next);
    }
    line(state, &left_out(&text, data.len() - shown.len()), &shown)
}

fn line(state: &str, text: &str, data: &[String]) -> String {
    match data {
        [] => format!("NOTAFTER {state} - {text}"),
        data => format!("NOTAFTER {state} - {text} | {}", data.join(" ")),
    }
}

fn left_out(text: &str, count: usize) -> String {
    format!("{text} (performance data of the worst chains, and {count} more)")
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
    let end = end(chain)?;
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

/// A chain that does not verify still has a leaf whose end people want to see.
fn end(chain: &ChainReport) -> Option<Timestamp> {
    let first = chain.certificates.first()?;
    Some(chain.ends().unwrap_or(first.certificate.not_after()))
}

/// So many bytes of the text at the most.
fn cut(text: String, most: usize) -> String {
    const MORE: &str = " ...";
    if text.len() <= most {
        return text;
    }
    let mut cut = String::new();
    for c in text.chars() {
        if cut.len() + c.len_utf8() + MORE.len() > most {
            break;
        }
        cut.push(c);
    }
    cut + MORE
}
