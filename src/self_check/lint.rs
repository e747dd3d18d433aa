//! What is wrong with a chain although rustls accepts it, or may be wrong for others.

use std::collections::BTreeSet;

use super::chain::ChainContext;
use super::{Finding, FindingCode};
use crate::cert::Certificate;
use crate::event::Severity;
use crate::outlook::{ChainOutlook, Position, Timeline, VerifyingPath};
use crate::time::Timestamp;
use crate::time::span;

const DAY: i64 = 86_400;

/// To which chains the CA/Browser Forum's limits on lifetimes apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LifetimeLimits {
    /// To chains that end at an anchor known to be public: one of Mozilla's, which the feature
    /// `mozilla-anchors` knows.
    #[default]
    ForPublicAnchors,
    /// To every chain.
    ForAll,
}

/// From when on a leaf may live how many days (CA/Browser Forum, Baseline Requirements, 6.3.2).
const LIFETIME_LIMITS: [(i64, i64); 5] = [
    (1_519_862_400, 825), // 2018-03-01
    (1_598_918_400, 398), // 2020-09-01
    (1_773_532_800, 200), // 2026-03-15
    (1_805_068_800, 100), // 2027-03-15
    (1_868_227_200, 47),  // 2029-03-15
];

/// The most days that a leaf issued at this instant may live, if there was a limit then.
fn lifetime_limit(issued: Timestamp) -> Option<i64> {
    let issued = issued.as_unix_seconds();
    let limits = LIFETIME_LIMITS.iter().rev();
    limits
        .into_iter()
        .find(|(from, _)| *from <= issued)
        .map(|(_, days)| *days)
}

/// Looks a chain over. `timeline` is `None` where webpki does not take the leaf at all.
pub(super) fn lint(
    context: &ChainContext<'_>,
    chain: &[Certificate],
    outlook: &ChainOutlook,
    timeline: Option<&Timeline>,
) -> Vec<Finding> {
    let paths = timeline.map_or(&[][..], |timeline| timeline.rustls.paths.as_slice());
    let on_paths = paths.iter().flat_map(|path| &path.certificates);
    let mut distinct = BTreeSet::new();
    let lint = Lint {
        context,
        chain,
        paths,
        all_paths_known: timeline.is_some_and(|timeline| timeline.complete),
        on_paths: on_paths.map(|c| c.certificate.der().as_ref()).collect(),
        repeated: (chain.iter())
            .map(|certificate| !distinct.insert(certificate.der().as_ref()))
            .collect(),
    };
    let mut findings = lint.superfluous();
    findings.extend(lint.order());
    findings.extend(lint.cross_signs(outlook));
    #[cfg(feature = "details")]
    findings.extend(super::detail_lint::lint(context, chain));
    findings.extend(lint.lifetime());
    findings
}

struct Lint<'c> {
    context: &'c ChainContext<'c>,
    chain: &'c [Certificate],
    /// Every path that verifies at some instant.
    paths: &'c [VerifyingPath],
    /// Whether there are no others.
    all_paths_known: bool,
    /// Every certificate on one of them.
    on_paths: BTreeSet<&'c [u8]>,
    /// Which of the chain stood in it before.
    repeated: Vec<bool>,
}

impl Lint<'_> {
    fn info(&self, code: FindingCode, position: Position, message: String) -> Finding {
        let finding = self.context.finding(Severity::Info, code, message);
        finding.at_position(Some(position))
    }

    fn warning(&self, code: FindingCode, position: Position, message: String) -> Finding {
        let finding = self.context.finding(Severity::Warning, code, message);
        finding.at_position(Some(position))
    }

    /// What came behind the leaf, with its position among the presented, and whether it stood
    /// there before.
    fn behind_leaf(&self) -> impl Iterator<Item = (Position, &Certificate, bool)> {
        let chain = self.chain.iter().zip(&self.repeated).enumerate().skip(1);
        chain.map(|(n, (certificate, repeated))| (Position::in_chain(n), certificate, *repeated))
    }

    fn is_on_a_path(&self, certificate: &Certificate) -> bool {
        self.on_paths.contains(certificate.der().as_ref())
    }

    fn is_anchor(&self, certificate: &Certificate) -> bool {
        certificate.is_self_issued() && self.context.judge.anchors().has_key_of(certificate)
    }

    /// Certificates that no client needs.
    fn superfluous(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (position, certificate, repeated) in self.behind_leaf() {
            let name = certificate.short_name();
            if repeated {
                let message =
                    format!("'{name}' is in the chain more than once: remove the repetition");
                findings.push(self.info(FindingCode::DuplicateCertificate, position, message));
            } else if self.is_anchor(certificate) {
                let message = format!(
                    "'{name}' is a trust anchor, which every client that trusts it has already: leave it out of the chain"
                );
                findings.push(self.info(FindingCode::AnchorSent, position, message));
            } else if self.all_paths_known
                && !self.paths.is_empty()
                && !self.is_on_a_path(certificate)
            {
                let message = format!(
                    "'{name}' is on no path from the leaf to a trust anchor: leave it out of the chain"
                );
                findings.push(self.info(FindingCode::UnneededCertificate, position, message));
            }
        }
        findings
    }

    /// Each certificate should certify the one before it (RFC 5246, 7.4.2; RFC 8446, 4.4.2 asks
    /// clients to cope, not all do).
    fn order(&self) -> Option<Finding> {
        let in_order = |path: &VerifyingPath| {
            let mut rest = self.chain.iter();
            let mut certificates = path.certificates.iter();
            certificates.all(|on_path| rest.any(|presented| *presented == on_path.certificate))
        };
        if self.paths.is_empty() || self.paths.iter().any(in_order) {
            return None;
        }
        let message = "the certificates are not in the order of the path, each followed by its issuer: \
                       sort the chain, some clients do not do it themselves";
        let code = FindingCode::UnorderedChain;
        Some(self.info(code, Position::Leaf, message.to_owned()))
    }

    /// Presented certificates on paths that end before the chain does: clients that follow only
    /// such a path go dark first, as with AddTrust in 2020 and DST Root CA X3 in 2021.
    fn cross_signs(&self, outlook: &ChainOutlook) -> Vec<Finding> {
        let Some(end) = outlook.rustls.effective_not_after else {
            return Vec::new();
        };
        let mut findings = Vec::new();
        for (position, certificate, repeated) in self.behind_leaf() {
            let shorter = certificate.not_after() < end
                && !outlook.longest_path.contains(certificate)
                && self.is_on_a_path(certificate)
                && !repeated;
            if shorter {
                let (name, not_after) = (certificate.short_name(), certificate.not_after());
                let left = not_after.seconds_since(self.context.at);
                let when = match left {
                    left if left < 0 => {
                        format!("ended {} ago, at {not_after}", span::readable(left))
                    }
                    left => format!("ends in {}, at {not_after}", span::readable(left)),
                };
                let message = format!(
                    "the cross-sign '{name}' by '{}' {when}; rustls goes on by another path, clients that follow only this one do not: leave it out, or replace it",
                    certificate.issuer_short_name()
                );
                findings.push(self.info(FindingCode::ExpiringCrossSign, position, message));
            }
        }
        findings
    }

    /// A leaf that lives longer than its CA may let it.
    fn lifetime(&self) -> Option<Finding> {
        let leaf = self.chain.first()?;
        let public = self.paths.iter().any(|path| path.anchor.is_public);
        let limited = public || self.context.lifetime_limits == LifetimeLimits::ForAll;
        // Both ends of a validity are good seconds.
        let seconds = leaf.not_after().seconds_since(leaf.not_before()).max(0) + 1;
        let limit = lifetime_limit(leaf.not_before()).filter(|_| limited);
        let days = limit.filter(|days| seconds > days * DAY)?;
        let message = format!(
            "it lives {}, longer than the {days} days that the CA/Browser Forum allowed when it was issued: browsers refuse it; order one that lives less",
            span::readable(seconds)
        );
        Some(self.warning(FindingCode::LifetimeOverLimit, Position::Leaf, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_begin_at_their_days() {
        let cases = [
            ("2018-02-28T23:59:59Z", None),
            ("2018-03-01T00:00:00Z", Some(825)),
            ("2020-08-31T23:59:59Z", Some(825)),
            ("2020-09-01T00:00:00Z", Some(398)),
            ("2026-03-14T23:59:59Z", Some(398)),
            ("2026-03-15T00:00:00Z", Some(200)),
            ("2027-03-15T00:00:00Z", Some(100)),
            ("2029-03-14T23:59:59Z", Some(100)),
            ("2029-03-15T00:00:00Z", Some(47)),
        ];
        for (issued, expected) in cases {
            assert_eq!(
                lifetime_limit(issued.parse().unwrap()),
                expected,
                "{issued}"
            );
        }
    }
}
