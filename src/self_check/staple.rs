//! The staple of a chain, as far as the check was given it.

#[cfg(feature = "ocsp")]
use super::chain::ChainContext;
#[cfg(feature = "ocsp")]
use super::{Finding, FindingCode};
#[cfg(feature = "ocsp")]
use crate::cert::Certificate;
#[cfg(feature = "ocsp")]
use crate::event::Severity;
#[cfg(feature = "ocsp")]
use crate::outlook::{ChainOutlook, Position};
#[cfg(feature = "ocsp")]
use crate::revocation::{StapleJudge, StapleOutlook, StapleStatus};
use crate::time::Timestamp;

/// What a chain's stapled OCSP response comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StapleReport {
    /// The stable code of its status: `good`, `revoked`, `stale`, ...
    pub code: &'static str,
    /// Its cliff: the last second at which it says good. `None` where it does not.
    pub good_until: Option<Timestamp>,
    /// thisUpdate, where it could be read.
    pub this_update: Option<Timestamp>,
    /// nextUpdate, where it states one.
    pub next_update: Option<Timestamp>,
    /// Whether the leaf asks for a staple (RFC 7633).
    pub must_staple: bool,
    /// A sentence that says what to do.
    pub message: String,
}

/// Judges the staple of a chain: `None` where it is not known whether there is one.
#[cfg(feature = "ocsp")]
pub(super) fn judge_staple(
    context: &ChainContext<'_>,
    chain: &[Certificate],
    outlook: &ChainOutlook,
) -> (Option<StapleReport>, Option<Finding>) {
    let Some(leaf) = chain.first() else {
        return (None, None);
    };
    let must_staple = leaf.facts().must_staple();
    let Some(staple) = context.staple else {
        let message = "the leaf asks for a stapled OCSP response (must-staple), which cannot be seen here: \
                       see that the server staples one";
        let code = FindingCode::MustStapleWithoutStaple;
        let finding = context.finding(Severity::Info, code, message);
        return (
            None,
            must_staple.then(|| finding.at_position(Some(Position::Leaf))),
        );
    };
    if staple.is_empty() && !must_staple {
        return (None, None);
    }
    let Some(judged) = judge_by_issuers(context, staple, leaf, chain, outlook) else {
        let message = "the staple cannot be judged, for the certificate of the leaf's issuer is neither in the chain nor a trust anchor: add it";
        let finding = context.finding(Severity::Warning, FindingCode::StapleNotGood, message);
        return (None, Some(finding.at_position(Some(Position::Leaf))));
    };
    let severity = match judged.status {
        StapleStatus::Good { .. } => None,
        StapleStatus::Revoked { .. } => Some(Severity::Critical),
        _ => Some(Severity::Warning),
    };
    let code = match judged.status {
        StapleStatus::Absent => FindingCode::MustStapleWithoutStaple,
        _ => FindingCode::StapleNotGood,
    };
    let finding = severity.map(|severity| {
        let finding = context.finding(severity, code, judged.to_string());
        finding.at_position(Some(Position::Leaf))
    });
    let report = StapleReport {
        code: judged.code(),
        good_until: judged.good_until(),
        this_update: judged.this_update,
        next_update: judged.next_update,
        must_staple,
        message: judged.to_string(),
    };
    (Some(report), finding)
}

/// So many certificates with the name of the leaf's issuer are tried: each costs a signature
/// verification, and anyone can send them.
#[cfg(feature = "ocsp")]
const MAX_ISSUERS: usize = 16;

/// By the first issuer that fits: of the verified path, of the chain, of the anchors. `None` where
/// nobody at hand signed the leaf.
#[cfg(feature = "ocsp")]
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
