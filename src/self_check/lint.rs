//! What is wrong with a chain although rustls accepts it, or may be wrong for others.

use std::collections::BTreeSet;

use super::context::ChainContext;
use super::finding::{Finding, FindingCode};
use super::lifetime::{self, LifetimeLimits};
use crate::cert::{Certificate, KeyType, algorithm, verifies_by};
use crate::event::Severity;
use crate::outlook::{ChainOutlook, Position, Timeline, VerifyingPath};
use crate::time::span;

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
    findings.extend(lint.unsupported());
    findings.extend(lint.lifetime());
    findings.extend(super::distrust::lint(context, chain, paths));
    findings.extend(chain.first().and_then(|leaf| precertificate(context, leaf)));
    findings
}

/// A leaf that is none: what its CA handed to logs in its stead (RFC 6962, 3.1).
pub(super) fn precertificate(context: &ChainContext<'_>, leaf: &Certificate) -> Option<Finding> {
    let message = "it is a precertificate, made for the logs of Certificate Transparency alone, which every client \
                   refuses: serve the certificate that the CA issued after it";
    let finding = context.finding(Severity::Critical, FindingCode::Precertificate, message);
    (leaf.is_precertificate()).then(|| finding.with_certificate(Position::Leaf, leaf))
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

/// What came behind the leaf, with its position among the presented.
struct Presented<'c> {
    position: Position,
    certificate: &'c Certificate,
    /// Whether it stood there before.
    is_repeated: bool,
}

impl Lint<'_> {
    fn info(&self, code: FindingCode, presented: &Presented<'_>, message: String) -> Finding {
        let finding = self.context.finding(Severity::Info, code, message);
        finding.with_certificate(presented.position, presented.certificate)
    }

    fn behind_leaf(&self) -> impl Iterator<Item = Presented<'_>> {
        let chain = self.chain.iter().zip(&self.repeated).enumerate().skip(1);
        chain.map(|(n, (certificate, repeated))| Presented {
            position: Position::in_chain(n),
            certificate,
            is_repeated: *repeated,
        })
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
        for presented in self.behind_leaf() {
            let certificate = presented.certificate;
            let name = certificate.short_name();
            if presented.is_repeated {
                let message =
                    format!("'{name}' is in the chain more than once: remove the repetition");
                findings.push(self.info(FindingCode::DuplicateCertificate, &presented, message));
            } else if self.is_anchor(certificate) {
                let message = format!(
                    "'{name}' is a trust anchor, which every client that trusts it has already: leave it out of the chain"
                );
                findings.push(self.info(FindingCode::AnchorSent, &presented, message));
            } else if self.all_paths_known
                && !self.paths.is_empty()
                && !self.is_on_a_path(certificate)
            {
                let message = format!(
                    "'{name}' is on no path from the leaf to a trust anchor: leave it out of the chain"
                );
                findings.push(self.info(FindingCode::UnneededCertificate, &presented, message));
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
        let finding = self.context.finding(Severity::Info, code, message);
        Some(finding.with_position(Some(Position::Leaf)))
    }

    /// Presented certificates on paths that end before the chain does: clients that follow only
    /// such a path go dark first, as with AddTrust in 2020 and DST Root CA X3 in 2021.
    fn cross_signs(&self, outlook: &ChainOutlook) -> Vec<Finding> {
        let Some(end) = outlook.rustls.effective_not_after else {
            return Vec::new();
        };
        let mut findings = Vec::new();
        for presented in self.behind_leaf() {
            let certificate = presented.certificate;
            let shorter = certificate.not_after() < end
                && !outlook.longest_path.contains(certificate)
                && self.is_on_a_path(certificate)
                && !presented.is_repeated;
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
                findings.push(self.info(FindingCode::ExpiringCrossSign, &presented, message));
            }
        }
        findings
    }

    /// A leaf whose chain may verify, and whose handshakes fail.
    fn unsupported(&self) -> Option<Finding> {
        let leaf = self.chain.first()?;
        let kind = algorithm::of_key(leaf.facts().spki_der());
        let key_type = match KeyType::of(kind) {
            // That is a weak key, and told as one.
            KeyType::EcExplicit => return None,
            key_type => key_type,
        };
        let known = verifies_by(self.context.judge.algorithms(), kind);
        let remedy = match key_type.is_of_aws_lc_rs_alone() {
            true => "aws-lc-rs does, so take that provider, or order one with another kind of key",
            false => "order one with another kind of key, such as EC P-256",
        };
        let message = format!(
            "its key is {key_type}, by which the crypto provider verifies nothing, so handshakes with it fail: {remedy}"
        );
        let (severity, code) = (Severity::Warning, FindingCode::UnsupportedKey);
        let finding = self.context.finding(severity, code, message);
        (!known).then(|| finding.with_certificate(Position::Leaf, leaf))
    }

    /// A leaf that lives longer than its CA may let it.
    fn lifetime(&self) -> Option<Finding> {
        let leaf = self.chain.first()?;
        let public = self.paths.iter().any(|path| path.anchor.is_public);
        let limited = public || self.context.lifetime_limits == LifetimeLimits::ForAll;
        // Both ends of a validity are good seconds.
        let seconds = leaf.not_after().seconds_since(leaf.not_before()).max(0) + 1;
        let limit = lifetime::limit_in_days(leaf.not_before()).filter(|_| limited);
        let days = limit.filter(|days| seconds > days * lifetime::DAY_SECONDS)?;
        let message = format!(
            "it lives {}, longer than the {days} days that the CA/Browser Forum allowed when it was issued: browsers refuse it; order one that lives less",
            span::readable(seconds)
        );
        let code = FindingCode::LifetimeOverLimit;
        let finding = self.context.finding(Severity::Warning, code, message);
        Some(finding.with_certificate(Position::Leaf, leaf))
    }
}
