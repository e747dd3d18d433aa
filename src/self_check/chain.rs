//! Judging one chain, or one certificate of a collection, and saying what to do about it.

#[cfg(not(feature = "ocsp"))]
use super::chain_report::StapleReport;
use super::chain_report::{ChainReport, ReportedCertificate};
use super::compare;
use super::context::{ChainContext, JudgedBy};
use super::finding::{Finding, FindingCode};
use super::lint::{lint, precertificate};
use super::scts::judge_scts;
use crate::cert::Certificate;
use crate::event::Severity;
use crate::outlook::{
    Budget, ChainOutlook, LimitingCause, Outlook, Position, Refusal, looked_at, unresolved,
};
use crate::policy::Band;
use crate::text::quoted;
use crate::time::span;

/// The most characters of a URL in a certificate that a finding repeats.
const MAX_URL: usize = 256;

/// What is reported of one chain, and what a person should know about it.
pub(super) struct JudgedChain {
    pub(super) report: ChainReport,
    pub(super) findings: Vec<Finding>,
}

/// Judges certificates as one chain, leaf first.
pub(super) fn judge_chain(context: &ChainContext<'_>, chain: &[Certificate]) -> JudgedChain {
    // No server can serve more: the rest is in the report, but not judged.
    let behind_leaf = chain
        .get(1..)
        .map_or(0, |presented| looked_at(presented).len());
    let judged = chain.get(..=behind_leaf).unwrap_or(chain);
    let name = context.asked_name(judged.first());
    let (outlook, timeline) =
        (context.judge).examine(judged, name, context.at, &Budget::of_report());
    let counting: Vec<_> = if outlook.longest_path.is_empty() {
        presented(judged)
    } else {
        let path = outlook.longest_path.iter().cloned().enumerate();
        path.map(|(n, certificate)| reported(Position::in_chain(n), certificate))
            .collect()
    };
    let mut findings = band_findings(context, &counting);
    match &outlook.rustls.refusal {
        Some(refusal) => explain_refusal(context, refusal, judged, &mut findings),
        None => findings.extend(compare::relying_parties(context, &outlook)),
    }
    findings.extend(early_intermediates(context, judged, &outlook));
    if !outlook.rustls.complete || judged.len() < chain.len() {
        let message = "the search for paths was given up before all were seen, so there may be a later end: \
                       serve only the intermediates that the leaf needs";
        findings.push(context.finding(Severity::Info, FindingCode::SearchIncomplete, message));
    }
    findings.extend(lint(context, judged, &outlook, timeline.as_ref()));
    let foreseen = timeline
        .as_ref()
        .and_then(|timeline| timeline.openssl.as_deref());
    findings.extend(foreseen.and_then(|windows| compare::openssl(context, &outlook, windows)));
    #[cfg(feature = "ocsp")]
    let staple = {
        let staple = super::staple::judge_staple(context, judged, &outlook);
        findings.extend(staple.finding);
        staple.report
    };
    #[cfg(not(feature = "ocsp"))]
    let staple: Option<StapleReport> = None;
    let scts = judge_scts(context, judged, timeline.as_ref(), staple.as_ref());
    findings.extend(scts.finding);
    let report = ChainReport {
        source: context.source.to_owned(),
        also_in: Vec::new(),
        timeline,
        staple,
        scts: scts.report,
        band: chain_band(context.worst_band(&counting), outlook.rustls.verifies()),
        certificates: presented(chain),
        rustls: Some(outlook.rustls),
        strict: outlook.strict,
    };
    JudgedChain { report, findings }
}

/// Judges one certificate of a collection by its dates; a leaf whose CA certificates lie in the
/// same collection (`cas`), or are anchors, also has an outlook, for its share of the collection's
/// budget.
pub(super) fn judge_single(
    context: &ChainContext<'_>,
    certificate: &Certificate,
    cas: &[Certificate],
    budget: &Budget,
) -> JudgedChain {
    let position = match (certificate.is_ca(), certificate.is_self_issued()) {
        (false, _) => Position::Leaf,
        (true, true) => Position::Anchor,
        (true, false) => Position::Intermediate(0),
    };
    let certificates = vec![reported(position, certificate.clone())];
    let mut findings = band_findings(context, &certificates);
    let mut outlook = None;
    if position == Position::Leaf {
        findings.extend(precertificate(context, certificate));
        findings.extend(
            context
                .uncovered(certificate)
                .map(|(_, refusal)| refusal_finding(context, &refusal)),
        );
        // In a bundle of thousands no leaf is looked at together with all CAs.
        let cas = if looked_at(cas).len() == cas.len() {
            cas
        } else {
            &[]
        };
        let chain: Vec<_> = std::iter::once(certificate).chain(cas).cloned().collect();
        let name = context.asked_name(Some(certificate));
        budget.refill();
        outlook = Some((context.judge).report_within(&chain, name, context.at, budget))
            .filter(|_| context.judged_by == JudgedBy::Anchors)
            .filter(|outlook| !outlook.longest_path.is_empty());
    }
    let (rustls, strict) = match outlook {
        Some(outlook) => (Some(outlook.rustls), outlook.strict),
        None => (None, None),
    };
    let report = ChainReport {
        source: context.source.to_owned(),
        also_in: Vec::new(),
        timeline: None,
        staple: None,
        scts: None,
        band: context.worst_band(&certificates),
        certificates,
        rustls,
        strict,
    };
    JudgedChain { report, findings }
}

/// The certificates as they stand in the chain; a root that is sent along is called what it is.
pub(super) fn presented(chain: &[Certificate]) -> Vec<ReportedCertificate> {
    let positions = chain.iter().enumerate().map(|(n, certificate)| {
        let is_root = n > 0 && certificate.is_ca() && certificate.is_self_issued();
        let position = if is_root {
            Position::Anchor
        } else {
            Position::in_chain(n)
        };
        reported(position, certificate.clone())
    });
    positions.collect()
}

const fn reported(position: Position, certificate: Certificate) -> ReportedCertificate {
    ReportedCertificate {
        position,
        certificate,
    }
}

/// A chain that does not verify though its dates are fine is broken.
pub(super) fn chain_band(dates: Band, verifies: bool) -> Band {
    match dates {
        Band::Ok | Band::Due | Band::Warning | Band::Critical if !verifies => Band::Broken,
        band => band,
    }
}

/// One finding for each certificate that is not ok.
pub(super) fn band_findings(
    context: &ChainContext<'_>,
    certificates: &[ReportedCertificate],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for reported in certificates {
        let band = context.band(reported);
        let (position, certificate) = (reported.position, &reported.certificate);
        let name = certificate.short_name();
        let left = certificate.not_after().seconds_since(context.at);
        let (end, span) = (certificate.not_after(), span::readable(left));
        let remedy = remedy(position);
        let (code, message) = match band {
            Band::Ok => continue,
            Band::Expired => (
                FindingCode::Expired,
                format!("'{name}' expired {span} ago, at {end}: {remedy} now"),
            ),
            Band::NotYetValid => (
                FindingCode::NotYetValid,
                format!(
                    "'{name}' is not valid before {}: check the clock, or wait to deploy it",
                    certificate.not_before()
                ),
            ),
            Band::Due => (
                FindingCode::Expiring,
                format!(
                    "'{name}' ends in {span}, at {end}; its renewal is due: see that automation does it, or {remedy}"
                ),
            ),
            _ => (
                FindingCode::Expiring,
                format!("'{name}' ends in {span}, at {end} ({band}): {remedy}"),
            ),
        };
        let finding = context.finding(Severity::of_band(band), code, message);
        findings.push(finding.with_certificate(position, certificate));
    }
    findings
}

pub(super) fn refusal_finding(context: &ChainContext<'_>, refusal: &Refusal) -> Finding {
    let code = FindingCode::of_refusal(refusal);
    let finding = context.finding(Severity::Critical, code, refusal.to_string());
    finding.with_position(refusal.position())
}

fn explain_refusal(
    context: &ChainContext<'_>,
    refusal: &Refusal,
    chain: &[Certificate],
    findings: &mut Vec<Finding>,
) {
    let told = FindingCode::of_refusal(refusal);
    // The dates of the presented certificates have been told.
    let by_dates = matches!(told, FindingCode::Expired | FindingCode::NotYetValid);
    if !(by_dates && findings.iter().any(|f| f.code == told)) {
        findings.push(refusal_finding(context, refusal));
    }
    let by_reference: Vec<_> = chain.iter().collect();
    let Some((index, last)) = unresolved(&by_reference, context.judge.anchors()) else {
        return;
    };
    let position = Position::in_chain(index);
    let issuer = last.issuer_short_name();
    if index == 0 && !last.is_self_issued() {
        #[cfg(feature = "details")]
        let url = super::detail_lint::issuer_url(last);
        #[cfg(not(feature = "details"))]
        let url: Option<String> = None;
        let from = match url {
            Some(url) => format!("; it can be fetched from {}", quoted(&url, MAX_URL)),
            None => String::new(),
        };
        let message = format!(
            "the certificate of the leaf's issuer '{issuer}' is missing: append it to the chain after the leaf{from}"
        );
        let finding = context.finding(
            Severity::Critical,
            FindingCode::MissingIntermediate,
            message,
        );
        findings.push(finding.with_certificate(position, last));
    }
    if told != FindingCode::UnknownIssuer {
        let anchors = context.judge.anchors().len();
        let unknown = Refusal::UnknownIssuer {
            position,
            issuer,
            anchors,
        };
        findings.push(refusal_finding(context, &unknown));
    }
}

/// Presented intermediates that end before the leaf. Their own bands say when to act.
fn early_intermediates(
    context: &ChainContext<'_>,
    chain: &[Certificate],
    outlook: &ChainOutlook,
) -> Vec<Finding> {
    let Some((leaf, _)) = chain.split_first() else {
        return Vec::new();
    };
    let certificates = presented(chain).into_iter().skip(1);
    let early = certificates
        .filter(|c| c.position != Position::Anchor && c.certificate.not_after() < leaf.not_after());
    let finding = |c: ReportedCertificate| {
        let message = format!(
            "'{}' ends at {}, {} before the leaf does; {}",
            c.certificate.short_name(),
            c.certificate.not_after(),
            span::readable(leaf.not_after().seconds_since(c.certificate.not_after())),
            consequence(context, &outlook.rustls, &c.certificate, leaf),
        );
        let finding = context.finding(Severity::Info, FindingCode::ExpiresBeforeLeaf, message);
        finding.with_certificate(c.position, &c.certificate)
    };
    early.map(finding).collect()
}

/// What an early end of this intermediate means for the chain.
fn consequence(
    context: &ChainContext<'_>,
    outlook: &Outlook,
    intermediate: &Certificate,
    leaf: &Certificate,
) -> &'static str {
    match (&outlook.limiting, outlook.effective_not_after) {
        (Some(limiting), _)
            if limiting.certificate == *intermediate
                && limiting.cause == LimitingCause::NotAfter =>
        {
            "that ends the whole chain: ask the CA for its successor before then"
        }
        (_, Some(end)) if end >= leaf.not_after() => {
            "another path outlives it for rustls, but clients that do not look for another path may fail: leave it out by then"
        }
        _ if intermediate.not_after() < context.at => "it has ended already: replace it now",
        _ => "replace it before then",
    }
}

/// What to do about a certificate that comes to its end.
const fn remedy(position: Position) -> &'static str {
    match position {
        Position::Leaf => "renew it and reload the service",
        Position::Intermediate(_) => {
            "get its successor (or another path) from the CA, and serve that"
        }
        Position::Anchor => "replace it with its successor",
    }
}
