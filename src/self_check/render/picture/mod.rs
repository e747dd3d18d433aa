//! What a picture of a report shows, however it is drawn: the worst first, within bounds, and how much
//! is left out.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::{ChainReport, Finding, FirstFailure, Report, forecast};
use super::text::relative;
use crate::event::Severity;
use crate::outlook::Outlook;
use crate::text::visible;
use crate::time::Timestamp;

mod chain_rows;
pub(super) mod fit;
mod ticks;
mod verifies_row;
mod view;

pub(super) use chain_rows::{CertificateRow, ChainRows};
pub(super) use ticks::ticks;
pub(super) use verifies_row::{VerifiesRow, VerifiesState};
pub(super) use view::View;

/// So many chains are drawn, the worst first.
const MAX_CHAINS: usize = 50;

/// So many findings are listed, the worst first.
const MAX_FINDINGS: usize = 50;

/// So many columns of a sentence are kept.
const MAX_SENTENCE: usize = 1_000;

/// And so many of the name of a source.
const MAX_SOURCE: usize = 256;

/// What a picture of a report shows. What could not be seen of foreign text is escaped.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) at: Timestamp,
    /// How much was checked, and how bad it is.
    pub(super) title: String,
    /// What fails now, and what fails next and when, as sentences.
    pub(super) headlines: Vec<String>,
    pub(super) view: View,
    pub(super) chains: Vec<ChainRows>,
    /// How many chains are left out, and how they stand.
    pub(super) more_chains: Option<String>,
    pub(super) findings: Vec<FindingText>,
    /// How many findings are left out, and of which codes.
    pub(super) more_findings: Option<String>,
}

/// A finding, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FindingText {
    pub(super) severity: Severity,
    /// Its code, source and position.
    pub(super) place: String,
    pub(super) message: String,
}

impl Picture {
    pub(super) fn of(report: &Report) -> Self {
        let at = report.at;
        let chains = worst_first(report);
        let headlines = headlines(report, &chains);
        let (drawn, more) = chains.split_at(chains.len().min(MAX_CHAINS));
        let rows = |ranked: &RankedChain<'_>| ChainRows::of(ranked.chain, &report.policy, at);
        let drawn: Vec<_> = drawn.iter().map(rows).collect();
        let changes: Vec<_> = drawn.iter().flat_map(ChainRows::changes).collect();
        let dark: Vec<_> = drawn.iter().flat_map(|rows| rows.went_dark(at)).collect();

        // What could not be seen is in no row, so it goes before what is.
        let mut findings: Vec<_> = report.findings.iter().collect();
        findings.sort_by_key(|f| (Reverse(f.severity), !f.code.is_blindness()));
        let (listed, unlisted) = findings.split_at(findings.len().min(MAX_FINDINGS));
        Self {
            at,
            title: title(report),
            headlines,
            view: View::around(at, &changes, &dark),
            chains: drawn,
            more_chains: left_out(
                "chain",
                more.iter().map(|ranked| ranked.chain.band.as_str()),
            ),
            findings: listed.iter().map(|f| FindingText::of(f)).collect(),
            more_findings: left_out("finding", unlisted.iter().map(|f| f.code.as_str())),
        }
    }

    /// Whether this chain comes from the same collection as the one before it.
    pub(super) fn is_under_one_source(&self, index: usize) -> bool {
        let before = index.checked_sub(1).and_then(|n| self.chains.get(n));
        let (Some(before), Some(this)) = (before, self.chains.get(index)) else {
            return false;
        };
        before.is_single() && this.is_single() && before.source == this.source
    }
}

/// With what could not be seen of it escaped, and not too long.
fn sentence(text: &str) -> String {
    fit::cut(&visible(text), MAX_SENTENCE)
}

/// Likewise, with its start and its end.
fn source_name(source: &str) -> String {
    fit::cut_middle(&visible(source), MAX_SOURCE)
}

impl FindingText {
    fn of(finding: &Finding) -> Self {
        let mut place = finding.code.to_string();
        if let Some(source) = &finding.source {
            place.push(' ');
            place.push_str(&source_name(source));
        }
        if let Some(position) = finding.position {
            place.push_str(&format!(", {position}"));
        }
        Self {
            severity: finding.severity,
            place,
            message: sentence(&finding.message),
        }
    }
}

/// A chain, and when it fails.
struct RankedChain<'r> {
    chain: &'r ChainReport,
    failure: Option<FirstFailure>,
}

impl RankedChain<'_> {
    fn failed_by(&self, at: Timestamp) -> Option<&FirstFailure> {
        self.failure.as_ref().filter(|failure| failure.at <= at)
    }
}

/// What fails now, then by band, then by what ends first.
fn worst_first(report: &Report) -> Vec<RankedChain<'_>> {
    let ranked = report.chains.iter().map(|chain| RankedChain {
        chain,
        failure: forecast::first_failure([chain], report.at),
    });
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by_key(|ranked| {
        let fails_now = ranked.failed_by(report.at).is_some();
        let (band, end) = (ranked.chain.band, earliest_end(ranked.chain));
        (Reverse(fails_now), Reverse(band), end)
    });
    ranked
}

/// The first last good second for anybody; chains that somebody refuses now come before all others.
fn earliest_end(chain: &ChainReport) -> Option<Timestamp> {
    let end = |outlook: &Outlook| outlook.effective_not_after;
    let strict = chain.strict.as_ref().map(end);
    strict.map_or(chain.ends(), |strict| chain.ends().min(strict))
}

fn title(report: &Report) -> String {
    if report.chains.is_empty() && report.findings.is_empty() {
        return format!("nothing was judged at {}", report.at);
    }
    let (chains, worst) = (super::count_of_chains(report), super::worst_text(report));
    format!("{chains} at {}, worst: {worst}", report.at)
}

/// What fails now, the worst of it, and what fails next.
fn headlines(report: &Report, worst_first: &[RankedChain<'_>]) -> Vec<String> {
    let at = report.at;
    let failing = worst_first.iter().filter_map(|ranked| {
        let failure = ranked.failed_by(at)?;
        Some(why(ranked.chain, failure))
    });
    let failing: Vec<_> = failing.collect();
    let mut headlines = Vec::new();
    headlines.extend(match failing.as_slice() {
        [] => None,
        [why] => Some(format!("fails now: {why}")),
        [why, ..] => Some(format!("{} fail now, the worst: {why}", failing.len())),
    });
    let ahead = worst_first.iter().filter_map(|r| r.failure.as_ref());
    let ahead = ahead.filter(|failure| failure.at > at);
    if let Some(next) = ahead.min_by_key(|failure| failure.at) {
        let which = if failing.is_empty() { "first" } else { "next" };
        headlines.push(format!(
            "{which} failure {}, at {}: {}",
            relative(next.at, at),
            next.at,
            next.message
        ));
    }
    if headlines.is_empty() {
        headlines.push(nothing_ahead(report).to_owned());
    }
    headlines.iter().map(|line| sentence(line)).collect()
}

fn why(chain: &ChainReport, failure: &FirstFailure) -> String {
    let outlook = chain.rustls.as_ref();
    match outlook.and_then(|outlook| outlook.refusal.as_ref()) {
        Some(refusal) => format!("{}: {refusal}", chain.source),
        None => failure.message.clone(),
    }
}

fn nothing_ahead(report: &Report) -> &'static str {
    match (report.chains.is_empty(), report.findings.is_empty()) {
        (false, _) => "no failure ahead",
        (true, true) => "nothing was checked: give it a chain, a file or a folder",
        (true, false) => "no certificate was judged: see the findings",
    }
}

/// `and 12 more chains: 10 ok, 2 due`, the most frequent first.
fn left_out<'k>(what: &str, kinds: impl Iterator<Item = &'k str>) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in kinds {
        *counts.entry(kind).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let all = match counts.iter().map(|(_, count)| count).sum::<usize>() {
        0 => return None,
        1 => format!("1 more {what}"),
        n => format!("{n} more {what}s"),
    };
    let kinds: Vec<_> = (counts.iter())
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    Some(format!("and {all}: {}", kinds.join(", ")))
}
