//! Judging a chain by its dates alone: whoever is trusted, until when do its certificates last?

use std::sync::Arc;

use super::chain::{JudgedChain, band_findings, chain_band, presented, refusal_finding};
use super::chain_report::ChainReport;
#[cfg(not(feature = "ocsp"))]
use super::chain_report::StapleReport;
use super::context::ChainContext;
use super::lint::lint;
use super::scts::judge_scts;
use crate::cert::Certificate;
use crate::outlook::{ChainOutlook, Outlook, Refusal, TrustAnchors, looked_at, unresolved};

/// Judges certificates as one chain, leaf first, by their dates alone.
pub(super) fn judge_dates(context: &ChainContext<'_>, chain: &[Certificate]) -> JudgedChain {
    let behind_leaf = chain.get(1..).map_or(0, |behind| looked_at(behind).len());
    let judged = chain.get(..=behind_leaf).unwrap_or(chain);
    let certificates = presented(judged);
    let outlook = by_its_own_end(context, judged);
    let refusal = refusal_of_itself(context, judged, &outlook);
    let mut findings = band_findings(context, &certificates);
    findings.extend(
        refusal
            .iter()
            .map(|refusal| refusal_finding(context, refusal)),
    );
    findings.extend(lint(context, judged, &outlook, None));
    #[cfg(feature = "ocsp")]
    let staple = {
        let staple = super::staple::judge_staple(context, judged, &outlook);
        findings.extend(staple.finding);
        staple.report
    };
    #[cfg(not(feature = "ocsp"))]
    let staple: Option<StapleReport> = None;
    let scts = judge_scts(context, judged, None, staple.as_ref());
    findings.extend(scts.finding);
    let dates = context.worst_band(&certificates);
    let report = ChainReport {
        source: context.source.to_owned(),
        also_in: Vec::new(),
        band: chain_band(dates, refusal.is_none()),
        certificates: presented(chain),
        // Until when it verifies depends on whom somebody trusts; that it does not, may not.
        rustls: refusal.map(|refusal| Outlook::refused(refusal, 0, true)),
        strict: None,
        timeline: None,
        staple,
        scts: scts.report,
    };
    JudgedChain { report, findings }
}

/// Its outlook for somebody who trusts the last certificate that the leaf leads to, and nobody else.
fn by_its_own_end(context: &ChainContext<'_>, chain: &[Certificate]) -> ChainOutlook {
    let by_reference: Vec<_> = chain.iter().collect();
    let nobody = TrustAnchors::builder().build();
    let end = unresolved(&by_reference, &nobody).filter(|(index, _)| *index > 0);
    let end = end.map(|(_, end)| end.der());
    let anchors = TrustAnchors::builder().with_certificates(end).build();
    let judge = context.judge.with_anchors_alone(Arc::new(anchors));
    judge.report(chain, context.asked_name(chain.first()), context.at)
}

/// What is wrong with it besides its dates, whoever is trusted.
fn refusal_of_itself(
    context: &ChainContext<'_>,
    chain: &[Certificate],
    outlook: &ChainOutlook,
) -> Option<Refusal> {
    let uncovered = chain.first().and_then(|leaf| context.uncovered(leaf));
    let refusal = outlook.rustls.refusal.as_ref();
    let of_itself = refusal.filter(|refusal| {
        matches!(
            refusal,
            Refusal::BadSignature
                | Refusal::LeafIsCa
                | Refusal::WrongUsage
                | Refusal::LeafUnusable { .. }
                | Refusal::Other { .. }
        )
    });
    of_itself
        .cloned()
        .or_else(|| uncovered.map(|(_, refusal)| refusal))
}
