//! The staple of a chain, as far as the check was given it.

use super::chain_report::{StapleReport, StapleVerdict};
use super::context::ChainContext;
use super::finding::{Finding, FindingCode};
use crate::cert::Certificate;
use crate::event::Severity;
use crate::outlook::{ChainOutlook, Position};
use crate::revocation::{StapleJudge, StapleOutlook, StapleStatus};

/// What is reported of a staple, and what a person should know about it.
#[derive(Default)]
pub(super) struct JudgedStaple {
    pub(super) report: Option<StapleReport>,
    pub(super) finding: Option<Finding>,
}

/// Judges the staple of a chain: no report where it is not known whether there is one.
pub(super) fn judge_staple(
    context: &ChainContext<'_>,
    chain: &[Certificate],
    outlook: &ChainOutlook,
) -> JudgedStaple {
    let Some(leaf) = chain.first() else {
        return JudgedStaple::default();
    };
    let finding = |severity, code, message: String| {
        let finding = context.finding(severity, code, message);
        Some(finding.with_certificate(Position::Leaf, leaf))
    };
    let must_staple = leaf.facts().must_staple();
    let Some(staple) = context.staple else {
        if !must_staple {
            return JudgedStaple::default();
        }
        let message = "the leaf asks for a stapled OCSP response (must-staple), which cannot be seen here: \
                       see that the server staples one";
        let code = FindingCode::MustStapleWithoutStaple;
        return JudgedStaple {
            report: None,
            finding: finding(Severity::Info, code, message.to_owned()),
        };
    };
    if staple.is_empty() && !must_staple {
        return JudgedStaple::default();
    }
    let Some(judged) = judge_by_issuers(context, staple, leaf, chain, outlook) else {
        let message = "the staple cannot be judged, for the certificate of the leaf's issuer is neither in the chain nor a trust anchor: add it";
        let code = FindingCode::StapleNotGood;
        return JudgedStaple {
            report: None,
            finding: finding(Severity::Warning, code, message.to_owned()),
        };
    };
    let code = match judged.status {
        StapleStatus::Absent => FindingCode::MustStapleWithoutStaple,
        _ => FindingCode::StapleNotGood,
    };
    let (verdict, finding) = match judged.status {
        StapleStatus::Good { .. } => (StapleVerdict::Good, None),
        StapleStatus::Revoked { .. } => (
            StapleVerdict::Revoked,
            finding(Severity::Critical, code, judged.to_string()),
        ),
        _ => (
            StapleVerdict::NotGood,
            finding(Severity::Warning, code, judged.to_string()),
        ),
    };
    let report = StapleReport {
        code: judged.code(),
        verdict,
        sha256: judged.leaf_sha256,
        good_until: judged.good_until(),
        this_update: judged.this_update,
        next_update: judged.next_update,
        must_staple,
        message: judged.to_string(),
    };
    JudgedStaple {
        report: Some(report),
        finding,
    }
}

/// So many certificates with the name of the leaf's issuer are tried: each costs a signature
/// verification, and anyone can send them.
const MAX_ISSUERS: usize = 16;

/// By the first issuer that fits: of the verified path, of the chain, of the anchors. `None` where
/// nobody at hand signed the leaf.
fn judge_by_issuers(
    context: &ChainContext<'_>,
    staple: &[u8],
    leaf: &Certificate,
    chain: &[Certificate],
    outlook: &ChainOutlook,
) -> Option<StapleOutlook> {
    let anchors = context.judge.anchors().certificates();
    let path = outlook.longest_path.iter().skip(1);
    let name = leaf.facts().issuer_der();
    let candidates = (path.chain(chain.iter().skip(1)).chain(anchors))
        .filter(|certificate| certificate.facts().subject_der() == name)
        .take(MAX_ISSUERS);
    let (judge, algorithms) = (StapleJudge::default(), context.judge.algorithms());
    judge.judge_among(staple, leaf, candidates, algorithms, context.at)
}
