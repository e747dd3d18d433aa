//! Roots that browsers trust for what was issued, or logged, until a date.

use super::context::ChainContext;
use super::finding::{Finding, FindingCode};
use crate::cert::{Certificate, Sct};
use crate::event::Severity;
use crate::outlook::{PathAnchor, Position, SctConstraint, VerifyingPath};
use crate::time::Timestamp;

/// A leaf all of whose roots browsers trust up to a date only, or only with certain SCTs.
pub(super) fn lint(
    context: &ChainContext<'_>,
    chain: &[Certificate],
    paths: &[VerifyingPath],
) -> Option<Finding> {
    let leaf = chain.first()?;
    let list = leaf.embedded_scts().unwrap_or_default();
    let leaf = Logged {
        certificate: leaf,
        scts: &list.scts,
    };
    // Where one path leads to a root without such an end, browsers go by that.
    let stands: Option<Vec<_>> = paths
        .iter()
        .map(|path| Stand::of(&path.anchor, &leaf))
        .collect();
    let stand = stands?.into_iter().max_by_key(Stand::rank)?;
    let (severity, code) = match stand.is_trusted {
        false => (Severity::Warning, FindingCode::IssuedAfterDistrust),
        true => (Severity::Info, FindingCode::DistrustAhead),
    };
    let finding = context.finding(severity, code, stand.message(&leaf));
    Some(finding.with_certificate(Position::Leaf, leaf.certificate))
}

/// A leaf, and the SCTs that it embeds.
struct Logged<'l> {
    certificate: &'l Certificate,
    scts: &'l [Sct],
}

impl Logged<'_> {
    /// The SCT that claims the earliest instant, in words.
    fn earliest_sct(&self) -> String {
        match self.scts.iter().map(Sct::timestamp).min() {
            Some(earliest) => format!("its earliest SCT claims {earliest}"),
            None => "it embeds no SCT".to_owned(),
        }
    }
}

/// By what a root's trust ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// By when a leaf was issued (Mozilla's way).
    NotBefore(Timestamp),
    /// By an SCT of that second or earlier (Chrome's way).
    SctNotAfter(Timestamp),
    /// By SCTs that are all later.
    SctAllAfter(Timestamp),
}

/// How a leaf stands with one root whose trust ends.
struct Stand<'p> {
    root: &'p str,
    by: By,
    is_trusted: bool,
}

impl<'p> Stand<'p> {
    /// `None` where browsers trust what this root issues without an end that is known.
    fn of(anchor: &'p PathAnchor, leaf: &Logged<'_>) -> Option<Self> {
        let stand = |by, is_trusted| Self {
            root: &anchor.subject,
            by,
            is_trusted,
        };
        let by_date = anchor.distrust_after.map(|until| {
            let is_trusted = leaf.certificate.not_before() <= until;
            stand(By::NotBefore(until), is_trusted)
        });
        let is_met = |constraint: &&SctConstraint| constraint.is_met_by(leaf.scts);
        let met: Vec<_> = anchor.sct_constraints.iter().filter(is_met).collect();
        let by_scts = match (met.as_slice(), anchor.sct_constraints.as_slice()) {
            (_, []) => None,
            ([], all) => {
                let until = all
                    .iter()
                    .filter_map(|constraint| constraint.not_after)
                    .max();
                let since = all
                    .iter()
                    .filter_map(|constraint| constraint.all_after)
                    .min();
                let by = until.map(By::SctNotAfter).or(since.map(By::SctAllAfter));
                by.map(|by| stand(by, false))
            }
            (met, _) => {
                // One that asks for later SCTs alone has no end.
                let until: Option<Vec<_>> = met.iter().map(|met| met.not_after).collect();
                let until = until.and_then(|until| until.into_iter().max());
                until.map(|until| stand(By::SctNotAfter(until), true))
            }
        };
        match (by_date, by_scts) {
            (Some(by_date), Some(by_scts)) => Some(match by_date.rank() <= by_scts.rank() {
                true => by_date,
                false => by_scts,
            }),
            (by_date, by_scts) => by_date.or(by_scts),
        }
    }

    /// The better one is greater: browsers go by the best path, and on a path by its worst end.
    const fn rank(&self) -> (bool, Timestamp) {
        let (By::NotBefore(end) | By::SctNotAfter(end) | By::SctAllAfter(end)) = self.by;
        (self.is_trusted, end)
    }

    fn message(&self, leaf: &Logged<'_>) -> String {
        let (root, issued) = (self.root, leaf.certificate.not_before());
        match (self.by, self.is_trusted) {
            (By::NotBefore(until), false) => format!(
                "browsers trust what the root '{root}' issued until {until}, and it was issued at {issued}: they \
                 refuse it; have it issued under another root"
            ),
            (By::NotBefore(until), true) => format!(
                "browsers trust what the root '{root}' issued until {until}, so they take this leaf to its end, and \
                 refuse what is issued later: have it renewed under another root"
            ),
            (By::SctNotAfter(until), false) => format!(
                "Chrome trusts what the root '{root}' issued with an SCT of {until} or earlier, and {}: it refuses it; \
                 have it issued under another root",
                leaf.earliest_sct()
            ),
            (By::SctNotAfter(until), true) => format!(
                "Chrome trusts what the root '{root}' issued with an SCT of {until} or earlier, and {}, so it takes this \
                 leaf to its end, and refuses what is logged later: have it renewed under another root",
                leaf.earliest_sct()
            ),
            (By::SctAllAfter(since), _) => format!(
                "Chrome trusts what the root '{root}' issued with SCTs all of which are later than {since}, and {}: it \
                 refuses it; have it issued anew",
                leaf.earliest_sct()
            ),
        }
    }
}
