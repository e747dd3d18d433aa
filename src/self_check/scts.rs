//! The SCTs of a chain's leaf, where there is a list of logs to judge them by.

use super::chain_report::{StapleReport, StapleVerdict};
use super::context::ChainContext;
use super::finding::{Finding, FindingCode};
use super::sct_settings::SctSettings;
use crate::cert::{Certificate, Sct};
use crate::event::Severity;
use crate::outlook::{Position, Timeline, Usage};
use crate::time::{Timestamp, Validity};
use crate::transparency::{SctLeaves, SctStatus, SctVerdict};

/// What is reported of a leaf's SCTs, and what a person should know about them.
#[derive(Default)]
pub(super) struct JudgedScts {
    pub(super) report: Option<SctVerdict>,
    pub(super) finding: Option<Finding>,
}

/// Judges the SCTs of a server's leaf: no report without a list of logs, nor of a leaf of which nobody asks any.
pub(super) fn judge_scts(
    context: &ChainContext<'_>,
    chain: &[Certificate],
    timeline: Option<&Timeline>,
    staple: Option<&StapleReport>,
) -> JudgedScts {
    let (Some(leaf), Some(list)) = (chain.first(), context.scts.log_list.as_deref()) else {
        return JudgedScts::default();
    };
    let mut paths = timeline.iter().flat_map(|timeline| &timeline.rustls.paths);
    let is_asked = match context.scts.policy.leaves() {
        SctLeaves::All => true,
        SctLeaves::OfPublicAnchors => paths.any(|path| path.anchor.is_public),
    };
    if !is_asked || context.usage != Usage::ServerAuth {
        return JudgedScts::default();
    }
    let delivered = of_staple(context, leaf, staple);
    let verdict = (context.scts.policy).judge(leaf, &delivered, list, context.at);
    let finding = match (verdict.status, verdict.met_until) {
        (SctStatus::Met, None) => None,
        (SctStatus::Met, Some(until)) => Some(ending(context, leaf, until)),
        _ => Some(unmet(context, list.published(), &verdict)),
    };
    JudgedScts {
        finding: finding.map(|finding| finding.with_certificate(Position::Leaf, leaf)),
        report: Some(verdict),
    }
}

/// Those that came in the stapled OCSP response, if that is good.
fn of_staple(
    context: &ChainContext<'_>,
    leaf: &Certificate,
    staple: Option<&StapleReport>,
) -> Vec<Sct> {
    let is_good = staple.is_some_and(|staple| staple.verdict == StapleVerdict::Good);
    #[cfg(feature = "ocsp")]
    if let Some(bytes) = context.staple.filter(|_| is_good) {
        return crate::revocation::scts_of_staple(bytes, leaf).scts;
    }
    let _ = (context, leaf, is_good);
    Vec::new()
}

fn unmet(
    context: &ChainContext<'_>,
    published: Option<Timestamp>,
    verdict: &SctVerdict,
) -> Finding {
    let code = match verdict.status {
        SctStatus::Missing => FindingCode::SctsMissing,
        SctStatus::Unreadable => FindingCode::SctsUnreadable,
        SctStatus::TooFewOperators => FindingCode::SctsTooFewOperators,
        _ => FindingCode::SctsTooFew,
    };
    let remedy = match code {
        FindingCode::SctsMissing => {
            "they refuse it unless SCTs come in the handshake, which cannot be seen here; have it issued by a CA that \
             logs what it issues"
        }
        _ => "they refuse it; have it issued anew",
    };
    let by = match published {
        Some(published) => format!("by the list of logs of {published}"),
        None => "by this list of logs".to_owned(),
    };
    let message = format!("{verdict}, {by}: {remedy}");
    context.finding(Severity::Warning, code, message)
}

/// A log of it will be retired.
fn ending(context: &ChainContext<'_>, leaf: &Certificate, until: Timestamp) -> Finding {
    let validity = Validity {
        not_before: leaf.not_before(),
        not_after: until,
    };
    let band = context.policy.band(validity, Position::Leaf, context.at);
    // For rustls itself nothing is wrong: at most a warning.
    let severity = Severity::of_band(band).min(Severity::Warning);
    let message = format!(
        "browsers take its SCTs until {until}, when a log of them is retired, and not to its end at {}: renew it by then",
        leaf.not_after()
    );
    context.finding(severity, FindingCode::SctsEnding, message)
}

/// That the list of logs is too old to judge SCTs by.
pub(super) fn stale(settings: &SctSettings, at: Timestamp) -> Option<Finding> {
    let until = settings.log_list.as_ref()?.counts_until();
    let until = until.filter(|until| *until < at)?;
    let message = format!(
        "the list of logs counts until {until}, 70 days after it was published, so newer logs are not in it: fetch the \
         next one"
    );
    let (severity, code) = (Severity::Warning, FindingCode::LogListStale);
    Some(Finding::new(severity, code, message))
}
